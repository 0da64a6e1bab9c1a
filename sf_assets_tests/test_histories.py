"""Histories of events that lose rows in lesser readers, played on the practice org with real tables.

Each ends with the same question: does every table equal the org, row by row and value by value?
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from sf_assets.assets.io_manager import write_sync
from sf_assets.columns import plan_columns
from sf_assets.devorg.faults import Fault
from sf_assets.devorg.org import Org
from sf_assets.devorg.serve import serve
from sf_assets.errors import ColumnIncompatible, ConfigError, ObjectUnavailable, ShrinkRefused, TableForeign
from sf_assets.iceberg.warehouse import Warehouse
from sf_assets.planning import build_plan
from sf_assets.record import Options, SyncRecord
from sf_assets.salesforce.client import Client
from sf_assets.salesforce.credentials import Credentials
from sf_assets.specs.endpoints import endpoints
from sf_assets.specs.model import EndpointSpec
from sf_assets.state import State
from sf_assets.survey import Survey, survey
from sf_assets.sync import Batch, sync

SPECS = {spec.endpoint: spec for spec in endpoints()}
TINY = dict.fromkeys(
    ["Account", "Contact", "Lead", "Opportunity", "Case", "Task", "Event", "Campaign", "Product2", "Quote", "User"], 8
)


@pytest.fixture(scope="session")
def seeded() -> Org:
    """An org of a few hundred rows, made once."""
    return Org(seed=7, rows=TINY, base=datetime(2026, 3, 10, 12, tzinfo=UTC))


class Lake:
    """An org, a client of it and a warehouse, all on one clock."""

    def __init__(self, org: Org, *, server: Any, folder: Path, clock: Any) -> None:
        self.org, self.server, self.clock, self.folder = org, server, clock, folder
        self.warehouse = Warehouse("test", "salesforce", catalog(folder))
        self.client = self.new_client()

    def new_client(self) -> Client:
        """Return a client as a new process has one."""
        return Client(
            instance_url=self.server.url,
            credentials=Credentials(**self.server.credentials),
            requests_per_second=100_000,
            now=self.clock,
            sleep=lambda seconds: None,
        )

    def sync(self, *names: str, dies_after: int | None = None, **asked: Any) -> dict[str, SyncRecord]:
        """Sync endpoints as one run does, in a process of its own, which may die after some pages."""
        self.client.close()
        self.client = self.new_client()
        chosen = [SPECS[name] for name in names or SPECS]
        known = survey(chosen, warehouse=self.warehouse, client=self.client, read_deleted=True, now=self.clock)
        return {spec.endpoint: self.one(spec, known, Options(**asked), dies_after) for spec in chosen}

    def one(self, spec: EndpointSpec, known: Survey, options: Options, dies_after: int | None) -> SyncRecord:
        done = sync(
            spec, survey=known, warehouse=self.warehouse, client=self.client, options=options, now=self.clock
        )  # fmt: skip
        if dies_after is not None:
            done = replace(done, batches=dying(done.batches, dies_after))
        write_sync(self.warehouse, spec.endpoint, done, "run")
        return done.record

    def state(self, endpoint: str) -> State:
        return State.from_json(self.warehouse.facts(endpoint).state)

    def snapshots(self) -> dict[str, int | None]:
        return {name: self.warehouse.facts(name).snapshot_id for name in SPECS}

    def table(self, endpoint: str) -> list[dict[str, Any]]:
        spec = SPECS[endpoint]
        rows = self.warehouse.scan(endpoint).collect().drop("_synced_at").to_dicts()
        return sorted(rows, key=lambda row: tuple(str(row[key]) for key in (*spec.keys, "id")))

    def truth(self, endpoint: str) -> list[dict[str, Any]]:
        """The org's rows as the table must have them, put into Python values without any code of the product."""
        spec = SPECS[endpoint]
        schema = self.org.tables[spec.sobject].schema
        plan = plan_columns(spec, self.client.describe([spec.sobject], fresh=True)[spec.sobject])
        names = {column.name: column.api_name for column in plan.read}
        types = {name: schema.fields[api_name].type for name, api_name in names.items()}
        scales = {name: max(6, schema.fields[api_name].scale) for name, api_name in names.items()}
        blank = dict.fromkeys(self.warehouse.facts(endpoint).columns)
        blank.pop("_synced_at")
        rows = [
            blank | {name: plain(row[api], types[name], scales[name]) for name, api in names.items()}
            for row in self.org.rows(spec.sobject)
        ]
        return sorted(rows, key=lambda row: tuple(str(row[key]) for key in (*spec.keys, "id")))

    def assert_equal(self, *names: str) -> None:
        for name in names or SPECS:
            table, truth = self.table(name), self.truth(name)
            assert len(table) == len(truth), name
            wrong = [(mine, theirs) for mine, theirs in zip(table, truth, strict=True) if mine != theirs]
            shown = [{k: (m[k], t[k]) for k in t if m[k] != t[k]} for m, t in wrong[:3]]
            assert wrong == [], f"{name}: {len(wrong)} rows differ, such as {shown}"


