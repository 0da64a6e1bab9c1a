"""First copies and full refreshes by Bulk jobs: equal to REST, resumed after kills, a defined end of each fault."""

import json
import re
from dataclasses import replace

import httpx
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from sf_assets.devorg.org.bulk_jobs import BulkJob
from sf_assets.devorg.org.faults import Fault
from sf_assets.devorg.soql.bind import plan
from sf_assets.devorg.soql.parser import parse_soql
from sf_assets.errors import BulkJobFailed, QuotaSpent, SfAssetsError, TableForeign
from sf_assets.salesforce.limits import MOST_BYTES
from sf_assets.sync.endpoint import sync
from sf_assets.sync.limits import BulkLimits
from sf_assets.sync.preflight import preflight
from sf_assets.sync.state import State
from sf_assets_tests.options import sync_options
from sf_assets_tests.sync.histories.lake import SPECS, KilledError

CREATE = "POST /services/data/v60.0/jobs/query"
ONE_BY_ONE = BulkLimits(downloads=1)
PAGE = 20
HOSTILE = [
    'say "hi", she said', "a\nb\r\nc\rd", "a\u2028b\u2029", "#N/A", "null", "NULL", "NA", " padded ", "\ttab", "a\\",
    "ü 🎉 漢字", "0012", "=1+1", '","', "Id", "true",
]  # fmt: skip


def notes(report):
    return " ".join(report.problems.notes)


