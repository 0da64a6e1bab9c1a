"""The edges of each decision: what is decided exactly at a bound, and which of two moments counts."""

from dataclasses import replace
from datetime import timedelta

import pytest

from sf_assets.salesforce.limits import PAGE_ROWS
from sf_assets.sync.column_status import revealed_columns, with_rows_unread
from sf_assets.sync.decide import (
    Step,
    decide_snapshot,
    decide_tail,
    deep_lower,
    is_deep_due,
    is_settled,
    is_unchanged,
    since_hidden,
)
from sf_assets.sync.limits import DAY, DEEP_LOOKBACK, LOOKBACK, SMALL_OBJECT_ROWS
from sf_assets.sync.state import (
    Position,
    Probe,
    ReadTimes,
    Reread,
    Resume,
    State,
    Walk,
    at_reread,
    at_resume,
    at_walk,
    later,
)
from sf_assets.sync.transitions import (
    checkpoint,
    finished_replace,
    finished_tail,
    finished_walk,
    mid_walk_state,
    needs_state_commit,
    not_ahead,
    reread_state,
    tail_after_walk,
    usable_probe,
)
from sf_assets_tests.changed import changed
from sf_assets_tests.sync.test_state import COLUMNS, NOW, QUIET, READ_ON, T

SECOND = timedelta(seconds=1)
MINIMAL = timedelta(microseconds=1)


@pytest.mark.parametrize(("age", "is_late"), [(LOOKBACK, False), (LOOKBACK + MINIMAL, True)])
def test_a_read_is_settled_later_than_the_lookback_after_the_newest(age, is_late):
    assert is_settled(T + age, T) is is_late


@pytest.mark.parametrize(
    ("state", "is_ahead"),
    [
        (State("00D", "Account"), False),
        (changed(READ_ON, position__tail_from=NOW + DAY), False),
        (changed(READ_ON, position__tail_from=NOW + DAY + MINIMAL), True),
        (changed(READ_ON, times__read_at=NOW + DAY + MINIMAL), True),
        (State("00D", "Account", position=Position(tail_from=NOW + 2 * DAY)), True),
    ],
)
def test_a_state_of_more_than_a_day_later_is_ahead(state, is_ahead):
    assert state.is_ahead_of(NOW) is is_ahead


def test_an_unsettled_newest_stamp_of_the_org_counts_before_the_position():
    newest = READ_ON.times.read_at - SECOND
    at = replace(QUIET, probe=Probe(T - LOOKBACK, 3, newest), window=(3, newest))
    assert not is_unchanged(READ_ON, at)


def test_without_a_newest_stamp_a_read_is_settled():
    assert is_settled(None, None)
    assert not is_settled(None, T)


@pytest.mark.parametrize(("age", "due"), [(DAY - MINIMAL, False), (DAY, True), (None, True)])
def test_the_deep_read_is_due_exactly_a_day_after_the_last(age, due):
    deep = None if age is None else NOW - age
    assert is_deep_due(changed(READ_ON, times__deep_read_at=deep), NOW) is due


@pytest.mark.parametrize(
    ("deep_read_at", "lower"),
    [
        (None, T - DEEP_LOOKBACK),
        (T, T - DEEP_LOOKBACK),
        (T - timedelta(days=4), T - timedelta(days=4) - LOOKBACK),
        (T - DEEP_LOOKBACK + LOOKBACK, T - DEEP_LOOKBACK),
    ],
)
def test_a_deep_tail_begins_at_the_earlier_of_36_hours_and_the_last_one(deep_read_at, lower):
    assert deep_lower(changed(READ_ON, times__deep_read_at=deep_read_at), T) == lower


def test_the_earliest_of_the_hidden_columns_decides():
    state = changed(READ_ON, columns__hidden={"A": T - 3 * DAY, "B": T - 2 * DAY, "C": None})
    assert since_hidden(state, ["A", "B", "C"], lower=T) == T - 3 * DAY
    assert since_hidden(state, ["B"], lower=T - 9 * DAY) == T - 9 * DAY