def plain(value: Any, type_: str, scale: int) -> Any:
    """A value of the wire as Python has it."""
    if value is None:
        return None
    convert: dict[str, Callable[[Any], Any]] = {
        "datetime": lambda text: datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z").astimezone(UTC),
        "date": date.fromisoformat,
        "time": lambda text: time.fromisoformat(text.rstrip("Z")),
        "currency": lambda number: Decimal(str(number)).quantize(Decimal(10) ** -scale, rounding=ROUND_HALF_EVEN),
        "double": float,
        "percent": float,
        "int": int,
    }
    return convert.get(type_, lambda same: same)(value)


def catalog(folder: Path) -> dict[str, str]:
    return {"type": "sql", "uri": f"sqlite:///{folder}/catalog.db", "warehouse": f"file://{folder}/tables"}


@pytest.fixture
def lake(seeded: Org, tmp_path: Path, clock: Any) -> Iterator[Lake]:
    org = seeded.copy(clock=clock)
    with serve(org) as server:
        lake = Lake(org, server=server, folder=tmp_path, clock=clock)
        yield lake
        lake.client.close()


def test_a_first_sync_makes_every_table_equal_to_the_org(lake):
    records = lake.sync()

    lake.assert_equal()
    assert {record.kind for record in records.values()} == {"walk", "replace"}
    assert all(lake.table(name) for name in SPECS)


def test_an_idle_sync_of_thirty_endpoints_costs_nine_requests_and_no_commit(lake):
    lake.sync()
    before, facts = len(lake.server.requests), {name: lake.warehouse.facts(name) for name in SPECS}
    lake.clock.advance(minutes=5)

    records = lake.sync()

    assert len(lake.server.requests) - before == 9
    assert {record.kind for record in records.values()} == {"unchanged"}
    assert {name: lake.warehouse.facts(name) for name in SPECS} == facts


def test_after_changes_of_all_kinds_every_table_equals_the_org_again(lake):
    lake.sync()
    org = lake.org
    ids = [row["Id"] for row in org.rows("Account") if not row["IsDeleted"]]
    gone = [row["Id"] for row in org.rows("Contact") if row["IsDeleted"]]
    lake.clock.advance(minutes=90)
    org.insert("Account", {"Name": "Ünïcode \u2028 & Söhne", "AnnualRevenue": 0.123456789})
    org.update("Account", ids[0], {"Name": "renamed", "Description": "x" * 31_000})
    org.delete("Account", ids[1])
    org.merge("Account", ids[2], [ids[3]])
    for record_id in gone[:1]:
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
    assert records["lead"].hidden == ("Company",)
    org.show_field("Lead", "Company")
    lake.clock.advance(minutes=1)

    records = lake.sync()

    assert records["lead"].shown_again == ("Company",)
    lake.assert_equal()


def test_two_updates_of_a_row_within_one_second_with_a_read_in_between(lake):
    lake.sync("account")
    record_id = lake.org.rows("Account")[0]["Id"]
    lake.clock.advance(hours=1)
    lake.org.update("Account", record_id, {"Name": "first"})
    lake.sync("account")

    lake.org.update("Account", record_id, {"Name": "second"})
    lake.sync("account")

    lake.assert_equal("account")


def test_the_second_of_two_updates_within_one_second_is_found_much_later_too(lake):
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


class KilledError(Exception):
    """The process dies here: what it had committed stays, what it held is gone."""