def pages_of(many):
    return -(-len(many.org.rows("Contact")) // PAGE)


def pages(many):
    """Return the queries of the result pages that were asked for."""
    return [str(request.query) for request in many.server.requests if request.path.endswith("/results")]


def frames(many, mode):
    """Read all endpoints in a mode, and write nothing: their rows by Id, and the reports."""
    answers = preflight(
        list(SPECS.values()), tables=many.warehouse, client=many.client, read_deleted=True, now=many.clock
    )
    read = {}
    for name, spec in SPECS.items():
        sync_result = sync(
            spec,
            preflight=answers,
            tables=many.warehouse,
            client=many.client,
            now=many.clock,
            **sync_options(bulk=mode),
        )
        rows = pl.concat([batch.frame for batch in sync_result.batches if batch.frame is not None])
        read[name] = rows.unique(spec.keys, keep="last").sort(spec.keys).drop("_synced_at"), sync_result.report
    return read


@pytest.mark.slow
def test_rows_by_bulk_equal_rows_by_rest_cell_by_cell(many):
    ids = [row["Id"] for row in many.org.rows("Account") if not row["IsDeleted"]]
    for number, text in enumerate(HOSTILE):
        many.org.insert("Account", {"Name": text, "Description": text * 3, "AnnualRevenue": 0.1 + number * 1e7})
    many.org.update("Account", ids[0], {"Description": "x" * 31_000, "AnnualRevenue": 0.123456789})
    many.org.delete("Account", ids[1])
    many.org.behave(bulk_page_rows=200)
    many.clock.advance(days=1)

    rest, bulk = frames(many, "never"), frames(many, "always")

    for name in SPECS:
        assert_frame_equal(bulk[name][0], rest[name][0], check_exact=True)
        assert bulk[name][1].read.bulk_job
        assert bulk[name][1].problems.rounded.keys() == rest[name][1].problems.rounded.keys()
    assert {text * 3 for text in HOSTILE} <= set(bulk["account"][0]["description"])
    assert not many.org.bulk_jobs.all(many.clock())


@pytest.mark.slow
def test_a_full_refresh_by_bulk_equals_the_org_and_removes_what_is_gone(many):
    many.sync("contact", "profile", bulk="never")
    many.org.purge("Contact", many.org.rows("Contact")[0]["Id"])

    reports = many.sync("contact", "profile", bulk="always", full_refresh=True)

    many.assert_equal("contact", "profile")
    assert {report.kind for report in reports.values()} == {"replace"}
    assert all(report.read.bulk_job for report in reports.values())


@pytest.mark.slow
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


@pytest.mark.slow
def test_rows_of_a_job_are_as_old_as_the_job(many):
    began = many.clock()
    many.org.behave(bulk_queue_seconds=3_000)

    many.sync("contact", bulk="always")

    synced_at = many.warehouse.scan("contact").collect()["_synced_at"]
    assert synced_at.min() == began


@pytest.mark.slow
@pytest.mark.parametrize("after_batches", [1, 2, 4])
def test_a_kill_costs_at_most_one_result_page(many, after_batches):
    with pytest.raises(KilledError):
        many.sync("contact", bulk="always", bulk_limits=ONE_BY_ONE, dies_after=after_batches)
    assert many.warehouse.facts("contact").rows == (after_batches - 1) * PAGE
    many.org.update("Contact", many.org.rows("Contact")[0]["Id"], {"FirstName": "changed meanwhile"})
    many.clock.advance(hours=1)

    report = many.sync("contact", bulk="always", bulk_limits=ONE_BY_ONE)["contact"]

    many.assert_equal("contact")
    assert many.requests_with(CREATE) == 1
    assert len(pages(many)) <= pages_of(many) + 1
    assert len(set(pages(many))) == pages_of(many)
    assert report.read.bulk_job


@pytest.mark.slow
def test_a_kill_during_the_wait_leaves_a_job_that_the_next_run_uses(many):
    many.org.behave(bulk_run_seconds=100)
    many.org.faults.append(Fault(kind="job", after=1, times=1, status=401, error_code="INVALID_SESSION_ID"))
    with pytest.raises(KilledError):
        many.sync("contact", bulk="always", dies_after=1)
    job = many.state("contact").position.walk.bulk

    report = many.sync("contact", bulk="always")["contact"]

    many.assert_equal("contact")
    assert report.read.bulk_job == job.id
    assert many.requests_with(CREATE) == 1


def test_the_state_of_a_job_is_refused_by_a_version_that_does_not_know_it(many):
    with pytest.raises(KilledError):
        many.sync("contact", bulk="always", dies_after=3)
    text = many.state("contact").to_json()

    assert State.from_json(text) == many.state("contact")
    with pytest.raises(TableForeign, match="not one that this version"):
        State.from_json(text.replace('"bulk":', '"from_the_future":'))


def test_a_walk_without_a_job_has_the_state_of_earlier_versions(many):
    with pytest.raises(KilledError):
        many.sync("contact", commit_rows=1, dies_after=1)

    assert "bulk" not in many.state("contact").to_json()


@pytest.mark.slow
def test_a_job_that_expired_between_two_runs_is_created_again(many):
    with pytest.raises(KilledError):
        many.sync("contact", bulk="always", dies_after=3)
    many.clock.advance(days=8)

    report = many.sync("contact", bulk="always")["contact"]

    many.assert_equal("contact")
    assert "is gone" in notes(report)
    assert many.requests_with(CREATE) == 2


@pytest.mark.slow
def test_a_job_of_other_columns_is_deleted_and_created_again(many):
    with pytest.raises(KilledError):
        many.sync("contact", bulk="always", dies_after=3)
    many.org.hide_field("Contact", "Department")

    report = many.sync("contact", bulk="always")["contact"]

    assert "other columns" in notes(report)
    assert (many.requests_with(CREATE), many.requests_with("DELETE")) == (2, 2)
    assert len(many.table("contact")) == len(many.org.rows("Contact"))


def test_a_setting_of_never_deletes_the_job_and_reads_by_rest(many):
    many.org.behave(bulk_run_seconds=10**6)
    with pytest.raises(KilledError):
        many.sync("contact", bulk="always", dies_after=1)

    report = many.sync("contact", bulk="never")["contact"]

    many.assert_equal("contact")
    assert not many.org.bulk_jobs.all(many.clock())
    assert report.read.bulk_job is None


def test_a_full_refresh_deletes_the_job_of_an_unfinished_walk(many):
    with pytest.raises(KilledError):
        many.sync("contact", bulk="always", dies_after=3)

    many.sync("contact", bulk="never", full_refresh=True)

    many.assert_equal("contact")
    assert not many.org.bulk_jobs.all(many.clock())


REFUSED = {
    "not enabled": {"bulk_enabled": False},
    "unsupported object": {"bulk_unsupported": frozenset({"Contact"})},
    "failed": {"bulk_error": "QUERY_TIMEOUT: Your query request was running for too long."},
    "no jobs left": {"bulk_jobs_per_day": 0},
    "never ends": {"bulk_run_seconds": 10**9, "session_seconds": 10**9},
    "never starts": {"bulk_queue_seconds": 10**9, "session_seconds": 10**9},
}


@pytest.mark.slow
@pytest.mark.parametrize("setting", REFUSED)
def test_a_job_without_a_result_is_read_by_rest_with_a_note(many, setting):
    many.org.behave(**REFUSED[setting])

    report = many.sync("contact", bulk="always")["contact"]

    many.assert_equal("contact")
    assert "REST reads the object" in notes(report)
    assert report.read.bulk_job is None
    assert report.read.calls < 200
    assert not many.org.bulk_jobs.all(many.clock())


FAULTS = {
    "wrong state": Fault(kind="jobResults", after=2, times=None, status=400, error_code="INVALIDJOBSTATE"),
    "wrong locator": Fault(kind="jobResults", after=2, times=None, status=400, error_code="INVALIDLOCATOR"),
    "expired result": Fault(kind="jobResults", after=2, times=None, status=404, error_code="NOT_FOUND"),
    "other version": Fault(kind="jobResults", after=2, times=None, status=409, error_code="API_ERROR"),
    "web page": Fault(kind="jobResults", after=2, times=None, status=200, body="<html><p>Sign in</p></html>"),
    "no CSV": Fault(kind="jobResults", after=2, times=None, status=200, body='"Id","Name"\n'),
    "no rights": Fault(kind="jobResults", after=2, times=None, status=403, error_code="INSUFFICIENT_ACCESS"),
    "server fault": Fault(kind="jobResults", after=2, times=None, status=500, error_code="UNKNOWN_EXCEPTION"),
    "torn list": Fault(kind="jobResultPages", times=None, status=200, body='{"resultPages":[],"done":false}'),
}


@pytest.mark.parametrize("status", [400, 403, 404, 405, 500, 501])
def test_a_gateway_that_does_not_know_jobs_is_read_by_rest(many, status):
    many.org.faults.append(Fault(path="/jobs/", times=None, status=status, body="nothing here"))
    many.org.faults.append(Fault(path="/limits", times=None, status=status, body="nothing here"))

    report = many.sync("contact", bulk="always")["contact"]

    many.assert_equal("contact")
    assert "REST reads the object" in notes(report)


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_a_result_that_cannot_be_read_to_its_end_is_read_by_rest(many, fault):
    many.org.faults.append(replace(FAULTS[fault]))

    report = many.sync("contact", bulk="always")["contact"]

    many.assert_equal("contact")
    assert "REST reads the object" in notes(report)
    assert report.read.bulk_job is None


@pytest.mark.parametrize("fault", ["wrong locator", "torn list"])
def test_a_full_refresh_fails_rather_than_mix_a_broken_result_with_rest(many, fault):
    many.sync("contact")
    many.org.faults.append(replace(FAULTS[fault]))
    many.clock.advance(hours=1)
    before = many.table("contact")

    if fault == "torn list":
        many.sync("contact", bulk="always", full_refresh=True)
        many.assert_equal("contact")
        return
    with pytest.raises(BulkJobFailed, match="REST"):
        many.sync("contact", bulk="always", full_refresh=True)
    assert many.table("contact") == before


PASSING = {
    "busy": Fault(kind="jobResults", after=1, status=503),
    "server fault": Fault(kind="job", status=500, error_code="UNKNOWN_EXCEPTION"),
    "reset": Fault(kind="jobResults", after=1, reset=True),
    "cut": Fault(kind="jobResults", after=1, truncate=True),
    "web page once": Fault(kind="jobResults", after=1, status=200, html=True),
    "too many at once": Fault(kind="jobs", refusal="concurrent_limit"),
    "session ended": Fault(kind="jobResults", after=1, status=401, error_code="INVALID_SESSION_ID"),
    "torn page once": Fault(kind="jobResults", after=1, status=200, body='"Id","Na'),
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", PASSING)
def test_a_passing_fault_is_ridden_out(many, fault):
    many.org.faults.append(replace(PASSING[fault]))

    report = many.sync("contact", bulk="always")["contact"]

    many.assert_equal("contact")
    assert report.read.bulk_job
    assert many.requests_with(CREATE) in (1, 2)


@pytest.mark.slow
@pytest.mark.parametrize("rows", [69, 1_000])
def test_a_result_with_fewer_rows_than_its_job_is_read_by_rest(many, rows):
    body = f'{{"id":"750000001000001AAA","state":"JobComplete","numberRecordsProcessed":{rows}}}'
    many.org.faults.append(Fault(kind="job", times=1, status=200, body=body))

    report = many.sync("contact", bulk="always")["contact"]

    many.assert_equal("contact")
    assert f"has {rows:,} rows, and its pages have 68" in notes(report)


@pytest.mark.slow
def test_a_page_with_fewer_rows_than_its_header_says_is_read_again(many):
    names = ",".join(f'"{name}"' for name in ("Id", "IsDeleted"))
    short = Fault(kind="jobResults", after=2, status=200, body=names, headers={"Sforce-NumberOfRecords": "10"})
    many.org.faults.append(short)

    report = many.sync("contact", bulk="always")["contact"]

    many.assert_equal("contact")
    assert report.read.bulk_job
    assert len(pages(many)) == pages_of(many) + 1


def test_a_column_that_only_the_query_refuses_is_read_over(many):
    refusal = Fault(kind="jobs", times=1, status=400, error_code="INVALID_FIELD",
                    message="No such column 'Department' on entity 'Contact'.")  # fmt: skip
    many.org.faults.append(refusal)

    report = many.sync("contact", bulk="always")["contact"]

    assert report.read.bulk_job
    assert "Department" in report.problems.refused
    assert len(many.table("contact")) == len(many.org.rows("Contact"))


def test_a_job_that_somebody_aborts_while_it_runs_is_read_by_rest(many):
    many.org.behave(bulk_run_seconds=60)
    with pytest.raises(KilledError):
        many.sync("contact", bulk="always", dies_after=1)
    (job,) = many.org.bulk_jobs.all(many.clock())
    job.aborted = True

    report = many.sync("contact", bulk="always")["contact"]

    many.assert_equal("contact")
    assert "Aborted" in notes(report)


@pytest.mark.slow
@pytest.mark.parametrize(("version", "kind"), [("57.0", None), ("60.0", "jobResultPages")])
def test_without_a_list_of_pages_each_page_names_the_next(many, version, kind):
    many.api_version = version
    if kind:
        many.org.faults.append(Fault(kind=kind, times=None, status=404, error_code="NOT_FOUND"))

    report = many.sync("contact", bulk="always")["contact"]

    many.assert_equal("contact")
    assert report.read.bulk_job
    assert len(pages(many)) == pages_of(many)


def test_a_page_that_is_too_large_is_read_with_fewer_rows(many, monkeypatch):
    many.org.behave(bulk_page_rows=100_000)
    monkeypatch.setitem(MOST_BYTES, "results", 8_000)

    report = many.sync("contact", bulk="always", bulk_limits=BulkLimits(page_rows=4_000))["contact"]

    many.assert_equal("contact")
    assert "too large" in notes(report)


@pytest.mark.slow
@pytest.mark.parametrize("calls", [16, 20, 22])
def test_a_spent_quota_keeps_the_job_for_the_next_run(many, calls):
    many.org.behave(daily_limit=calls)

    with pytest.raises(QuotaSpent):
        many.sync("contact", bulk="always", bulk_reserve=0.5)
    many.clock.advance(days=1)
    many.org.behave(daily_limit=100_000)

    many.sync("contact", bulk="always")

    many.assert_equal("contact")
    assert many.requests_with(CREATE) == 1


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "mode", "by_bulk"), [(50, "auto", True), (70, "auto", False), (50, "never", False)])
def test_auto_reads_large_objects_by_bulk(many, rows, mode, by_bulk):
    row_count = len(many.org.rows("Contact"))
    limits = BulkLimits(least_rows=row_count if rows == 50 else row_count + 1)

    report = many.sync("contact", bulk=mode, bulk_limits=limits)["contact"]

    assert bool(report.read.bulk_job) is by_bulk
    many.assert_equal("contact")


