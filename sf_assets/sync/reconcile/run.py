"""The daily comparison of a merged table with its org, as batches after the ordinary read."""

from collections.abc import Collection, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

import polars as pl

from sf_assets.errors import SalesforceError
from sf_assets.iceberg.model import SYNCED_AT
from sf_assets.iceberg.tables import IcebergTables
from sf_assets.salesforce.replication import DeletedLog, deleted_log
from sf_assets.salesforce.wire import Query
from sf_assets.specs.model import STAMP
from sf_assets.specs.soql import datetime_literal, select, string_literal
from sf_assets.sync.deleted_rows import removes_deleted
from sf_assets.sync.limits import LOOKBACK, pages
from sf_assets.sync.plan import SyncPlan
from sf_assets.sync.preflight import own_filter
from sf_assets.sync.reader import Reader, Rows
from sf_assets.sync.reconcile import compare as names
from sf_assets.sync.reconcile.compare import Differences, compare
from sf_assets.sync.reconcile.method import Method, choose_method
from sf_assets.sync.reconcile.ranges import Range, RangeCount, differs, first_ranges, fits, is_leaf, split
from sf_assets.sync.report import ComparisonLimits, Reconciled, SyncReport
from sf_assets.sync.state import ReadTimes, State
from sf_assets.sync.strategies import Batch, read_by_id

IDS_A_QUERY = 300
"""Ids in one query's IN list: with them the URI stays below Salesforce's 16 KB."""


