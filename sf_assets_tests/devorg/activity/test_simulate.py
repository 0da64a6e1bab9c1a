"""Time passes in the practice org: what changes is plausible, stamped in order, and the same for the same interval."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from sf_assets.devorg.activity.simulate import FEWEST_ACTIONS, MOST_ACTIONS, simulate
from sf_assets.devorg.sample import sample_org
from sf_assets.devorg.seed.deal_stages import BY_NAME

BASE = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
SMALL = {
    "Account": 60, "Contact": 120, "Lead": 80, "Opportunity": 120, "OpportunityHistory": 300, "Task": 150, "Case": 60,
    "User": 12, "FieldPermissions": 20, "ObjectPermissions": 20, "OpportunityLineItem": 60,
}  # fmt: skip


@pytest.fixture(scope="module")
def seed_org():
    return sample_org(seed=3, rows=SMALL, base=BASE, clock=lambda: BASE)


@pytest.fixture
def org(seed_org):
    return seed_org.copy()


def truth(org):
    return {name: {row["Id"]: row for row in org.rows(name)} for name in org.tables}


def differences(before, after):
    return [
        (name, before[name].get(row_id), row)
        for name in after
        for row_id, row in after[name].items()
        if before[name].get(row_id) != row
    ]


def test_a_short_pause_changes_a_few_dozen_rows_of_many_objects(org):
    before = truth(org)

    count = simulate(org, BASE, BASE + timedelta(minutes=2))

    changes = differences(before, truth(org))
    objects = {name for name, _, _ in changes}
    assert FEWEST_ACTIONS / 2 < count < 2 * FEWEST_ACTIONS
    assert objects >= {"Lead", "Opportunity", "OpportunityHistory", "Case", "Task", "User", "Contact", "Organization"}
    assert "PermissionSetAssignment" in objects


def test_a_long_pause_stays_within_some_hundreds_of_changes(org):
    assert MOST_ACTIONS / 2 < simulate(org, BASE, BASE + timedelta(days=90)) < 2 * MOST_ACTIONS


def test_every_stamp_is_inside_the_interval_and_moves_forward(org):
    before = truth(org)
    since, until = BASE, BASE + timedelta(minutes=30)

    simulate(org, since, until)

    for name, old, new in differences(before, truth(org)):
        stamp = datetime.fromisoformat(new["SystemModstamp"])
        if old is not None and old["SystemModstamp"] == new["SystemModstamp"]:
            assert name == "Account"  # a calculated column moves no stamp
        else:
            assert since < stamp <= until


def test_the_same_interval_of_the_same_org_gives_the_same_changes(seed_org):
    first, second = seed_org.copy(), seed_org.copy()

    for org in (first, second):
        simulate(org, BASE, BASE + timedelta(hours=3))

    assert truth(first) == truth(second)


def test_the_next_interval_continues(org):
    simulate(org, BASE, BASE + timedelta(hours=1))
    before = truth(org)

    simulate(org, BASE + timedelta(hours=1), BASE + timedelta(hours=2))

    stamps = [row["SystemModstamp"] for _, old, row in differences(before, truth(org)) if old is None]
    assert stamps
    assert min(stamps) > "2026-03-04T06:06:07"


@pytest.mark.parametrize("pause", [timedelta(0), timedelta(milliseconds=900), timedelta(hours=-1)])
def test_nothing_changes_within_a_second(org, pause):
    before = truth(org)

    assert simulate(org, BASE, BASE + pause) == 0
    assert truth(org) == before


def test_rows_go_into_the_recycle_bin_and_one_comes_back(org):
    before = truth(org)

    simulate(org, BASE, BASE + timedelta(hours=1))

    moves = Counter((old["IsDeleted"], new["IsDeleted"]) for name, old, new in differences(before, truth(org))
                    if name == "Task" and old is not None)  # fmt: skip
    assert moves[False, True] > 0
    assert moves[True, False] > 0


def test_a_calculated_column_changes_without_a_stamp(org):
    before = truth(org)

    simulate(org, BASE, BASE + timedelta(days=4))

    silent = [
        old["Open_Pipeline__c"] != new["Open_Pipeline__c"]
        for name, old, new in differences(before, truth(org))
        if name == "Account" and old is not None and old["SystemModstamp"] == new["SystemModstamp"]
    ]
    assert silent
    assert all(silent)


def test_a_deal_that_moves_gets_a_history_row(org):
    before = truth(org)

    simulate(org, BASE, BASE + timedelta(days=2))

    after = truth(org)
    deals = [new for name, _, new in differences(before, after) if name == "Opportunity"]
    last = {row["OpportunityId"]: row for row in after["OpportunityHistory"].values()}
    assert deals
    for deal in deals:
        assert deal | BY_NAME[deal["StageName"]].columns() == deal
        assert (last[deal["Id"]]["StageName"], last[deal["Id"]]["Amount"]) == (deal["StageName"], deal["Amount"])


def test_what_is_new_fits_the_schema_and_the_rest_of_the_org(org):
    before = truth(org)

    simulate(org, BASE, BASE + timedelta(days=10))

    after = truth(org)
    known_ids = {row_id for rows in after.values() for row_id in rows}
    prefixes = {table.schema.key_prefix for table in org.tables.values()}
    for name, _, row in differences(before, after):
        for field in org.tables[name].schema.fields.values():
            value = row[field.name]
            assert value is not None or field.nillable, (name, field.name)
            if value is not None and field.type == "picklist" and field.picklist_values:
                assert value in field.picklist_values, (name, field.name)
            if value is not None and field.type == "reference" and value[:3] in prefixes:
                assert value in known_ids, (name, field.name)


def test_snapshot_objects_change_too(org):
    before = truth(org)

    simulate(org, BASE, BASE + timedelta(minutes=1))

    news = {name for name, _, _ in differences(before, truth(org))}
    assert news >= {"FieldPermissions", "PermissionSetAssignment", "Organization"}


@pytest.mark.parametrize("rows", [0, 1])
def test_the_smallest_org_can_be_simulated(seed_org, rows):
    org = sample_org(seed=1, rows=dict.fromkeys(seed_org.tables, rows), base=BASE, clock=lambda: BASE)

    assert simulate(org, BASE, BASE + timedelta(minutes=5)) > 0
