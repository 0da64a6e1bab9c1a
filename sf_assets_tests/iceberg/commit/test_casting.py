"""The last cast to the table's types: what fits is kept to the digit, what would be lost is refused by name."""

# ruff: noqa: DTZ001 - moments without a zone are among what is tested

from datetime import UTC, date, datetime, time
from decimal import Decimal

import polars as pl
import pytest
from pyiceberg.schema import Schema
from pyiceberg.types import (
    BooleanType,
    DateType,
    DecimalType,
    DoubleType,
    IntegerType,
    LongType,
    NestedField,
    StringType,
    TimestampType,
    TimestamptzType,
    TimeType,
)

from sf_assets.errors import ColumnIncompatible, ValueUnexpected
from sf_assets.iceberg.commit.casting import arrow_schema, cast_frame, complete, frame_types, to_arrow

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


def schema_of(type_):
    return Schema(NestedField(1, "value", type_, required=False))


def through(series, type_):
    """The values as they would lie in a data file."""
    schema = schema_of(type_)
    types = frame_types(schema)
    frame = cast_frame(series.alias("value").to_frame(), types, table="account")
    return to_arrow(complete(frame, types), arrow_schema(schema))


@pytest.mark.parametrize(
    ("series", "type_", "values"),
    [
        (pl.Series([None, None]), StringType(), [None, None]),
        (pl.Series([None]), DecimalType(38, 6), [None]),
        (pl.Series([None, "a"], dtype=pl.Categorical), StringType(), [None, "a"]),
        (pl.Series(["a"], dtype=pl.Enum(["a", "b"])), StringType(), ["a"]),
        (pl.Series([1, 2], dtype=pl.UInt32), LongType(), [1, 2]),
        (pl.Series([1], dtype=pl.UInt64), IntegerType(), [1]),
        (pl.Series([1, None]), DoubleType(), [1.0, None]),
        (pl.Series([float("nan")]), DoubleType(), [pytest.approx(float("nan"), nan_ok=True)]),
        (pl.Series([3.0]), LongType(), [3]),
        (pl.Series([Decimal("1.50")]), DecimalType(38, 6), [Decimal("1.500000")]),
        (pl.Series([Decimal("1.5000")], dtype=pl.Decimal(18, 4)), DecimalType(38, 2), [Decimal("1.50")]),
        (pl.Series([7]), DecimalType(38, 6), [Decimal("7.000000")]),
        (pl.Series([time(1, 2, 3, 4)]), TimeType(), [time(1, 2, 3, 4)]),
        (pl.Series([NOON], dtype=pl.Datetime("ns", "UTC")), TimestamptzType(), [NOON]),
        (
            pl.Series([NOON], dtype=pl.Datetime("ms", "UTC")).dt.convert_time_zone("Europe/Paris"),
            TimestamptzType(),
            [NOON],
        ),
        (pl.Series([datetime(2026, 7, 1)], dtype=pl.Datetime("ns")), TimestampType(), [datetime(2026, 7, 1)]),
        (pl.Series([date(2026, 7, 1)]), DateType(), [date(2026, 7, 1)]),
    ],
)
def test_what_fits_is_kept(series, type_, values):
    table = through(series, type_)

    assert table.column("value").to_pylist() == values
    assert table.schema == arrow_schema(schema_of(type_))


@pytest.mark.parametrize(
    ("series", "type_", "value"),
    [
        (pl.Series([1, 2**40]), IntegerType(), str(2**40)),
        (pl.Series([2**63], dtype=pl.UInt64), LongType(), str(2**63)),
        (pl.Series([1.0, 1.5]), LongType(), "1.5"),
        (pl.Series([2**53 + 1]), DoubleType(), str(2**53 + 1)),
        (pl.Series([Decimal("1.001")]), DecimalType(38, 2), "1.001"),
        (pl.Series([Decimal("12345.00")]), DecimalType(6, 2), "12345.00"),
        (pl.Series(["7"]), LongType(), "7"),
        (pl.Series([7]), StringType(), "7"),
        (pl.Series([1]), BooleanType(), "1"),
        (pl.Series(["2026-01-01"]), DateType(), "2026-01-01"),
        (pl.Series([datetime(2026, 1, 1, 8)]), TimestamptzType(), "2026-01-01 08:00:00"),
        (pl.Series([datetime(2026, 1, 1, 8)]), DateType(), "2026-01-01 08:00:00"),
        (pl.Series([1_000_000_001], dtype=pl.Int64).cast(pl.Time), TimeType(), "00:00:01"),
        (pl.Series([1], dtype=pl.Int64).cast(pl.Datetime("ns", "UTC")), TimestamptzType(), "1970-01-01 00:00:00+00:00"),
    ],
)
def test_a_value_that_would_be_lost_is_refused_with_its_column(series, type_, value):
    with pytest.raises(ValueUnexpected) as refusal:
        through(series, type_)

    assert refusal.value.values["column"] == "value"
    assert refusal.value.values["value"] == value


def test_a_column_that_the_table_lacks_is_refused():
    with pytest.raises(ColumnIncompatible, match="surplus"):
        cast_frame(pl.DataFrame({"surplus": [1]}), frame_types(schema_of(LongType())), table="account")


def test_a_value_that_does_not_fit_stops_the_merge_before_it_writes(account):
    account.merge(account.frame(("1", "a", 1)), state="s1")
    files = account.files()

    with pytest.raises(ValueUnexpected) as refusal:
        account.merge(account.frame(("2", "b", 2), amount=pl.lit(Decimal("0.1234567"))), state="s2")

    assert refusal.value.values == {"table": "account", "column": "amount", "value": "0.1234567"}
    assert account.files() == files


def test_frames_with_all_null_columns_merge_into_any_type(account):
    account.merge(account.frame(("1", "a", 1), amount=pl.lit(None)), state="s1")

    assert account.rows("id", "amount") == [("1", None)]
