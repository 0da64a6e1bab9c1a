"""The pages of a finished Bulk query job, in their order, with the next ones in flight.

An org of API version 58 or later lists five pages at a time, and they are downloaded at once. Where the list is not
served, or a page is too large, each page names the next one and its number of rows is bounded.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sf_assets.errors import (
    AnswerTooLarge,
    AnswerTorn,
    BulkJobFailed,
    HostUnreachable,
    QueryRefused,
    ResourceNotFound,
)
from sf_assets.salesforce.bulk import END, JobRef, ResultPage, result_page, result_pages
from sf_assets.sync.limits import BulkLimits
from sf_assets.sync.reader import Reader

LEAST_PAGE_ROWS = 1_000
"""No page is asked for with fewer rows."""


@dataclass(frozen=True)
class LocatedPage:
    """A page, its locator (None: the first), and that of the page after it, or END."""

    page: ResultPage
    locator: str | None
    following: str


class BulkPages:
    """The pages of a job from a locator on."""

    def __init__(self, reader: Reader, job: JobRef, *, locator: str | None, limits: BulkLimits) -> None:
        self._reader, self._job, self._limits = reader, job, limits
        self._locator, self._most_rows = locator, 0
        self._page_bytes = 0
        self._locators: set[str | None] = {locator}
        self.is_proven = locator != END
        """Whether each page had the number of rows that it announced, and the org named the last page."""

    def __iter__(self) -> Iterator[LocatedPage]:
        if self._locator == END:
            return
        if self._job.lists_pages:
            yield from self._listed()
        if self._locator != END:
            yield from self._linked()

    def download(self, locator: str | None) -> ResultPage:
        """Download a page."""
        flow = result_page(self._job, locator, most_rows=self._most_rows or None)
        with self._reader.counted():
            page = self._reader.client.drive(flow, reserve=self._reader.reserve)
        self._page_bytes = max(self._page_bytes, len(page.body))
        return page

    def _listed(self) -> Iterator[LocatedPage]:
        """Yield the pages of the org's lists, as long as lists are served."""
        plan, pending = self._plan(), deque[tuple[_Download, str | None, str]]()
        try:
            while True:
                self._start(plan, pending)
                if not pending:
                    return
                download, locator, following = pending.popleft()
                page = download.result()
                self._start(plan, pending)
                self._locator = following
                self.is_proven &= page.rows is not None
                yield LocatedPage(page, locator, following)
        except (AnswerTooLarge, HostUnreachable) as error:
            if not _is_too_large(error):
                raise
            self._most_rows = self._limits.page_rows
            note = f"A page of the Bulk result is too large: pages of {self._most_rows:,} rows are read."
            self._reader.report.note(note)
        except (ResourceNotFound, QueryRefused) as error:
            note = f"The org does not list the pages of a Bulk result, so each page names the next one: {error}"
            self._reader.report.note(note)

    def _start(
        self, plan: Iterator[tuple[str | None, str]], pending: deque[tuple["_Download", str | None, str]]
    ) -> None:
        """Start downloads. The first page is alone, as its size is unknown."""
        most = min(self._limits.downloads, self._limits.pending_bytes // self._page_bytes) if self._page_bytes else 1
        while len(pending) < max(1, most) and (step := next(plan, None)) is not None:
            locator, following = step
            pending.append((_Download(lambda locator=locator: self.download(locator)), locator, following))  # type: ignore[misc]

    def _plan(self) -> Iterator[tuple[str | None, str]]:
        """Yield the locator of each listed page, and that of the page after it."""
        start: str | None = self._locator
        while start != END:
            with self._reader.counted():
                listed = self._reader.client.drive(result_pages(self._job, start), reserve=self._reader.reserve)
            if not listed.locators and listed.following != END:
                raise AnswerTorn(f"job {self._job.id}: a list of result pages is empty, and it is not the last one")
            followings = [*listed.locators[1:], listed.following]
            for locator, following in zip(listed.locators, followings, strict=bool(listed.locators)):
                yield locator, self._seen_once(following or END)
            start = listed.following

    def _linked(self) -> Iterator[LocatedPage]:
        """Yield pages that each name the next one, which is in flight meanwhile."""
        locator, self._locators = self._locator, {self._locator}
        download = self._start_narrowed(locator)
        while True:
            page = download.result()
            following = self._seen_once(page.following or END)
            self.is_proven &= page.rows is not None and page.following is not None
            if following != END:
                download = self._start_narrowed(following)
            yield LocatedPage(page, locator, following)
            if following == END:
                return
            locator = following

    def _start_narrowed(self, locator: str | None) -> "_Download":
        return _Download(lambda: self._narrowed(locator))

    def _narrowed(self, locator: str | None) -> ResultPage:
        """Download a page with fewer rows each time that it is too large."""
        self._most_rows = self._most_rows or self._limits.page_rows
        while True:
            try:
                return self.download(locator)
            except (AnswerTooLarge, HostUnreachable) as error:
                if not _is_too_large(error) or self._most_rows <= LEAST_PAGE_ROWS:
                    raise
                self._most_rows = max(LEAST_PAGE_ROWS, self._most_rows // 2)

    def _seen_once(self, locator: str) -> str:
        """Return the locator. Raises: AnswerTorn where a page leads back to an earlier one."""
        if locator != END and locator in self._locators:
            raise AnswerTorn(f"job {self._job.id}: the pages of the result lead back to {locator[:100]}")
        self._locators.add(locator)
        return locator


def _is_too_large(error: AnswerTooLarge | HostUnreachable) -> bool:
    """Return whether a page with fewer rows may arrive."""
    return isinstance(error, AnswerTooLarge) or error.values.get("error_code") == "time-out"


class _Download:
    """A call in a thread of its own, which does not keep the process alive."""

    def __init__(self, call: Callable[[], ResultPage]) -> None:
        self._call = call
        self._page: ResultPage | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="sf_assets bulk download", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._page = self._call()
        except BaseException as error:  # noqa: BLE001 - raised again by result()
            self._error = error

    def result(self) -> ResultPage:
        """Wait for the page. Raises: the error of the call."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        if self._page is None:
            raise BulkJobFailed("a download of a Bulk result ended without a page")
        return self._page
