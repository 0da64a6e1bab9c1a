"""Two writers of one table: the later one plans anew, or is refused; no row comes twice and none is lost."""

import multiprocessing
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from pyiceberg.types import StringType

from sf_assets.errors import CommitConflict
from sf_assets.iceberg.commit.commit_state import commit_state
from sf_assets.iceberg.commit.schema_evolution import Evolution
from sf_assets.iceberg.model import UNCHECKED, Chunk, TableColumn
from sf_assets.iceberg.tables import IcebergTables


def chunks_with_rival(frame: pl.DataFrame, *, state: str | None, by) -> Iterator[Chunk]:
    """A frame, and then, before the writer commits it, another writer's work."""
    yield Chunk(frame, None)
    by()
    yield Chunk(frame.clear(), state)


def test_a_run_with_a_state_that_another_moved_is_refused_without_traces(account, another):
    account.merge(account.frame(("1", "a", 1)), state="s1")
    rival = type(account)(another(), state="s1")

    def theirs():
        rival.merge(account.frame(("2", "theirs", 2)), state="s2", summary={"sf_assets.run": "5af3"})

    with pytest.raises(CommitConflict, match="another run, 5af3, was here"):
        account.stream(chunks_with_rival(account.frame(("2", "ours", 2)), state="s2 too", by=theirs))

    assert account.rows() == [("1", "a"), ("2", "theirs")]
    assert account.facts.state == "s2"
    assert len(account.files()) == 2


def test_a_moved_state_without_new_rows_refuses_the_run_without_a_name(account, another):
    account.merge(account.frame(("1", "a", 1)), state="s1", summary={"sf_assets.run": "ours"})
    another().commit_state("account", columns=account.columns, base="s1", state="s2")

    with pytest.raises(CommitConflict, match="another run was here"):
        account.merge(account.frame(("2", "ours", 2)), state="s2 too", base="s1")


def test_a_merge_is_planned_anew_over_rows_that_came_meanwhile(account, another):
    """The rival does not move the state, as another tool would: the same keys must not come twice."""
    account.merge(account.frame(("1", "a", 1)), state="s1")
    rival = type(account)(another(), state=UNCHECKED)

    def theirs():
        rival.merge(account.frame(("1", "theirs", 5), ("2", "theirs", 5), ("3", "theirs", 5)), state=None)

    ours = account.frame(("1", "ours", 4), ("2", "ours", 6), ("4", "ours", 6))
    result = account.stream(chunks_with_rival(ours, state="s2", by=theirs))

    assert account.rows() == [("1", "theirs"), ("2", "ours"), ("3", "theirs"), ("4", "ours")]
    assert (result.inserted, result.updated, result.outdated, result.commits) == (1, 1, 1, 1)
    assert account.facts.state == "s2"
    assert account.table.scan().to_arrow().num_rows == 4


def test_a_merge_that_is_no_news_any_more_commits_nothing(account, another):
    account.merge(account.frame(("1", "a", 1)), state="s1")
    rival = type(account)(another(), state=UNCHECKED)
    news = account.frame(("2", "b", 2))

    result = account.stream(chunks_with_rival(news, state="s2", by=lambda: rival.merge(news, state=None)))

    assert (result.commits, result.unchanged) == (0, 1)
    assert account.facts.state == "s1"


def test_a_stream_goes_on_after_a_group_that_was_no_news_any_more(account, another):
    account.merge(account.frame(("1", "a", 1)), state="s1")
    rival = type(account)(another(), state=UNCHECKED)
    news = account.frame(("2", "b", 2))

    def chunks():
        yield from chunks_with_rival(news, state="s2", by=lambda: rival.merge(news, state=None))
        yield from chunks_with_rival(
            account.frame(("3", "c", 3)), state="s3", by=lambda: rival.merge(account.frame(("4", "d", 3)), state=None)
        )

    result = account.stream(chunks())

    assert (result.commits, result.inserted) == (1, 1)
    assert account.rows("id") == [("1",), ("2",), ("3",), ("4",)]
    assert account.facts.state == "s3"


