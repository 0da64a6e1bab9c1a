"""Counts of live rows by ranges of Ids: the ranges in which table and org differ."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from sf_assets.errors import QueryRefused
from sf_assets.salesforce.aggregates import row_count
from sf_assets.salesforce.wire import Query
from sf_assets.specs.model import STAMP
from sf_assets.specs.soql import select, string_literal
from sf_assets.sync.plan import SyncPlan
from sf_assets.sync.preflight import own_filter
from sf_assets.sync.reader import Reader, Rows
from sf_assets.sync.reconcile import compare as names
from sf_assets.sync.reconcile.ranges import Range, RangeCount, differs, first_ranges, fits, is_leaf, split
from sf_assets.sync.report import Reconciled
from sf_assets.sync.state_parts import utc_moment
from sf_assets.sync.strategies import read_by_id

SUSPICIOUS = 1.5
"""If the ranges have this many times the rows of the object, each counts rows of others."""
Leaf = tuple[Range, RangeCount]


@dataclass(frozen=True)
class RangeComparison:
    """A search for small ranges that differ, by splitting large ones.

    `live`: the table's live rows, sorted by Id. `settled`: the stamp up to which the table has been read.
    """

    plan: SyncPlan
    reader: Reader
    live: pl.DataFrame
    settled: datetime
    result: Reconciled

    def find_ranges(self) -> list[Range]:
        """Return the first small ranges that differ, as many as today's calls allow.

        Raises:
            QueryRefused: the org's counts of the ranges cannot be those of ranges.
        """
        leaves, open_ranges = list[Leaf](), self._wrong(first_ranges(self.live), is_first=True)
        while open_ranges and fits(leaves, calls=self._most_calls - 1):
            one, org = open_ranges.pop(0)
            if is_leaf(one, org):
                leaves.append((one, org))
            else:
                open_ranges = self._wrong(split(one, self.live)) + open_ranges
        self.result.is_partial |= bool(open_ranges)
        return self._affordable(leaves)

    def _wrong(self, ranges: Sequence[Range], *, is_first: bool = False) -> list[Leaf]:
        """Return the ranges that differ, with the org's counts."""
        counts = self._counts(ranges)
        if is_first:
            self._refuse_ignored_bounds(counts)
        pairs = zip(ranges, counts, strict=True)
        return [(one, org) for one, org in pairs if differs(one, org, settled=self.settled)]

    def _refuse_ignored_bounds(self, counts: Sequence[RangeCount]) -> None:
        """Raise if the org counts rows in several ranges. Where there are far too many, all rows are counted too."""
        counted = sum(org.count or 0 for org in counts)
        if counted <= SUSPICIOUS * self.live.height:
            return
        total = self.reader.count(self._live)
        if total is not None and counted > SUSPICIOUS * total:
            raise QueryRefused(
                f"the org counts {counted:,} rows of {self.plan.spec.sobject} in ranges of Ids, and {total:,} in all:"
                " it ignores the bounds of the ranges"
            )

    def read_range(self, one: Range) -> Iterator[pl.DataFrame]:
        """Yield Id, IsDeleted and SystemModstamp of the org's rows in a range.

        Raises:
            QueryRefused: the org has rows in the range that the table has in others. It orders Ids in another way.
        """
        last = [f"Id <= {string_literal(one.last)}"] if one.last else []
        for rows in read_by_id(self.reader, after=one.after, where=last):
            page = identifying_columns(rows)
            inside = page.filter(*one.bounds) if one.bounds else page
            if inside.height < page.height:
                raise QueryRefused(f"the org does not order the Ids of {self.plan.spec.sobject} by their characters")
            yield page

    @property
    def _live(self) -> list[str]:
        return ["IsDeleted = false"] if self.plan.spec.has_is_deleted else []

    @property
    def _most_calls(self) -> int:
        return self.plan.deployment.comparison.most_calls - self.reader.report.read.calls

    def _affordable(self, leaves: Sequence[Leaf]) -> list[Range]:
        """Return the first ranges that fit today's calls; the next day finds the others."""
        affordable = list[Leaf]()
        for leaf in leaves:
            if not fits([*affordable, leaf], calls=self._most_calls):
                self.result.is_partial = True
                break
            affordable.append(leaf)
        return [one for one, _ in affordable]

    def _counts(self, ranges: Sequence[Range]) -> list[RangeCount]:
        queries = [self._count_query(one) for one in ranges]
        with self.reader.counted():
            answers = self.reader.client.ask(queries)
        return [range_count(answer) for answer in answers]

    def _count_query(self, one: Range) -> Query:
        spec = self.plan.spec
        where = [*own_filter(spec), *self._live, *one.where]
        soql = select(["COUNT(Id)", f"MAX({STAMP})"], spec.sobject, where=where)
        return Query(spec.sobject, soql, self.reader.all_rows)


def identifying_columns(rows: Rows) -> pl.DataFrame:
    """Return the columns of a page that identify a version of a row."""
    columns = [name for name in (names.ID, names.DELETED, names.STAMP) if name in rows.frame.columns]
    return rows.frame.select(columns)


def range_count(answer: object) -> RangeCount:
    """Return COUNT and MAX, in whatever order they came.

    An error counts as a range that differs.
    """
    values = answer.values() if isinstance(answer, dict) else ()
    texts = [value for value in values if isinstance(value, str)]
    try:
        return RangeCount(row_count(values), utc_moment(texts[0]) if texts else None)
    except ValueError:
        return RangeCount(None)
