"""Stamps that tie, lie in the future, go back or come late."""

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx
import pytest

from sf_assets.devorg.api.transport import in_process
from sf_assets.errors import TableDamaged
from sf_assets.planning.estimate import build_plan
from sf_assets.sync.report import ComparisonLimits
from sf_assets.sync.state import State
from sf_assets_tests.sync.histories.lake import SPECS, KilledError, Lake

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
    resume = lake.state("contact").position.resume
    record = lake.sync("contact")["contact"]

    lake.assert_equal("contact")
    if after_pages > 1:
        assert resume is not None
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


@pytest.mark.parametrize("stamp", [datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(1700, 1, 1, tzinfo=UTC)])
@pytest.mark.parametrize("is_only_row", [False, True])
def test_a_stamp_at_the_end_of_the_calendar_is_read_like_any_other(lake, stamp, is_only_row):
    first, *others = [row["Id"] for row in lake.org.rows("Account")]
    if is_only_row:
        for record_id in others:
            lake.org.purge("Account", record_id)
    lake.org.update("Account", first, {"Name": "stamped oddly"}, stamp=stamp)
    for _ in range(3):
        lake.sync("account")
        lake.clock.advance(hours=13)
    lake.org.update("Account", first, {"Name": "changed again"}, stamp=stamp)
    lake.clock.advance(days=1)

    lake.sync("account")

    lake.assert_equal("account")


class Ahead:
    """This machine's clock, which runs ahead of the org's."""

    def __init__(self, clock, by):
        self.clock, self.by = clock, by

    def __call__(self):
        return self.clock() + self.by


def logged_in_by(clock, lake, clients):
    """A client of another clock: the org refuses a login by one that is a day off."""
    ahead, lake.clock = lake.clock, clock
    client, lake.clock = clients(), ahead
    return client


def moments(value):
    """Every moment in a state's JSON."""
    if isinstance(value, dict | list):
        return [one for item in (value.values() if isinstance(value, dict) else value) for one in moments(item)]
    try:
        return [datetime.fromisoformat(value)]
    except (TypeError, ValueError):
        return []


@pytest.mark.parametrize("days", [1, 400])
def test_no_state_is_in_the_future_if_this_clock_is_ahead(lake, days):
    names, right = ("account", "user_role", "contact"), lake.clock
    lake.org.refuse_field("Account", "Sic")
    clients = lake.new_client
    lake.clock = Ahead(right, timedelta(days=days))
    lake.new_client = lambda: logged_in_by(right, lake, clients)
    lake.org.behave(page_rows=2)
    with pytest.raises(KilledError):
        lake.sync("contact", commit_rows=1, dies_after=2)
    for _ in range(3):
        lake.sync(*names)
        right.advance(hours=13)
        lake.org.update("Account", lake.org.rows("Account")[0]["Id"], {"Name": "changed"})
    lake.sync(*names)

    for name in names:
        times = moments(json.loads(lake.warehouse.facts(name).state))
        assert len(times) > 5
        assert max(times) <= right()
    lake.assert_equal(*names)


@pytest.mark.parametrize("key", ["tail_from", "read_at", "deep_at", "reconciled_at"])
@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59+00:00", "2026-03-20T00:00:00+00:00"])
def test_a_state_from_the_future_is_refused_and_a_full_refresh_replaces_it(lake, key, moment):
    lake.sync("account")
    facts = lake.warehouse.facts("account")
    state = State.from_json(json.dumps({**json.loads(facts.state), key: moment})).to_json()
    lake.warehouse.commit_state("account", columns=(), base=facts.state, state=state, keys=("id",))

    with pytest.raises(TableDamaged, match=f"account: .*{moment[:10]}.* in the future") as refusal:
        lake.sync("account")

    assert "full_refresh" in refusal.value.remedy
    lake.sync("account", full_refresh=True)
    lake.assert_equal("account")
    assert max(moments(json.loads(lake.warehouse.facts("account").state))) <= lake.clock()


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
    sources = {"tables": lake.warehouse, "client": lake.new_client(), "now": lake.clock}
    plan = build_plan(tuple(SPECS.values()), cadences={}, **sources)
    before = len(lake.server.requests)

    lake.sync()

    requests = [request for request in lake.server.requests[before:] if request.kind != "token"]
    sources["client"].close()
    assert plan.calls == len(requests)


class OffsetGateway(httpx.BaseTransport):
    """Shows each stamp in the time of Nepal instead of UTC."""

    def __init__(self, inner):
        self._inner = inner

    def handle_request(self, request):
        answer = self._inner.handle_request(request)
        body = STAMP.sub(lambda match: in_nepal(match[0].decode()).encode(), answer.read())
        headers = {name: value for name, value in answer.headers.items() if name not in DECODED}
        return httpx.Response(answer.status_code, headers=headers, content=body)


STAMP = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000")
DECODED = ("content-length", "content-encoding")


def in_nepal(text):
    moment = datetime.fromisoformat(text).astimezone(timezone(timedelta(hours=5, minutes=45)))
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}+0545"


@pytest.mark.parametrize("comparison", [ComparisonLimits(), ComparisonLimits(rows_pages=0, ids_pages=0)])
def test_stamps_with_another_offset_than_utc_are_the_same_moments(seed, tmp_path, clock, comparison):
    org = seed.copy(clock=clock)
    server, inner = in_process(org, sleep=lambda seconds: None)
    lake = Lake(org, server=server, folder=tmp_path, clock=clock, transport=OffsetGateway(inner))
    names = ("contact", "user")
    lake.sync(*names)
    purged, updated = (row["Id"] for row in org.rows("Contact")[:2])
    org.update("Contact", updated, {"LastName": "changed"})
    org.purge("Contact", purged)
    clock.advance(hours=25)

    lake.sync(*names, comparison=comparison)
    idle = lake.sync(*names)

    table = {row["id"]: row for row in lake.table("contact")}
    assert (table[purged]["is_deleted"], table[updated]["last_name"]) == (True, "changed")
    assert {report.kind for report in idle.values()} == {"unchanged"}
    org.purge("User", [row["Id"] for row in org.rows("User")][-1])
    lake.sync("user", full_refresh=True)
