"""The rows of a tail in the order of their stamps, and the row after which an interrupted tail resumes."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from sf_assets.errors import LocatorLost
from sf_assets.specs.soql import datetime_literal, string_literal
from sf_assets.sync.column_status import revealed_columns
from sf_assets.sync.decide import Step
from sf_assets.sync.limits import TRIES
from sf_assets.sync.reader import Reader, Rows
from sf_assets.sync.state import Resume, State
from sf_assets.sync.transitions import checkpoint


@dataclass
class ResumeMarks:
    """A tail's pages and its resume mark.

    A mark is the last row with a stamp before `below`. It is `confirmed` once the org counts no more rows up to it
    than were read: a page in the middle of a result may lack rows, and only the end of the result shows it.
    """

    reader: Reader
    base: State
    step: Step
    below: datetime | None
    confirmed: Resume | None = None
    _last: Resume | None = None
    _rows: int = 0
    _is_ordered: bool = True
    _where: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.confirmed = self.step.resume

    def pages(self) -> Iterator[Rows]:
        """Yield the pages. Raises: ResultIncomplete, when the result stays short."""
        for _ in range(TRIES):
            rows, total = 0, 0
            self._begin()
            try:
                for page in self.reader.pages(where=self._where, order_by=[self.reader.spec.stamp, "Id"]):
                    rows, total = rows + page.frame.height, page.total
                    self._add(page.frame)
                    yield page
            except LocatorLost:
                self.confirm()
                continue
            if rows >= total or self.reader.confirm_complete(self._where, rows):
                return
        raise self.reader.incomplete_error(rows, total)

    def confirm(self) -> Resume | None:
        """Count the rows up to the last mark; return the last confirmed mark."""
        mark = self._last
        is_new = mark is not None and mark != self.confirmed
        if mark and is_new and self.reader.holds_all([*self._where, _until(self.reader.spec.stamp, mark)], self._rows):
            self.confirmed = mark
        return self.confirmed

    def _begin(self) -> None:
        """Start a query after the last confirmed mark."""
        self._where = [_since(self.reader.spec.stamp, self.step.lower, self.confirmed)]
        self._last, self._rows, self._is_ordered = None, 0, True

    def _add(self, frame: pl.DataFrame) -> None:
        """Move the mark to the last safe row, if the org orders its rows."""
        rows = frame.select(pl.col(self.reader.spec.stamp_column).alias("stamp"), "id")
        index = checkpoint(rows["stamp"].to_list(), rows["id"].to_list(), below=self.below)
        if index is None or self.step.lower is None or not self._is_ordered:
            return
        safe = rows.filter(pl.col("stamp") < self.below)
        self._is_ordered = _is_ascending(self._last, safe)
        if self._is_ordered:
            self._rows += safe.height
            revealed = revealed_columns(self.base, self.reader.columns)
            self._last = Resume(rows["stamp"][index], rows["id"][index], self.step.lower, revealed)


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
