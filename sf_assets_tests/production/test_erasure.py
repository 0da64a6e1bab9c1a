"""An erasure that was cut short: the next one completes it, and until then no sync reports it as done."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from pyiceberg.types import BooleanType, StringType, TimestamptzType

from sf_assets.errors import CommitUnknown, IcebergReadOnly
from sf_assets.iceberg.model import UNCHECKED, Chunk, TableColumn
from sf_assets.iceberg.tables import IcebergTables

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
STAMP = pl.Datetime("us", "UTC")
COLUMNS = (
    TableColumn("id", StringType()),
    TableColumn("name", StringType()),
    TableColumn("is_deleted", BooleanType()),
    *(TableColumn(name, TimestamptzType()) for name in ("system_modstamp", "_synced_at")),
)
CANARY = "Tweety Bird"


def merge(warehouse, *rows, minute):
    at = pl.lit(NOON + timedelta(minutes=minute), dtype=STAMP)
    frame = pl.DataFrame(rows, schema=["id", "name", "is_deleted"], orient="row")
    chunk = Chunk(frame.with_columns(system_modstamp=at, _synced_at=at), f"s{minute}")
    settings = {"columns": COLUMNS, "keys": ("id",), "stamp": "system_modstamp", "base": UNCHECKED}
    warehouse.merge("account", chunks=[chunk], **settings)


def deleted(warehouse):
    """Make a table whose row 2 was written, and then deleted in Salesforce."""
    merge(warehouse, ("1", "Sylvester", False), ("2", CANARY, False), minute=0)
    merge(warehouse, ("2", CANARY, True), minute=1)


def test_files_that_cannot_be_deleted_are_an_error_and_go_next_time(aws):
    client = aws.client("s3")

    def rows_files():
        objects = client.list_objects_v2(Bucket="lake").get("Contents", [])
        return {entry["Key"] for entry in objects if entry["Key"].endswith((".parquet", ".avro"))}

    warehouse = IcebergTables("salesforce", "salesforce", aws.catalog)
    deleted(warehouse)
    before = rows_files()
    aws.denied.add("DELETE")
    with pytest.raises(IcebergReadOnly):
        warehouse.erase("account", "is_deleted")
    files_left = rows_files() & before
    aws.denied.clear()

    again = IcebergTables("salesforce", "salesforce", aws.catalog)
    erased_rows = again.erase("account", "is_deleted")

    assert files_left == before
    assert erased_rows == 0
    assert rows_files() & before == set()
    assert again.scan("account").collect()["name"].to_list() == ["Sylvester"]
    assert again.erase("account", "is_deleted") == 0


@pytest.mark.parametrize("landed", [True, False])
def test_an_erasure_whose_last_commit_is_lost_is_ended_by_the_next_one(rest_catalog, landed, tmp_path):
    warehouse = IcebergTables("salesforce", "salesforce", rest_catalog.catalog)
    deleted(warehouse)
    rest_catalog.lost_answers.extend([(0, True), (504, landed)])
    with pytest.raises(CommitUnknown):
        warehouse.erase("account", "is_deleted")
    merge(warehouse, ("3", "Granny", False), minute=2)

    IcebergTables("salesforce", "salesforce", rest_catalog.catalog).erase("account", "is_deleted")

    table = IcebergTables("salesforce", "salesforce", rest_catalog.catalog)._catalog.find("account")
    assert sorted(warehouse.scan("account").collect()["name"]) == ["Granny", "Sylvester"]
    assert len(table.metadata.snapshots) == 2
    for snapshot in table.metadata.snapshots:
        assert CANARY not in table.scan(snapshot_id=snapshot.snapshot_id).to_arrow()["name"].to_pylist()


def read_all(warehouse, snapshot_id):
    """What an engine that is at an older snapshot reads."""
    table = warehouse._catalog.find("account")
    return sorted(table.scan(snapshot_id=snapshot_id).to_arrow()["name"].to_pylist())


def test_a_reader_of_the_older_snapshot_still_reads_until_it_has_moved(aws):
    warehouse = IcebergTables("salesforce", "salesforce", aws.catalog, past_waits=True)
    deleted(warehouse)
    before = warehouse.facts("account").snapshot_id

    erased_rows = warehouse.erase("account", "is_deleted")

    assert erased_rows == 1
    assert read_all(warehouse, before) == ["Sylvester", CANARY]
    assert warehouse.versions("account").is_erasure_pending
    assert warehouse.erase("account", "is_deleted") == 0
    assert warehouse.versions("account").is_erasure_pending


def test_an_erasure_is_completed_once_the_reader_has_the_last_commit(aws):
    warehouse = IcebergTables("salesforce", "salesforce", aws.catalog, past_waits=True)
    deleted(warehouse)
    old = warehouse.versions("account").locations[-1][0]
    warehouse.erase("account", "is_deleted")

    assert warehouse.complete_erasure("account", read_location=old) == 0
    assert warehouse.versions("account").is_erasure_pending

    newest = warehouse.versions("account").locations[-1][0]
    assert warehouse.complete_erasure("account", read_location=newest) == 2
    table = warehouse._catalog.find("account")
    assert len(table.metadata.snapshots) == 1
    assert not warehouse.versions("account").is_erasure_pending


def test_a_completion_that_was_killed_is_completed_by_the_next_one(aws):
    warehouse = IcebergTables("salesforce", "salesforce", aws.catalog, past_waits=True)
    deleted(warehouse)
    warehouse.erase("account", "is_deleted")
    newest = warehouse.versions("account").locations[-1][0]
    aws.denied.add("DELETE")
    with pytest.raises(IcebergReadOnly):
        warehouse.complete_erasure("account", read_location=newest)
    aws.denied.clear()

    again = IcebergTables("salesforce", "salesforce", aws.catalog, past_waits=True)

    assert again.versions("account").is_erasure_pending
    assert again.complete_erasure("account", read_location=newest) == 2
    assert again.scan("account").collect()["name"].to_list() == ["Sylvester"]