@pytest.mark.parametrize(("count", "kind"), [(SMALL_OBJECT_ROWS, "replace"), (SMALL_OBJECT_ROWS + 1, "unchanged")])
def test_a_snapshot_counts_as_small_up_to_and_with_the_bound(count, kind):
    base = changed(READ_ON, times__deep_read_at=NOW - DAY)
    at = replace(QUIET, probe=Probe(None, count, T), window=(count, T))
    assert decide_snapshot(base, at).kind == kind


@pytest.mark.parametrize(
    "at",
    [replace(QUIET, reconcile=True), replace(QUIET, filter="x"), replace(QUIET, readable=(*COLUMNS, "New__c"))],
)
def test_a_snapshot_is_read_for_a_request_a_filter_or_a_column(at):
    assert decide_snapshot(READ_ON, at).kind == "replace"
    assert decide_snapshot(READ_ON, QUIET).kind == "unchanged"
    assert decide_snapshot(READ_ON, replace(QUIET, readable=COLUMNS[:2])).kind == "unchanged"


@pytest.mark.parametrize(("rows", "kind"), [(2 * PAGE_ROWS, "walk"), (2 * PAGE_ROWS + 1, "tail")])
def test_a_backfill_is_affordable_up_to_and_with_its_calls(rows, kind):
    at = replace(QUIET, readable=(*COLUMNS, "New__c"), backfill_calls=2, table_rows=rows, window=(4, T))
    step = decide_tail(READ_ON, at)
    assert step.kind == kind
    assert step.pending == (() if kind == "walk" else ("New__c",))


@pytest.mark.parametrize(
    ("at", "kind"),
    [
        (replace(QUIET, probe=Probe(None, 0, None), table_rows=0), "unchanged"),
        (replace(QUIET, probe=Probe(None, 1, T), table_rows=0), "walk"),
        (replace(QUIET, probe=Probe(None, 0, None), table_rows=1), "walk"),
        (replace(QUIET, probe=None, table_rows=0), "walk"),
    ],
)
def test_only_an_empty_table_of_an_empty_object_needs_no_walk(at, kind):
    assert decide_tail(State("00D", "Account", times=ReadTimes(read_at=T)), at).kind == kind
    assert decide_tail(State("00D", "Account"), at).kind == "walk"  # the object was off until now
    assert decide_tail(None, at).kind == "walk"


def test_a_walk_keeps_the_ceiling_the_moment_and_the_columns_of_its_begin():
    walk = decide_tail(None, QUIET).walk
    assert walk == Walk(None, T, NOW, COLUMNS)
    assert decide_tail(None, replace(QUIET, probe=None)).walk == Walk(None, None, NOW, COLUMNS)


@pytest.mark.parametrize("at", [replace(QUIET, probe=None), replace(QUIET, window=None)])
def test_without_a_probe_or_a_window_nothing_counts_as_unchanged(at):
    assert not is_unchanged(READ_ON, at)
    assert decide_tail(READ_ON, at).kind == "tail"


def test_an_explained_probe_is_unchanged_although_the_table_differs():
    at = replace(QUIET, window=(9, T))
    assert is_unchanged(changed(READ_ON, counts__last_probe=at.probe), at)
    assert not is_unchanged(changed(READ_ON, counts__last_probe=replace(at.probe, count=4)), at)


@pytest.mark.parametrize(("lower", "resumes"), [(T - LOOKBACK, True), (T - LOOKBACK + MINIMAL, False)])
def test_a_tail_resumes_only_if_it_began_early_enough(lower, resumes):
    resume = Resume(T - timedelta(hours=1), "001a", lower)
    step = decide_tail(at_resume(READ_ON, resume), QUIET)
    assert step == (Step("tail", lower, resume) if resumes else Step("tail", T - LOOKBACK))


def test_a_request_of_the_daily_work_looks_deep():
    assert decide_tail(READ_ON, replace(QUIET, reconcile=True)).lower == T - DEEP_LOOKBACK


def test_a_column_that_comes_back_is_read_although_nothing_changed():
    base = changed(READ_ON, columns__read=("Id", "SystemModstamp"), columns__hidden={"Name": T - DAY})
    assert decide_tail(base, QUIET) == Step("tail", lower=T - DAY)