def dying(batches: Iterator[Batch], after_pages: int) -> Iterator[Batch]:
    """Hand on so many pages, then die."""
    yield from islice(batches, after_pages)
    raise KilledError


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
    resumed = lake.state("contact").resume
    record = lake.sync("contact")["contact"]

    lake.assert_equal("contact")
    if after_pages > 1:
        assert resumed is not None
        assert record.rows_read < 10_000


@pytest.mark.parametrize("after_pages", [1, 2, 5])
def test_a_first_sync_that_is_killed_goes_on_where_it_stopped(lake, after_pages):
    rows = [{"LastName": f"n{i}"} for i in range(12_000)]
    lake.org.insert_many("Contact", rows, stamp=lake.clock() - timedelta(days=2))
    lake.org.update("Contact", lake.org.rows("Contact")[1]["Id"], {"FirstName": "the ceiling"})

    with pytest.raises(KilledError):
        lake.sync("contact", commit_rows=1, dies_after=after_pages)
    lake.clock.advance(days=3)
    lake.org.update("Contact", lake.org.rows("Contact")[0]["Id"], {"FirstName": "behind the walk"})
    lake.clock.advance(days=3)

    record = lake.sync("contact")["contact"]

    lake.assert_equal("contact")
    assert record.rows_read <= len(lake.org.rows("Contact")) - 2_000 * (after_pages - 1) + 2


def test_a_table_rolled_back_by_its_operator_resumes_from_where_it_was_rolled_back_to(lake):
    lake.sync("account")
    before = lake.warehouse.facts("account").snapshot_id
    record_id = lake.org.rows("Account")[0]["Id"]
    lake.clock.advance(hours=3)
    lake.org.update("Account", record_id, {"Name": "after the snapshot"})
    lake.sync("account")
    lake.clock.advance(hours=3)
    lake.org.update("Account", lake.org.rows("Account")[1]["Id"], {"Name": "later still"})
    lake.sync("account")
    from pyiceberg.catalog import load_catalog

    table = load_catalog("test", **catalog(lake.folder)).load_table("salesforce.account")
    table.manage_snapshots().rollback_to_snapshot(before).commit()

    lake.sync("account")

    lake.assert_equal("account")


def test_a_user_who_loses_sight_of_most_rows_loses_nothing(lake):
    names = ("profile", "field_permissions", "account")
    lake.sync(*names)
    rows = {name: lake.table(name) for name in names}
    for sobject in ("FieldPermissions", "Account"):
        hidden = [row["Id"] for row in lake.org.rows(sobject)][1:]
        lake.org.hide_rows(sobject, hidden)
    lake.clock.advance(hours=2)

    with pytest.raises(ShrinkRefused) as refused:
        lake.sync("field_permissions")
    lake.sync("profile", "account")

    assert "View" in refused.value.remedy
    assert {name: lake.table(name) for name in names} == rows
    lake.sync("field_permissions", confirm_shrink=True)
    assert len(lake.table("field_permissions")) < len(rows["field_permissions"]) - 50


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


def test_an_older_bounded_reread_that_commits_after_a_newer_sync_overwrites_nothing(lake):
    lake.sync("account")
    lake.clock.advance(hours=1)
    record_id = lake.org.rows("Account")[0]["Id"]
    lake.org.update("Account", record_id, {"Name": "first"})
    since = lake.clock() - timedelta(minutes=5)
    client, known = lake.client, survey(
        [SPECS["account"]], warehouse=lake.warehouse, client=lake.client, read_deleted=True, now=lake.clock
    )  # fmt: skip
    older = sync(
        SPECS["account"],
        survey=known,
        warehouse=lake.warehouse,
        client=client,
        options=Options(since=since),
        now=lake.clock,
    )
    held = replace(older, batches=iter(list(older.batches)))
    lake.clock.advance(seconds=1)
    lake.org.update("Account", record_id, {"Name": "second"}, stamp=lake.clock() - timedelta(seconds=1))
    lake.sync("account", since=since)

    write_sync(lake.warehouse, "account", held, "run")

    lake.assert_equal("account")


def test_a_bounded_reread_leaves_the_state_where_it_is(lake):
    lake.sync("account")
    state = lake.state("account")

    record = lake.sync("account", since=lake.clock() - timedelta(days=4_000), until=lake.clock())["account"]

    assert (record.kind, record.rows_read) == ("reread", len(lake.org.rows("Account")))
    assert lake.state("account") == state


