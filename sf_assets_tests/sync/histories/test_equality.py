"""Undisturbed or not, at their end every table equals the org, row by row and value by value."""

import pytest

from sf_assets_tests.sync.histories.lake import SPECS


@pytest.mark.slow
def test_a_first_sync_makes_every_table_equal_to_the_org(lake):
    records = lake.sync()

    lake.assert_equal()
    assert {record.kind for record in records.values()} == {"walk", "replace"}
    assert all(lake.table(name) for name in SPECS)


@pytest.mark.slow
def test_an_idle_sync_of_thirty_endpoints_costs_nine_requests_no_commit(lake):
    lake.sync()
    before, facts = len(lake.server.requests), {name: lake.warehouse.facts(name) for name in SPECS}
    lake.clock.advance(minutes=5)

    records = lake.sync()

    assert len(lake.server.requests) - before == 9
    assert {record.kind for record in records.values()} == {"unchanged"}
    assert {name: lake.warehouse.facts(name) for name in SPECS} == facts


@pytest.mark.slow
def test_after_changes_of_all_kinds_every_table_equals_the_org_again(lake):
    lake.sync()
    org = lake.org
    ids = [row["Id"] for row in org.rows("Account") if not row["IsDeleted"]]
    deleted_ids = [row["Id"] for row in org.rows("Contact") if row["IsDeleted"]]
    lake.clock.advance(minutes=90)
    org.insert("Account", {"Name": "Ünïcode \u2028 & Söhne", "AnnualRevenue": 0.123456789})
    org.update("Account", ids[0], {"Name": "renamed", "Description": "x" * 31_000})
    org.delete("Account", ids[1])
    org.merge("Account", ids[2], [ids[3]])
    for record_id in deleted_ids[:1]:
        org.undelete("Contact", record_id)
    org.add_field("Account", {"name": "Late__c", "type": "currency", "scale": 2, "custom": True, "label": "Late"})
    org.update("Account", ids[4], {"Late__c": 12.5})
    org.hide_field("Lead", "Company")
    lead = org.rows("Lead")[0]["Id"]
    for sobject in (
        "Case",
        "Task",
        "Event",
        "Opportunity",
        "User",
        "UserRole",
        "Profile",
        "PermissionSet",
        "Organization",
    ):
        row = org.rows(sobject)[0]
        org.update(sobject, row["Id"], {"Name": "changed"} if "Name" in row and sobject != "User" else {})
    lake.clock.advance(minutes=1)
    lake.sync()
    lake.clock.advance(minutes=90)
    org.update("Lead", lead, {"Company": "while it was hidden"})
    lake.clock.advance(minutes=1)
    records = lake.sync()
    assert records["lead"].problems.hidden == ("Company",)
    org.show_field("Lead", "Company")
    lake.clock.advance(minutes=1)

    records = lake.sync()

    assert records["lead"].planned.revealed == ("Company",)
    lake.assert_equal()


@pytest.mark.slow
def test_calculated_values_are_as_old_as_the_last_reading_of_every_row(lake):
    first = lake.sync("account")["account"]
    lake.clock.advance(hours=20)
    lake.org.update("Account", lake.org.rows("Account")[0]["Id"], {"Name": "renamed"})
    after_tail = lake.sync("account")["account"]
    lake.clock.advance(hours=1)

    after_refresh = lake.sync("account", full_refresh=True)["account"]

    assert after_tail.kind == "tail"
    assert first.calculated_as_of == after_tail.calculated_as_of == first.began_at
    assert after_refresh.calculated_as_of == after_refresh.began_at > after_tail.began_at


@pytest.mark.slow
def test_a_full_refresh_removes_what_is_gone(lake):
    lake.sync("contact")
    lake.org.purge("Contact", lake.org.rows("Contact")[0]["Id"])

    record = lake.sync("contact", full_refresh=True)["contact"]

    assert record.kind == "replace"
    lake.assert_equal("contact")


@pytest.mark.slow
def test_an_org_that_serves_nothing_but_query_is_read_all_the_same(lake):
    lake.org.behave(unserved=frozenset({"composite", "describe"}))

    records = lake.sync("account", "profile", "user")

    assert len(lake.table("account")) == len(lake.org.rows("Account"))
    assert {"composite", "describe"} <= set(records["account"].org.degraded)
    lake.clock.advance(hours=1)
    lake.org.update("Account", lake.org.rows("Account")[0]["Id"], {"Name": "renamed"})
    lake.sync("account")
    assert "renamed" in {row["name"] for row in lake.table("account")}


@pytest.mark.slow
def test_short_pages_and_full_urls_make_no_difference(lake):
    lake.org.behave(short_pages=(1, 3, 2), next_url="full")

    lake.sync("account", "profile", "field_permissions")

    lake.assert_equal("account", "profile", "field_permissions")
