"""The state of a table is true of its rows: it moves with them, and rolls back with them."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from sf_assets.errors import CommitConflict, TableForeign
from sf_assets.iceberg.commit.table_state import state_at
from sf_assets.iceberg.model import UNCHECKED


def append_by_hand(account, *rows):
    frame = account.frame(*rows).select("id", "name")
    account.table.append(frame.to_arrow().cast(pa.schema([("id", pa.string()), ("name", pa.string())])))


def roll_back(account, snapshot_id):
    account.table.manage_snapshots().rollback_to_snapshot(snapshot_id).commit()


def test_no_table_has_no_facts(account):
    assert account.tables.facts("account") is None


def test_the_state_names_the_snapshot_that_it_came_with(account):
    result = account.merge(account.frame(("1", "a", 1)), state='{"tail_from": "2026-01-01"}')

    prop = json.loads(account.table.properties["sf_assets.state"])
    assert prop == {"snapshot": result.snapshot_id, "state": '{"tail_from": "2026-01-01"}'}
    assert account.facts.state == '{"tail_from": "2026-01-01"}'
    assert account.facts.snapshot_id == result.snapshot_id


def test_rows_and_state_are_one_swap_of_metadata(account):
    account.merge(account.frame(("1", "a", 1)), state="s1")
    before = len(account.table.metadata.metadata_log)

    account.merge(account.frame(("1", "b", 2), ("2", "c", 2)), state="s2")

    assert len(account.table.metadata.metadata_log) == before + 1


@pytest.mark.parametrize("way", ["rollback", "set_current"])
def test_a_table_that_was_rolled_back_has_the_state_of_its_present(account, way):
    first = account.merge(account.frame(("1", "a", 1)), state="s1")
    account.merge(account.frame(("2", "b", 2)), state="s2")

    manage = account.table.manage_snapshots()
    if way == "rollback":
        manage.rollback_to_snapshot(first.snapshot_id).commit()
    else:
        manage.set_current_snapshot(snapshot_id=first.snapshot_id).commit()

    assert account.facts.state == "s1"
    assert account.facts.rows == 1


def test_a_run_that_began_before_a_rollback_is_refused(account):
    first = account.merge(account.frame(("1", "a", 1)), state="s1")
    account.merge(account.frame(("2", "b", 2)), state="s2")
    roll_back(account, first.snapshot_id)

    with pytest.raises(CommitConflict) as refusal:
        account.merge(account.frame(("3", "c", 3)), state="s3", base="s2")

    assert refusal.value.values["found"] == "s1"
    assert account.rows() == [("1", "a")]


def test_after_a_rollback_writing_goes_on_from_the_earlier_state(account):
    first = account.merge(account.frame(("1", "a", 1)), state="s1")
    account.merge(account.frame(("2", "b", 2)), state="s2")
    roll_back(account, first.snapshot_id)

    account.merge(account.frame(("2", "again", 2)), state="s2 again", base="s1")

    assert account.facts.state == "s2 again"
    assert account.rows() == [("1", "a"), ("2", "again")]


def test_a_settled_state_is_true_of_its_snapshot_alone(account):
    first = account.merge(account.frame(("1", "a", 1)), state="s1")
    second = account.merge(account.frame(("2", "b", 2)), state="s2")
    account.tables.commit_state("account", columns=account.columns, base="s2", state="s2, a day later")

    roll_back(account, first.snapshot_id)
    assert account.facts.state == "s1"

    account.table.manage_snapshots().set_current_snapshot(snapshot_id=second.snapshot_id).commit()
    assert account.facts.state == "s2, a day later"


def test_a_state_settled_on_an_earlier_snapshot_is_not_that_of_a_later_one(account):
    """Rolled back, settled there, and rolled forward again: the rows are the later snapshot's, and so is the state."""
    first = account.merge(account.frame(("1", "a", 1)), state="s1")
    second = account.merge(account.frame(("2", "b", 2)), state="s2")
    roll_back(account, first.snapshot_id)
    account.tables.commit_state("account", columns=account.columns, base="s1", state="s1, settled")

    account.table.manage_snapshots().set_current_snapshot(snapshot_id=second.snapshot_id).commit()

    assert account.facts.state == "s2"


def test_rows_that_another_tool_appends_leave_the_state_as_it_is(account):
    account.merge(account.frame(("1", "a", 1)), state="s1")

    append_by_hand(account, ("9", "by hand", 1))

    assert account.facts.state == "s1"
    assert account.facts.rows == 2


@pytest.mark.parametrize("appends", [1, 2])
def test_the_state_survives_the_expiry_of_the_snapshot_that_bears_it(account, appends):
    account.merge(account.frame(("1", "a", 1)), state="s1")
    for number in range(appends):
        append_by_hand(account, (f"hand {number}", "by hand", 1))

    account.table.maintenance.expire_snapshots().older_than(datetime(2200, 1, 1, tzinfo=UTC)).commit()

    assert len(account.table.snapshots()) == 1
    assert account.facts.state == "s1"


def test_a_state_that_expired_off_the_table_s_line_is_none(account):
    """Rolled back to a snapshot that has expired too: nothing tells how far the rows of the present are read."""
    first = account.merge(account.frame(("1", "a", 1)), state="s1")
    account.merge(account.frame(("2", "b", 2)), state="s2")
    roll_back(account, first.snapshot_id)
    append_by_hand(account, ("9", "by hand", 1))

    account.table.maintenance.expire_snapshots().older_than(datetime(2200, 1, 1, tzinfo=UTC)).commit()

    assert account.rows("id") == [("1",), ("9",)]
    assert account.facts.state is None


