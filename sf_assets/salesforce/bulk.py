"""Flows of Bulk API 2.0 query jobs: create, watch, abort and delete a job, and read the pages of its result.

Source: Bulk API 2.0 guide, "Create a Query Job", "Get Information About a Query Job", "Get Results for a Query Job"
(a locator stays valid as long as its job exists; all calls of a job need the API version that created it), "Get
Parallel Results for a Query Job" (version 58 and later), "Bulk API 2.0 Limits".
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qs, quote, urlsplit

import msgspec

from sf_assets.errors import AnswerTorn
from sf_assets.salesforce.headers import once
from sf_assets.salesforce.wire import Flow, Query, Request, RequestKind

PARALLEL_VERSION = 58.0
"""The first API version that lists result pages."""
END = "null"
"""What `Sforce-Locator` says on the last page."""
_JOB_ID = re.compile(r"[A-Za-z0-9]{15,18}")
_COUNT = re.compile(r"[0-9]{1,15}")


@dataclass(frozen=True)
class JobRef:
    """A job's Id, and the API version that created it."""

    id: str
    version: str

    @property
    def path(self) -> str:
        """The path of the job."""
        return f"/services/data/v{self.version}/jobs/query/{self.id}"

    @property
    def lists_pages(self) -> bool:
        """Whether the org lists the pages of the result."""
        return float(self.version) >= PARALLEL_VERSION


class JobInfo(msgspec.Struct):
    """What the org says of a job."""

    id: str
    state: str
    numberRecordsProcessed: int | str | None = None
    errorMessage: str | None = None

    @property
    def rows(self) -> int | None:
        """The rows of the result, or None if the org does not say."""
        return _count(str(self.numberRecordsProcessed))

    @property
    def is_queued(self) -> bool:
        """Whether the job waits in the org's queue."""
        return self.state == "UploadComplete"

    @property
    def has_failed(self) -> bool:
        """Whether the job ended without a result."""
        return self.state in ("Failed", "Aborted")


@dataclass
class ResultPage:
    """One page of a result as CSV.

    `rows`: as its header says, or None. `following`: the next page's locator, END, or None if the answer names neither.
    """

    body: bytes
    rows: int | None
    following: str | None


@dataclass(frozen=True)
class PageList:
    """Locators of up to five pages (None: the first page), and that of the next list, or END."""

    locators: tuple[str | None, ...]
    following: str


@dataclass(frozen=True)
class BulkQuota:
    """What the org still allows today: jobs, and megabytes of results. None: it does not say."""

    jobs: int | None
    megabytes: int | None

    @property
    def is_spent(self) -> bool:
        """Whether the org takes no more jobs today."""
        return self.jobs == 0 or self.megabytes == 0


class _ListedPage(msgspec.Struct):
    resultUrl: str


class _ListAnswer(msgspec.Struct):
    resultPages: list[_ListedPage]
    nextRecordsUrl: str | None = None
    nextRecordUrl: str | None = None  # the guide has both names
    done: bool = False


class _Limit(msgspec.Struct):
    Remaining: int | None = None


class _LimitsAnswer(msgspec.Struct):
    DailyBulkV2QueryJobs: _Limit = msgspec.field(default_factory=_Limit)
    DailyBulkV2QueryFileStorageMB: _Limit = msgspec.field(default_factory=_Limit)


def create_job(query: Query, *, version: str) -> Flow[tuple[JobRef, datetime]]:
    """Create a job; return it and a moment before which it read no row."""
    settings = {
        "operation": "queryAll" if query.all_rows else "query",
        "query": query.soql,
        "contentType": "CSV",
        "columnDelimiter": "COMMA",
        "lineEnding": "LF",
    }
    response = yield Request(
        f"/services/data/v{version}/jobs/query", JobInfo, "job", method="POST", body=msgspec.json.encode(settings),
        content_type="application/json", about=f"Bulk query job of {query.sobject}", soql=query.soql,
    )  # fmt: skip
    info: JobInfo = response.content
    if not _JOB_ID.fullmatch(info.id):
        raise AnswerTorn(f"the Id of a Bulk query job of {query.sobject} is {info.id[:50]!r}")
    return JobRef(info.id, version), response.sent_at


def job_info(job: JobRef) -> Flow[JobInfo]:
    """Return the state of a job."""
    response = yield _request(job, "", JobInfo, "job")
    info: JobInfo = response.content
    return info


def abort_job(job: JobRef) -> Flow[None]:
    """Stop a job that has not ended."""
    yield Request(
        job.path, JobInfo, "job", method="PATCH", body=b'{"state":"Aborted"}', content_type="application/json",
        about=f"Bulk query job {job.id}",
    )  # fmt: skip


def delete_job(job: JobRef) -> Flow[None]:
    """Delete a job that has ended, with its result."""
    yield Request(job.path, bytes, "job", method="DELETE", about=f"Bulk query job {job.id}")


def result_page(job: JobRef, locator: str | None, *, most_rows: int | None = None) -> Flow[ResultPage]:
    """Return the page of a locator (None: the first); `most_rows` bounds its rows."""
    values = {"locator": locator, "maxRecords": most_rows}
    words = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in values.items() if value is not None)
    response = yield _request(job, f"/results{'?' * bool(words)}{words}", bytes, "results")
    rows = _count(once(response.headers.get("sforce-numberofrecords", "")))
    return ResultPage(response.body, rows, once(response.headers.get("sforce-locator", "")) or None)


def result_pages(job: JobRef, locator: str | None) -> Flow[PageList]:
    """Return the locators of the pages from this one on, at most five."""
    words = f"?locator={quote(locator, safe='')}" if locator else ""
    response = yield _request(job, f"/resultPages{words}", _ListAnswer, "job")
    answer: _ListAnswer = response.content
    following = answer.nextRecordsUrl or answer.nextRecordUrl
    if not answer.done and not following:
        raise AnswerTorn(f"the list of result pages of job {job.id} is not done, but names no next list")
    locators = tuple(_locator(page.resultUrl) for page in answer.resultPages)
    return PageList(locators, END if answer.done or not following else _locator(following) or END)


def bulk_quota(*, version: str) -> Flow[BulkQuota]:
    """Return what the org still allows today."""
    response = yield Request(f"/services/data/v{version}/limits", _LimitsAnswer, "inventory", about="limits")
    answer: _LimitsAnswer = response.content
    return BulkQuota(answer.DailyBulkV2QueryJobs.Remaining, answer.DailyBulkV2QueryFileStorageMB.Remaining)


def _request(job: JobRef, path: str, shape: object, kind: RequestKind) -> Request:
    accept = "text/csv" if kind == "results" else None
    return Request(f"{job.path}{path}", shape, kind, about=f"Bulk query job {job.id}", accept=accept)


def _count(text: str) -> int | None:
    """Return a number of rows, or None for anything else."""
    return int(text) if _COUNT.fullmatch(text) else None


def _locator(url: str) -> str | None:
    """Return the locator of a URL. Its host and path are not used, so no token goes elsewhere.

    Raises: AnswerTorn for what is not a URL.
    """
    try:
        values: Mapping[str, list[str]] = parse_qs(urlsplit(url).query)
    except ValueError:
        raise AnswerTorn(f"a link of a Bulk result is not a URL: {url[:100]!r}") from None
    return values.get("locator", [None])[0]
