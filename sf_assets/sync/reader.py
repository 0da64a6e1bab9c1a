"""The queries of one endpoint: their pages as frames, their cost and facts in the report."""

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import polars as pl

from sf_assets.errors import FieldInvalid, QueryTooComplicated, ResultIncomplete, SalesforceError, ValueUnexpected
from sf_assets.salesforce.aggregates import row_count
from sf_assets.salesforce.client import Client
from sf_assets.salesforce.wire import Page, Query
from sf_assets.specs.model import EndpointSpec
from sf_assets.specs.soql import select
from sf_assets.sync.columns import ColumnPlan
from sf_assets.sync.decode import Decoded, decode
from sf_assets.sync.hashing import hashed_names, without_texts, without_value
from sf_assets.sync.limits import BulkLimits, LaneLimits
from sf_assets.sync.preflight import own_filter
from sf_assets.sync.report import SyncReport, ignore_progress

DELETED = "is_deleted"


class FractionsFound(Exception):  # noqa: N818 - it starts the sync again and reaches no user
    """Whole-number columns have fractions that the sync's columns would lose. `columns`: API names."""

    def __init__(self, columns: Collection[str]) -> None:
        super().__init__(", ".join(sorted(columns)))
        self.columns = frozenset(columns)


@dataclass(frozen=True)
class Rows:
    """One page as a frame, and the totalSize of its result.

    `is_resumable`: no row of the result up to the last one of this page is missing, so a walk may resume after it.
    """

    frame: pl.DataFrame
    total: int
    is_resumable: bool = False

    @property
    def last_id(self) -> str | None:
        """The Id after which a walk may resume, or None."""
        return self.frame["id"][-1] if self.frame.height and self.is_resumable else None

    def position(self, before: str | None) -> str | None:
        """Return the Id after which a walk may resume, or None for its start.

        `before` is that Id without this page. Without an order no Id counts.
        """
        return self.last_id or (before if self.is_resumable else None)

    def newest(self, stamp_column: str) -> datetime | None:
        """Return the greatest stamp of the page, or None without rows."""
        newest: datetime | None = self.frame[stamp_column].max()  # type: ignore[assignment]
        return newest


