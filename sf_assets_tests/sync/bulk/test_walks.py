"""First copies and full refreshes by Bulk query jobs: equal to REST, resumed after kills, with a defined end of each fault."""

from dataclasses import replace
from datetime import timedelta

import pytest

from sf_assets.devorg.org.faults import Fault
from sf_assets.errors import BulkJobFailed, QuotaSpent, TableForeign
from sf_assets.sync.limits import BulkLimits
from sf_assets.sync.state import State
from sf_assets_tests.sync.histories.lake import SPECS, KilledError

JOBS = "/jobs/query"
PAGE = 10
HOSTILE = [
    'say "hi", she said', "a\nb\r\nc\rd", "a\u2028b\u2029", "#N/A", "null", "NULL", "NA", " padded ", "\ttab", "a\\",
    "ü 🎉 漢字", "0012", "=1+1", '","', "Id", "true",
]  # fmt: skip


def notes(report):
    return " ".join(report.problems.notes)


def pages_of(many):
    return -(-len(many.org.rows("Contact")) // PAGE)


def test_a_first_copy_of_all_objects_by_bulk_equals_the_org(many):
    ids = [row["Id"] for row in many.org.rows("Account") if not row["IsDeleted"]]
    for number, text in enumerate(HOSTILE):
        many.org.insert("Account", {"Name": text, "Description": text * 3, "AnnualRevenue": 0.1 + number * 1e7})
    many.org.update("Account", ids[0], {"Description": "x" * 31_000, "AnnualRevenue": 0.123456789})
    many.org.delete("Account", ids[1])
    many.clock.advance(days=1)

    reports = many.sync(bulk="always")

    many.assert_equal()
    assert all(report.read.bulk_job for report in reports.values())
    assert not many.org.bulk_jobs.all(many.clock())


def test_a_full_refresh_by_bulk_equals_the_org_and_removes_what_is_gone(many):
    many.sync("contact", "profile", bulk="never")
    many.org.purge("Contact", many.org.rows("Contact")[0]["Id"])

    reports = many.sync("contact", "profile", bulk="always", full_refresh=True)

    many.assert_equal("contact", "profile")
    assert {report.kind for report in reports.values()} == {"replace"}
    assert all(report.read.bulk_job for report in reports.values())


def test_rows_that_change_during_the_job_are_caught_by_the_tail(many):
    many.org.behave(bulk_queue_seconds=30, bulk_run_seconds=600)
    rows = many.org.rows("Contact")
    changes = iter(rows[::7])

    def change(_):
        if (row := next(changes, None)) is not None:
            many.clock.advance(seconds=1)
            many.org.update("Contact", row["Id"], {"FirstName": "while it was read"})

    report = many.sync("contact", bulk="always", watch=change)["contact"]
    many.clock.advance(days=1)
    many.sync("contact")

    many.assert_equal("contact")
    assert report.read.bulk_job


def test_rows_of_a_job_are_as_old_as_the_job(many):
    began = many.clock()
    many.org.behave(bulk_queue_seconds=3_000)

    many.sync("contact", bulk="always")

    held = many.warehouse.scan("contact").collect()["_synced_at"]
    assert held.min() == began


@pytest.mark.parametrize("after_batches", range(1, 12))
def test_a_kill_costs_at_most_one_result_page(many, after_batches):
    with pytest.raises(KilledError):
        many.sync("contact", bulk="always", dies_after=after_batches)
    committed = many.warehouse.facts("contact").rows
    many.org.update("Contact", many.org.rows("Contact")[0]["Id"], {"FirstName": "changed meanwhile"})
    many.clock.advance(hours=1)

    report = many.sync("contact", bulk="always")["contact"]

    many.assert_equal("contact")
    held = len(many.org.rows("Contact"))
    assert many.sent(f"POST /services/data/v60.0{JOBS}") == 1
    assert committed + report.read.rows <= held + PAGE + 1 + HELD_BY_TAIL


HELD_BY_TAIL = 9
"""The tail after the walk reads the rows of the ceiling's second again."""
