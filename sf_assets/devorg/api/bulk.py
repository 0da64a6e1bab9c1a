"""Bulk API 2.0 query jobs over REST: create, list, get, abort, delete, results and result pages.

Sources: Bulk API 2.0 guide, "Create a Query Job", "Get Results for a Query Job" (a locator stays valid as long as the
job exists, another API version is 409), "Get Parallel Results for a Query Job" (v58, five URLs), "Understanding Bulk
API 2.0 Query" (no aggregates, no OFFSET, no compound fields). Refused compounds and the daily limit have the texts
that Airbyte's connector looks for. Unverified: the codes of a wrong state, of a wrong locator and of a 409.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import msgspec

from sf_assets.devorg.api.bulk_csv import csv_page
from sf_assets.devorg.api.messages import Request, Response
from sf_assets.devorg.api.query_pages import check_complexity
from sf_assets.devorg.api_errors import Refusal, method_not_allowed, not_found
from sf_assets.devorg.org.bulk_jobs import ENDED, BulkJob
from sf_assets.devorg.org.org import Org
from sf_assets.devorg.org.refusal_catalog import data_refusal
from sf_assets.devorg.soql.bind import Plan, plan
from sf_assets.devorg.soql.execute import select_keys
from sf_assets.devorg.soql.parser import parse_soql
from sf_assets.devorg.store.timestamps import stamp_text

DELIMITERS = {"COMMA": ",", "TAB": "\t", "SEMICOLON": ";", "PIPE": "|", "CARET": "^", "BACKQUOTE": "`"}
COMPOUND = frozenset({"address", "location", "base64"})
PAGES_AT_ONCE = 5
FIRST_VERSION, PAGES_VERSION = 47, 58


def jobs_response(org: Org, request: Request, version: str) -> Response:
    """Create a job (POST) or list the jobs (GET)."""
    _check_enabled(org, version)
    if request.method == "POST":
        return _create(org, request, version)
    org.bulk_jobs.start_due(org.now(), org.behaviour)
    records = [_info(org, job) for job in org.bulk_jobs.all(org.now())]
    return _json({"done": True, "records": records, "nextRecordsUrl": None})


def job_response(org: Org, request: Request, version: str, job_id: str) -> Response:
    """Get (GET), abort (PATCH) or delete (DELETE) a job."""
    _check_enabled(org, version)
    job = _job(org, job_id)
    if request.method == "GET":
        return _json(_info(org, job))
    if request.method == "PATCH":
        return _abort(org, request, job)
    if job.state(org.now(), org.behaviour) not in ENDED:
        raise _wrong_state(org, job, "Deleting")
    org.bulk_jobs.remove(job.id)
    return Response(204)


def results_response(org: Org, request: Request, version: str, job_id: str) -> Response:
    """Return one page of results as CSV."""
    job, rows = _finished(org, version, job_id)
    start, size = _position(org, request.parameters, len(rows))
    page = rows[start : start + size]
    following = start + len(page)
    headers = {
        "Sforce-NumberOfRecords": str(len(page)),
        "Sforce-Locator": _locator(following, size) if following < len(rows) else "null",
    }
    with_header = org.behaviour.bulk_header == "every" or start == 0
    line_end = b"\r\n" if job.line_ending == "CRLF" else b"\n"
    table = org.table(job.plan.sobject)
    body = csv_page(
        job.plan, table, page, delimiter=DELIMITERS[job.delimiter], line_end=line_end, with_header=with_header
    )
    return Response(200, body, headers, "text/csv; charset=UTF-8")


def pages_response(org: Org, request: Request, version: str, job_id: str) -> Response:
    """Return up to five URLs of result pages."""
    if int(version.partition(".")[0]) < PAGES_VERSION:
        raise not_found()
    job, rows = _finished(org, version, job_id)
    start, size = _position(org, request.parameters, len(rows))
    starts = range(start, max(len(rows), start + 1), size)
    base = f"/services/data/v{version}/jobs/query/{job.id}"
    pages = [{"resultUrl": f"{base}/results?locator={_locator(at, size)}"} for at in starts[:PAGES_AT_ONCE]]
    rest = starts[PAGES_AT_ONCE:]
    following = f"{base}/resultPages?locator={_locator(rest[0], size)}" if rest else None
    return _json({"resultPages": pages, "nextRecordsUrl": following, "done": not rest})


# -- creating -----------------------------------------------------------------------------------------------------


def _check_enabled(org: Org, version: str) -> None:
    if not org.behaviour.bulk_enabled:
        raise data_refusal("bulk_disabled")
    if int(version.partition(".")[0]) < FIRST_VERSION:
        raise not_found()


def _create(org: Org, request: Request, version: str) -> Response:
    settings = _body(request)
    operation = settings.get("operation")
    if operation not in ("query", "queryAll"):
        raise Refusal(400, "INVALIDOPERATION", f"InvalidOperation : {operation} is not an operation of query jobs")
    if settings.get("contentType", "CSV") != "CSV" or settings.get("columnDelimiter", "COMMA") not in DELIMITERS:
        raise Refusal(400, "INVALIDCONTENTTYPE", "The content type is CSV, with one of the documented delimiters")
    bound = _bound(org, str(settings.get("query", "")))
    _check_limit(org)
    job = BulkJob(
        id=org.bulk_jobs.next_id(),
        plan=bound,
        operation=operation,
        version=version,
        delimiter=settings.get("columnDelimiter", "COMMA"),
        line_ending=settings.get("lineEnding", "LF"),
        created_at=org.now(),
        error=org.behaviour.bulk_error or "",
    )
    org.bulk_jobs.add(job)
    org.bulk_jobs.start_due(org.now(), org.behaviour)
    return _json(_info(org, job))


def _body(request: Request) -> dict[str, Any]:
    try:
        settings = json.loads(request.body)
    except ValueError:
        settings = None
    if not isinstance(settings, dict):
        raise Refusal(400, "JSON_PARSER_ERROR", "The request body is not a JSON object")
    return settings


def _bound(org: Org, soql: str) -> Plan:
    bound = plan(parse_soql(soql), org.visible_table)
    check_complexity(org, bound)
    if bound.outputs:
        raise Refusal(400, "API_ERROR", "Aggregate Relationships not supported in Bulk Query")
    if bound.select.offset:
        raise Refusal(400, "API_ERROR", "OFFSET is not supported in Bulk Query")
    if any(field.type in COMPOUND for field in bound.columns):
        raise Refusal(400, "API_ERROR", "Selecting compound data not supported in Bulk Query")
    if bound.sobject in org.behaviour.bulk_unsupported:
        message = f"InvalidEntity : Entity '{bound.sobject}' is not supported by the Bulk API."
        raise Refusal(400, "INVALIDENTITY", message)
    return bound


def _check_limit(org: Org) -> None:
    count, most = org.bulk_jobs.created_within_a_day(org.now()), org.behaviour.bulk_jobs_per_day
    if count >= most:
        message = f"Max bulk v2 query jobs ({most}) per 24 hrs has been reached ({count + 1})"
        raise Refusal(400, "LIMIT_EXCEEDED", message)


# -- one job ------------------------------------------------------------------------------------------------------


def _job(org: Org, job_id: str) -> BulkJob:
    org.bulk_jobs.start_due(org.now(), org.behaviour)
    job = org.bulk_jobs.find(job_id, org.now())
    if job is None:
        raise not_found()
    _read_rows(org, job)
    return job


def _read_rows(org: Org, job: BulkJob) -> None:
    """Read the rows of a job that has started."""
    if job.rows is None and job.state(org.now(), org.behaviour) in ("InProgress", "JobComplete"):
        table = org.table(job.plan.sobject)
        keys = select_keys(job.plan, table, all_rows=job.operation == "queryAll")
        job.rows = [table.rows[key] for key in keys]


def _finished(org: Org, version: str, job_id: str) -> tuple[BulkJob, list[bytes]]:
    _check_enabled(org, version)
    job = _job(org, job_id)
    if job.version != version:
        raise Refusal(409, "API_ERROR", f"The job was created with API version {job.version}")
    if job.state(org.now(), org.behaviour) != "JobComplete" or job.rows is None:
        raise _wrong_state(org, job, "Getting results of")
    return job, job.rows


def _abort(org: Org, request: Request, job: BulkJob) -> Response:
    if _body(request).get("state") != "Aborted":
        raise method_not_allowed("PATCH", "PATCH with the state Aborted")
    if job.state(org.now(), org.behaviour) in ENDED:
        raise _wrong_state(org, job, "Aborting")
    job.aborted, job.ended_at = True, org.now()
    return _json(_info(org, job))


def _wrong_state(org: Org, job: BulkJob, action: str) -> Refusal:
    state = job.state(org.now(), org.behaviour)
    return Refusal(400, "INVALIDJOBSTATE", f"InvalidJobState : {action} a job in the state {state} is not allowed")


def _info(org: Org, job: BulkJob) -> dict[str, Any]:
    state = job.state(org.now(), org.behaviour)
    facts: dict[str, Any] = {
        "id": job.id,
        "operation": job.operation,
        "object": job.plan.sobject,
        "createdById": org.user["Id"],
        "createdDate": stamp_text(job.created_at),
        "systemModstamp": stamp_text(job.ended_at or org.now()),
        "state": state,
        "concurrencyMode": "Parallel",
        "contentType": "CSV",
        "apiVersion": float(job.version),
        "jobType": "V2Query",
        "lineEnding": job.line_ending,
        "columnDelimiter": job.delimiter,
        "isPkChunkingSupported": job.plan.select.limit is None and not job.plan.select.order_by,
    }
    if state == "Failed":
        facts["errorMessage"] = job.error
    if state != "UploadComplete":
        rows_done = len(job.rows or ()) if state == "JobComplete" else 0
        facts |= {"numberRecordsProcessed": rows_done, "retries": 0, "totalProcessingTime": rows_done // 100}
    return facts


# -- pages of results ---------------------------------------------------------------------------------------------


def _position(org: Org, parameters: Any, count: int) -> tuple[int, int]:
    """Return the first row and the number of rows of a page."""
    most = org.behaviour.bulk_page_rows
    start, size = _located(parameters["locator"]) if parameters.get("locator") else (0, most)
    if parameters.get("maxRecords", "").isdigit():
        size = int(parameters["maxRecords"])
    size = max(1, min(size, most))
    if start and start >= count:
        raise _wrong_locator()
    return start, size


def _locator(start: int, size: int) -> str:
    return urlsafe_b64encode(f"{start}-{size}".encode()).decode().rstrip("=")


def _located(locator: str) -> tuple[int, int]:
    try:
        text = urlsafe_b64decode(locator + "=" * (-len(locator) % 4)).decode()
        start, _, size = text.partition("-")
        return int(start), int(size)
    except ValueError:
        raise _wrong_locator() from None


def _wrong_locator() -> Refusal:
    return Refusal(400, "INVALIDLOCATOR", "InvalidLocator : The locator is not one of this job")


def _json(value: dict[str, Any]) -> Response:
    return Response(200, msgspec.json.encode(value))


BULK_ROUTES: dict[str, Callable[[Org, Request, str, str], Response]] = {
    "jobs": lambda org, request, version, name: jobs_response(org, request, version),
    "job": job_response,
    "jobResults": results_response,
    "jobResultPages": pages_response,
}
