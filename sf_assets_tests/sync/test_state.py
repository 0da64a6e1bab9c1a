import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sf_assets.errors import TableDamaged, TableForeign
from sf_assets.sync.column_status import new_columns, with_hidden
from sf_assets.sync.decide import Step, SyncInput, decide_snapshot, decide_tail
from sf_assets.sync.limits import DEEP_LOOKBACK, LOOKBACK
from sf_assets.sync.state import (
    ColumnStatus,
    HashStatus,
    OrgCounts,
    Position,
    Probe,
    ReadTimes,
    Reread,
    Resume,
    State,
    Walk,
)
from sf_assets.sync.transitions import (
    checkpoint,
    finished_replace,
    finished_tail,
    finished_walk,
    needs_state_commit,
)
from sf_assets_tests.changed import changed

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
T = NOW - timedelta(hours=2)
COLUMNS = ("Id", "Name", "SystemModstamp")
READ_ON = State(
    "00D",
    "Account",
    position=Position(tail_from=T),
    columns=ColumnStatus(read=COLUMNS),
    times=ReadTimes(read_at=NOW - timedelta(hours=1), deep_read_at=NOW - timedelta(hours=1)),
)
QUIET = SyncInput(
    readable=COLUMNS,
    probe=Probe(T - LOOKBACK, 3, T),
    window=(3, T),
    table_rows=10,
    filter=None,
    now=NOW,
    backfill_calls=50,
)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


@pytest.mark.parametrize(
    "state",
    [
        State("00D", "Account"),
        READ_ON,
        changed(READ_ON, position__reread=Reread(T, NOW, NOW, after_id="001x")),
        State(
            "00D", "Account", "Name != null",
            Position(T, Walk("001", None, NOW, COLUMNS), Resume(T, "001x", T - LOOKBACK, ("Foo__c",))),
            ColumnStatus(COLUMNS, {"Foo__c": T, "Bar__c": None}, ("AnnualRevenue",), {"Sic": T}),
            ReadTimes(NOW, T, T, T, T, NOW),
            OrgCounts(Probe(None, 4, T), 3, T, NOW), HashStatus(("email", "phone"), ("fax",), "0123"),
        ),
    ],
)  # fmt: skip
def test_a_state_comes_back_from_its_text(state):
    assert State.from_json(state.to_json()) == state
    assert State.from_json(state.to_json()).to_json() == state.to_json()


def test_a_text_without_a_later_versions_keys_is_read_and_written_alike():
    text = '{"org_id":"00D","sobject":"Account"}'

    assert State.from_json(text).to_json() == text
    assert State.from_json('{"lacking":3,"org_id":"00D","sobject":"Account"}').to_json() == text


OTHER_TYPES = [
    {"org_id": 5}, {"sobject": None}, {"filter": 5}, {"tail_from": 5}, {"tail_from": "2026-03-01T10:00:00"},
    {"columns_read": "abc"}, {"columns_read": 5}, {"columns_read": [5]}, {"hidden": []}, {"hidden": {"A": 5}},
    {"refused": {"A": "x"}}, {"seen": 5}, {"seen": {"since": None, "count": "4", "ceiling": None}},
    {"seen": {"count": 4}}, {"out_of_sight": "3"}, {"hashed": {"a": 1}}, {"hashed_under": 5}, {"walk": "x"},
    {"walk": {"after_id": 5, "ceiling": None, "began_at": "2026-03-01T10:00:00+00:00", "columns": ["Id"]}},
    {"walk": {"after_id": None, "ceiling": None, "began_at": None, "columns": ["Id"]}},
    {"resume": []}, {"reread": {"since": None}}, {"read_at": "9999"}, {"read_at": ["x"]},
]  # fmt: skip


@pytest.mark.parametrize("values", OTHER_TYPES, ids=str)
def test_a_state_with_a_value_of_another_type_is_damage(values):
    text = json.dumps({"org_id": "00D", "sobject": "Account", **values})

    with pytest.raises(TableDamaged, match="the state in the table is unreadable"):
        State.from_json(text)


