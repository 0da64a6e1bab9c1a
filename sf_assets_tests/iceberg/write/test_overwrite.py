"""Frames of other assets: the table is the frame, columns and rows, and reads back the same."""

# ruff: noqa: DTZ001 - moments without a zone are among what is tested

from datetime import UTC, date, datetime, time
from decimal import Decimal

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from sf_assets.errors import ColumnIncompatible, TableForeign, ValueUnexpected

EVERY = pl.DataFrame(
    {
        "text": ["a", None, "ü"],
        "whole": [1, None, -(2**62)],
        "small": pl.Series([1, None, 3], dtype=pl.Int32),
        "float": [1.5, None, float("inf")],
        "money": pl.Series([Decimal("1.25"), None, Decimal("-3.50")], dtype=pl.Decimal(18, 2)),
        "yes": [True, None, False],
        "day": [date(2026, 1, 1), None, date(1969, 12, 31)],
        "instant": [datetime(2026, 1, 1, tzinfo=UTC), None, datetime(1950, 1, 1, 1, 1, 1, 5, tzinfo=UTC)],
        "naive": [datetime(2026, 1, 1), None, datetime(1950, 1, 1, 1, 1, 1, 5)],
        "clock": [time(1, 2, 3, 4), None, time(23, 59, 59, 999999)],
        "list": [["a"], None, []],
        "struct": [{"x": 1, "y": "b"}, {"x": None, "y": None}, {"x": 2, "y": None}],
    }
)


def test_every_kind_of_column_reads_back_as_it_was(tables):
    tables.overwrite("mart", [EVERY])

    assert_frame_equal(tables.scan("mart").collect(), EVERY)


def test_types_that_iceberg_lacks_become_the_nearest_that_takes_all_values(tables):
    frame = pl.DataFrame(
        {
            "null": [None, None],
            "category": pl.Series(["a", "b"], dtype=pl.Categorical),
            "byte": pl.Series([1, 2], dtype=pl.UInt8),
            "unsigned": pl.Series([1, 2**63 - 1], dtype=pl.UInt64),
            "paris": pl.Series([datetime(2026, 7, 1, tzinfo=UTC)] * 2).dt.convert_time_zone("Europe/Paris"),
        }
    )

    tables.overwrite("mart", [frame])

    back = tables.scan("mart").collect()
    assert back.dtypes == [pl.String, pl.String, pl.Int32, pl.Int64, pl.Datetime("us", "UTC")]
    assert back["unsigned"].to_list() == [1, 2**63 - 1]
    assert back["paris"][0] == datetime(2026, 7, 1, tzinfo=UTC)


def test_a_second_frame_takes_the_place_of_the_first_in_one_snapshot(tables):
    tables.overwrite("mart", [pl.DataFrame({"id": [1, 2], "gone": ["x", "y"]})])

    result = tables.overwrite("mart", [pl.DataFrame({"id": ["three"], "new": [3.0]})], summary={"why": "test"})

    assert_frame_equal(tables.scan("mart").collect(), pl.DataFrame({"id": ["three"], "new": [3.0]}))
    assert (result.commits, result.inserted, result.vanished, result.rows) == (1, 1, 2, 1)
    assert len(tables._catalog.find("mart").snapshots()) == 2


def test_frames_stream_into_one_commit(tables):
    frames = (pl.DataFrame({"n": list(range(start, start + 10))}) for start in (0, 10, 20))

    result = tables.overwrite("mart", frames)

    assert (result.commits, result.rows) == (1, 30)


def test_an_empty_frame_is_a_table_without_rows(tables):
    tables.overwrite("mart", [EVERY])

    result = tables.overwrite("mart", [EVERY.clear()])

    assert result.rows == 0
    assert tables.scan("mart").collect().is_empty()


def test_no_frame_at_all_is_refused(tables):
    with pytest.raises(ValueUnexpected, match="mart"):
        tables.overwrite("mart", [])


def test_a_type_without_a_place_in_iceberg_is_refused_by_name(tables):
    with pytest.raises(ColumnIncompatible) as refusal:
        tables.overwrite("mart", [pl.DataFrame({"wait": [datetime(2026, 1, 2) - datetime(2026, 1, 1)]})])

    assert refusal.value.values["column"] == "wait"


def test_a_frame_does_not_take_the_place_of_an_endpoint_s_table(account):
    account.merge(account.frame(("1", "a", 1)), state="s1")

    with pytest.raises(TableForeign):
        account.tables.overwrite("account", [EVERY])

    account.tables.overwrite("mart", [EVERY])
    account.name, account.state = "mart", None
    with pytest.raises(TableForeign):
        account.merge(account.frame(("1", "a", 1)), state="s1")


def test_an_error_midway_leaves_the_table_as_it_was(tables):
    tables.overwrite("mart", [EVERY])

    def frames():
        yield EVERY
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        tables.overwrite("mart", frames())

    assert_frame_equal(tables.scan("mart").collect(), EVERY)
