"""A table made equal to a whole result: exact counts, untouched rows, and never a shrink by surprise."""

import polars as pl
import pytest
from pyiceberg.types import BooleanType

from sf_assets.errors import CommitConflict, KeysRepeated, ShrinkRefused
from sf_assets.iceberg.model import UNCHECKED, Chunk, DeletedRows, TableColumn
from sf_assets_tests.iceberg.conftest import moment


def amount(value):
    return pl.lit(value).cast(pl.Decimal(38, 6))


def test_a_replace_counts_what_came_changed_went_and_stayed(account):
    account.replace(account.frame(("1", "a", 1), ("2", "b", 1), ("3", "c", 1), at=10), state="s1")

    result = account.replace(account.frame(("1", "a", 1), ("2", "x", 1), ("4", "d", 1), at=20), state="s2")

    assert (result.inserted, result.updated, result.vanished, result.unchanged) == (1, 1, 1, 1)
    assert (result.commits, result.read, result.rows) == (1, 3, 3)
    assert account.rows() == [("1", "a"), ("2", "x"), ("4", "d")]
    assert account.facts.state == "s2"


def test_rows_that_are_the_same_keep_the_moment_of_their_reading(account):
    account.replace(account.frame(("1", "a", 1), ("2", "b", 1), at=10), state="s1")

    account.replace(account.frame(("1", "a", 1), ("2", "x", 1), at=20), state="s2")

    first, second = account.rows("_synced_at")
    assert (second[0] - first[0]).total_seconds() == 10


def test_nothing_different_is_no_commit_and_leaves_no_file(account):
    account.replace(account.frame(("1", "a", 1), ("2", "b", None)), state="s1")
    before, files = account.facts, account.files()

    result = account.replace(account.frame(("2", "b", None), ("1", "a", 1), at=99), state="s2")

    assert (result.commits, result.unchanged) == (0, 2)
    assert account.facts == before
    assert account.files() == files


def test_the_cost_of_a_replace_follows_the_change(account):
    rows = [(f"{n:05}", "same", 1) for n in range(3000)]
    account.replace(account.frame(*rows), state="s1")

    result = account.replace(account.frame(("00007", "new", 1), *rows[:7], *rows[8:]), state="s2")

    assert result.updated == 1
    assert result.bytes_written < 8000


def test_columns_that_were_not_read_keep_the_table_s_value(account):
    account.replace(account.frame(("1", "a", 1), ("2", "b", 1), ("3", "c", 1), amount=amount(7)), state="s1")

    result = account.replace(account.frame(("1", "a", 1), ("2", "x", 1), ("4", "d", 1)), state="s2")

    assert (result.unchanged, result.updated) == (1, 1)
    assert account.rows("id", "name", "amount") == [("1", "a", 7), ("2", "x", 7), ("4", "d", None)]


@pytest.mark.parametrize(("may_vanish", "is_refused"), [(0, True), (1, True), (2, False), (None, False)])
def test_more_rows_than_may_vanish_do_not(account, may_vanish, is_refused):
    account.replace(account.frame(("1", "a", 1), ("2", "b", 1), ("3", "c", 1)), state="s1")
    before, files = account.facts, account.files()
    smaller = account.frame(("1", "changed", 2))

    if is_refused:
        with pytest.raises(ShrinkRefused) as refusal:
            account.replace(smaller, state="s2", may_vanish=may_vanish)
        assert refusal.value.values["would_vanish"] == 2
        assert account.facts == before
        assert account.files() == files
    else:
        assert account.replace(smaller, state="s2", may_vanish=may_vanish).vanished == 2
        assert account.rows() == [("1", "changed")]


@pytest.mark.parametrize("frames", [0, 1])
def test_an_empty_result_empties_the_table_where_it_may(account, frames):
    account.replace(account.frame(("1", "a", 1)), state="s1")
    empty = [account.frame()] * frames

    result = account.stream_replace([Chunk(frame, "s2") for frame in empty])

    assert result.vanished == 1
    assert account.rows() == []
    assert account.facts.state == ("s2" if frames else "s1")


def test_an_empty_result_for_no_table_makes_an_empty_table(account):
    result = account.replace(account.frame(), state="s1", may_vanish=0)

    assert (result.commits, result.rows) == (0, 0)
    assert account.facts.columns == ("id", "name", "amount", "system_modstamp", "_synced_at")


def test_identical_rows_of_one_key_are_one_row(account):
    twins = account.frame(("1", "a", 1), ("1", "a", 1))

    result = account.replace(twins, account.frame(("1", "a", 1), ("2", "b", 1)), state="s1")

    assert (result.read, result.inserted, result.unchanged) == (4, 2, 2)
    assert account.rows() == [("1", "a"), ("2", "b")]