@pytest.mark.parametrize("key", ["walk", "seen", "resume", "reread"])
def test_a_newer_key_inside_of_a_part_is_refused_by_name(key):
    with pytest.raises(TableForeign, match="from_the_future"):
        State.from_json(json.dumps({"org_id": "00D", "sobject": "Account", key: {"from_the_future": 1}}))


@pytest.mark.parametrize("text", ["[]", "7", "no", "{", "null", '"text"', "{}", "[" * 100_000])
def test_a_text_that_is_no_state_is_damage(text):
    with pytest.raises(TableDamaged, match="the state in the table is unreadable") as error_info:
        State.from_json(text)

    assert "sf-assets repair" in error_info.value.remedy


def test_a_newer_versions_state_is_refused_by_name():
    text = '{"org_id":"00D","sobject":"Account","from_the_future":1}'
    with pytest.raises(TableForeign, match="not one that this version") as error_info:
        State.from_json(text)

    assert "from_the_future" in str(error_info.value)
    assert "Upgrade" in error_info.value.remedy


def test_a_table_without_a_state_is_walked_up_to_the_ceiling_of_the_probe():
    assert decide_tail(None, QUIET) == Step("walk", walk=Walk(None, T, NOW, COLUMNS))


def test_an_unfinished_walk_goes_on_where_it_stopped():
    walk = Walk("001a", T, T, COLUMNS)

    assert decide_tail(State("00D", "Account", position=Position(walk=walk)), QUIET) == Step("walk", walk=walk)


def test_an_object_that_stays_empty_is_not_read_again():
    empty = replace(QUIET, probe=Probe(None, 0, None), window=None, table_rows=0)

    base = State("00D", "Account", times=ReadTimes(read_at=T))

    assert decide_tail(base, empty).kind == "unchanged"
    assert decide_tail(base, replace(empty, probe=Probe(None, 1, T))).kind == "walk"


def test_nothing_is_read_when_org_and_table_agree():
    assert decide_tail(READ_ON, QUIET) == Step("unchanged")


@pytest.mark.parametrize(
    "situation",
    [
        replace(QUIET, probe=None),
        replace(QUIET, probe=Probe(T - LOOKBACK, 4, T)),
        replace(QUIET, probe=Probe(T - LOOKBACK, 3, T + minutes(1))),
        replace(QUIET, window=(2, T)),
    ],
)
def test_a_tail_is_read_when_they_differ_and_it_has_no_upper_bound(situation):
    assert decide_tail(READ_ON, situation) == Step("tail", lower=T - LOOKBACK)


def test_a_tail_is_read_while_the_last_second_could_have_another_update():
    read_too_early = changed(READ_ON, times__read_at=T + LOOKBACK)

    assert decide_tail(read_too_early, QUIET).kind == "tail"
    assert decide_tail(changed(read_too_early, times__read_at=T + LOOKBACK + minutes(0.1)), QUIET).kind == "unchanged"


def test_a_purge_that_the_last_full_read_explained_is_not_searched_again():
    after_purge = replace(QUIET, probe=Probe(T - LOOKBACK, 2, T))

    assert decide_tail(changed(READ_ON, counts__last_probe=Probe(T - LOOKBACK, 2, T)), after_purge).kind == "unchanged"
    assert decide_tail(changed(READ_ON, counts__last_probe=Probe(T - LOOKBACK, 1, T)), after_purge).kind == "tail"


def test_once_a_day_the_tail_looks_back_far():
    due = changed(READ_ON, times__deep_read_at=NOW - timedelta(hours=24))

    assert decide_tail(due, QUIET) == Step("tail", lower=T - DEEP_LOOKBACK)
    late = changed(READ_ON, times__deep_read_at=NOW - timedelta(days=5))
    assert decide_tail(late, QUIET).lower == NOW - timedelta(days=5) - LOOKBACK