@pytest.mark.parametrize(
    ("ceiling", "result"), [(NOW + DAY, NOW), (NOW, NOW), (NOW - SECOND, NOW - SECOND), (None, None)]
)
def test_a_ceiling_is_never_later_than_the_second_of_the_read(ceiling, result):
    assert not_ahead(ceiling, NOW + timedelta(microseconds=999_999)) == result


@pytest.mark.parametrize(
    ("stamps", "ids", "index"),
    [
        ([T - SECOND, T, None], ["a", "b", "c"], 0),
        ([T - SECOND, T - SECOND], ["a", None], 0),
        ([T, T + SECOND], ["a", "b"], None),
        ([], [], None),
    ],
)
def test_a_checkpoint_is_the_last_named_row_strictly_below_the_bound(stamps, ids, index):
    assert checkpoint(stamps, ids, below=T) == index
    assert checkpoint(stamps, ids, below=None) is None


@pytest.mark.parametrize(
    ("probe", "newest", "explains"),
    [
        (Probe(None, 3, T), T, True),
        (Probe(None, 3, T), T + SECOND, False),
        (Probe(None, 0, None), T, False),
        (Probe(None, 3, T), None, True),
    ],
)
def test_a_probe_explains_a_table_only_without_newer_rows(probe, newest, explains):
    assert usable_probe(probe, newest) == (probe if explains else None)
    assert usable_probe(None, newest) is None


def test_a_walk_loses_the_columns_that_it_could_not_read():
    state = at_walk(READ_ON, Walk(None, T, NOW, (*COLUMNS, "Old__c")))
    spans = (("3", "4"),)
    middle = mid_walk_state(state, COLUMNS, after_id="001", spans=spans)
    assert middle.position.walk == Walk("001", T, NOW, COLUMNS, spans)


def test_a_finished_walk_names_incomplete_columns_and_moves_nothing_back():
    base = changed(READ_ON, position__tail_from=T, columns__hidden={"Name": T})
    state = at_walk(base, Walk("001", T - DAY, NOW, (*COLUMNS, "Old__c")))
    state_after = finished_walk(state, COLUMNS, filter="f")
    assert (state_after.filter, state_after.position) == ("f", Position(tail_from=T))
    assert state_after.columns.read == COLUMNS
    assert state_after.columns.hidden == {"Old__c": None}
    assert state_after.counts.last_probe is None


def test_only_the_first_walk_counts_as_a_comparison_of_all_rows():
    first = finished_walk(at_walk(State("00D", "Account"), Walk("1", T, NOW, COLUMNS)), COLUMNS, filter=None)
    assert first.times == ReadTimes(NOW, NOW, NOW, NOW, NOW, NOW)
    base = changed(READ_ON, times__reconciled_at=T, times__ids_compared_at=T)
    later_walk = finished_walk(at_walk(base, Walk("1", T, NOW, COLUMNS)), COLUMNS, filter=None)
    assert later_walk.times == ReadTimes(NOW, NOW, NOW, T, T, NOW)


def test_the_tail_after_a_walk_begins_where_a_column_was_hidden():
    assert tail_after_walk(READ_ON, COLUMNS) == Step("tail", lower=T - LOOKBACK)
    with_hidden_column = changed(READ_ON, columns__hidden={"Back__c": T - DAY})
    assert tail_after_walk(with_hidden_column, (*COLUMNS, "Back__c")) == Step("tail", lower=T - DAY)
    assert tail_after_walk(with_hidden_column, COLUMNS) == Step("tail", lower=T - LOOKBACK)


@pytest.mark.parametrize(("lower", "deep"), [(T - DEEP_LOOKBACK, NOW), (T - DEEP_LOOKBACK + MINIMAL, T)])
def test_a_tail_counts_as_deep_from_36_hours_on(lower, deep):
    base = changed(READ_ON, times__deep_read_at=T)
    state_after = finished_tail(base, COLUMNS, Step("tail", lower), ceiling=NOW, began_at=NOW, last_probe=None)
    assert state_after.times.deep_read_at == deep
    assert state_after.times.read_at == NOW
    assert state_after.position == Position(tail_from=NOW)


