"""`sf-assets repair` prints what is damaged and what it would do, and does it when asked."""

from pathlib import Path

import polars as pl
import pytest
from pyiceberg.types import StringType

from sf_assets.assets.deployments import read_deployment
from sf_assets.assets.resources import local_catalog
from sf_assets.commands.repair import state_check, summary, table_names
from sf_assets.iceberg.maintenance.repair import Repair, RepairAction
from sf_assets.iceberg.model import Chunk, TableColumn
from sf_assets.iceberg.tables import IcebergTables
from sf_assets.sync.state import State

STATE = State(org_id="00D000000000001", sobject="Account").to_json()


@pytest.fixture
def catalog(tmp_path) -> dict[str, str]:
    return local_catalog(tmp_path / "lake")


@pytest.fixture
def shell(catalog) -> dict[str, str]:
    """The same catalog as an operator names it."""
    return {f"PYICEBERG_CATALOG__SALESFORCE__{name.upper()}": value for name, value in catalog.items()}


@pytest.fixture
def tables(catalog) -> IcebergTables:
    tables = IcebergTables("salesforce", "salesforce", catalog)
    base = None
    for key in ("1", "2"):
        chunks = [Chunk(pl.DataFrame({"id": [key]}), STATE)]
        columns = (TableColumn("id", StringType()),)
        tables.merge("account", columns=columns, keys=("id",), stamp=None, chunks=chunks, base=base)
        base = STATE
    return tables


def newest_data_file(tables: IcebergTables) -> Path:
    folder = Path(tables.facts("account").uri.removeprefix("file://")) / "data"
    return max(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)


def test_sound_tables_need_no_repair(sf_assets, shell, tables):
    process = sf_assets("repair", **shell)

    assert (process.returncode, process.stdout) == (0, "31 tables checked, no damage\n")


def test_a_repair_prints_its_plan_and_changes_nothing_unless_asked(sf_assets, shell, tables):
    path = newest_data_file(tables)
    path.unlink()

    plan = sf_assets("repair", **shell)
    assert plan.returncode == 1
    assert f"damaged: file://{path}: the file is missing" in plan.stdout
    assert "repair: return to snapshot" in plan.stdout
    assert plan.stdout.endswith("Nothing was changed. To repair: sf-assets repair --apply account\n")
    assert sf_assets("repair", "account", **shell).stdout == plan.stdout

    process = sf_assets("repair", "--apply", "account", **shell)
    assert process.returncode == 0
    assert process.stdout.endswith("Repaired: account. Run these endpoints to read what is missing.\n")
    assert sf_assets("repair", **shell).returncode == 0
    assert tables.scan("account").collect()["id"].to_list() == ["1"]


def test_a_full_copy_is_for_named_endpoints_only(sf_assets, shell, tables):
    process = sf_assets("repair", "--full-copy", **shell)
    assert process.returncode == 1
    assert "--full-copy needs the names of endpoints" in process.stderr

    process = sf_assets("repair", "--full-copy", "--apply", "account", **shell)
    assert "repair: rename the table to account__set_aside_" in process.stdout
    assert tables.facts("account") is None


def test_the_doctor_finds_a_missing_file(sf_assets, shell, tables):
    newest_data_file(tables).unlink()

    process = sf_assets("doctor", **shell)

    assert "the file is missing" in process.stdout
    assert "sf-assets repair account" in process.stdout


def test_the_command_that_is_printed_has_the_flags_that_found_the_damage():
    damaged = [Repair(name, (), RepairAction.SET_ASIDE, "aside") for name in ("account", "_sync_status")]

    line = summary(damaged, 31, is_applied=False, flags=["--deep"])

    assert line.endswith("sf-assets repair --apply --deep account _sync_status")


def test_every_table_of_a_deployment_can_be_repaired_by_its_name(tmp_path):
    settings = read_deployment({"SF_ASSETS_HOME": str(tmp_path), "SF_ASSETS_HISTORY": "account"})

    everything = table_names(settings, ())

    assert {"account", "account_changes", "_sync_status"} <= set(everything)
    assert [table_names(settings, [name]) for name in everything] == [[name] for name in everything]
    assert table_names(settings, ["account_changes", "account"]) == ["account", "account_changes"]


@pytest.mark.parametrize(
    ("text", "is_valid"),
    [
        ('{"number":4,"sequence":3,"snapshot":2,"table":"u"}', True),
        ('{"number":4,"sequence":3,"snapshot":2,"table":"u","from_the_future":1}', True),
        ('{"number":"4","sequence":3,"snapshot":2,"table":"u"}', False),
        ('{"number":4}', False),
        ("[]", False),
        ("{", False),
    ],
)
def test_the_state_of_a_history_is_checked_as_one(text, is_valid):
    assert state_check("account_changes")(text) == is_valid