def test_hashed_columns_are_hashed_on_the_way(many):
    spec = replace(SPECS["contact"], hashed=("Email",))
    answers = preflight([spec], tables=many.warehouse, client=many.client, read_deleted=True, now=many.clock)
    options = sync_options(bulk="always", hash_key=b"k" * 32)
    sync_result = sync(spec, preflight=answers, tables=many.warehouse, client=many.client, now=many.clock, **options)

    texts = pl.concat([batch.frame for batch in sync_result.batches if batch.frame is not None])["email"].drop_nulls()

    assert len(texts)
    assert set(texts.str.len_chars()) == {64}


@pytest.mark.slow
@pytest.mark.parametrize("full_refresh", [False, True])
def test_fractions_of_whole_numbers_are_kept(many, full_refresh):
    many.org.add_field("Contact", {"name": "Visits__c", "type": "int", "custom": True, "label": "Visits"})
    ids = sorted(row["Id"] for row in many.org.rows("Contact"))
    many.org.set_raw("Contact", ids[40], "Visits__c", "0.5")
    many.org.set_raw("Contact", ids[41], "Visits__c", "7")

    many.sync("contact", bulk="always", full_refresh=full_refresh)

    table = {row["id"]: row for row in many.table("contact")}
    assert len(table) == len(ids)
    assert (table[ids[40]]["visits__c"], table[ids[40]]["visits__c__exact"]) == (0, 0.5)
    assert (table[ids[41]]["visits__c"], table[ids[41]]["visits__c__exact"]) == (7, None)
    assert many.requests_with(CREATE) >= 1


