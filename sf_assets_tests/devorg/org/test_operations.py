"""Operations on rows: each moves the stamps unless it says otherwise."""

from datetime import UTC, datetime

import pytest

NOON = "2026-03-10T12:00:00.000+0000"
LATER = "2026-03-10T12:05:00.000+0000"
PAST = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def ids(org, clock):
    """Three accounts of noon; then it is five past."""
    row_ids = org.insert_many("Account", [{"Name": name} for name in ("a", "b", "c")])
    clock.advance(minutes=5)
    return row_ids


def stamps(row):
    return {row["LastModifiedDate"], row["SystemModstamp"]}


def test_an_insert_fills_what_is_not_given(org, clock):
    row = org.row("Account", org.insert("Account", {"Name": "a", "AnnualRevenue": 5}))

    assert row["Id"].startswith("001")
    assert len(row["Id"]) == 18
    assert {row["CreatedDate"], *stamps(row)} == {NOON}
    assert (row["IsDeleted"], row["IsPartner"], row["Type"], row["AnnualRevenue"]) == (False, False, None, 5.0)


def test_new_ids_grow(org, ids):
    assert sorted(ids) == ids
    org.purge("Account", ids[2])
    assert org.insert("Account", {"Name": "d"}) > ids[2]


def test_an_insert_may_bring_its_id_and_its_stamp(org):
    org.insert("Account", {"Id": "001000000000abcAAA", "Name": "a"}, stamp=PAST)

    assert stamps(org.row("Account", "001000000000abc")) == {"2026-03-01T00:00:00.000+0000"}


@pytest.mark.parametrize(
    "act",
    [
        lambda org, one: org.update("Account", one, {"Name": "changed"}),
        lambda org, one: org.delete("Account", one),
        lambda org, one: org.undelete("Account", one),
        lambda org, one: org.restamp("Account", [one]),
        lambda org, one: org.merge("Account", one, []),
    ],
)
def test_a_verb_moves_the_stamps_to_the_orgs_time(org, ids, act):
    act(org, ids[0])

    assert stamps(org.row("Account", ids[0])) == {LATER}
    assert stamps(org.row("Account", ids[1])) == {NOON}


def test_a_late_commit_carries_a_stamp_of_the_past(org, ids, select):
    org.update("Account", ids[0], {"Name": "late"}, stamp=PAST)

    assert select("SELECT Id, Name FROM Account WHERE SystemModstamp < 2026-03-02T00:00:00Z") == [
        {"Id": ids[0], "Name": "late"}
    ]


def test_a_formula_changes_without_a_stamp(org, ids):
    org.update("Account", ids[0], {"Score__c": 1.5}, restamp=False)

    row = org.row("Account", ids[0])
    assert (row["Score__c"], stamps(row)) == (1.5, {NOON})


def test_two_updates_of_one_second_share_their_stamp(org, ids, select):
    for name in ("x", "y"):
        org.update("Account", ids[0], {"Name": name})

    assert select("SELECT Name, SystemModstamp FROM Account WHERE SystemModstamp = 2026-03-10T12:05:00Z") == [
        {"Name": "y", "SystemModstamp": LATER}
    ]


def test_a_mass_restamp_puts_rows_on_one_second(org, ids, select):
    org.restamp("Account", ids, stamp=PAST)

    assert select("SELECT COUNT(Id) n FROM Account WHERE SystemModstamp = 2026-03-01T00:00:00Z") == [{"n": 3}]


def test_the_loser_of_a_merge_names_its_winner_and_its_children_move(org, ids):
    contact = org.insert("Contact", {"LastName": "x", "AccountId": ids[1]})

    org.merge("Account", ids[0], [ids[1]])

    loser = org.row("Account", ids[1])
    assert (loser["IsDeleted"], loser["MasterRecordId"], stamps(loser)) == (True, ids[0], {LATER})
    assert org.row("Contact", contact)["AccountId"] == ids[0]


@pytest.mark.parametrize(
    ("cascade", "is_deleted", "stamp"), [("restamped", True, LATER), ("silent", True, NOON), ("none", False, NOON)]
)
def test_children_go_with_their_parent_as_the_behaviour_says(org, clock, cascade, is_deleted, stamp):
    account = org.insert("Account", {"Name": "a"})
    contact = org.insert("Contact", {"LastName": "x", "AccountId": account})
    clock.advance(minutes=5)
    org.behave(cascade=cascade)

    org.delete("Account", account)

    row = org.row("Contact", contact)
    assert (row["IsDeleted"], row["SystemModstamp"]) == (is_deleted, stamp)


