"""Stamps that tie, lie in the future, go back or come late."""

from datetime import timedelta
from typing import Any

import pytest

from sf_assets.planning.estimate import build_plan
from sf_assets_tests.sync.histories.lake import SPECS, KilledError

pytestmark = pytest.mark.slow


def test_two_updates_of_a_row_within_one_second_with_a_read_in_between(lake):
    lake.sync("account")
    record_id = lake.org.rows("Account")[0]["Id"]
    lake.clock.advance(hours=1)
    lake.org.update("Account", record_id, {"Name": "first"})
    lake.sync("account")

    lake.org.update("Account", record_id, {"Name": "second"})
    lake.sync("account")

    lake.assert_equal("account")


def test_the_second_update_within_one_second_is_found_much_later_too(lake):
    lake.sync("account")
    record_id = lake.org.rows("Account")[0]["Id"]
    lake.clock.advance(hours=1)
    lake.org.update("Account", record_id, {"Name": "first"})
    lake.sync("account")
    lake.org.update("Account", record_id, {"Name": "second"})

    lake.clock.advance(hours=5)
    lake.sync("account")

    lake.assert_equal("account")


def test_once_the_newest_stamp_has_aged_an_idle_sync_asks_nothing_more(lake):
    lake.sync("account")
    record_id = lake.org.rows("Account")[0]["Id"]
    lake.clock.advance(hours=1)
    lake.org.update("Account", record_id, {"Name": "first"})
    kinds = []
    for minutes in (0, 5, 30, 5, 5):
        lake.clock.advance(minutes=minutes)
        kinds.append(lake.sync("account")["account"].kind)

    assert kinds == ["tail", "tail", "tail", "unchanged", "unchanged"]


def test_a_row_restamped_while_its_page_is_read_and_then_a_kill(lake):
    lake.sync("contact")
    lake.clock.advance(hours=3)
    ids = lake.org.insert_many("Contact", [{"LastName": f"n{i}"} for i in range(30)])
    for i, record_id in enumerate(ids):
        lake.org.restamp("Contact", [record_id], lake.clock() - timedelta(minutes=90 - i))
    lake.org.update("Contact", lake.org.rows("Contact")[0]["Id"], {"FirstName": "the ceiling"})
    lake.org.behave(page_rows=10)
    pages = iter(range(1, 100))

    def restamp(page: Any) -> None:
        number = next(pages) if "COUNT" not in page.soql else 0
        if number == 2:
            lake.clock.advance(minutes=1)
            lake.org.update("Contact", ids[15], {"FirstName": "restamped while it was paged"})

    lake.org.on_page.append(restamp)
    with pytest.raises(KilledError):
        lake.sync("contact", commit_rows=1, dies_after=2)
    lake.org.on_page.clear()

    lake.sync("contact")

    lake.assert_equal("contact")


def test_a_row_that_is_touched_every_minute_for_a_day(lake):
    lake.sync("opportunity")
    record_id = lake.org.rows("Opportunity")[0]["Id"]
    for minute in range(0, 24 * 60, 7):
        lake.clock.advance(minutes=7)
        lake.org.update("Opportunity", record_id, {"Name": f"touched {minute}"})
        if minute % 84 == 0:
            lake.org.insert("OpportunityContactRole", {"OpportunityId": record_id, "Role": f"r{minute}"})
            lake.sync("opportunity", "opportunity_contact_role")
            lake.assert_equal("opportunity", "opportunity_contact_role")

    lake.sync("opportunity", "opportunity_contact_role")

    lake.assert_equal("opportunity", "opportunity_contact_role")


