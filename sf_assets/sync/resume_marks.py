"""The rows of a tail in the order of their stamps, and the row after which an interrupted tail resumes."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from sf_assets.errors import LocatorLost, SfAssetsError
from sf_assets.specs.soql import datetime_literal, string_literal
from sf_assets.sync.column_status import revealed_columns
from sf_assets.sync.decide import Step
from sf_assets.sync.limits import TRIES
from sf_assets.sync.reader import Reader, Rows
from sf_assets.sync.state import Resume, State
from sf_assets.sync.transitions import checkpoint

BOUND_IGNORED = "a lower bound of stamps"


@dataclass
class ResumeMarks:
    """A tail's pages and its resume mark.

    A mark is the last row with a stamp before `below`. It is `confirmed` once the org counts no more rows from the last
    confirmed mark up to it than were read: a page in the middle of a result may lack rows, and only the end of the
    result shows it. Only these rows are counted, since an earlier row that is purged would hide one that lacks. Once
    the org counts more, no later mark of the result is confirmed.
    If a cursor is lost, the next query goes on after the last row that was read, if nothing before it is missing.
    """

    reader: Reader
    base: State
    step: Step
    below: datetime | None
    confirmed: Resume | None = None
    _start: Resume | None = None
    _last: Resume | None = None
    _rows: int = 0
    _confirmed_rows: int = 0
    _is_ordered: bool = True
    _is_short: bool = False
    _end: Resume | None = None
    _end_rows: int = 0
    _where: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.confirmed = self._start = self.step.resume

    def pages(self) -> Iterator[Rows]:
        """Yield the pages. Raises: ResultIncomplete, or LocatorLost where no query gets further."""
        tries = 0
        while True:
            try:
                rows, total = yield from self._query()
                error: SfAssetsError = self.reader.incomplete_error(rows, total)
                if rows >= total or self.reader.confirm_complete(self._rest(), rows - self._confirmed_rows):
                    return
            except LocatorLost as lost:
                error = lost
            tries = 0 if isinstance(error, LocatorLost) and self._go_on() else tries + 1
            if tries == TRIES:
                raise error

    def _query(self) -> Generator[Rows, None, tuple[int, int]]:
        """Yield the pages of one query; return the numbers of rows read and announced."""
        rows, total = 0, 0
        self._begin()
        for page in self.reader.pages(where=self._where, order_by=[self.reader.spec.stamp, "Id"]):
            rows, total = rows + page.frame.height, page.total
            self._add(page.frame)
            yield page
        return rows, total

    def confirm(self) -> Resume | None:
        """Count the rows up to the last mark; return the last confirmed mark."""
        mark = self._last
        if mark is None or mark == self.confirmed or self._is_short:
            return self.confirmed
        if self.reader.holds_all(self._rest(mark), self._rows - self._confirmed_rows):
            self.confirmed, self._start, self._confirmed_rows = mark, mark, self._rows
        else:
            self._is_short = True
        return self.confirmed

    def _go_on(self) -> bool:
        """Move the next start to the last row read; return whether it could."""
        if self._end is None or self._is_short:
            return False
        if not self.reader.holds_all(self._rest(self._end), self._end_rows - self._confirmed_rows):
            return False
        self._start, self.confirmed = self._end, self._last or self.confirmed
        return True

    def _rest(self, until: Resume | None = None) -> list[str]:
        """Return the predicate of the rows after the last confirmed mark, up to another."""
        name = self.reader.spec.stamp
        return [_since(name, self.step.lower, self._start), *([_until(name, until)] if until else [])]

    def _begin(self) -> None:
        """Start a query."""
        self._where = [_since(self.reader.spec.stamp, self.step.lower, self._start)]
        self._last, self._rows, self._is_ordered, self._is_short = None, 0, True, False
        self._confirmed_rows = 0
        self._end, self._end_rows = None, 0

    def _add(self, frame: pl.DataFrame) -> None:
        """Move the mark to the last safe row, if the org orders its rows."""
        rows = frame.select(pl.col(self.reader.spec.stamp_column).alias("stamp"), "id")
        self._add_end(rows)
        self._note_ignored_bound(rows["stamp"])
        index = checkpoint(rows["stamp"].to_list(), rows["id"].to_list(), below=self.below)
        if index is None or self.step.lower is None or not self._is_ordered:
            return
        safe = rows.filter(pl.col("stamp") < self.below)
        self._is_ordered = _is_ascending(self._last, safe)
        if self._is_ordered:
            self._rows += safe.height
            revealed = revealed_columns(self.base, self.reader.columns)
            self._last = Resume(rows["stamp"][index], rows["id"][index], self.step.lower, revealed)

    def _add_end(self, rows: pl.DataFrame) -> None:
        """Move the end to the last row, while rows are in order."""
        is_first, lower = not self._end_rows, self.step.lower
        self._end_rows += rows.height
        if not rows.height or lower is None:
            return
        is_ordered = (is_first or self._end is not None) and _is_ascending(self._end, rows)
        stamp, record_id = rows.row(-1)
        self._end = Resume(stamp, record_id, lower) if is_ordered else None

    def _note_ignored_bound(self, stamps: pl.Series) -> None:
        """Name an org that sends rows from before the stamp that it was asked for."""
        name, oldest = self.reader.spec.stamp, stamps.min()
        is_ignored = oldest is not None and self.step.lower is not None and oldest < self.step.lower  # type: ignore[operator]
        if is_ignored and BOUND_IGNORED not in self.reader.noted:
            self.reader.noted.add(BOUND_IGNORED)
            self.reader.report.note(f"The org ignored `{name} >=`: each sync with news reads the whole object.")


def _since(name: str, lower: datetime | None, resume: Resume | None) -> str:
    assert lower is not None
    if resume is None:
        return f"{name} >= {datetime_literal(lower)}"
    stamp = datetime_literal(resume.stamp)
    return f"({name} > {stamp} OR ({name} = {stamp} AND Id > {string_literal(resume.id)}))"


def _until(name: str, mark: Resume) -> str:
    stamp = datetime_literal(mark.stamp)
    return f"({name} < {stamp} OR ({name} = {stamp} AND Id <= {string_literal(mark.id)}))"


def _is_ascending(last: Resume | None, rows: pl.DataFrame) -> bool:
    """Return whether rows ascend by stamp, and within a stamp by Id."""
    if last is not None:
        row = pl.DataFrame({"stamp": [last.stamp], "id": [last.id]}, schema=rows.schema)
        rows = pl.concat([row, rows])
    stamp, record_id = pl.col("stamp"), pl.col("id")
    orders = (record_id, record_id.str.to_lowercase())
    ascending = [(stamp > stamp.shift()) | ((stamp == stamp.shift()) & (order > order.shift())) for order in orders]
    return any(rows.select(order.fill_null(True).all()).item() for order in ascending)