@pytest.mark.parametrize(("endpoint", "why"), [("profile", "read whole"), ("account", "not been read yet")])
def test_a_bounded_reread_that_cannot_be_is_refused(lake, endpoint, why):
    with pytest.raises(ConfigError, match=why):
        lake.sync(endpoint, since=lake.clock() - timedelta(days=1))


def test_rows_that_change_while_a_long_walk_is_under_way_are_in_the_table_when_it_ends(lake):
    ids = lake.org.insert_many("Contact", [{"LastName": f"n{i}"} for i in range(6_000)])
    pages = iter(range(1, 100))

    def change(page: Any) -> None:
        if "COUNT" not in page.soql and next(pages) == 3:
            lake.clock.advance(minutes=1)
            lake.org.update("Contact", ids[0], {"LastName": "changed behind the walk"})

    lake.org.on_page.append(change)
    lake.sync("contact")
    lake.org.on_page.clear()

    lake.assert_equal("contact")


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


def test_an_object_that_is_off_gives_an_empty_table_and_fills_it_when_it_comes_on(lake):
    lake.org.switch_off("Quote")
    record = lake.sync("quote", "account")["quote"]
    assert record.unavailable is not None
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

    assert record.unavailable is not None
    assert lake.table("quote") == rows != []


def test_an_object_that_goes_off_in_the_midst_of_a_replace_takes_no_row_away(lake):
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


def test_a_purge_between_two_pages_is_no_error(lake):
    lake.org.behave(page_rows=3)
    doomed = [row["Id"] for row in lake.org.rows("Contact")]
    pages = iter(range(1, 100))

    def purge(page: Any) -> None:
        if "COUNT" not in page.soql and next(pages) == 2:
            lake.org.purge("Contact", doomed[-1])

    lake.org.on_page.append(purge)
    lake.sync("contact")
    lake.org.on_page.clear()

    lake.assert_equal("contact")


def test_a_locator_that_executes_its_query_again_loses_no_row_of_a_walk(lake):
    lake.org.behave(locator_rows="offset", page_rows=2_000)
    ids = lake.org.insert_many("Contact", [{"LastName": f"n{i}"} for i in range(6_000)])
    lake.clock.advance(hours=1)
    pages = iter(range(1, 100))

    def purge_one_and_insert_one(page: Any) -> None:
        if "COUNT" not in page.soql and next(pages) == 2:
            lake.org.purge("Contact", ids[0])
            lake.org.insert("Contact", {"LastName": "new"})

    lake.org.on_page.append(purge_one_and_insert_one)
    lake.sync("contact")
    lake.org.on_page.clear()

    table = {row["id"] for row in lake.table("contact")}
    assert {row["Id"] for row in lake.org.rows("Contact")} <= table


def test_a_refreshed_sandbox_is_refused_until_it_is_adopted(lake, tmp_path, clock):
    lake.sync("account", "profile")
    other = Org(seed=8, rows=TINY, clock=clock, base=clock() - timedelta(hours=1))
    with serve(other) as server:
        moved = Lake(other, server=server, folder=tmp_path, clock=clock)
        for name in ("account", "profile"):
            with pytest.raises(TableForeign, match=name):
                moved.sync(name)
            with pytest.raises(TableForeign):
                moved.sync(name, full_refresh=True)
            moved.sync(name, full_refresh=True, adopt_org=True)
            moved.assert_equal(name)
        moved.client.close()


def test_a_table_whose_object_is_off_in_the_other_org_is_not_adopted(lake, tmp_path, clock):
    lake.sync("quote")
    before = lake.state("quote")
    other = Org(seed=8, rows=TINY, clock=clock, base=clock() - timedelta(hours=1))
    other.switch_off("Quote")
    with serve(other) as server:
        moved = Lake(other, server=server, folder=tmp_path, clock=clock)
        record = moved.sync("quote", full_refresh=True, adopt_org=True)["quote"]
        moved.client.close()

    assert record.unavailable is not None
    assert lake.state("quote") == before, "its rows are still the former org's"