@pytest.mark.parametrize(("lower", "back"), [(T - DAY, True), (T - DAY + MINIMAL, False)])
def test_a_tail_gives_a_column_back_if_it_began_where_it_was_hidden(lower, back):
    base = changed(READ_ON, columns__hidden={"Back__c": T - DAY})
    readable = (*COLUMNS, "Back__c")
    state_after = finished_tail(base, readable, Step("tail", lower), ceiling=T, began_at=NOW, last_probe=None)
    assert ("Back__c" in state_after.columns.read) is back
    assert ("Back__c" in state_after.columns.hidden) is not back


def test_a_replace_keeps_the_log_and_forgets_what_was_hidden():
    base = changed(
        READ_ON, counts__deleted_until=T, counts__out_of_sight=3, columns__hidden={"Name": T, "Gone__c": T},
        position__reread=Reread(None, None, NOW), columns__rounded=("Name", "Gone__c"),
    )  # fmt: skip
    probe = Probe(None, 3, T)
    state_after = finished_replace(base, COLUMNS, ceiling=T, began_at=NOW, last_probe=probe, filter=None)
    assert (state_after.counts.last_probe, state_after.counts.deleted_until, state_after.counts.out_of_sight) == (
        probe,
        T,
        0,
    )
    assert (state_after.columns.hidden, state_after.columns.rounded) == ({"Gone__c": T}, ("Gone__c",))
    assert state_after.position == Position(tail_from=T)
    assert state_after.times == ReadTimes(NOW, NOW, NOW, NOW, NOW, NOW)


def test_a_replace_says_of_each_column_whether_it_holds_hashes_only():
    base = changed(READ_ON, hashing__hashed=("gone__c", "name"), hashing__mixed=("name", "old__c"))
    state_after = finished_replace(
        base, COLUMNS, ceiling=T, began_at=NOW, last_probe=None, filter=None, hashed=("NAME", "Id", "Never__c")
    )
    assert state_after.hashing.hashed == ("gone__c", "id", "name")
    assert state_after.hashing.mixed == ("old__c",)


def test_a_state_is_committed_alone_for_news_and_a_settled_read():
    final = changed(READ_ON, times__read_at=NOW)
    assert needs_state_commit(None, final)
    assert not needs_state_commit(READ_ON, final)
    assert needs_state_commit(changed(READ_ON, counts__out_of_sight=1), final)
    assert needs_state_commit(changed(READ_ON, times__read_at=T + LOOKBACK), final)
    earlier = changed(READ_ON, times__read_at=T)
    assert needs_state_commit(READ_ON, earlier)  # the clock of the former read ran ahead


@pytest.mark.parametrize(
    ("hidden", "since", "result"),
    [(T, T - DAY, T - DAY), (T - 2 * DAY, T - DAY, T - 2 * DAY), (T, None, None), (None, T, None)],
)
def test_rows_read_without_a_column_make_it_old_from_their_stamps_on(hidden, since, result):
    base = changed(READ_ON, columns__hidden={"Gone__c": hidden, "Back__c": T})
    place = Reread(since, None, NOW, "001")
    state = reread_state(base, (*COLUMNS, "Back__c"), place, since=since)
    assert state.columns.hidden == {"Gone__c": result, "Back__c": T}
    assert state == at_reread(with_rows_unread(base, (*COLUMNS, "Back__c"), since=since), place)
    assert revealed_columns(state, (*COLUMNS, "Back__c")) == ("Back__c",)


def test_the_later_of_two_moments_of_which_either_may_be_missing():
    assert later(T, NOW) == later(NOW, T) == later(None, NOW) == later(NOW, None) == NOW
    assert later(None, None) is None


def test_a_walk_ends_an_unfinished_tail_and_a_tail_keeps_a_reread():
    state = at_reread(at_resume(READ_ON, Resume(T, "1", T)), Reread(None, T, NOW))
    walk = Walk(None, T, NOW, COLUMNS)
    assert at_walk(state, walk).position == Position(T, walk, None, Reread(None, T, NOW))