def test_a_rolled_back_table_whose_future_expired_does_not_keep_its_state(account):
    first = account.merge(account.frame(("1", "a", 1)), state="s1")
    second = account.merge(account.frame(("2", "b", 2)), state="s2")
    roll_back(account, first.snapshot_id)

    account.table.maintenance.expire_snapshots().by_id(second.snapshot_id).commit()

    assert account.facts.state == "s1"


def test_settling_moves_the_state_without_a_snapshot(account):
    result = account.merge(account.frame(("1", "a", 1)), state="s1")

    facts = account.tables.commit_state("account", columns=account.columns, base="s1", state="s2")

    assert (facts.state, facts.snapshot_id, facts.rows) == ("s2", result.snapshot_id, 1)
    assert account.facts == facts


def test_settling_makes_the_table_when_there_is_none(account):
    facts = account.tables.commit_state("account", columns=account.columns, base=None, state="off")

    assert (facts.rows, facts.snapshot_id, facts.state) == (0, None, "off")
    assert account.rows() == []
    result = account.merge(account.frame(("1", "a", 1)), state="s1", base="off")
    assert result.inserted == 1


def test_settling_the_same_state_commits_nothing(account):
    account.merge(account.frame(("1", "a", 1)), state="s1")
    before = account.facts

    assert account.tables.commit_state("account", columns=account.columns, base="s1", state="s1") == before


def test_settling_from_another_state_is_refused(account):
    account.merge(account.frame(("1", "a", 1)), state="s1")

    with pytest.raises(CommitConflict):
        account.tables.commit_state("account", columns=account.columns, base=None, state="s2")

    assert account.facts.state == "s1"


def test_unchecked_goes_on_from_any_state(account):
    account.merge(account.frame(("1", "a", 1)), state="s1")

    account.merge(account.frame(("2", "b", 1)), state="s2", base=UNCHECKED)

    assert account.facts.state == "s2"


def test_a_table_that_we_did_not_make_is_left_alone(account):
    account.tables._catalog.catalog.create_namespace("salesforce")
    schema = pa.schema([("id", pa.string()), ("name", pa.string())])
    account.tables._catalog.catalog.create_table(("salesforce", "account"), schema)

    for call in (
        lambda: account.tables.facts("account"),
        lambda: account.tables.scan("account"),
        lambda: account.merge(account.frame(("1", "a", 1)), state="s1"),
        lambda: account.tables.commit_state("account", columns=account.columns, base=None, state="s1"),
        lambda: account.tables.overwrite("account", [account.frame(("1", "a", 1))]),
    ):
        with pytest.raises(TableForeign):
            call()


def test_a_table_with_other_keys_is_refused(account):
    account.merge(account.frame(("1", "a", 1)), state="s1")
    account.keys = ("id", "name")

    with pytest.raises(TableForeign, match="id"):
        account.merge(account.frame(("1", "b", 2)), state="s2")
    with pytest.raises(TableForeign):
        account.replace(account.frame(("1", "b", 2)), state="s2")


def test_the_table_has_the_properties_that_keep_it_readable_and_small(account):
    account.merge(account.frame(("1", "a", 1)), state="s1", doc="Companies and people.")

    properties = account.table.properties
    assert account.table.metadata.format_version == 2
    assert properties["comment"] == "Companies and people."
    assert properties["write.metadata.delete-after-commit.enabled"] == "true"
    assert properties["write.metadata.previous-versions-max"] == "10"
    assert properties["commit.manifest-merge.enabled"] == "true"
    assert properties["commit.retry.num-retries"] == "10"
    assert properties["write.parquet.compression-codec"] == "zstd"


def test_states_of_hundreds_of_columns_do_not_fill_the_metadata(account):
    for turn in range(12):
        state = json.dumps({"columns_read": [f"Custom_Field_{n}__c" for n in range(400)], "turn": turn})
        account.merge(account.frame((str(turn), "a", turn)), state=state)

    table = account.table
    assert Path(table.metadata_location.removeprefix("file://")).stat().st_size < 50_000
    assert [json.loads(state_at(table.metadata, snapshot))["turn"] for snapshot in table.snapshots()] == [*range(12)]


def test_states_in_the_summaries_of_a_former_version_are_found(account):
    """A former version wrote each state into its snapshot's summary."""
    first = account.merge(account.frame(("1", "a", 1)), state=None, summary={"sf_assets.state": "s1"})
    account.merge(account.frame(("2", "b", 2)), state="s2")

    roll_back(account, first.snapshot_id)

    assert account.facts.state == "s1"


@pytest.mark.parametrize("text", ["", "no base 85 \\", "c-jl"])
def test_unreadable_states_of_former_snapshots_are_no_states(account, text):
    first = account.merge(account.frame(("1", "a", 1)), state="s1")
    account.merge(account.frame(("2", "b", 2)), state="s2")
    account.table.transaction().set_properties({"sf_assets.snapshot_states": text}).commit_transaction()

    assert account.facts.state == "s2"
    account.merge(account.frame(("3", "c", 3)), state="s3")
    roll_back(account, first.snapshot_id)
    assert account.facts.state is None