@pytest.mark.slow
def test_a_job_whose_creation_was_not_answered_is_named_and_left(many):
    """In the list of jobs it looks like one that another tool of the same user created."""
    many.org.faults.append(Fault(kind="jobs", truncate=True))

    report = many.sync("contact", bulk="always")["contact"]

    many.assert_equal("contact")
    assert many.requests_with(CREATE) == 2
    assert "sent again" in notes(report)
    assert len(many.org.bulk_jobs.all(many.clock())) == 1


def test_a_full_refresh_that_cannot_be_written_leaves_no_job(many):
    many.sync("contact", bulk="never")
    (data,) = many.folder.glob("tables/**/contact/data")

    def lose_folder(_):
        if data.is_dir():
            data.rename(many.folder / "elsewhere")
            data.write_text("not a folder")

    with pytest.raises(SfAssetsError):
        many.sync("contact", bulk="always", full_refresh=True, watch=lose_folder)

    assert many.requests_with(CREATE) == 1
    assert not many.org.bulk_jobs.all(many.clock())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("status", "code"), [(400, "LIMIT_EXCEEDED"), (400, "EXCEEDED_QUOTA"), (429, "TOO_MANY_REQUESTS")]
)
def test_an_org_that_refuses_one_more_job_is_read_by_rest(many, status, code):
    """/limits still shows jobs, and the creation meets the bound: the day's last one, or the fifteenth at once."""
    times = None if status == 400 else 2
    many.org.faults.append(Fault(kind="jobs", times=times, status=status, error_code=code))

    report = many.sync("contact", bulk="always")["contact"]

    many.assert_equal("contact")
    assert bool(report.read.bulk_job) is (status == 429)


