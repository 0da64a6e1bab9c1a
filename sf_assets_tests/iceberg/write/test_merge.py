"""Which version of a row stands after a merge, and that nothing is written where nothing is news."""

import polars as pl
import pytest
from pyiceberg.types import StringType, TimestamptzType

from sf_assets.errors import KeysRepeated
from sf_assets.iceberg.commit.table_state import state_at
from sf_assets.iceberg.model import UNCHECKED, Chunk, TableColumn


def test_the_first_merge_makes_the_table_with_all_its_columns(account):
    result = account.merge(account.frame(("1", "Acme", 1), ("2", "Bolt", 2)), state="s1")

    assert (result.commits, result.inserted, result.read, result.rows) == (1, 2, 2, 2)
    assert account.rows() == [("1", "Acme"), ("2", "Bolt")]
    assert account.facts.columns == ("id", "name", "amount", "system_modstamp", "_synced_at")


@pytest.mark.parametrize(
    ("name", "stamp", "at", "stands", "counts"),
    [
        ("Acme", 10, 2000, "Acme", "unchanged"),
        ("Apex", 9, 500, "Acme", "outdated"),
        ("Apex", 9, 2000, "Apex", "updated"),
        ("Acme", 9, 2000, "Acme", "updated"),
        ("Apex", 11, 500, "Apex", "updated"),
        ("Apex", 10, 2000, "Apex", "updated"),
        ("Apex", 10, 500, "Acme", "outdated"),
        ("Acme", 11, 2000, "Acme", "updated"),
        ("Apex", None, 2000, "Acme", "outdated"),
    ],
)
def test_the_later_version_of_a_row_stands(account, name, stamp, at, stands, counts):
    account.merge(account.frame(("1", "Acme", 10)), state="s1")

    result = account.merge(account.frame(("1", name, stamp), at=at), state="s2")

    assert account.rows() == [("1", stands)]
    assert getattr(result, counts) == 1
    assert result.commits == (1 if counts == "updated" else 0)


def test_no_news_is_no_commit_and_leaves_no_file(account):
    account.merge(account.frame(("1", "Acme", 10), ("2", "Bolt", 11)), state="s1")
    before, files = account.facts, account.files()

    result = account.merge(account.frame(("2", "Bolt", 11), ("1", "Acme", 10), at=3000), state="s2")

    assert result.commits == 0
    assert result.unchanged == 2
    assert account.facts == before
    assert account.files() == files


def test_without_a_stamp_every_difference_wins(account):
    account.stamp = None
    account.merge(account.frame(("1", "Acme", 10), ("2", "Bolt", 10)), state="s1")

    result = account.merge(account.frame(("1", "Apex", 3), ("2", "Bolt", 10), at=1), state="s2")

    assert (result.updated, result.unchanged) == (1, 1)
    assert account.rows() == [("1", "Apex"), ("2", "Bolt")]


def test_a_row_that_occurs_several_times_in_a_group_has_its_last_version(account):
    frames = [
        account.frame(("1", "old", 1), ("1", "new", 3), ("1", "middle", 2)),
        account.frame(("2", "early", 5), at=10),
        account.frame(("2", "late", 5), at=20),
        account.frame(("3", "first", 7), ("3", "second", 7)),
        account.frame(("4", "same", 7), ("4", "same", 7)),
        account.frame(("5", "stamped", 7), ("5", "without a stamp", None)),
    ]

    result = account.merge(*frames, state="s1")

    assert account.rows() == [("1", "new"), ("2", "late"), ("3", "second"), ("4", "same"), ("5", "stamped")]
    assert (result.commits, result.inserted, result.unchanged, result.outdated) == (1, 5, 1, 5)
    assert result.read == 11


def test_a_row_written_earlier_in_the_same_group_is_found_again(account):
    """The second frame has other columns, so the first one is in its file already."""
    wide = account.frame(("1", "Acme", 1), ("2", "Bolt", 1), amount=pl.lit(5).cast(pl.Decimal(38, 6)))

    result = account.merge(wide, account.frame(("1", "Apex", 2), ("3", "Coil", 2)), state="s1")

    assert result.commits == 1
    assert (result.inserted, result.updated, result.outdated) == (3, 0, 1)
    assert account.rows("id", "name", "amount") == [("1", "Apex", 5), ("2", "Bolt", 5), ("3", "Coil", None)]
    assert account.table.scan().to_arrow().num_rows == 3
    assert account.facts.rows == 3
    assert account.tables.count_since("account", "system_modstamp", None)[0] == 3


def test_columns_that_were_not_read_keep_the_table_s_value(account):
    account.merge(
        account.frame(("1", "Acme", 1), ("2", "Bolt", 1), amount=pl.lit(7).cast(pl.Decimal(38, 6))), state="s1"
    )

    account.merge(account.frame(("1", "Apex", 2), ("3", "Coil", 2)), state="s2")

    assert account.rows("id", "name", "amount") == [("1", "Apex", 7), ("2", "Bolt", 7), ("3", "Coil", None)]


