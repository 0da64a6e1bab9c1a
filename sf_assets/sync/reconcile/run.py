"""The daily comparison of a merged table with its org, as batches after the ordinary read."""

from collections.abc import Collection, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

import polars as pl

from sf_assets.errors import QueryRefused, SalesforceError
from sf_assets.iceberg.model import SYNCED_AT
from sf_assets.iceberg.tables import IcebergTables
from sf_assets.salesforce.replication import DeletedLog, deleted_log
from sf_assets.salesforce.wire import in_groups
from sf_assets.specs.model import STAMP
from sf_assets.specs.soql import datetime_literal, string_literal
from sf_assets.sync.column_status import with_rows_unread
from sf_assets.sync.deleted_rows import removes_deleted
from sf_assets.sync.limits import LOOKBACK, pages
from sf_assets.sync.plan import SyncPlan
from sf_assets.sync.reader import Reader
from sf_assets.sync.reconcile import compare as names
from sf_assets.sync.reconcile.compare import Differences, compare
from sf_assets.sync.reconcile.method import Method, choose_method
from sf_assets.sync.reconcile.range_comparison import RangeComparison, identifying_columns
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
            yield Batch(self.reader.empty_frame(), self._final())
        except SalesforceError as error:
            self.report.problems.not_compared = str(error)
            self.report.note(f"The table was not compared with the org: {error}")
        finally:
            self.report.reconciled.calls = calls.calls

    @cached_property
    def method(self) -> Method:
        """How the table is compared."""
        method = choose_method(
            self.state,
            self.plan.began_at,
            rows=self.table.height,
            refreshed=self.plan.refreshed,
            limits=self.limits,
        )
        return Method("values") if self.only_find and method.how == "rows" else method

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
        frame = self.tables.read(self.plan.spec.endpoint, scan.select([name for name in wanted if name in columns]))
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
        if self.method.how == "counts":
            try:
                return self._by_counts()
            except QueryRefused as error:
                self._change_to_ids(error)
        return (yield from self._by_values())

    def _change_to_ids(self, error: QueryRefused) -> None:
        """Compare all Ids where the org does not count by ranges. Raises: `error`, if that costs too many calls."""
        if pages(self.table.height) > self.limits.most_calls:
            raise error
        self._result.how = "values"
        self.report.note(f"The table was compared by all Ids instead of counts: {error}")

    def _by_rows(self) -> Generator[Batch, None, Differences]:
        """Read every row in full: the merge finds what is news, except surplus rows."""
        visible = [self.reader.empty_frame()]
        for rows in read_by_id(self.reader, after=None):
            visible.append(rows.frame)
            yield Batch(rows.frame, None)
        differences = self._compare(visible, self.table)
        for frame in visible:
            self._record_oldest(frame.filter(pl.col(names.ID).is_in(list(differences.outdated))))
        return Differences(surplus=differences.surplus)

    def _by_values(self) -> Generator[Batch, None, Differences]:
        """Read Ids, stamps and the columns that change without a stamp.

        Only rows that the table has in this version are passed on.
        """
        reader = self._reader_of(self.method.columns)
        visible = [reader.empty_frame()]
        for rows in read_by_id(reader, after=None):
            visible.append(identifying_columns(rows))
            if self.method.columns:
                yield Batch(self._rows_of_same_version(rows.frame), None)
        return self._compare(visible, self.table)

    def _rows_of_same_version(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the rows that the table has in the same version: Id, IsDeleted and stamp."""
        on = [name for name in (names.ID, names.DELETED, names.STAMP) if name in frame.columns]
        return frame.join(self.table, on=on, how="semi", nulls_equal=True)

    def _by_counts(self) -> Differences:
        """Count live rows by ranges of Ids, and compare the ranges that differ."""
        live = self.table.filter(~pl.col(names.DELETED))
        logged = live.filter(pl.col(names.ID).is_in(list(self.log.ids))) if self.log else live.clear()
        live = live.join(logged, on=names.ID, how="anti")
        differences = Differences(surplus=tuple(logged[names.ID]))
        settled = self.state.position.tail_from or self.plan.began_at  # the table has been read up to this stamp
        comparison = RangeComparison(self.plan, self._reader_of(()), live, settled=settled, result=self._result)
        table = self.table.join(logged, on=names.ID, how="anti")
        for one in comparison.find_ranges():
            visible = [self._reader_of(()).empty_frame(), *comparison.read_range(one)]
            differences += self._compare(visible, table.filter(*one.bounds) if one.bounds else table)
        return differences

    def _compare(self, visible: Sequence[pl.DataFrame], table: pl.DataFrame) -> Differences:
        columns = [name for name in (names.ID, names.DELETED, names.STAMP) if name in visible[0].columns]
        org = pl.concat([frame.select(columns) for frame in visible])
        return compare(org, table, keeps_deleted=not removes_deleted(self.plan.spec))

    def _reader_of(self, columns: Collection[str]) -> Reader:
        """Return a reader of these columns and of those that identify a row."""
        wanted = {column.api_name for column in self.plan.columns.read if column.name in self.plan.spec.required}
        return self.reader.of_columns(wanted | set(columns))

    def _resolve(self, differences: Differences) -> Iterator[Batch]:
        """Read what differs by Id, and mark rows that the org does not show."""
        to_read = [*differences.outdated, *self._not_out_of_sight(differences.surplus)]
        surplus = set(differences.surplus)
        for ids in in_groups(to_read, self._group_size(to_read)):
            if self._record_spent():
                return
            missing = surplus & set(ids)
            for frame in self._by_ids(ids):
                missing -= set(frame[names.ID])
                self._result.rows_read += frame.height
                self._record_oldest(frame)
                yield Batch(frame, None)
            yield from self._marks(missing)

    def _group_size(self, to_read: Sequence[str]) -> int:
        """Return how many Ids are read at a time. All, if the whole object costs fewer calls."""
        is_many = len(to_read) > IDS_A_QUERY * pages(max(self.table.height, len(to_read)))
        return len(to_read) if is_many else IDS_A_QUERY

    def _record_spent(self) -> bool:
        """Return whether today's calls are used up, and record it. The next day's comparison finds the rest."""
        is_spent = self.reader.report.read.calls >= self.limits.most_calls
        self._result.is_partial |= is_spent
        return is_spent

    def _by_ids(self, ids: Sequence[str]) -> Iterator[pl.DataFrame]:
        if len(ids) > IDS_A_QUERY:
            return (rows.frame for rows in read_by_id(self.reader, after=None))
        listed = ", ".join(string_literal(record_id) for record_id in ids)
        return (rows.frame for rows in self.reader.pages(where=[f"Id IN ({listed})"]))

    def _not_out_of_sight(self, surplus: Sequence[str]) -> list[str]:
        """Return the surplus rows, or if too many only those in the deleted log."""
        limit = self.plan.may_vanish
        if limit is None or len(surplus) <= limit:
            return list(surplus)
        logged = self.log.ids if self.log else frozenset[str]()
        unexplained = [record_id for record_id in surplus if record_id not in logged]
        if len(unexplained) <= limit:
            return list(surplus)
        self.report.problems.out_of_sight = len(unexplained)
        return [record_id for record_id in surplus if record_id in logged]

    def _marks(self, missing: Collection[str]) -> Iterator[Batch]:
        """Yield the rows as deleted: keys, the mark, and when that was seen."""
        if not missing or names.DELETED not in self.reader.empty_frame().columns:
            return
        self._result.rows_marked += len(missing)
        keys = list(dict.fromkeys([names.ID, *self.plan.spec.keys]))
        rows = self.table.filter(pl.col(names.ID).is_in(list(missing))).select(keys)
        deleted, seen_at = pl.lit(True), pl.lit(self.plan.began_at, dtype=pl.Datetime("us", "UTC"))
        yield Batch(rows.with_columns(deleted.alias(names.DELETED), seen_at.alias(SYNCED_AT)), None)

    def _rows_back_in_sight(self) -> Iterator[Batch]:
        """Read again the rows that were stamped while rows were out of sight.

        Counts do not show that the table has other versions of them.
        """
        counts, lost = self.state.counts, self.report.problems.out_of_sight
        if counts.sight_lost_since is None or lost >= counts.out_of_sight or self._compares_all:
            return
        since = f"{STAMP} >= {datetime_literal(counts.sight_lost_since)}"
        for rows in read_by_id(self.reader, after=None, where=[since]):
            self._record_oldest(rows.frame)
            yield Batch(rows.frame, None)

    def _record_oldest(self, frame: pl.DataFrame) -> None:
        """Record the oldest stamp of rows that differed.

        Columns that are hidden now were not read again: from this stamp on they are out of date.
        """
        stamps = [stamp for stamp in (self._result.oldest, frame[names.STAMP].min()) if stamp is not None]
        self._result.oldest = min(stamps, default=None)  # type: ignore[assignment]

    @property
    def _compares_all(self) -> bool:
        """Whether every row of the org is compared."""
        return self._result.how != "counts"

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
        has_log = "log" in self.__dict__ and self.log is not None and not self._result.is_partial
        if has_log and self.log and self.log.covered_until:
            counts = replace(counts, deleted_until=self.log.covered_until)
        state = self.state
        if self._result.oldest is not None:
            state = with_rows_unread(state, self.reader.columns, since=self._result.oldest)
        return replace(state, counts=counts, times=self._times(now))

    def _times(self, now: datetime) -> ReadTimes:
        """Return the times after the comparison. A partial one compared not all Ids."""
        times, method = self.state.times, self.method
        if self._result.is_partial:
            return replace(times, reconciled_at=now)
        is_refreshed = method.how == "rows" or (method.columns and set(method.columns) >= set(self.plan.refreshed))
        is_refreshed = is_refreshed and not self.reader.dropped
        return replace(
            times,
            reconciled_at=now,
            ids_compared_at=now if self._compares_all else times.ids_compared_at,
            calculated_at=now if is_refreshed else times.calculated_at,
        )