def test_calculated_values_are_as_old_as_the_last_reading_of_every_row(lake):
    first = lake.sync("account")["account"]
    lake.clock.advance(hours=30)
    lake.org.update("Account", lake.org.rows("Account")[0]["Id"], {"Name": "renamed"})
    tailed = lake.sync("account")["account"]
    lake.clock.advance(hours=1)

    refreshed = lake.sync("account", full_refresh=True)["account"]

    assert tailed.kind == "tail"
    assert first.calculated_as_of == tailed.calculated_as_of == first.began_at
    assert refreshed.calculated_as_of == refreshed.began_at > tailed.began_at


def test_a_full_refresh_removes_what_is_gone(lake):
    lake.sync("contact")
    lake.org.purge("Contact", lake.org.rows("Contact")[0]["Id"])

    record = lake.sync("contact", full_refresh=True)["contact"]

    assert record.kind == "replace"
    lake.assert_equal("contact")


def test_an_org_that_serves_nothing_but_query_is_read_all_the_same(lake):
    lake.org.behave(unserved=frozenset({"composite", "describe"}))

    records = lake.sync("account", "profile", "user")

    assert len(lake.table("account")) == len(lake.org.rows("Account"))
    assert {"composite", "describe"} <= set(records["account"].degraded)
    lake.clock.advance(hours=1)
    lake.org.update("Account", lake.org.rows("Account")[0]["Id"], {"Name": "renamed"})
    lake.sync("account")
    assert "renamed" in {row["name"] for row in lake.table("account")}


def test_short_pages_and_full_urls_make_no_difference(lake):
    lake.org.behave(short_pages=(1, 3, 2), next_url="full")

    lake.sync("account", "profile", "field_permissions")

    lake.assert_equal("account", "profile", "field_permissions")


def test_a_new_column_that_is_too_dear_to_backfill_is_named_with_its_price(lake):
    lake.sync("account")
    lake.org.add_field("Account", {"name": "Late__c", "type": "string", "custom": True, "label": "Late"})

    record = lake.sync("account", backfill_calls=0)["account"]

    assert record.pending == {"Late__c": 1}
    assert record.added == ("Late__c",)
    assert lake.sync("account")["account"].pending == {}


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


LATE = {"name": "Late__c", "type": "string", "custom": True, "label": "Late"}


def test_a_column_that_comes_back_while_a_walk_is_interrupted(lake):
    lake.sync("contact")
    lake.org.hide_field("Contact", "FirstName")
    lake.clock.advance(hours=1)
    lake.sync("contact")
    ids = sorted(row["Id"] for row in lake.org.rows("Contact"))
    for record_id in (ids[0], ids[-1]):
        lake.org.update("Contact", record_id, {"FirstName": "while it was hidden"})
        lake.clock.advance(hours=1)
    lake.sync("contact")
    lake.org.add_field("Contact", LATE)
    for row in lake.org.rows("Contact"):
        lake.org.update("Contact", row["Id"], {"Late__c": "x"}, stamp=plain(row["SystemModstamp"], "datetime", 0))
    lake.org.behave(page_rows=3)
    with pytest.raises(KilledError):
        lake.sync("contact", commit_rows=1, dies_after=2)
    lake.org.show_field("Contact", "FirstName")
    lake.clock.advance(hours=1)

    record = lake.sync("contact")["contact"]

    assert record.kind == "walk"
    lake.assert_equal("contact")


def test_a_column_that_is_hidden_for_one_of_the_days_of_a_long_walk(lake):
    lake.org.add_field("Contact", LATE)
    ids = sorted(row["Id"] for row in lake.org.rows("Contact"))
    for record_id in ids:
        lake.org.update("Contact", record_id, {"Late__c": "value"})
    lake.clock.advance(hours=1)
    lake.org.update("Contact", ids[-1], {"FirstName": "the ceiling"})
    lake.org.behave(page_rows=2)
    for hidden in (False, True, False):
        (lake.org.hide_field if hidden else lake.org.show_field)("Contact", "Late__c")
        with pytest.raises(KilledError):
            lake.sync("contact", commit_rows=1, dies_after=1)

    for _ in range(2):
        lake.clock.advance(hours=1)
        lake.sync("contact")

    lake.assert_equal("contact")


