"""Read a whole object by one Bulk query job: create it, wait for it, take its pages, delete it.

The job is part of the walk in the table's state: its Id is committed before the wait, and each page together with the
locator of the next one. After a kill the next run goes on with the page that is not committed. Pages have no order,
and they are merged by key, so a page that is read twice changes nothing.

If the org refuses the job, the job fails or its result is not complete, the caller goes on by REST.
"""

import hashlib
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from sf_assets.errors import (
    AccessDenied,
    AnswerTooLarge,
    AnswerTorn,
    ApiDisabled,
    BulkJobFailed,
    FieldInvalid,
    QueryRefused,
    QueryTooComplicated,
    QuotaSpent,
    ResourceNotFound,
    SalesforceError,
)
from sf_assets.salesforce.bulk import (
    END,
    JobInfo,
    JobRef,
    ResultPage,
    abort_job,
    bulk_quota,
    create_job,
    delete_job,
    job_info,
)
from sf_assets.salesforce.capabilities import is_trouble
from sf_assets.salesforce.wire import Flow, Query
from sf_assets.specs.soql import select
from sf_assets.sync.bulk_csv import CsvPage
from sf_assets.sync.bulk_pages import BulkPages, LocatedPage
from sf_assets.sync.limits import TRIES, BulkLimits
from sf_assets.sync.preflight import own_filter
from sf_assets.sync.reader import Reader, Rows
from sf_assets.sync.state import BulkJob

T = TypeVar("T")
ROWS_AT_ONCE = 10_000
"""Rows of a page that are decoded at a time: their values as Python objects take several times their bytes."""
LONG_QUEUE_MINUTES = 5
"""A longer wait in the org's queue is named: other jobs are in the way."""
SENT_AGAIN = "The creation of a Bulk query job was sent again. The org may keep an unused job for seven days."
_OF_BULK = (QueryRefused, AccessDenied, ResourceNotFound, AnswerTorn, AnswerTooLarge, BulkJobFailed)
"""Errors after which REST may still read the object. A proxy or the Bulk API may refuse jobs alone."""


@dataclass(frozen=True)
class BulkRows:
    """Rows of a part of a page, and the job once they are committed.

    The first one of a new job has no rows. `is_end`: the page is complete.
    """

    rows: Rows
    job: BulkJob
    is_end: bool = True


Outcome = Generator[BulkRows, None, bool]


def read_by_bulk(reader: Reader, limits: BulkLimits, job: BulkJob | None = None) -> Outcome:
    """Yield the rows of the whole object; return whether they are complete.

    If not, the report has a note, and the rows must be read in another way. `job` is one of an earlier run.
    """
    return (yield from _BulkRead(reader, limits).read(job))


def discard_job(reader: Reader, job: BulkJob) -> None:
    """Delete a job that is not needed, and abort it before if it runs.

    The org deletes what is left after seven days.
    """
    ref = JobRef(job.id, job.version)
    with suppress(SalesforceError), reader.counted():
        try:
            reader.client.drive(delete_job(ref), reserve=reader.reserve)
        except BulkJobFailed:  # only a job that has ended can be deleted
            reader.client.drive(abort_job(ref), reserve=reader.reserve)
            reader.client.drive(delete_job(ref), reserve=reader.reserve)


def _concerns_bulk(error: SalesforceError) -> bool:
    if type(error) is SalesforceError or is_trouble(error):  # an unknown answer, or none after all tries
        return True
    return isinstance(error, _OF_BULK) and not isinstance(error, ApiDisabled)