def test_an_unfinished_tail_goes_on_behind_its_checkpoint():
    resume = Resume(T, "001a", T - LOOKBACK)

    assert decide_tail(changed(READ_ON, position__resume=resume), QUIET) == Step(
        "tail", lower=T - LOOKBACK, resume=resume
    )


@pytest.mark.parametrize("resume", [Resume(T, "001a", T - LOOKBACK), Resume(T, "001a", T - DEEP_LOOKBACK)])
def test_a_tails_checkpoint_does_not_count_for_a_column_it_did_not_read(resume):
    since = T - minutes(40)
    state = changed(
        READ_ON, columns__read=("Id", "SystemModstamp"), columns__hidden={"Name": since}, position__resume=resume
    )

    assert decide_tail(state, QUIET) == Step("tail", lower=since)
    again = replace(resume, lower=since, revealed=("Name",))
    assert decide_tail(changed(state, position__resume=again), QUIET) == Step("tail", lower=since, resume=again)


def test_a_new_column_is_backfilled_when_cheap_and_named_when_expensive():
    wider = replace(QUIET, readable=(*COLUMNS, "New__c"))

    assert decide_tail(READ_ON, wider).walk == Walk(None, T, NOW, (*COLUMNS, "New__c"))
    assert decide_tail(READ_ON, replace(wider, table_rows=100_001)) == Step("unchanged", pending=("New__c",))


def test_another_filter_reads_everything_again():
    assert decide_tail(READ_ON, replace(QUIET, filter="Type = 'Customer'")).kind == "walk"


def test_a_column_seen_again_extends_the_tail_back_to_when_it_was_hidden():
    with_hidden_column = changed(
        READ_ON, columns__read=("Id", "SystemModstamp"), columns__hidden={"Name": T - timedelta(days=3)}
    )

    assert decide_tail(with_hidden_column, QUIET) == Step("tail", lower=T - timedelta(days=3))


def test_a_snapshot_is_replaced_when_it_differs_and_otherwise_left():
    whole = replace(QUIET, probe=Probe(None, 3, T))

    assert decide_snapshot(READ_ON, whole) == Step("unchanged")
    assert decide_snapshot(None, whole) == Step("replace")
    assert decide_snapshot(READ_ON, replace(whole, probe=Probe(None, 2, T))) == Step("replace")
    assert decide_snapshot(READ_ON, replace(whole, readable=(*COLUMNS, "New__c"))) == Step("replace")
    assert decide_snapshot(READ_ON, replace(whole, filter="X = 1")) == Step("replace")


def test_a_small_snapshot_is_read_in_full_once_a_day_a_large_one_is_not():
    due = changed(READ_ON, times__deep_read_at=NOW - timedelta(hours=24))
    large = replace(QUIET, probe=Probe(None, 60_000, T), window=(60_000, T))

    assert decide_snapshot(due, replace(QUIET, probe=Probe(None, 3, T))).kind == "replace"
    assert decide_snapshot(due, large).kind == "unchanged"


def test_a_removed_column_is_stored_with_the_stamp_of_its_last_values():
    state = with_hidden(READ_ON, ("Id", "SystemModstamp"))

    assert state.columns.read == ("Id", "SystemModstamp")
    assert state.columns.hidden == {"Name": T - LOOKBACK}
    assert new_columns(state, COLUMNS) == ()


def test_a_column_that_goes_in_mid_walk_is_new_when_it_comes_back():
    walking = State("00D", "Account", position=Position(walk=Walk("001a", T, T, COLUMNS)))

    state_after = finished_walk(walking, ("Id", "SystemModstamp"), filter=None)

    assert state_after.columns.read == ("Id", "SystemModstamp")
    assert new_columns(state_after, COLUMNS) == ("Name",)


def test_a_finished_walk_leaves_its_ceiling_as_the_tails_start():
    state_after = finished_walk(
        State("00D", "Account", position=Position(walk=Walk("001a", T, NOW, COLUMNS))), COLUMNS, filter=None
    )

    times = ReadTimes(*[NOW] * 6)
    assert state_after == State("00D", "Account", None, Position(T), ColumnStatus(COLUMNS), times)


