"""Objects, rows and orgs that are off, out of sight, gone or others than before."""

from datetime import timedelta

import pytest

from sf_assets.devorg.api.server import serve
from sf_assets.devorg.org.faults import Fault
from sf_assets.devorg.sample import sample_org
from sf_assets.errors import ObjectUnavailable, ShrinkRefused, TableForeign
from sf_assets_tests.sync.histories.lake import TINY, Lake

pytestmark = pytest.mark.slow


def test_a_user_who_loses_sight_of_most_rows_loses_nothing(lake):
    names = ("profile", "field_permissions", "account")
    lake.sync(*names)
    rows = {name: lake.table(name) for name in names}
    for sobject in ("FieldPermissions", "Account"):
        hidden = [row["Id"] for row in lake.org.rows(sobject)][1:]
        lake.org.hide_rows(sobject, hidden)
    lake.clock.advance(hours=2)

    with pytest.raises(ShrinkRefused) as error_info:
        lake.sync("field_permissions")
    lake.sync("profile", "account")

    assert "View" in error_info.value.remedy
    assert {name: lake.table(name) for name in names} == rows
    lake.sync("field_permissions", confirm_shrink=True)
    assert len(lake.table("field_permissions")) < len(rows["field_permissions"]) - 50


def test_an_object_without_rows_costs_an_idle_sync_nothing(lake):
    for sobject in ("RecordType", "Quote"):
        for row in lake.org.rows(sobject):
            lake.org.purge(sobject, row["Id"])
    lake.sync("record_type", "quote")
    before = len(lake.server.requests)

    records = lake.sync("record_type", "quote")

    assert len(lake.server.requests) - before == 3
    assert {record.kind for record in records.values()} == {"unchanged"}
    assert lake.table("record_type") == []


def test_an_object_that_is_off_has_an_empty_table_until_it_is_switched_on(lake):
    lake.org.switch_off("Quote")
    record = lake.sync("quote", "account")["quote"]
    assert record.problems.unavailable is not None
    assert lake.table("quote") == []

    lake.org.switch_on("Quote")
    lake.clock.advance(minutes=1)
    lake.sync("quote")

    lake.assert_equal("quote")


def test_an_object_that_goes_off_keeps_the_rows_that_it_had(lake):
    lake.sync("quote")
    rows = lake.table("quote")
    lake.org.switch_off("Quote")

    record = lake.sync("quote")["quote"]

    assert record.problems.unavailable is not None
    assert lake.table("quote") == rows != []


def test_an_object_switched_off_in_the_middle_of_a_replace_removes_no_row(lake):
    lake.sync("user_role")
    rows = lake.table("user_role")
    lake.org.behave(page_rows=2)
    lake.org.faults.append(Fault(kind="more", status=400, error_code="INVALID_TYPE", message="sObject type"))

    with pytest.raises(ObjectUnavailable):
        lake.sync("user_role", full_refresh=True, confirm_shrink=True)

    assert lake.table("user_role") == rows
    assert len(rows) > 2


def test_purged_rows_are_noted_once_and_then_the_table_is_left_alone(lake):
    lake.sync("contact")
    lake.clock.advance(hours=1)
    ids = lake.org.insert_many("Contact", [{"LastName": "a"}, {"LastName": "b"}])
    lake.sync("contact")
    lake.org.purge("Contact", ids[0])
    lake.clock.advance(hours=1)

    kinds = [lake.sync("contact")["contact"].kind for _ in range(3)]

    assert kinds == ["tail", "unchanged", "unchanged"]


def test_a_refreshed_sandbox_is_refused_until_it_is_adopted(lake, tmp_path, clock):
    lake.sync("account", "profile")
    other = sample_org(seed=8, rows=TINY, clock=clock, base=clock() - timedelta(hours=1))
    with serve(other) as server:
        lake_of_sandbox = Lake(other, server=server, folder=tmp_path, clock=clock)
        for name in ("account", "profile"):
            with pytest.raises(TableForeign, match=name):
                lake_of_sandbox.sync(name)
            with pytest.raises(TableForeign):
                lake_of_sandbox.sync(name, full_refresh=True)
            lake_of_sandbox.sync(name, full_refresh=True, adopt_org=True)
            lake_of_sandbox.assert_equal(name)
        lake_of_sandbox.client.close()


def test_a_table_whose_object_is_off_in_the_other_org_is_not_adopted(lake, tmp_path, clock):
    lake.sync("quote")
    before = lake.state("quote")
    other = sample_org(seed=8, rows=TINY, clock=clock, base=clock() - timedelta(hours=1))
    other.switch_off("Quote")
    with serve(other) as server:
        lake_of_sandbox = Lake(other, server=server, folder=tmp_path, clock=clock)
        record = lake_of_sandbox.sync("quote", full_refresh=True, adopt_org=True)["quote"]
        lake_of_sandbox.client.close()

    assert record.problems.unavailable is not None
    assert lake.state("quote") == before, "its rows are still the former org's"


def test_deleted_rows_that_left_the_recycle_bin_do_not_stop_a_refresh(lake):
    names = [row["Id"] for row in lake.org.rows("Contact")]
    for name in names[:5]:
        lake.org.delete("Contact", name)
    lake.sync("contact")
    lake.org.purge_many("Contact", names[:4])
    lake.clock.advance(days=1)

    lake.sync("contact", full_refresh=True, shrink_rows=0, shrink_share=0)

    lake.assert_equal("contact")


@pytest.mark.parametrize("missing", ["queryAll", "live rows"])
def test_a_refresh_that_shows_too_little_is_still_refused(lake, missing):
    names = [row["Id"] for row in lake.org.rows("Contact")]
    for name in names[:5]:
        lake.org.delete("Contact", name)
    lake.sync("contact")
    before = lake.table("contact")
    if missing == "queryAll":
        lake.org.hide_rows("Contact", names[:5])  # as /query does: no deleted row, all live ones
    else:
        lake.org.hide_rows("Contact", names[5:7])
    lake.clock.advance(days=1)

    with pytest.raises(ShrinkRefused):
        lake.sync("contact", full_refresh=True, shrink_rows=1, shrink_share=0)

    assert lake.table("contact") == before