def test_a_difference_in_a_column_that_was_not_read_is_no_news(account):
    account.merge(account.frame(("1", "Acme", 1), amount=pl.lit(7).cast(pl.Decimal(38, 6))), state="s1")

    result = account.merge(account.frame(("1", "Acme", 1), at=5000), state="s2")

    assert result.commits == 0
    assert account.rows("id", "amount") == [("1", 7)]


def test_a_frame_without_the_stamp_fills_its_columns_in(account):
    account.merge(account.frame(("1", "Acme", 1), ("2", "Bolt", 2)), state="s1")
    backfill = pl.DataFrame(
        {"id": ["1", "2"], "amount": [1, None]}, schema={"id": pl.String, "amount": pl.Decimal(38, 6)}
    )

    result = account.merge(backfill, state="s2")

    assert (result.updated, result.unchanged) == (1, 1)
    assert account.rows("id", "name", "amount") == [("1", "Acme", 1), ("2", "Bolt", None)]


@pytest.mark.parametrize("key", [None, "missing"])
def test_a_row_without_its_key_is_refused_and_nothing_is_written(account, key):
    frame = account.frame(("1", "Acme", 1), (None, "Nobody", 1))
    account.merge(account.frame(("0", "Zero", 0)), state="s0")
    files = account.files()

    with pytest.raises(KeysRepeated) as refusal:
        account.merge(frame if key is None else frame.drop("id"), state="s1")

    assert refusal.value.values["table"] == "account"
    assert account.files() == files
    assert account.facts.state == "s0"


def test_keys_of_several_columns_tell_rows_apart_together(account):
    account.keys = ("id", "name")
    account.merge(account.frame(("1", "a", 1), ("1", "b", 1), ("2", "a", 1)), state="s1")

    result = account.merge(account.frame(("1", "b", 2), ("2", "b", 2)), state="s2")

    assert (result.inserted, result.updated, result.rows) == (1, 1, 4)
    assert len(set(account.rows())) == 4


def test_each_state_commits_what_came_until_then(account):
    chunks = [
        Chunk(account.frame(("1", "a", 1)), None),
        Chunk(account.frame(("2", "b", 2)), "s1"),
        Chunk(account.frame(("2", "b", 2)), "nothing new"),
        Chunk(account.frame(("3", "c", 3)), "s2"),
    ]

    result = account.stream(chunks)

    metadata = account.table.metadata
    states = [state_at(metadata, snapshot) for snapshot in metadata.snapshots]
    assert states == ["s1", "s2"]
    assert (result.commits, result.inserted, result.unchanged) == (2, 3, 1)


def test_rows_without_a_state_after_them_are_written_and_the_state_stays(account):
    account.merge(account.frame(("1", "a", 1)), state="s1")

    account.merge(account.frame(("2", "b", 2)), state=None)

    assert account.rows() == [("1", "a"), ("2", "b")]
    assert account.facts.state == "s1"


def test_a_commit_is_one_snapshot_that_bears_the_summary(account):
    account.merge(account.frame(("1", "a", 1), ("2", "b", 1)), state="s1")
    account.merge(account.frame(("1", "x", 2), ("3", "c", 2)), state="s2", summary={"sf_assets.run": "r-42"})

    snapshots = account.table.snapshots()

    assert len(snapshots) == 2
    assert snapshots[-1].summary["sf_assets.run"] == "r-42"
    assert snapshots[-1].summary["total-delete-files"] == "1"


@pytest.mark.slow
def test_a_data_file_has_one_delete_file_however_often_its_rows_change(account):
    rows = [(f"{n:03}", "v0", 0) for n in range(20)]
    account.merge(account.frame(*rows), state="s0")

    for turn in range(1, 6):
        account.merge(account.frame((f"{turn:03}", f"v{turn}", turn)), state=f"s{turn}")

    [first] = [task for task in account.table.scan().plan_files() if task.file.record_count == 20]
    assert len(first.delete_files) == 1
    assert [name for _, name in account.rows()][:7] == ["v0", "v1", "v2", "v3", "v4", "v5", "v0"]


def test_a_file_whose_rows_are_all_superseded_leaves_the_table(account):
    account.merge(account.frame(("1", "a", 1), ("2", "b", 1)), state="s1")

    account.merge(account.frame(("1", "x", 2), ("2", "y", 2)), state="s2")

    [task] = account.table.scan().plan_files()
    assert task.delete_files == set()
    assert account.table.current_snapshot().summary["total-records"] == "2"


def test_the_status_table_is_merged_by_endpoint_whoever_wrote_it_last(account):
    account.name, account.keys, account.stamp, account.state = "_sync_status", ("endpoint",), None, UNCHECKED
    account.columns = (TableColumn("endpoint", StringType()), TableColumn("true_as_of", TimestamptzType()))
    moments = account.frame(("", "", 1), ("", "", 2))["system_modstamp"]

    account.merge(pl.DataFrame({"endpoint": ["account", "lead"], "true_as_of": moments}), state=None)
    account.merge(pl.DataFrame({"endpoint": ["lead", "task"], "true_as_of": moments}), state=None)

    rows = account.tables.scan("_sync_status").sort("endpoint").collect()
    assert rows["endpoint"].to_list() == ["account", "lead", "task"]
    assert rows["true_as_of"].to_list() == [moments[0], moments[0], moments[1]]
    assert account.facts.state is None