def test_a_purge_leaves_nothing(org, ids, select):
    org.purge("Account", ids[0])

    assert select("SELECT COUNT(Id) n FROM Account", resource="queryAll") == [{"n": 2}]
    with pytest.raises(KeyError, match=f"no Account has the Id {ids[0]}"):
        org.row("Account", ids[0])


def test_deleting_from_an_object_without_a_bin_leaves_nothing(org):
    profile = org.insert("Profile", {"Name": "a"})

    org.delete("Profile", profile)

    assert org.rows("Profile") == []


def test_the_truth_has_all_fields_and_may_leave_deleted_rows_out(org, ids):
    org.hide_field("Account", "Type")
    org.delete("Account", ids[0])

    assert [row["Id"] for row in org.rows("Account")] == ids
    assert [row["Id"] for row in org.rows("Account", deleted=False)] == ids[1:]
    assert "Type" in org.rows("Account")[0]


@pytest.mark.parametrize(
    "act",
    [
        lambda org: org.insert("Account", {"Nmae": "a"}),
        lambda org: org.insert_many("Account", [{"Name": "a"}, {"Nmae": "b"}]),
        lambda org: org.insert("Acount", {"Name": "a"}),
        lambda org: org.update("Account", "001000000000000AAA", {}),
        lambda org: org.delete("Account", "001000000000000AAA"),
    ],
)
def test_a_slip_of_the_pen_is_refused_and_changes_nothing(org, act):
    with pytest.raises(KeyError):
        act(org)

    assert org.rows("Account") == []


def test_a_stamp_without_a_zone_is_refused(org):
    with pytest.raises(ValueError, match="without a zone"):
        org.insert("Account", {"Name": "a"}, stamp=datetime(2026, 3, 1))  # noqa: DTZ001  # that is the point


def test_a_copy_goes_its_own_way(org, ids):
    twin = org.copy()
    twin.update("Account", ids[0], {"Name": "other"})
    twin.add_field("Account", {"name": "New__c", "type": "double"})
    twin.insert("Account", {"Name": "more"})

    assert org.row("Account", ids[0])["Name"] == "a"
    assert "New__c" not in org.row("Account", ids[0])
    assert len(org.rows("Account")) == 3
    assert twin.org_id == org.org_id


def test_what_was_done_can_be_done_again_from_the_journal(org, clock):
    twin, journal = org.copy(clock=clock), []
    org.journal = journal.append
    one, two = org.insert_many("Account", [{"Name": "a"}, {"Name": "b"}])
    contact = org.insert("Contact", {"LastName": "x", "AccountId": two})
    clock.advance(seconds=1)
    org.update("Account", one, {"Name": "c"}, restamp=False)
    org.merge("Account", one, [two])
    org.delete("Contact", contact)
    org.undelete("Contact", contact)
    org.restamp("Account", [one], stamp=PAST)
    org.add_field("Account", {"name": "New__c", "type": "double", "referenceTo": []})
    org.hide_field("Account", "Type")
    org.show_field("Account", "Type")
    org.retype_field("Account", "Type", "string", length=80)
    org.hide_rows("Contact", [contact])
    org.show_rows("Contact")
    org.switch_off("Task")
    org.switch_on("Task")
    org.purge("Account", two)
    clock.advance(days=1)

    for operation in journal:
        twin.apply(operation)

    assert {entry["op"] for entry in journal} == {
        *("insert_many", "update", "merge", "delete", "undelete", "restamp", "add_field", "hide_field", "show_field"),
        *("retype_field", "hide_rows", "show_rows", "switch_off", "switch_on", "purge_many"),
    }
    for sobject in ("Account", "Contact"):
        assert twin.rows(sobject) == org.rows(sobject)
        assert twin.tables[sobject].schema == org.tables[sobject].schema


def test_an_unknown_operation_is_refused_with_the_known_ones(org):
    with pytest.raises(ValueError, match="no operation 'drop'; there are insert, "):
        org.apply({"op": "drop"})