@pytest.mark.parametrize("together", [True, False])
def test_different_rows_of_one_key_are_refused(account, together):
    one, other = account.frame(("1", "a", 1)), account.frame(("1", "b", 1), amount=amount(None))
    frames = [account.frame(("1", "a", 1), ("1", "b", 1))] if together else [one, other]

    with pytest.raises(KeysRepeated) as refusal:
        account.replace(*frames, state="s1")

    assert refusal.value.values["key"] == "1"
    assert account.rows() == []
    assert account.files() == set()


def test_a_null_key_is_refused(account):
    with pytest.raises(KeysRepeated):
        account.replace(account.frame((None, "a", 1)), state="s1")


def test_a_table_that_was_merged_can_be_refreshed_whole(account):
    account.merge(account.frame(("1", "a", 1), ("2", "b", 1), ("3", "c", 1)), state="s1")
    account.merge(account.frame(("2", "x", 2), ("4", "d", 2)), state="s2")

    result = account.replace(account.frame(("1", "a", 1), ("2", "x", 2), ("5", "e", 3)), state="s3")

    assert (result.inserted, result.vanished, result.unchanged) == (1, 2, 2)
    assert account.rows() == [("1", "a"), ("2", "x"), ("5", "e")]


def test_a_key_that_another_tool_wrote_twice_is_mended(account):
    account.merge(account.frame(("1", "a", 1)), state="s1")
    account.table.append(account.table.scan().to_arrow())

    account.replace(account.frame(("1", "a", 1)), state="s2")

    assert account.rows() == [("1", "a")]


def test_a_replace_from_another_state_is_refused(account):
    account.replace(account.frame(("1", "a", 1)), state="s1")

    with pytest.raises(CommitConflict):
        account.replace(account.frame(("2", "b", 1)), state="s2", base="s0")

    assert account.rows() == [("1", "a")]
    account.replace(account.frame(("2", "b", 1)), state="s2", base=UNCHECKED)
    assert account.rows() == [("2", "b")]


def test_an_error_of_the_reader_passes_as_it_is_and_leaves_nothing_behind(account):
    account.replace(account.frame(("1", "a", 1)), state="s1")
    before, files = account.facts, account.files()

    def chunks():
        yield Chunk(account.frame(("2", "b", 1)), None)
        raise OSError("the line went dead")

    for write in (account.stream, account.stream_replace):
        with pytest.raises(OSError, match="the line went dead"):
            write(chunks())

    assert account.facts == before
    assert account.files() == files


def marked_frame(account, *rows):
    """Rows as (id, stamp in seconds, is_deleted)."""
    marks = pl.Series([row[2] for row in rows], dtype=pl.Boolean)
    return account.frame(*((row[0], "", row[1]) for row in rows), is_deleted=marks)


LIVE, GONE = ("live", 5, False), ("gone", 5, False)
OLD, YOUNG, SHOWN = ("old", 5, True), ("young", 50, True), ("shown", 60, True)


@pytest.mark.parametrize(
    ("rows", "loss"),
    [
        pytest.param([LIVE, SHOWN], 1, id="the source shows marked rows: only the live row counts"),
        pytest.param([LIVE], 3, id="no marked row came: those that may still exist count too"),
    ],
)
def test_rows_that_the_source_has_purged_do_not_count(account, rows, loss):
    account.columns = (*account.columns, TableColumn("is_deleted", BooleanType()))
    account.replace(marked_frame(account, LIVE, GONE, OLD, YOUNG, SHOWN), state="s1")
    smaller, rule = marked_frame(account, *rows), DeletedRows("is_deleted", "system_modstamp", moment(40))

    with pytest.raises(ShrinkRefused) as refusal:
        account.replace(smaller, state="s2", may_vanish=loss - 1, deleted_rows=rule)
    result = account.replace(smaller, state="s2", may_vanish=loss, deleted_rows=rule)

    assert refusal.value.values["would_vanish"] == loss
    assert result.rows == len(rows)
    assert account.rows("id") == sorted((row[0],) for row in rows)


def test_nothing_that_came_lets_old_marked_rows_go(account):
    account.columns = (*account.columns, TableColumn("is_deleted", BooleanType()))
    account.replace(marked_frame(account, OLD), state="s1")
    rule = DeletedRows("is_deleted", "system_modstamp", moment(40))

    assert account.replace(account.frame(), state="s2", may_vanish=0, deleted_rows=rule).vanished == 1