class _BulkRead:
    """One read of an object by a job."""

    def __init__(self, reader: Reader, limits: BulkLimits) -> None:
        self._reader, self._limits = reader, limits
        self._job: BulkJob | None = None

    def read(self, former: BulkJob | None) -> Outcome:
        try:
            yield from self._read(former)
        except SalesforceError as error:
            if not _concerns_bulk(error):
                raise
            if self._job is not None:
                discard_job(self._reader, self._job)
            self._reader.report.note(f"The Bulk query job gave no complete result, so REST reads the object: {error}")
            self._reader.report.read.bulk_job = None
            return False
        return True

    def _read(self, former: BulkJob | None) -> Iterator[BulkRows]:
        self._job = self._usable(former)
        if self._job is None:
            self._job = self._create()
            yield self._without_rows()  # the job's Id is committed before the wait
        self._reader.report.read.bulk_job = self._job.id
        if self._job.locator != END:
            yield from self._pages(self._wait())
        discard_job(self._reader, self._job)

    # -- the job -------------------------------------------------------------------------------------------------

    def _usable(self, former: BulkJob | None) -> BulkJob | None:
        """Return the job of an earlier run, or None if it cannot be used."""
        if former is None:
            return None
        if former.query != self._fingerprint():
            self._reader.report.note(f"Bulk query job {former.id} reads other columns or rows than needed now.")
            discard_job(self._reader, former)
            return None
        if former.locator == END:
            return former  # its pages are committed, and it may be deleted
        try:
            self._drive(job_info(JobRef(former.id, former.version)))
        except ResourceNotFound:
            self._reader.report.note(f"Bulk query job {former.id} of an earlier run is gone: a new one is created.")
            return None
        return former

    def _create(self) -> BulkJob:
        """Create a job.

        One that was created without an answer stays: in the org's list it looks like a job of another tool.
        """
        self._refuse_spent_quota()
        client = self._reader.client
        while True:
            plan = self._reader.plan
            try:
                with client.counting() as traffic:
                    ref, sent_at = self._drive(create_job(self._query(), version=client.version))
                if traffic.repeated_calls:
                    self._reader.report.note(SENT_AGAIN)
                return BulkJob(ref.id, ref.version, self._fingerprint(), sent_at)
            except (FieldInvalid, QueryTooComplicated) as error:
                self._reader.drop_refused(error, plan)

    def _refuse_spent_quota(self) -> None:
        """Raise BulkJobFailed if the org takes no more jobs today. An org that does not say takes them."""
        try:
            quota = self._drive(bulk_quota(version=self._reader.client.version))
        except QuotaSpent:
            raise
        except SalesforceError as error:
            if not _concerns_bulk(error):
                raise
            return
        if quota.is_spent:
            raise BulkJobFailed(
                "the org takes no more Bulk query jobs today: it has"
                f" {quota.jobs} jobs and {quota.megabytes} MB of results left"
            )

    def _query(self) -> Query:
        reader = self._reader
        soql = select(reader.columns, reader.spec.sobject, where=own_filter(reader.spec))
        reader.report.read.soql = reader.report.read.soql or soql
        all_rows = reader.all_rows and "queryAll" not in reader.client.missing_features_of(reader.spec.sobject)
        return Query(reader.spec.sobject, soql, all_rows)

    def _fingerprint(self) -> str:
        query = self._query()
        return hashlib.sha256(f"{query.all_rows} {query.soql}".encode()).hexdigest()[:16]

    def _wait(self) -> JobInfo:
        """Wait until the job has ended. Raises: BulkJobFailed if it has no result, or not in time."""
        job, pause = self._known_job(), self._limits.first_pause
        ref, deadline = JobRef(job.id, job.version), job.created_at + timedelta(seconds=self._limits.job_seconds)
        queued_until: datetime | None = None
        while (info := self._drive(job_info(ref))).state != "JobComplete":
            if info.has_failed:
                raise BulkJobFailed(f"job {job.id} ended as {info.state}: {info.errorMessage or 'no reason is given'}")
            if self._reader.client.now() >= deadline:
                what, hours = "start" if info.is_queued else "end", self._limits.job_seconds / 3600
                raise BulkJobFailed(f"job {job.id} did not {what} within {hours:g} hours; its state is {info.state}")
            queued_until = self._reader.client.now() if info.is_queued else queued_until
            self._reader.client.wait(pause)
            pause = min(pause * 1.5, self._limits.longest_pause)
        self._note_queue(queued_until)
        return info

    def _note_queue(self, until: datetime | None) -> None:
        """Record how long the job waited for other jobs, if it was long."""
        job = self._known_job()
        minutes = round((until - job.created_at).total_seconds() / 60) if until else 0
        if minutes >= LONG_QUEUE_MINUTES:
            self._reader.report.note(
                f"Bulk query job {job.id} waited at least {minutes} minutes in Salesforce's queue:"
                " the org runs 15 jobs at once."
            )

    # -- its pages -----------------------------------------------------------------------------------------------

    def _pages(self, info: JobInfo) -> Iterator[BulkRows]:
        job = self._known_job()
        pages = BulkPages(self._reader, JobRef(job.id, job.version), locator=job.locator, limits=self._limits)
        for located in pages:
            page = self._parsed(pages, located)
            after = replace(job, locator=located.following, rows=job.rows + page.rows)
            if located.following == END:
                self._refuse_cut(info, after, is_proven=pages.is_proven)
            yield from self._page_rows(page, job, after, total=info.rows or 0)
            self._job = job = after
        if job.locator != END and info.rows:
            raise BulkJobFailed(f"job {job.id} has {info.rows:,} rows, and its list of pages is empty")

    def _refuse_cut(self, info: JobInfo, job: BulkJob, *, is_proven: bool) -> None:
        """Raise BulkJobFailed if rows are missing, or if nothing shows that none are.

        A gateway may drop the headers that name the next page, and the job's number of rows.
        """
        if info.rows is not None and job.rows < info.rows:
            raise BulkJobFailed(f"job {job.id} has {info.rows:,} rows, and its pages have {job.rows:,}")
        if is_proven or info.rows == job.rows or self._reader.holds_all((), job.rows):
            return
        raise BulkJobFailed(
            f"job {job.id} gave {job.rows:,} rows, and nothing shows that these are all: the answers have no"
            " Sforce-Locator or Sforce-NumberOfRecords header, and the org has more rows or does not count them"
        )

    def _parsed(self, pages: BulkPages, located: LocatedPage) -> CsvPage:
        """Return a page; download one that is not whole again."""
        page = located.page
        for _ in range(TRIES - 1):
            try:
                return self._parse(page)
            except AnswerTorn:
                page = pages.download(located.locator)
        return self._parse(page)

    def _parse(self, page: ResultPage) -> CsvPage:
        """Parse a page and drop its text, which takes as much memory."""
        sobject, job = self._reader.spec.sobject, self._known_job()
        body, page.body = page.body, b""
        parsed = CsvPage(body, self._reader.plan.read, sobject=sobject)
        if page.rows is not None and parsed.rows != page.rows:
            raise AnswerTorn(
                f"a page of job {job.id} announced {page.rows:,} rows of {sobject} and has {parsed.rows:,}"
            )
        return parsed

    def _page_rows(self, page: CsvPage, before: BulkJob, after: BulkJob, *, total: int) -> Iterator[BulkRows]:
        """Yield a page in parts; only the last one moves the job on."""
        parts, left = page.decoded(ROWS_AT_ONCE, synced_at=before.created_at), page.rows
        while True:
            frame = self._reader.typed(lambda: next(parts), self._reader.plan, pages=int(left <= ROWS_AT_ONCE))
            left -= ROWS_AT_ONCE
            self._reader.watch(self._reader.report)
            yield BulkRows(Rows(frame, total), after if left <= 0 else before, is_end=left <= 0)
            if left <= 0:
                return

    # -- helpers -------------------------------------------------------------------------------------------------

    def _without_rows(self) -> BulkRows:
        return BulkRows(Rows(self._reader.empty_frame(), 0), self._known_job())

    def _known_job(self) -> BulkJob:
        assert self._job is not None
        return self._job

    def _drive(self, flow: Flow[T]) -> T:
        with self._reader.counted():
            return self._reader.client.drive(flow, reserve=self._reader.reserve)