@dataclass
class Reader:
    """The queries of one endpoint; their cost and facts go into the report.

    `plan_again` plans the columns again after INVALID_FIELD. `watch` is called with the report after each page.
    """

    spec: EndpointSpec
    client: Client
    report: SyncReport
    plan: ColumnPlan
    all_rows: bool
    commit_rows: int
    reserve: float
    plan_again: Callable[[Collection[str]], ColumnPlan]
    watch: Callable[[SyncReport], None] = ignore_progress
    dropped: set[str] = field(default_factory=set)
    """Columns that the org refused in this read."""
    complicated: set[str] = field(default_factory=set)
    """Those of them that are too much for one query together with the others."""
    noted: set[str] = field(default_factory=set)
    hash_key: bytes = field(default=b"", repr=False)
    lanes: LaneLimits = LaneLimits()  # noqa: RUF009 - frozen
    bulk: BulkLimits | None = None
    """How a Bulk query job reads the whole object, or None to read it by REST."""
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def of_columns(self, names: Collection[str]) -> "Reader":
        """Return a reader of some of the columns, with the same report."""

        def plan_again(dropped: Collection[str]) -> ColumnPlan:
            return _only(self.plan_again(dropped), names)

        return replace(self, plan=_only(self.plan, names), plan_again=plan_again)

    @property
    def columns(self) -> tuple[str, ...]:
        """API names of the columns that are read."""
        return self.plan.read_names

    def pages(
        self, *, where: Sequence[str], order_by: Sequence[str] = (), limit: int | None = None, watch: bool = True
    ) -> Iterator[Rows]:
        """Read one result, page by page. A column that the org refuses is dropped by name before the first page.

        Several threads may read at once; without `watch` the caller reports progress itself.
        """
        while True:
            plan = self.plan
            try:
                for rows in self._pages(plan, where, order_by, limit):
                    if watch:
                        self.watch(self.report)
                    yield rows
                return
            except (FieldInvalid, QueryTooComplicated) as error:
                self.drop_refused(error, plan)

    def _pages(
        self, plan: ColumnPlan, where: Sequence[str], order_by: Sequence[str], limit: int | None
    ) -> Iterator[Rows]:
        soql = select(
            plan.read_names, self.spec.sobject, where=[*own_filter(self.spec), *where], order_by=order_by, limit=limit
        )
        self.report.read.soql = self.report.read.soql or soql
        pages = iter(self.client.read(Query(self.spec.sobject, soql, self.all_rows), reserve=self.reserve))
        while True:
            with self.counted():
                page = next(pages, None)
            if page is None:
                return
            with self._lock:  # one page at a time: its values as Python objects take ten times its bytes
                rows = self._rows(page, plan)
            del page
            yield rows

    def _rows(self, page: Page, plan: ColumnPlan) -> Rows:
        def decoded() -> Decoded:
            return decode(page.records, plan.read, sobject=self.spec.sobject, synced_at=page.requested_at)

        return Rows(self.typed(decoded, plan), page.total_size)

    def typed(self, decoding: Callable[[], Decoded], plan: ColumnPlan, *, pages: int = 1) -> pl.DataFrame:
        """Decode a page or a part of one, record it, and return its frame, hashed."""
        try:
            decoded = decoding()
        except ValueUnexpected as error:
            raise without_value(error, self.spec) from None
        if lost := decoded.fractions.keys() - {column.api_name for column in plan.read if column.keeps_fractions}:
            raise FractionsFound(lost)
        self._record(decoded)
        self.report.read.pages += pages
        return without_texts(decoded.frame, hashed_names(plan.read, self.spec), self.hash_key)

    def _record(self, decoded: Decoded) -> None:
        """Add a page to the report."""
        for column, count in decoded.rounded.items():
            self.report.problems.rounded[column] = self.report.problems.rounded.get(column, 0) + count
        for column, count in decoded.fractions.items():
            self.report.problems.fractions[column] = self.report.problems.fractions.get(column, 0) + count
        for column, count in decoded.left_out.items():
            self.report.problems.left_out[column] = self.report.problems.left_out.get(column, 0) + count
        for column, example in decoded.examples.items():
            if column not in self.noted:
                self.report.note(example)
                self.noted.add(column)
        for column, count in decoded.replaced.items():
            self.report.problems.replaced[column] = self.report.problems.replaced.get(column, 0) + count
        self.report.read.rows += decoded.frame.height
        if DELETED in decoded.frame.columns:
            self.report.read.deleted += int(decoded.frame[DELETED].sum())

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Add this thread's requests to the report, also after an error."""
        with self.client.counting() as traffic:
            try:
                yield
            finally:
                with self._lock:
                    self.report.read.calls += traffic.calls
                    self.report.read.repeated_calls += traffic.repeated_calls
                    self.report.read.waited_seconds += traffic.waited_seconds

    def drop_refused(self, error: FieldInvalid | QueryTooComplicated, plan: ColumnPlan) -> None:
        """Plan the columns again after a query of this plan was refused. Raises: the error, if that changes nothing."""
        with self._lock:
            if self.plan is not plan:  # another thread has dropped a column meanwhile
                return
            if isinstance(error, QueryTooComplicated):
                self._drop_complicated(error)
            else:
                self._drop(error)

    def _drop_complicated(self, error: QueryTooComplicated) -> None:
        """Drop the later half of the calculated columns, which make a query complicated."""
        names = [c.api_name for c in self.plan.read if c.calculated and c.name not in self.spec.required]
        if not names:
            raise error
        left_out = names[len(names) // 2 :]
        self.dropped.update(left_out)
        self.complicated.update(left_out)
        self.report.note(f"The query is too complicated with {', '.join(left_out)}, so it leaves them out: {error}")
        self.plan = self.plan_again(self.dropped)

    def _drop(self, error: FieldInvalid) -> None:
        plan = self.plan_again(self.dropped)
        if plan.read == self.plan.read:
            named = set(error.values.get("columns") or ()) & set(self.columns)  # type: ignore[call-overload]
            if not named:
                raise error
            self.dropped |= named
            plan = self.plan_again(self.dropped)
        self.report.note(f"The org refused a column after describe had shown it: {error}")
        self.plan = plan

    def count(self, where: Sequence[str]) -> int | None:
        """Return COUNT(Id) of a predicate, or None if the org does not answer it."""
        answer = self._ask(select(["COUNT(Id)"], self.spec.sobject, where=[*own_filter(self.spec), *where]))
        return row_count(answer) if len(answer) == 1 else None

    def read_newest_stamp(self) -> datetime | None:
        """Read the greatest stamp of the object, for an org that does not answer aggregates."""
        where = own_filter(self.spec)
        columns = [column for column in self.plan.read if column.api_name in ("Id", self.spec.stamp)]
        names = [column.api_name for column in columns]
        soql = select(names, self.spec.sobject, where=where, order_by=[f"{self.spec.stamp} DESC"], limit=1)
        with self.counted():
            page = next(iter(self.client.read(Query(self.spec.sobject, soql, self.all_rows))))
        frame = decode(page.records, columns, sobject=self.spec.sobject, synced_at=page.requested_at).frame
        stamps: list[datetime] = frame[self.spec.stamp_column].to_list()
        return stamps[0] if stamps else None

    def _ask(self, soql: str) -> tuple[Any, ...]:
        with self.counted():
            (answer,) = self.client.ask([Query(self.spec.sobject, soql, self.all_rows)])
        return (None,) if isinstance(answer, SalesforceError) else tuple(answer.values())

    def empty_frame(self) -> pl.DataFrame:
        """Return a frame without rows, with the columns that are read."""
        return decode(b"[]", self.plan.read, sobject=self.spec.sobject, synced_at=self.report.began_at).frame

    def confirm_complete(self, where: Sequence[str], rows: int) -> bool:
        """Count again and return whether a short result is complete because rows were purged."""
        if not self.holds_all(where, rows):
            return False
        self.report.note(f"Rows of {self.spec.sobject} were purged while they were read; {rows} are left.")
        return True

    def holds_all(self, where: Sequence[str], rows: int) -> bool:
        """Count the rows of a predicate; return whether there are not more than `rows`."""
        count = self.count(where)
        return count is not None and count <= rows

    def incomplete_error(self, rows: int, total: int) -> ResultIncomplete:
        """Return the error of a result that stayed short."""
        return ResultIncomplete(
            f"{self.spec.endpoint}: a result of {self.spec.sobject} announced {total} rows, held {rows}.",
            endpoint=self.spec.endpoint, announced=total, received=rows, soql=self.report.read.soql,
        )  # fmt: skip


def _only(plan: ColumnPlan, names: Collection[str]) -> ColumnPlan:
    return replace(plan, read=tuple(column for column in plan.read if column.api_name in names))