def test_columns_that_came_meanwhile_are_kept(account, another):
    account.merge(account.frame(("1", "a", 1)), state="s1")
    rival = type(account)(another(), state=UNCHECKED)
    rival.columns = (*account.columns, TableColumn("rating__c", StringType()))

    def theirs():
        rival.merge(account.frame(("1", "a", 2), rating__c=pl.lit("hot")), state=None)

    account.stream(chunks_with_rival(account.frame(("1", "x", 3)), state="s2", by=theirs))

    assert account.rows("name", "rating__c") == [("x", "hot")]


def test_a_stream_that_is_gone_cannot_be_planned_anew_and_is_refused(account, another):
    """Two frames of other columns: the first lies in its file already and is not kept in memory."""
    account.merge(account.frame(("1", "a", 1)), state="s1")
    rival = type(account)(another(), state=UNCHECKED)

    def chunks():
        yield Chunk(account.frame(("2", "b", 2)), None)
        yield Chunk(account.frame(("3", "c", 2), amount=pl.lit(None)), None)
        rival.merge(account.frame(("9", "theirs", 2)), state=None)
        yield Chunk(account.frame(), "s2")

    with pytest.raises(CommitConflict):
        account.stream(chunks())

    assert account.rows() == [("1", "a"), ("9", "theirs")]
    assert len(account.files()) == 2


def test_a_replace_that_was_overtaken_is_refused_and_leaves_nothing(account, another):
    account.merge(account.frame(("1", "a", 1)), state="s1")
    rival = type(account)(another(), state=UNCHECKED)

    def theirs():
        rival.merge(account.frame(("2", "theirs", 2)), state=None, summary={"sf_assets.run": "5af3"})

    with pytest.raises(CommitConflict, match="another run, 5af3, has written"):
        account.stream_replace(chunks_with_rival(account.frame(("3", "ours", 2)), state="s2", by=theirs))

    assert account.rows() == [("1", "a"), ("2", "theirs")]
    assert len(account.files()) == 2


def test_a_state_is_not_settled_on_rows_that_came_meanwhile(account, another):
    account.merge(account.frame(("1", "a", 1)), state="s1")
    rival = type(account)(another(), state="s1")
    rows = iter([account.frame(("2", "b", 2))])

    def plan(table):
        """The rival commits after the table was looked at, once."""
        for frame in rows:
            rival.merge(frame, state="s2")
        return Evolution()

    with pytest.raises(CommitConflict):
        commit_state(load=lambda: account.table, plan=plan, base="s1", state="s1, later", table="account")

    assert account.facts.state == "s2"


def _write(folder: Path, number: int, table: str, start: multiprocessing.Barrier) -> None:
    properties = {"type": "sql", "uri": f"sqlite:///{folder}/catalog.db", "warehouse": f"file://{folder}/lake"}
    tables = IcebergTables("salesforce", "salesforce", properties)
    columns = (TableColumn("id", StringType()), TableColumn("by", StringType()))
    start.wait(60)
    for turn in range(3):
        frame = pl.DataFrame({"id": [f"{number}-{turn}", "shared"], "by": [str(number), f"{number}-{turn}"]})
        chunks = [Chunk(frame, None)]
        tables.merge(table, columns=columns, keys=("id",), stamp=None, chunks=chunks, base=UNCHECKED)


@pytest.mark.slow
@pytest.mark.parametrize("is_shared", [False, True])
def test_processes_that_meet_a_catalog_for_the_first_time_all_write(tmp_path, is_shared):
    """One SQLite catalog that does not exist yet: tables of their own, or one that they share."""
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(4)
    names = ["status"] * 4 if is_shared else [f"table_{number}" for number in range(4)]
    processes = [context.Process(target=_write, args=(tmp_path, n, names[n], start)) for n in range(4)]

    for process in processes:
        process.start()
    for process in processes:
        process.join(120)

    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    properties = {"type": "sql", "uri": f"sqlite:///{tmp_path}/catalog.db", "warehouse": f"file://{tmp_path}/lake"}
    tables = IcebergTables("salesforce", "salesforce", properties)
    for table in set(names):
        ids = tables.scan(table).collect()["id"].to_list()
        assert len(ids) == len(set(ids)) == (13 if is_shared else 4)