@pytest.mark.parametrize("after_pages", [1, 3, 4])
def test_ten_thousand_rows_on_one_second_and_a_kill_inside(lake, after_pages):
    lake.sync("contact")
    lake.clock.advance(hours=2)
    lake.org.insert_many("Contact", [{"LastName": f"n{i}"} for i in range(10_000)])
    lake.clock.advance(hours=1)
    lake.org.update("Contact", lake.org.rows("Contact")[0]["Id"], {"FirstName": "the ceiling"})

    with pytest.raises(KilledError):
        lake.sync("contact", commit_rows=1, dies_after=after_pages)
    resumed = lake.state("contact").position.resume
    record = lake.sync("contact")["contact"]

    lake.assert_equal("contact")
    if after_pages > 1:
        assert resumed is not None
        assert record.read.rows < 10_000


def test_a_transaction_that_commits_behind_the_watermark(lake):
    lake.sync("case")
    lake.clock.advance(hours=2)
    lake.org.update("Case", lake.org.rows("Case")[0]["Id"], {"Subject": "the ceiling"})
    lake.sync("case")
    lake.org.insert("Case", {"Subject": "late by 15 minutes"}, stamp=lake.clock() - timedelta(minutes=15))
    lake.sync("case")
    lake.assert_equal("case")

    lake.org.insert("Case", {"Subject": "late by a night"}, stamp=lake.clock() - timedelta(hours=11))
    lake.clock.advance(hours=24)
    lake.sync("case")

    lake.assert_equal("case")


def test_a_clock_that_ran_ahead_hides_nothing_once_it_is_right_again(lake):
    lake.sync("account")
    first, second = (row["Id"] for row in lake.org.rows("Account")[:2])
    lake.clock.advance(hours=1)
    lake.org.update("Account", first, {"Name": "by a clock of next week"}, stamp=lake.clock() + timedelta(days=7))
    lake.sync("account")
    lake.clock.advance(hours=1)
    lake.org.update("Account", second, {"Name": "between now and next week"})
    lake.sync("account")

    lake.assert_equal("account")


def test_a_row_whose_stamp_goes_back_is_taken_over(lake):
    lake.sync("account")
    record_id = lake.org.rows("Account")[0]["Id"]
    lake.clock.advance(hours=1)
    lake.org.update("Account", record_id, {"Name": "first"}, stamp=lake.clock() + timedelta(seconds=90))
    lake.sync("account")
    lake.clock.advance(seconds=30)
    lake.org.update("Account", record_id, {"Name": "second"})
    lake.sync("account")

    lake.assert_equal("account")


def test_a_snapshots_row_that_came_behind_the_probe_and_went_again(lake):
    lake.sync("user_role")
    lake.clock.advance(hours=1)
    lake.org.update("UserRole", lake.org.rows("UserRole")[0]["Id"], {"Name": "news"})
    lake.clock.advance(hours=1)
    came = []

    def insert(page: Any) -> None:
        if "COUNT" not in page.soql and not came:
            came.append(lake.org.insert("UserRole", {"Name": "here for an hour"}))

    lake.org.on_page.append(insert)
    lake.sync("user_role")
    lake.org.on_page.clear()
    lake.org.purge("UserRole", came[0])
    lake.clock.advance(hours=1)
    lake.sync("user_role")

    lake.assert_equal("user_role")


def test_rows_that_appear_with_an_old_stamp_are_found_within_a_day(lake):
    oldest = sorted(lake.org.rows("Contact"), key=lambda row: row["SystemModstamp"])
    hidden = [row["Id"] for row in oldest[:3]]
    lake.org.hide_rows("Contact", hidden)
    lake.sync("contact")
    lake.org.show_rows("Contact", hidden)
    lake.clock.advance(hours=25)

    lake.sync("contact")

    lake.assert_equal("contact")


def test_the_run_that_compares_all_tables_costs_what_was_planned(lake):
    lake.sync()
    lake.clock.advance(hours=25)
    asked = {"tables": lake.warehouse, "client": lake.new_client(), "now": lake.clock}
    planned = build_plan(tuple(SPECS.values()), cadences={}, **asked)
    before = len(lake.server.requests)

    lake.sync()

    sent = [request for request in lake.server.requests[before:] if request.kind != "token"]
    asked["client"].close()
    assert planned.calls == len(sent)
