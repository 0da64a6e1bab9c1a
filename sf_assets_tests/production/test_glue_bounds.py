"""Every Glue call stays within the bounds of the service model, for endpoints' tables and for any other asset's."""

import polars as pl
import pytest
from pyiceberg.types import StringType, TimestamptzType

from sf_assets.iceberg.model import Chunk, TableColumn
from sf_assets.iceberg.tables import IcebergTables
from sf_assets_tests.production.glue_bounds import violations

LONG = "Explains the field in many words. " * 20
DESCRIPTIONS = {
    "a long text": LONG,
    "line breaks": "first line\nsecond line\r\nthird\ttab",
    "control characters": "a\x00b\x07c",
    "emoji": "🙂" * 300,
    "empty": "",
}


@pytest.mark.parametrize("description", DESCRIPTIONS.values(), ids=DESCRIPTIONS)
def test_a_column_of_any_description_is_created_and_added(aws, account_columns, account_chunk, description):
    tables = IcebergTables("salesforce", "salesforce", aws.catalog)
    settings = {"keys": ("id",), "stamp": None}
    first = (*account_columns, TableColumn("note", StringType(), description))
    second = (*first, TableColumn("later", TimestamptzType(), description))

    tables.merge("account", columns=first, chunks=[_with(account_chunk(0), "note")], base=None, **settings)
    result = tables.merge("account", columns=second, chunks=[_with(account_chunk(1), "note")], base="s0", **settings)

    assert result.added_columns == ["later"] or tuple(result.added_columns) == ("later",)


def test_a_long_table_description_is_created(aws, account_columns, account_chunk):
    tables = IcebergTables("salesforce", "salesforce", aws.catalog)

    tables.merge(
        "account", columns=account_columns, keys=("id",), stamp=None, chunks=[account_chunk(0)], base=None, doc=LONG * 5
    )

    assert tables.facts("account").rows == 1


def test_a_frame_of_any_other_asset_is_stored(aws):
    tables = IcebergTables("salesforce", "salesforce", aws.catalog)

    tables.overwrite("scores", [pl.DataFrame({f"column_{i}": [i] for i in range(300)})])

    assert tables.facts("scores").rows == 1


def test_the_bounds_are_those_of_the_service_model():
    table = {"Name": "t", "StorageDescriptor": {"Columns": [{"Name": "c", "Comment": "x" * 256}]}}

    (violation,) = violations("CreateTable", {"DatabaseName": "d", "TableInput": table})

    assert violation.startswith("TableInput.StorageDescriptor.Columns.0.member.Comment: length 256")


def _with(chunk: Chunk, column: str) -> Chunk:
    return Chunk(chunk.frame.with_columns(pl.lit("x").alias(column)), chunk.state)
