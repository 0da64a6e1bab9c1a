"""Spark, a writer between two syncs and in the middle of one: read right, or refused by name (`make test-spark`)."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Set
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from pyiceberg.types import DoubleType

from sf_assets.cli import main
from sf_assets.commands.setup.upkeep import days_ago
from sf_assets.errors import TableUnsupported
from sf_assets.iceberg.commit.data_files import live_files
from sf_assets_tests.iceberg.conftest import Account, open_tables
from sf_assets_tests.production.processes import free_port
from sf_assets_tests.spark.conftest import PYTHON
from sf_assets_tests.spark.engine import Spark, spark_over, text

pytestmark = pytest.mark.spark
ROWS = [("1", "a", 10), ("2", "b", 20), ("3", "c", 30)]
PROCEDURE = "CALL salesforce.system.{}(table => 'salesforce.salesforce.{}'{})"


class Lake:
    """A catalog of ours with a Spark over it."""

    def __init__(self, folder: Path, spark: Spark) -> None:
        self.tables, self.spark = open_tables(folder), spark

    def account(self, name: str) -> Account:
        """Make a table of two data files and two delete files."""
        account = Account(self.tables, name=name)
        account.merge(account.frame(*ROWS), state="s1")
        account.merge(account.frame(("2", "B", 25), ("4", "d", 40)), state="s2")
        account.merge(account.frame(("2", "C", 26)), state="s3")
        return account

    def rows(self, account: Account) -> list[tuple[str | None, ...]]:
        """The rows as Spark reads them."""
        rows = self.spark(f"SELECT id, name FROM salesforce.salesforce.{account.name} ORDER BY id")
        return [(row["id"], row["name"]) for row in rows]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, jars: Path) -> Iterator[Lake]:
    folder = tmp_path_factory.mktemp("lake")
    database, warehouse = folder / "catalog.db", f"file://{folder}/lake"
    open_tables(folder)
    with spark_over(PYTHON, jars, database=database, warehouse=warehouse, log=folder / "spark.log") as spark:
        yield Lake(folder, spark)


def procedure(name: str, more: str = "") -> Callable[[str], str]:
    return lambda table: PROCEDURE.format(name, table, more)


def sql(statement: str) -> Callable[[str], str]:
    return lambda table: statement.format(f"salesforce.salesforce.{table}")


LATER = f"older_than => TIMESTAMP '{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d %H:%M:%S}'"
EARLIER = f"older_than => TIMESTAMP '{datetime.now(UTC) - timedelta(days=2):%Y-%m-%d %H:%M:%S}'"
UPKEEP = {
    "compaction": procedure(
        "rewrite_data_files", ", options => map('delete-file-threshold', '1', 'min-input-files', '1')"
    ),
    "sort": procedure(
        "rewrite_data_files",
        ", strategy => 'sort', sort_order => 'name DESC', options => map('rewrite-all', 'true')",
    ),
    "delete_files": procedure("rewrite_position_delete_files", ", options => map('rewrite-all', 'true')"),
    "manifests": procedure("rewrite_manifests"),
    "expiry": procedure("expire_snapshots", f", {LATER}, retain_last => 1"),
    "orphans": procedure("remove_orphan_files", f", {EARLIER}"),
    "column": sql("ALTER TABLE {} ADD COLUMN score INT COMMENT 'of a data scientist'"),
    "comment": sql("ALTER TABLE {} ALTER COLUMN name COMMENT 'another comment'"),
    "partition": sql("ALTER TABLE {} ADD PARTITION FIELD bucket(4, id)"),
    "order": sql("ALTER TABLE {} WRITE ORDERED BY name DESC"),
    "modes": sql("ALTER TABLE {} SET TBLPROPERTIES ('write.delete.mode' = 'merge-on-read')"),
}
"""What changes no row."""


@pytest.mark.parametrize("name", UPKEEP)
def test_spark_s_upkeep_between_two_syncs_changes_nothing_for_them(lake: Lake, name: str) -> None:
    account = lake.account(f"between_{name}")

    lake.spark(UPKEEP[name](account.name))
    between = account.facts.state
    account.merge(account.frame(("3", "C3", 35), ("5", "e", 50)), state="s4")
    lake.spark(UPKEEP["compaction"](account.name))
    result = account.merge(account.frame(("1", "A", 60), ("5", "E", 60)), state="s5")

    assert between == "s3"
    assert (result.updated, result.inserted, result.rows) == (2, 0, 5)
    expected = [("1", "A"), ("2", "C"), ("3", "C3"), ("4", "d"), ("5", "E")]
    assert account.rows("id", "name") == expected
    assert lake.rows(account) == expected
    assert account.facts.state == "s5"
    assert lake.tables.maintenance.find_damage(account.name, deep=True) == ()


@pytest.mark.parametrize("name", ["compaction", "sort", "delete_files", "expiry", "column", "partition"])
def test_spark_s_upkeep_in_the_middle_of_a_sync_loses_nothing(lake: Lake, name: str) -> None:
    account = lake.account(f"middle_{name}")

    def chunks():  # type: ignore[no-untyped-def]
        yield from account.chunks(account.frame(("3", "C3", 35)), state=None)
        lake.spark(UPKEEP[name](account.name))
        yield from account.chunks(account.frame(("5", "e", 50)), state="s4")

    account.stream(chunks())

    expected = [("1", "a"), ("2", "C"), ("3", "C3"), ("4", "d"), ("5", "e")]
    assert account.rows("id", "name") == expected
    assert lake.rows(account) == expected
    assert account.facts.state == "s4"


@pytest.mark.parametrize("mode", ["copy-on-write", "merge-on-read"])
def test_rows_that_spark_changes_are_read_like_any_others(lake: Lake, mode: str) -> None:
    account = lake.account(f"rows_{mode.replace('-', '_')}")
    table = f"salesforce.salesforce.{account.name}"
    properties = ", ".join(f"'write.{verb}.mode' = '{mode}'" for verb in ("delete", "update", "merge"))
    lake.spark(f"ALTER TABLE {table} SET TBLPROPERTIES ({properties})")
    lake.spark(f"DELETE FROM {table} WHERE id = '1'")
    lake.spark(f"UPDATE {table} SET name = 'by hand' WHERE id = '3'")

    result = account.merge(account.frame(("1", "back", 60), ("4", "D", 60)), state="s4")

    assert (result.inserted, result.updated, result.rows) == (1, 1, 4)
    assert account.rows("id", "name") == [("1", "back"), ("2", "C"), ("3", "by hand"), ("4", "D")]
    assert lake.rows(account) == account.rows("id", "name")


def test_an_upgrade_to_format_version_3_is_refused_by_name(lake: Lake) -> None:
    account = lake.account("upgraded")
    lake.spark("ALTER TABLE salesforce.salesforce.upgraded SET TBLPROPERTIES ('format-version' = '3')")

    with pytest.raises(TableUnsupported, match="upgraded: the table was upgraded to Iceberg format version 3") as error:
        account.merge(account.frame(("1", "A", 60)), state="s4")

    assert "sf-assets repair" in error.value.remedy
    assert lake.rows(account) == [("1", "a"), ("2", "C"), ("3", "c"), ("4", "d")]


def test_spark_runs_every_statement_that_setup_upkeep_prints(lake: Lake) -> None:
    account = lake.account("account")
    command = ["setup", "upkeep", "--engine", "spark", "--endpoints", "account"]
    script = CliRunner().invoke(main, command, catch_exceptions=False).output
    statements = [line.rstrip(";") for line in script.splitlines() if "salesforce.account'" in line]
    moments = {days_ago(days): datetime.now(UTC) - timedelta(days=days) for days in (1, 3)}

    for statement in statements:
        for mark, moment in moments.items():
            statement = statement.replace(mark, f"{moment:%Y-%m-%d %H:%M:%S}")  # noqa: PLW2901
        lake.spark(statement)

    assert len(statements) == 5
    assert [len(file.deletes) for file in live_files(account.table)] == [0]
    assert lake.rows(account) == account.rows("id", "name")
    assert account.facts.state == "s3"


def test_spark_reads_all_tables_of_a_demo_equal_to_pyiceberg(tmp_path: Path, jars: Path) -> None:
    few = [f"--rows={name}=20" for name in ("account", "contact", "lead", "opportunity", "case", "task", "event")]
    environment = {"SF_ASSETS_HOME": str(tmp_path), "DAGSTER_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-m", "sf_assets.cli", "demo", "--port", str(free_port()), *few]
    for _ in range(2):  # the second one leaves position deletes
        fast = {"SALESFORCE_REQUESTS_PER_SECOND": "1000"}
        subprocess.run(command, env=environment | fast, check=True, capture_output=True, timeout=600)
    folder = tmp_path / "lake/practice"
    tables = open_demo(folder)
    names = tables.names()
    cells = deletes = 0
    different: list[Difference] = []

    where = {"database": folder / "catalog.db", "warehouse": f"file://{folder}/tables"}
    with spark_over(PYTHON, jars, **where, log=tmp_path / "spark.log") as spark:
        for name in names:
            table = tables._catalog.find(name)
            deletes += sum(bool(file.deletes) for file in live_files(table))
            rows = [{key: text(value) for key, value in row.items()} for row in table.scan().to_arrow().to_pylist()]
            theirs = spark(f"SELECT * FROM salesforce.salesforce.`{name}`")
            doubles = {field.name for field in table.schema().fields if isinstance(field.field_type, DoubleType)}
            different += differences(name, rows, theirs, doubles)
            cells += sum(map(len, rows))

    assert different[:5] == []
    assert len(names) == 31
    assert cells > 10_000
    assert deletes > 0


Row = dict[str, str | None]
Difference = tuple[str, str, str | None, str | None]


def differences(table: str, ours: list[Row], theirs: list[Row], doubles: Set[str]) -> Iterator[Difference]:
    """Yield table, column and both texts of each cell that differs. A diff of whole tables takes pytest minutes.

    Doubles are compared as numbers: Java writes 1.5E7 and Python 15000000.0.
    """
    if len(ours) != len(theirs):
        yield table, "count", str(len(ours)), str(len(theirs))
    key = lambda row: row.get("id") or row["endpoint"] or ""  # noqa: E731
    for own, foreign in zip(sorted(ours, key=key), sorted(theirs, key=key), strict=False):
        for column in own.keys() | foreign.keys():
            mine, other = own.get(column, "missing"), foreign.get(column, "missing")
            if column in doubles and mine and other:
                is_equal = float(mine) == float(other)
            else:
                is_equal = mine == other
            if not is_equal:
                yield table, column, mine, other


def open_demo(folder: Path):  # type: ignore[no-untyped-def]
    from sf_assets.assets.resources import local_catalog
    from sf_assets.iceberg.tables import IcebergTables

    return IcebergTables("salesforce", "salesforce", local_catalog(folder))
