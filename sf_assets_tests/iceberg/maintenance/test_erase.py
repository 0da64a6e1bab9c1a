"""Erased means erased: no file of the table holds the values afterwards, also not one of a killed write."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from pyiceberg.types import BooleanType, StringType

from sf_assets.errors import ColumnIncompatible
from sf_assets.iceberg.maintenance.erase import SWEEP_DUE
from sf_assets.iceberg.model import TableColumn
from sf_assets_tests.iceberg.conftest import COLUMNS

DELETED = TableColumn("is_deleted", BooleanType())
SECRET = "Tweety Bird"


def files_with(account, text: str) -> list[str]:
    """Return the files of the table's folder that hold the text in a value or a bound."""
    hits = []
    for path in account.files(""):
        values = str(pq.read_table(path).to_pylist()) if path.suffix == ".parquet" else ""
        if text in values or text.encode() in path.read_bytes():
            hits.append(path.name)
    return hits


@pytest.fixture
def account(account):
    account.columns = (*COLUMNS, DELETED)
    account.merge(account.frame(("1", "Sylvester", 1), ("2", SECRET, 1), is_deleted=pl.lit(False)), state="s1")
    return account


def left_by_a_killed_write(account, *, age: timedelta) -> Path:
    """Write a data file that holds the row and that no snapshot names."""
    path = next(iter(account.files("data"))).parent / "killed.parquet"
    account.frame(("2", SECRET, 1)).write_parquet(path)
    then = (datetime.now(UTC) - age).timestamp()
    os.utime(path, (then, then))
    return path


def mark_deleted(account):
    account.merge(account.frame(("2", SECRET, 2), is_deleted=pl.lit(True)), state="s2")


def test_a_row_is_gone_from_every_file(account):
    mark_deleted(account)

    assert account.tables.erase("account", "is_deleted") == 1

    assert files_with(account, SECRET) == []
    assert account.rows() == [("1", "Sylvester")]


def test_the_file_of_a_killed_write_goes_with_a_later_run_without_news(account, another):
    orphan = left_by_a_killed_write(account, age=timedelta(hours=2))
    mark_deleted(account)
    account.tables.erase("account", "is_deleted")
    assert orphan.exists()  # it may be of a write that is still running

    early = another(now=lambda: datetime.now(UTC) + timedelta(hours=20))
    assert early.erase("account", "is_deleted") == 0
    assert orphan.exists()
    late = another(now=lambda: datetime.now(UTC) + timedelta(hours=25))
    assert late.erase("account", "is_deleted") == 0

    assert not orphan.exists()
    assert files_with(account, SECRET) == []
    assert SWEEP_DUE not in account.table.properties
    assert account.facts.state == "s2"


def test_an_erased_column_is_gone_from_every_file_and_snapshot(account):
    account.columns = (*account.columns, TableColumn("phone", StringType()))
    account.merge(
        account.frame(("1", "Sylvester", 5), ("3", "Granny", 5), is_deleted=pl.lit(False), phone=pl.lit("0800 SECRET")),
        state="s2",
    )

    assert account.tables.erase_columns("account", ["phone", "no_such_column"]) == 2

    assert files_with(account, "0800 SECRET") == []
    assert "phone" not in account.table.schema().column_names
    assert account.facts.state == "s2"
    assert account.rows() == [("1", "Sylvester"), ("2", SECRET), ("3", "Granny")]
    assert account.tables.erase_columns("account", ["phone"]) == 0
    account.merge(account.frame(("4", "Hector", 9), is_deleted=pl.lit(False)), state="s3")
    assert account.rows("id", "phone")[0] == ("1", None)


def test_a_key_column_cannot_be_erased(account):
    with pytest.raises(ColumnIncompatible, match="account: column id is a key"):
        account.tables.erase_columns("account", ["id"])

    assert account.tables.erase_columns("no_such_table", ["name"]) == 0


def test_an_erasure_of_columns_that_was_interrupted_is_completed(account, another):
    waiting = another(past_waits=True)
    waiting.erase_columns("account", ["name"])
    assert files_with(account, SECRET) != []

    assert another().erase_columns("account", ["name"]) == 0

    assert files_with(account, SECRET) == []


def test_a_tag_or_branch_of_another_tool_does_not_keep_erased_rows(account):
    snapshot = account.table.current_snapshot().snapshot_id
    account.table.manage_snapshots().create_tag(snapshot, "end_of_month").create_branch(snapshot, "audit").commit()
    mark_deleted(account)

    assert account.tables.erase("account", "is_deleted") == 1

    assert files_with(account, SECRET) == []
    assert set(account.table.refs()) == {"main"}
    assert account.rows() == [("1", "Sylvester")]
