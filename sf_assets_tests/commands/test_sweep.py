import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from pyiceberg.catalog import load_catalog
from pyiceberg.schema import Schema
from pyiceberg.types import LongType, NestedField

from sf_assets.assets.resources import local_catalog
from sf_assets.iceberg.tables import IcebergTables


@pytest.fixture
def catalog(tmp_path) -> dict[str, str]:
    return local_catalog(tmp_path / "lake")


@pytest.fixture
def shell(catalog) -> dict[str, str]:
    """The same catalog as an operator names it."""
    return {f"PYICEBERG_CATALOG__SALESFORCE__{name.upper()}": value for name, value in catalog.items()}


def left_behind(folder: str, name: str, *, days: float) -> Path:
    path = Path(folder.removeprefix("file://")) / "data" / name
    path.write_bytes(b"of a write that never came to its commit")
    then = (datetime.now(UTC) - timedelta(days=days)).timestamp()
    os.utime(path, (then, then))
    return path


def test_old_files_that_no_snapshot_needs_go_and_all_else_stays(sf_assets, catalog, shell):
    warehouse = IcebergTables("salesforce", "salesforce", catalog)
    frame = pl.DataFrame({"id": [1, 2]})
    warehouse.overwrite("mine", [frame])
    foreign = load_catalog("salesforce", **catalog).create_table(
        ("salesforce", "theirs"), Schema(NestedField(1, "id", LongType(), required=False))
    )
    foreign.append(frame.to_arrow())
    ours = warehouse.facts("mine").uri
    old, young = left_behind(ours, "old.parquet", days=4), left_behind(ours, "young.parquet", days=2)
    others = left_behind(foreign.location(), "old.parquet", days=4)

    process = sf_assets("sweep", **shell)

    assert process.stdout.splitlines() == ["mine: 1 file removed", "theirs: not a table of sf_assets, left alone"]
    assert (old.exists(), young.exists(), others.exists()) == (False, True, True)
    assert warehouse.scan("mine").select("id").sort("id").collect().equals(frame)

    assert sf_assets("sweep", "--older-than-days", "1", **shell).stdout.startswith("mine: 1 file removed")
    assert not young.exists()


def test_what_a_running_write_may_still_need_is_not_asked_away(sf_assets, shell):
    process = sf_assets("sweep", "--older-than-days", "0.5", **shell)

    assert process.returncode == 2
    assert "0.5 is not in the range" in process.stderr


def test_without_tables_there_is_nothing_to_sweep(sf_assets, shell):
    process = sf_assets("sweep", **shell)

    assert (process.returncode, process.stdout) == (0, "")
