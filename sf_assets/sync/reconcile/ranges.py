"""Ranges of Ids with what the table holds in each. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from sf_assets.salesforce.limits import PAGE_ROWS
from sf_assets.specs.soql import string_literal
from sf_assets.sync.reconcile.compare import ID, STAMP

FANOUT = 5
"""Parts of a range that differs: five counts are one call."""
RANGE_ROWS = 50_000
"""Rows of a range of the first level, at least."""
FIRST_RANGES = 20


@dataclass(frozen=True)
class Range:
    """The Ids after `after` up to and with `last` (None: no bound), and the table's live rows among them.

    `start` and `end` are their places in the sorted frame of live rows.
    """

    after: str | None
    last: str | None
    start: int
    end: int
    newest: datetime | None = None

    @property
    def rows(self) -> int:
        """Live rows of the table in the range."""
        return self.end - self.start

    @property
    def where(self) -> list[str]:
        """The SOQL conditions of the range."""
        bounds = ((">", self.after), ("<=", self.last))
        return [f"Id {sign} {string_literal(bound)}" for sign, bound in bounds if bound is not None]

    @property
    def bounds(self) -> list[pl.Expr]:
        """The conditions of the range on the table's rows."""
        after = [pl.col(ID) > self.after] if self.after is not None else []
        return after + ([pl.col(ID) <= self.last] if self.last is not None else [])


@dataclass(frozen=True)
class RangeCount:
    """The org's COUNT and MAX(SystemModstamp) of the live rows of a range; None: it did not answer."""

    count: int | None
    newest: datetime | None = None


def first_ranges(live: pl.DataFrame) -> list[Range]:
    """Return the ranges to count first. One for 50,000 rows, 5 to 20 in all."""
    parts = min(FIRST_RANGES, max(FANOUT, -(-live.height // RANGE_ROWS)))
    return split(Range(None, None, 0, live.height), live, parts)


def split(whole: Range, live: pl.DataFrame, parts: int = FANOUT) -> list[Range]:
    """Return the range in parts of as many live rows each. `live`: all live rows of the table, sorted by Id."""
    parts = max(1, min(parts, whole.rows))
    cuts = [whole.start + whole.rows * part // parts for part in range(parts + 1)]
    ids, ranges, after = live[ID], list[Range](), whole.after
    for start, end in zip(cuts, cuts[1:], strict=False):
        last = whole.last if end == whole.end else ids[end - 1]
        newest = live[STAMP].slice(start, end - start).max() if end > start else None
        ranges.append(Range(after, last, start, end, newest))  # type: ignore[arg-type]
        after = last
    return ranges


def differs(table: Range, org: RangeCount, *, settled: datetime) -> bool:
    """Return whether the org holds other live rows than the table.

    A newer stamp counts only up to `settled`: what changed later is read by the next tail.
    """
    if org.count != table.rows:
        return True
    return org.newest is not None and org.newest != table.newest and org.newest <= settled


def is_leaf(table: Range, org: RangeCount) -> bool:
    """Return whether the range is so small that its Ids are read."""
    return table.rows <= 1 or max(table.rows, org.count or 0) <= PAGE_ROWS


def fits(ranges: Sequence[tuple[Range, RangeCount]], *, calls: int) -> bool:
    """Return whether reading the ranges, Ids and then rows, fits this many calls."""
    return sum(1 + (-(-max(one.rows, org.count or 0) // PAGE_ROWS) or 1) for one, org in ranges) <= calls