def test_a_finished_tail_moves_to_the_ceiling_that_was_fixed_before_it():
    step = Step("tail", lower=T - LOOKBACK, resume=Resume(T, "001a", T - LOOKBACK))
    state_after = finished_tail(
        changed(READ_ON, position__resume=step.resume),
        COLUMNS,
        step,
        ceiling=T + minutes(5),
        began_at=NOW,
        last_probe=None,
    )

    assert state_after == changed(READ_ON, position__tail_from=T + minutes(5), times__read_at=NOW)


def test_a_tail_never_moves_back():
    state_after = finished_tail(
        READ_ON, COLUMNS, Step("tail", lower=T), ceiling=T - minutes(5), began_at=NOW, last_probe=None
    )

    assert state_after.position.tail_from == T


def test_a_tail_gives_back_only_the_columns_that_it_read_far_enough_back():
    state = changed(
        READ_ON, columns__read=("Id",), columns__hidden={"Name": T - minutes(60), "SystemModstamp": T - minutes(90)}
    )

    state_after = finished_tail(
        state, COLUMNS, Step("tail", lower=T - minutes(60)), ceiling=T, began_at=NOW, last_probe=None
    )

    assert state_after.columns.read == ("Id", "Name")
    assert state_after.columns.hidden == {"SystemModstamp": T - minutes(90)}


def test_a_finished_replace_knows_every_column_that_it_read():
    state = changed(READ_ON, columns__hidden={"Name": T})

    state_after = finished_replace(state, COLUMNS, ceiling=T, began_at=NOW, last_probe=None, filter=None)

    assert state_after.columns.read == COLUMNS
    assert state_after.columns.hidden == {}


def test_the_full_read_time_moves_with_a_full_read_and_not_with_a_tail():
    began_at = NOW - timedelta(days=3)
    whole = finished_replace(READ_ON, COLUMNS, ceiling=T, began_at=began_at, last_probe=None, filter=None)

    after_tail = finished_tail(
        whole, COLUMNS, Step("tail", lower=T - LOOKBACK), ceiling=T, began_at=NOW, last_probe=None
    )

    assert (whole.times.full_read_at, after_tail.times.full_read_at) == (began_at, began_at)


def test_a_replace_forgets_the_rounding_of_the_columns_that_it_read():
    state = changed(READ_ON, columns__rounded=("Hidden__c", "Name"))

    assert finished_replace(state, COLUMNS, ceiling=T, began_at=NOW, last_probe=None, filter=None).columns.rounded == (
        "Hidden__c",
    )


@pytest.mark.parametrize(
    ("change", "worth"),
    [
        ({"times__read_at": NOW}, False),
        ({"position__tail_from": NOW}, True),
        ({"times__deep_read_at": NOW}, True),
        ({"columns__hidden": {"Name": T}}, True),
        ({"counts__last_probe": Probe(T, 1, T)}, True),
        ({"columns__rounded": ("Name",)}, True),
    ],
)
def test_a_state_is_settled_alone_only_when_it_changes_what_comes_next(change, worth):
    assert needs_state_commit(READ_ON, changed(READ_ON, **change)) is worth


def test_the_first_read_late_enough_to_be_believed_is_settled():
    read_too_early = changed(READ_ON, times__read_at=T + minutes(1))

    assert needs_state_commit(read_too_early, changed(read_too_early, times__read_at=NOW))
    assert not needs_state_commit(read_too_early, changed(read_too_early, times__read_at=T + minutes(2)))


def test_a_checkpoint_uses_stamps_below_the_ceiling_minus_the_lookback():
    stamps = [T, T + minutes(1), T + minutes(90), T + minutes(2), NOW]

    assert checkpoint(stamps, list("abcde"), below=T + minutes(30)) == 3
    assert checkpoint(stamps, list("abcde"), below=T) is None
    assert checkpoint(stamps, list("abcde"), below=None) is None
