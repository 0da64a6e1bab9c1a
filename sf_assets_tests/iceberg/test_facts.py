"""What a table says of itself, cheaply: counts and greatest stamps, from bounds where they tell."""

import time
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from pyiceberg.types import BooleanType, StringType, TimestamptzType

from sf_assets.errors import SfAssetsError
from sf_assets.iceberg.model import Chunk, TableColumn


def window(account, since):
    start = account.frame(("", "", 0))[0, 2]
    moment = None if since is None else start + timedelta(seconds=since)
    count, latest = account.tables.count_since("account", "system_modstamp", moment)
    return count, latest and (latest - start).total_seconds()


def test_a_window_of_no_table_is_empty(account):
    assert window(account, None) == (0, None)
    assert window(account, 5) == (0, None)


def test_a_window_of_an_empty_table_is_empty(account):
    account.tables.commit_state("account", columns=account.columns, base=None, state="s")

    assert window(account, None) == (0, None)
    assert window(account, 5) == (0, None)


def test_a_window_may_be_of_the_version_that_the_facts_were_of(account, another):
    account.merge(account.frame(("1", "a", 10)), state="s1")
    reader = another()
    facts = reader.facts("account")
    account.merge(account.frame(("2", "b", 20)), state="s2")

    assert reader.count_since("account", "system_modstamp", None, of=facts)[0] == 1
    assert reader.count_since("account", "system_modstamp", None)[0] == 2
    assert another().count_since("account", "system_modstamp", None, of=facts)[0] == 2


@pytest.mark.parametrize(
    ("since", "expected"),
    [(None, (6, 60)), (0, (5, 60)), (30, (3, 60)), (30.000001, (2, 60)), (60, (1, 60)), (61, (0, None))],
)
def test_a_window_counts_the_rows_from_a_moment_on_and_finds_the_latest(account, since, expected):
    account.merge(account.frame(("1", "a", 10), ("2", "b", 30), ("3", "c", None)), state="s1")
    account.merge(account.frame(("4", "d", 20), ("5", "e", 50), ("6", "f", 60)), state="s2")

    assert window(account, since) == expected


FLAGGED = (
    TableColumn("id", StringType()),
    TableColumn("is_deleted", BooleanType()),
    TableColumn("system_modstamp", TimestamptzType()),
)


def frame_with_marks(*rows):
    stamp = datetime(2026, 3, 10, tzinfo=UTC)
    schema = {"id": pl.String, "is_deleted": pl.Boolean, "system_modstamp": pl.Datetime("us", "UTC")}
    return pl.DataFrame([(key, flag, stamp + timedelta(minutes=age)) for key, flag, age in rows], schema, orient="row")


def test_rows_with_a_true_flag_are_counted_over_all_files(tables):
    def merge(*rows, base, state):
        frame = frame_with_marks(*rows)
        tables.merge(
            "a", columns=FLAGGED, keys=("id",), stamp="system_modstamp", chunks=[Chunk(frame, state)], base=base
        )

    assert tables.count_true("a", "is_deleted") == 0
    merge(("1", False, 0), ("2", False, 0), base=None, state="s1")
    assert tables.count_true("a", "is_deleted") == 0
    merge(("3", True, 1), ("4", True, 1), base="s1", state="s2")
    assert tables.count_true("a", "is_deleted") == 2
    merge(("2", True, 2), ("4", False, 2), ("5", None, 2), base="s2", state="s3")
    assert tables.count_true("a", "is_deleted") == 2
    assert tables.count_true("a", "is_archived") == 0


def test_rows_that_were_superseded_do_not_count(account):
    account.merge(account.frame(("1", "a", 100), ("2", "b", 30)), state="s1")
    account.replace(account.frame(("1", "a", 40), ("2", "b", 30)), state="s2")

    assert window(account, None) == (2, 40)
    assert window(account, 35) == (1, 40)
    assert window(account, 50) == (0, None)
    assert account.facts.rows == 2


@pytest.mark.slow
def test_rows_count_through_merges_replaces_and_vanishing(account):
    account.merge(account.frame(*[(f"{n:02}", "a", n) for n in range(20)]), state="s1")
    account.merge(account.frame(("05", "b", 50), ("99", "c", 51)), state="s2")
    account.replace(account.frame(*[(f"{n:02}", "a", n) for n in range(10)]), state="s3")

    assert account.facts.rows == len(account.rows()) == 10


def test_the_facts_name_where_the_table_lies(account):
    result = account.merge(account.frame(("1", "a", 1)), state="s1")

    facts = account.facts
    assert (facts.uri, facts.metadata_location) == (result.uri, result.metadata_location)
    assert facts.metadata_location.startswith(facts.uri)


def test_a_window_over_a_column_that_is_not_there_says_so(account):
    account.merge(account.frame(("1", "a", 1)), state="s1")

    with pytest.raises(SfAssetsError, match="no_such_column"):
        account.tables.count_since("account", "no_such_column", None)


def test_a_moment_keeps_its_microseconds(account):
    account.merge(account.frame(("1", "a", 1.000001)), state="s1")

    _, latest = account.tables.count_since("account", "system_modstamp", None)
    assert latest is not None
    assert latest.microsecond == 1
    assert latest.utcoffset() == timedelta(0)


@pytest.mark.slow
def test_thirty_unchanged_tables_cost_about_a_second(account):
    for number in range(30):
        account.name, account.state = f"table_{number}", None
        account.merge(account.frame(("1", "a", 1), ("2", "b", 2)), state="s1")
    start = time.process_time()

    for number in range(30):
        account.tables.facts(f"table_{number}")
        account.tables.count_since(f"table_{number}", "system_modstamp", account.frame(("", "", 1))[0, 2])

    assert time.process_time() - start < 2