def test_a_killed_full_refresh_costs_the_calls_of_its_job_once_more(many):
    many.sync("contact", bulk="never")
    rows, refresh = many.table("contact"), {"bulk": "always", "full_refresh": True}
    whole = many.sync("contact", **refresh)["contact"].read.calls
    before = len(many.server.requests)

    with pytest.raises(KilledError):
        many.sync("contact", dies_after=pages_of(many), **refresh)
    wasted = len(many.server.requests) - before
    again = many.sync("contact", **refresh)["contact"].read.calls

    assert (again, many.table("contact")) == (whole, rows)
    assert wasted <= whole + 4  # login, describe, probe and limits of the killed run


class StrippingGateway(httpx.BaseTransport):
    """A gateway that forwards no header of Salesforce's own, and only the state of a job."""

    def __init__(self, inner, *, drops_count=True):
        self._inner, self._drops_count = inner, drops_count

    def handle_request(self, request):
        answer = self._inner.handle_request(request)
        body = answer.read()
        headers = [(name, value) for name, value in answer.headers.items() if not name.lower().startswith("sforce-")]
        if request.url.path.rpartition("/")[0].endswith("/jobs/query") and self._drops_count:
            body = json.dumps({name: json.loads(body)[name] for name in ("id", "state")}).encode() if body else body
        headers_left = [
            (name, value) for name, value in headers if name.lower() not in ("content-length", "content-encoding")
        ]
        return httpx.Response(answer.status_code, headers=headers_left, content=body)


