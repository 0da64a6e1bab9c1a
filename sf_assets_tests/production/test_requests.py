"""What a commit costs on Glue and S3, counted at the server."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from pyiceberg.types import StringType, TimestamptzType

from sf_assets.iceberg.model import Chunk, TableColumn
from sf_assets.iceberg.tables import IcebergTables

COLUMNS = (
    TableColumn("id", StringType()),
    TableColumn("name", StringType()),
    TableColumn("system_modstamp", TimestamptzType()),
    TableColumn("_synced_at", TimestamptzType()),
)
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
CHANGES, READS = ("PUT", "POST", "DELETE"), ("GET", "HEAD")
LISTS = 1
"""A look at a name that must not exist yet is a LIST by GET."""


def frame(first, last, *, minute=0):
    at = NOON + timedelta(minutes=minute)
    stamp = pl.Datetime("us", "UTC")
    ids = pl.DataFrame({"id": [f"{number:018}" for number in range(first, last)]})
    moment = pl.lit(at, dtype=stamp)
    return ids.with_columns(name=pl.lit(f"n{minute}"), system_modstamp=moment, _synced_at=moment)


@pytest.fixture
def merge(aws):
    """Merges frames into a table of 2,000 rows, each time as a new process would: with a catalog of its own."""

    def run(rows, *, base, state):
        warehouse = IcebergTables("salesforce", "salesforce", aws.catalog)
        return warehouse.merge(
            "account",
            columns=COLUMNS,
            keys=("id",),
            stamp="system_modstamp",
            chunks=[Chunk(rows, state)],
            base=base,
        )

    run(frame(0, 2000), base=None, state="s0")
    aws.forget()
    return run


def test_an_append_of_fifty_rows_costs_no_more_than_pyicebergs_own(aws, merge):
    """pyiceberg 0.12: load and append 12 changes, a LIST and 9 reads on S3, 4 calls of Glue; no look at the keys."""
    result = merge(frame(5000, 5050, minute=1), base="s0", state="s1")

    assert result.inserted == 50
    assert aws.count_requests("s3", *CHANGES) <= 12
    assert aws.count_requests("s3", *READS) <= 9 + LISTS
    assert aws.count_requests("glue", "POST") <= 4


def test_sixty_changed_rows_cost_at_most_a_quarter_of_an_upsert(aws, merge):
    """pyiceberg 0.12: an upsert into 26 snapshots 35 changes and 301 reads on S3, into two 34 and 50."""
    result = merge(frame(0, 60, minute=1), base="s0", state="s1")

    assert result.updated == 60
    assert aws.count_requests("s3", *CHANGES) <= 34
    assert aws.count_requests("s3", *READS) <= 50


def test_manifest_list_and_manifests_are_read_once_a_commit(aws, merge):
    for number in range(1, 8):
        merge(frame(0, 60 * number, minute=number), base=f"s{number - 1}", state=f"s{number}")
        manifests = {path: count for path, count in aws.reads.items() if path.endswith(".avro")}
        assert len(manifests) >= 2
        assert set(manifests.values()) == {1}
        aws.forget()


def test_a_merge_without_news_changes_nothing(aws, merge):
    result = merge(frame(0, 60), base="s0", state="s0")

    assert result.commits == 0
    assert aws.count_requests("s3", *CHANGES) == 0
    assert aws.actions["UpdateTable"] == 0
