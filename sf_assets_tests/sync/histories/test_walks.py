"""Kills, rollbacks, purges and changes in the midst of a long reading; spans of time that are read again."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from sf_assets.errors import ConfigError
from sf_assets.sync.endpoint import sync
from sf_assets.sync.preflight import preflight
from sf_assets.sync.state import Position
from sf_assets.sync.write import write_sync
from sf_assets_tests.options import sync_options
from sf_assets_tests.sync.histories.lake import SPECS, KilledError, catalog


@pytest.mark.slow
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
    assert record.read.rows <= len(lake.org.rows("Contact")) - 2_000 * (after_pages - 1) + 2


@pytest.mark.slow
def test_a_table_that_was_rolled_back_resumes_from_that_snapshot(lake):
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


@pytest.mark.slow
def test_a_bounded_reread_that_ends_after_a_newer_sync_overwrites_nothing(lake):
    lake.sync("account")
    lake.clock.advance(hours=1)
    record_id = lake.org.rows("Account")[0]["Id"]
    lake.org.update("Account", record_id, {"Name": "first"})
    since = lake.clock() - timedelta(minutes=5)
    client, answers = lake.client, preflight(
        [SPECS["account"]], tables=lake.warehouse, client=lake.client, read_deleted=True, now=lake.clock
    )  # fmt: skip
    older = sync(
        SPECS["account"],
        preflight=answers,
        tables=lake.warehouse,
        client=client,
        **sync_options(since=since),
        now=lake.clock,
    )
    older_read = replace(older, batches=iter(list(older.batches)))
    lake.clock.advance(seconds=1)
    lake.org.update("Account", record_id, {"Name": "second"}, stamp=lake.clock() - timedelta(seconds=1))
    lake.sync("account", since=since)

    write_sync(lake.warehouse, "account", older_read, "run")

    lake.assert_equal("account")


def test_a_bounded_reread_leaves_the_state_where_it_is(lake):
    lake.sync("account")
    state = lake.state("account")

    record = lake.sync("account", since=lake.clock() - timedelta(days=4_000), until=lake.clock())["account"]

    assert (record.kind, record.read.rows) == ("reread", len(lake.org.rows("Account")))
    assert lake.state("account") == state


@pytest.mark.slow
def test_a_killed_reread_resumes_where_it_stopped_and_other_syncs_go_on(lake):
    lake.org.behave(page_rows=2)
    lake.sync("account")
    since, until, tail_from = (
        lake.clock() - timedelta(days=4_000),
        lake.clock(),
        lake.state("account").position.tail_from,
    )
    lake.org.recalculate("Account", {row["Id"]: {"Region_Label__c": "New"} for row in lake.org.rows("Account")})
    with pytest.raises(KilledError):
        lake.sync("account", since=since, until=until, commit_rows=1, dies_after=3)
    lake.clock.advance(hours=1)
    lake.sync("account")

    again = lake.sync("account", since=since, until=until)["account"]

    assert 0 < again.read.rows < len(lake.org.rows("Account"))
    assert lake.state("account").position == Position(tail_from)
    assert {row["region_label__c"] for row in lake.table("account")} == {"New"}


@pytest.mark.parametrize(("endpoint", "why"), [("profile", "read as a whole"), ("account", "not been read yet")])
def test_a_bounded_reread_that_cannot_be_is_refused(lake, endpoint, why):
    with pytest.raises(ConfigError, match=why):
        lake.sync(endpoint, since=lake.clock() - timedelta(days=1))


@pytest.mark.slow
def test_rows_that_change_during_a_long_walk_are_in_the_table_at_its_end(lake):
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


def test_a_purge_between_two_pages_is_no_error(lake):
    lake.org.behave(page_rows=3)
    ids = [row["Id"] for row in lake.org.rows("Contact")]
    pages = iter(range(1, 100))

    def purge(page: Any) -> None:
        if "COUNT" not in page.soql and next(pages) == 2:
            lake.org.purge("Contact", ids[-1])

    lake.org.on_page.append(purge)
    lake.sync("contact")
    lake.org.on_page.clear()

    lake.assert_equal("contact")


@pytest.mark.slow
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