def without_headers(many, **settings):
    many.transport = StrippingGateway(httpx.HTTPTransport(), **settings)
    many.api_version = "57.0"
    return many


@pytest.mark.slow
@pytest.mark.parametrize("drops_count", [True, False])
def test_a_gateway_without_locators_cuts_no_result(many, drops_count):
    """Without the header the first page looks like the last one."""
    report = without_headers(many, drops_count=drops_count).sync("contact", bulk="always")["contact"]

    many.assert_equal("contact")
    assert report.read.bulk_job is None
    assert ("nothing shows that these are all" if drops_count else "its pages have") in notes(report)


def test_a_result_of_one_page_is_counted_where_headers_are_dropped(many):
    many.org.behave(bulk_page_rows=100_000)

    report = without_headers(many).sync("contact", bulk="always")["contact"]

    many.assert_equal("contact")
    assert report.read.bulk_job


def test_a_refresh_whose_result_may_be_cut_removes_nothing(many):
    many.sync("contact", bulk="never")

    report = without_headers(many).sync("contact", bulk="always", full_refresh=True, shrink_share=1.0)["contact"]

    many.assert_equal("contact")
    assert "nothing shows that these are all" in notes(report)


def others_run(many, *, count=15, **settings):
    """Let other tools create jobs before ours."""
    many.org.behave(**settings)
    for number in range(count):
        query = plan(parse_soql("SELECT Id FROM Contact"), many.org.visible_table)
        job = BulkJob(f"75000000000A{number:03}", query, "query", "60.0", "COMMA", "LF", many.clock())
        many.org.bulk_jobs.add(job)


def test_a_job_waits_behind_fifteen_others_and_the_report_says_so(many):
    others_run(many, bulk_run_seconds=1_800)
    report = many.sync("contact", bulk="always")["contact"]

    many.assert_equal("contact")
    assert report.read.bulk_job
    assert re.search(r"waited at least (28|29|30) minutes in Salesforce's queue", notes(report))
    assert report.read.calls < 100


def test_fourteen_other_jobs_keep_none_waiting(many):
    others_run(many, count=14, bulk_run_seconds=1_800)

    report = many.sync("contact", bulk="always")["contact"]

    assert report.read.bulk_job
    assert "queue" not in notes(report)


def test_a_job_that_waits_behind_others_for_hours_is_given_up(many):
    others_run(many, bulk_run_seconds=10**6, session_seconds=10**6)

    report = many.sync("contact", bulk="always")["contact"]

    many.assert_equal("contact")
    assert report.read.bulk_job is None
    assert "did not start within 2 hours" in notes(report)
    assert len(many.org.bulk_jobs.all(many.clock())) == 15