def test_rows_that_come_into_sight_with_an_old_stamp_are_found_within_a_day(lake):
    oldest = sorted(lake.org.rows("Contact"), key=lambda row: row["SystemModstamp"])
    hidden = [row["Id"] for row in oldest[:3]]
    lake.org.hide_rows("Contact", hidden)
    lake.sync("contact")
    lake.org.show_rows("Contact", hidden)
    lake.clock.advance(hours=5)
    assert lake.sync("contact")["contact"].lacking == 0
    lake.clock.advance(hours=20)

    too_dear = lake.sync("contact", backfill_calls=0)["contact"]
    lake.clock.advance(hours=1)
    an_hour_later = lake.sync("contact", backfill_calls=0)["contact"]
    lake.clock.advance(hours=25)
    record = lake.sync("contact")["contact"]
    lake.clock.advance(hours=1)
    found = lake.sync("contact")["contact"]

    assert (too_dear.kind, too_dear.lacking) == ("tail", 3)
    assert an_hour_later.lacking == 3, "it is counted once a day, and lacking until it is read"
    assert (record.kind, record.lacking) == ("walk", 3)
    assert found.lacking == 0
    lake.assert_equal("contact")


def test_the_run_that_counts_all_rows_costs_what_was_planned(lake):
    lake.sync()
    lake.clock.advance(hours=25)
    asked = {"warehouse": lake.warehouse, "client": lake.new_client(), "options": Options(), "now": lake.clock}
    planned = build_plan(tuple(SPECS.values()), cadences={}, **asked)
    before = len(lake.server.requests)

    lake.sync()

    sent = [request for request in lake.server.requests[before:] if request.kind != "token"]
    asked["client"].close()
    assert planned.calls == len(sent)
    assert planned.shared_calls > 8, "30 probes are 6 calls, describes 2"


def test_a_full_refresh_brings_in_the_rows_that_were_named_as_lacking(lake):
    hidden = sorted(lake.org.rows("Contact"), key=lambda row: row["SystemModstamp"])[0]["Id"]
    lake.org.hide_rows("Contact", [hidden])
    lake.sync("contact")
    lake.org.show_rows("Contact", [hidden])
    lake.clock.advance(hours=25)
    assert lake.sync("contact", backfill_calls=0)["contact"].lacking == 1

    lake.sync("contact", full_refresh=True)
    lake.clock.advance(hours=1)

    assert lake.sync("contact")["contact"].lacking == 0
    lake.assert_equal("contact")


def test_rows_that_come_and_rows_that_go_are_not_taken_for_rows_that_the_table_lacks(lake):
    lake.sync("contact")
    lake.clock.advance(hours=25)
    ids = [row["Id"] for row in lake.org.rows("Contact")]
    lake.org.insert_many("Contact", [{"LastName": f"n{i}"} for i in range(5)])
    lake.org.update("Contact", ids[0], {"FirstName": "changed"})
    lake.org.purge("Contact", ids[1])

    record = lake.sync("contact")["contact"]

    assert (record.kind, record.lacking) == ("tail", 0)


@pytest.mark.parametrize(("old", "new"), [("int", "double"), ("string", "date"), ("double", "string")])
def test_a_retyped_column_is_refused_until_a_full_refresh_makes_it_anew(lake, old, new):
    lake.org.add_field("Account", LATE | {"type": old})
    values = {"int": 5, "string": "2026-03-01", "double": 5.5}
    for row in lake.org.rows("Account")[::2]:
        lake.org.update("Account", row["Id"], {"Late__c": values[old]})
    lake.sync("account")
    before = lake.table("account")
    lake.org.retype_field("Account", "Late__c", new)
    lake.clock.advance(hours=1)
    lake.org.update("Account", lake.org.rows("Account")[0]["Id"], {"Name": "changed"})
    with pytest.raises(ColumnIncompatible, match="late__c") as refused:
        lake.sync("account")
    assert "full_refresh" in refused.value.remedy
    assert lake.table("account") == before

    record = lake.sync("account", full_refresh=True)["account"]

    assert list(record.retyped) == ["late__c"]
    lake.assert_equal("account")
    lake.clock.advance(hours=1)
    lake.org.update("Account", lake.org.rows("Account")[0]["Id"], {"Name": "changed again"})
    lake.sync("account")
    lake.assert_equal("account")