@dataclass(frozen=True)
class Reconciliation:
    """One comparison. `reader` reads the object's planned columns; its report counts this comparison alone.

    `only_find`: nothing is going to be written, so every difference must be found without a merge.
    """

    plan: SyncPlan
    tables: IcebergTables
    reader: Reader
    report: SyncReport
    state: State
    only_find: bool = False

    def batches(self) -> Iterator[Batch]:
        """Yield the rows that make the table equal to the org, then the final state.

        An org that does not answer leaves the table as it is, and the comparison is due again in the next run.
        """
        self.report.reconciled = Reconciled(self.method.how)
        self.report.problems.out_of_sight = 0
        calls = self.reader.report.read
        try:
            differences = yield from self.find()
            yield from self._resolve(differences)
            yield from self._rows_back_in_sight()
            yield Batch(self.reader.nothing(), self._final())
        except SalesforceError as error:
            self.report.problems.not_compared = str(error)
            self.report.note(f"The table was not compared with the org: {error}")
        finally:
            self.report.reconciled.calls = calls.calls

    @cached_property
    def method(self) -> Method:
        """How the table is compared."""
        chosen = choose_method(
            self.state,
            self.plan.began_at,
            rows=self.table.height,
            refreshed=self.plan.refreshed,
            limits=self.limits,
        )
        return Method("values") if self.only_find and chosen.how == "rows" else chosen

    @property
    def limits(self) -> ComparisonLimits:
        """What the comparison may cost."""
        return self.plan.deployment.comparison

    @cached_property
    def table(self) -> pl.DataFrame:
        """Keys, IsDeleted and SystemModstamp of the table's rows, sorted by Id."""
        scan = self.tables.scan(self.plan.spec.endpoint)
        columns = scan.collect_schema().names()
        wanted = dict.fromkeys([names.ID, *self.plan.spec.keys, names.DELETED, names.STAMP])
        frame = scan.select([name for name in wanted if name in columns]).collect()
        if names.DELETED not in frame.columns:
            frame = frame.with_columns(pl.lit(False).alias(names.DELETED))
        return frame.with_columns(pl.col(names.DELETED).fill_null(False)).sort(names.ID)

    @cached_property
    def log(self) -> DeletedLog | None:
        """What the org's log of deleted rows names, or None if it serves none."""
        client, since = self.reader.client, self.state.counts.deleted_until
        flow = deleted_log(self.plan.spec.sobject, since=since, until=self.plan.began_at, version=client.version)
        try:
            with self.reader.counted():
                return client.drive(flow)
        except SalesforceError:
            return None

    def differences(self) -> Differences:
        """Return what differs, without the rows that are read on the way."""
        self.report.reconciled = Reconciled(self.method.how)
        generator = self.find()
        while True:
            try:
                next(generator)
            except StopIteration as end:
                result: Differences = end.value
                return result

    def find(self) -> Generator[Batch, None, Differences]:
        """Yield rows that are read anyway, and return what differs."""
        if self.method.how == "rows":
            return (yield from self._by_rows())
        if self.method.how == "values":
            return (yield from self._by_values())
        return self._by_counts()

    def _by_rows(self) -> Generator[Batch, None, Differences]:
        """Read every row in full: the merge finds what is news, only surplus rows are left to find."""
        visible = [self.reader.nothing()]
        for rows in read_by_id(self.reader, after=None, rows_expected=self.table.height):
            visible.append(rows.frame)
            yield Batch(rows.frame, None)
        return Differences(surplus=self._compare(visible, self.table).surplus)

    def _by_values(self) -> Generator[Batch, None, Differences]:
        """Read Ids, stamps and the columns that change without a stamp; pass on those of rows that are current."""
        reader = self._narrow(self.method.columns)
        visible = [reader.nothing()]
        for rows in read_by_id(reader, after=None, rows_expected=self.table.height):
            visible.append(_identified(rows))
            if self.method.columns:
                yield Batch(self._current(rows.frame), None)
        return self._compare(visible, self.table)

    def _current(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the rows that the table has in this very version."""
        on = [name for name in (names.ID, names.DELETED, names.STAMP) if name in frame.columns]
        return frame.join(self.table, on=on, how="semi", nulls_equal=True)

    def _by_counts(self) -> Differences:
        """Count live rows by ranges of Ids, and compare the Ids of the ranges that differ."""
        live = self.table.filter(~pl.col(names.DELETED))
        logged = live.filter(pl.col(names.ID).is_in(list(self.log.ids))) if self.log else live.clear()
        live = live.join(logged, on=names.ID, how="anti")
        differences = Differences(surplus=tuple(logged[names.ID]))
        for one, _ in self._differing(live):
            differences += self._compare_range(one, logged)
        return differences

    def _differing(self, live: pl.DataFrame) -> list[tuple[Range, RangeCount]]:
        """Return the small ranges that differ, by splitting the large ones."""
        leaves = list[tuple[Range, RangeCount]]()
        ranges = first_ranges(live)
        settled = self.state.position.tail_from or self.plan.began_at
        while ranges:
            counts = zip(ranges, self._counts(ranges), strict=True)
            wrong = [(one, org) for one, org in counts if differs(one, org, settled=settled)]
            leaves += [(one, org) for one, org in wrong if is_leaf(one, org)]
            ranges = [part for one, org in wrong if not is_leaf(one, org) for part in split(one, live)]
            if not fits(leaves, calls=self.limits.most_calls):
                return self._first_that_fit(leaves)
        return self._first_that_fit(leaves)

    def _first_that_fit(self, leaves: Sequence[tuple[Range, RangeCount]]) -> list[tuple[Range, RangeCount]]:
        """Return as many ranges as fit today's calls; the next run finds the others."""
        chosen = list[tuple[Range, RangeCount]]()
        for leaf in leaves:
            if not fits([*chosen, leaf], calls=self.limits.most_calls - self.reader.report.read.calls):
                self._result.is_partial = True
                break
            chosen.append(leaf)
        return chosen

    def _counts(self, ranges: Sequence[Range]) -> list[RangeCount]:
        spec = self.plan.spec
        live = ["IsDeleted = false"] if spec.has_is_deleted else []
        queries = [
            Query(
                spec.sobject,
                select(["COUNT(Id)", f"MAX({STAMP})"], spec.sobject, where=[*own_filter(spec), *live, *one.where]),
                self.reader.all_rows,
            )
            for one in ranges
        ]
        with self.reader.counted():
            answers = self.reader.client.ask(queries)
        return [_range_count(answer) for answer in answers]

    def _compare_range(self, one: Range, logged: pl.DataFrame) -> Differences:
        reader = self._narrow(())
        last = [f"Id <= {string_literal(one.last)}"] if one.last else []
        visible = [
            _identified(rows) for rows in read_by_id(reader, after=one.after, rows_expected=one.rows, where=last)
        ]
        bounds = [pl.col(names.ID) > one.after] if one.after else []
        bounds += [pl.col(names.ID) <= one.last] if one.last else []
        table = self.table.filter(*bounds) if bounds else self.table
        return self._compare([reader.nothing(), *visible], table.join(logged, on=names.ID, how="anti"))

    def _compare(self, visible: Sequence[pl.DataFrame], table: pl.DataFrame) -> Differences:
        columns = [name for name in (names.ID, names.DELETED, names.STAMP) if name in visible[0].columns]
        org = pl.concat([frame.select(columns) for frame in visible])
        return compare(org, table, keeps_deleted=not removes_deleted(self.plan.spec))

    def _narrow(self, columns: Collection[str]) -> Reader:
        """Return a reader of the identifying columns and these."""
        wanted = {column.api_name for column in self.plan.columns.read if column.name in self.plan.spec.required}
        return self.reader.of_columns(wanted | set(columns))

    def _resolve(self, differences: Differences) -> Iterator[Batch]:
        """Read what differs by Id, and mark live rows that the org does not show as deleted."""
        surplus = self._not_out_of_sight(differences.surplus)
        visible = set[str]()
        for frame in self._read_ids([*differences.outdated, *surplus]):
            visible.update(frame[names.ID])
            self._result.rows_read += frame.height
            yield Batch(frame, None)
        gone = [record_id for record_id in surplus if record_id not in visible]
        if gone and names.DELETED in self.reader.nothing().columns:
            self._result.rows_marked = len(gone)
            yield Batch(self._marked(gone), None)

    def _not_out_of_sight(self, surplus: Sequence[str]) -> list[str]:
        """Return the surplus rows, or only those that the deleted log names if there are too many of them."""
        limit = self.plan.may_vanish
        if limit is None or len(surplus) <= limit:
            return list(surplus)
        logged = self.log.ids if self.log else frozenset[str]()
        unexplained = [record_id for record_id in surplus if record_id not in logged]
        if len(unexplained) <= limit:
            return list(surplus)
        self.report.problems.out_of_sight = len(unexplained)
        return [record_id for record_id in surplus if record_id in logged]

    def _read_ids(self, ids: Sequence[str]) -> Iterator[pl.DataFrame]:
        """Read rows by Id, or the whole object if that costs less."""
        calls = -(-len(ids) // IDS_A_QUERY)
        if calls > pages(max(self.table.height, len(ids))):
            yield from (rows.frame for rows in read_by_id(self.reader, after=None, rows_expected=self.table.height))
            return
        for start in range(0, len(ids), IDS_A_QUERY):
            if self.reader.report.read.calls >= self.limits.most_calls:
                self._result.is_partial = True
                return
            listed = ", ".join(string_literal(record_id) for record_id in ids[start : start + IDS_A_QUERY])
            for rows in self.reader.pages(where=[f"Id IN ({listed})"]):
                yield rows.frame

    def _marked(self, ids: Sequence[str]) -> pl.DataFrame:
        """Return the rows as deleted: keys, the mark, and when that was seen. All other columns stay."""
        keys = list(dict.fromkeys([names.ID, *self.plan.spec.keys]))
        rows = self.table.filter(pl.col(names.ID).is_in(list(ids))).select(keys)
        return rows.with_columns(
            pl.lit(True).alias(names.DELETED),
            pl.lit(self.plan.began_at, dtype=pl.Datetime("us", "UTC")).alias(SYNCED_AT),
        )

    def _rows_back_in_sight(self) -> Iterator[Batch]:
        """Read again what was stamped while rows were out of sight; counts alone do not show those versions."""
        counts, lost = self.state.counts, self.report.problems.out_of_sight
        if counts.sight_lost_since is None or lost >= counts.out_of_sight or self.method.compares_all:
            return
        since = f"{STAMP} >= {datetime_literal(counts.sight_lost_since)}"
        for rows in read_by_id(self.reader, after=None, rows_expected=self.table.height, where=[since]):
            yield Batch(rows.frame, None)

    @property
    def _result(self) -> Reconciled:
        assert self.report.reconciled is not None
        return self.report.reconciled

    def _final(self) -> State:
        """Return the state after the comparison."""
        lost, counts, now = self.report.problems.out_of_sight, self.state.counts, self.plan.began_at
        tail_from = self.state.position.tail_from
        lost_since = counts.sight_lost_since or (tail_from - LOOKBACK if tail_from else now)
        counts = replace(counts, out_of_sight=lost, sight_lost_since=lost_since if lost else None)
        if "log" in self.__dict__ and self.log and self.log.covered_until:
            counts = replace(counts, deleted_until=self.log.covered_until)
        return replace(self.state, counts=counts, times=self._times(now))

    def _times(self, now: datetime) -> ReadTimes:
        """A partial comparison goes on in the next day's calls, but not all Ids were compared."""
        times, method = self.state.times, self.method
        if self._result.is_partial:
            return replace(times, reconciled_at=now)
        is_refreshed = method.how == "rows" or (method.columns and set(method.columns) >= set(self.plan.refreshed))
        return replace(
            times,
            reconciled_at=now,
            ids_compared_at=now if method.compares_all else times.ids_compared_at,
            calculated_at=now if is_refreshed else times.calculated_at,
        )


def _identified(rows: Rows) -> pl.DataFrame:
    columns = [name for name in (names.ID, names.DELETED, names.STAMP) if name in rows.frame.columns]
    return rows.frame.select(columns)


def _range_count(answer: object) -> RangeCount:
    """Return COUNT and MAX, in whatever order they came; an error counts as a range that differs."""
    if not isinstance(answer, dict):
        return RangeCount(None)
    numbers = [value for value in answer.values() if isinstance(value, int | float)]
    texts = [value for value in answer.values() if isinstance(value, str)]
    try:
        return RangeCount(int(numbers[0]), datetime.fromisoformat(texts[0]) if texts else None)
    except (IndexError, ValueError):
        return RangeCount(None)
