"""The batches of one planned sync. An object that turns out to be off is treated like one that was off before."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from sf_assets.errors import ObjectUnavailable
from sf_assets.iceberg.tables import IcebergTables
from sf_assets.salesforce.client import Client
from sf_assets.sync.columns import ColumnPlan
from sf_assets.sync.decide import Step
from sf_assets.sync.endpoint_report import record_columns, record_org
from sf_assets.sync.memory import bound_malloc
from sf_assets.sync.plan import SyncPlan, endpoint_columns
from sf_assets.sync.reader import Reader
from sf_assets.sync.reconcile.compare import Differences
from sf_assets.sync.reconcile.method import is_comparison_due, without_comparison
from sf_assets.sync.reconcile.run import Reconciliation
from sf_assets.sync.report import ReadTotals, SyncReport
from sf_assets.sync.state import State, at_walk
from sf_assets.sync.strategies import Batch, reread, tail, walk, whole
from sf_assets.sync.transitions import not_ahead

COMMITS = 22
"""A long read commits this many times: a kill costs a twentieth, and the files are few enough to stay as they are."""
LEAST_COMMIT_ROWS = 20_000


def commit_rows(planned: int | None, *, most: int) -> int:
    """Return after how many rows a long read commits."""
    return min(most, max(LEAST_COMMIT_ROWS, (planned or 0) // COMMITS))


@dataclass(frozen=True)
class EndpointRead:
    """The read of one plan."""

    plan: SyncPlan
    tables: IcebergTables
    client: Client
    report: SyncReport
    watch: Callable[[SyncReport], None]

    def batches(self) -> Iterator[Batch]:
        """Yield what is read, then what the daily comparison finds. The last batch's state is the final state."""
        state: State | None = None
        for batch in self._batches():
            state = batch.state or state
            yield batch  # a batch with a state is committed before the next one is asked for
        if state is not None and self._compares(state):
            yield from self._reconciliation(state).batches()

    def differences(self) -> Differences | None:
        """Compare the table with the org and write nothing.

        None: the table has not been read completely.
        """
        state = self.plan.base
        if state is None or not self._compares(state):
            return None
        return replace(self._reconciliation(state), only_find=True).differences()

    def _compares(self, state: State) -> bool:
        """Return whether the table is compared with the org after this read."""
        plan, now = self.plan, self.plan.began_at
        if plan.spec.how == "snapshot" or plan.step is None or self.report.kind == "unavailable":
            return False
        if plan.step.kind == "replace":
            return False  # every row was just read, and a replace takes no row twice
        if plan.spec.is_append_only:
            return False
        is_requested = plan.run.reconcile or plan.run.confirm_shrink
        if not is_comparison_due(without_comparison(state) if is_requested else state, now):
            return False
        return self.tables.facts(plan.spec.endpoint) is not None  # a first read without rows has made no table yet

    def _reconciliation(self, state: State) -> Reconciliation:
        counted = replace(self.report, read=ReadTotals())
        reader = replace(self._reader(), report=counted, reserve=self.plan.deployment.quota_reserve)
        return Reconciliation(self.plan, self.tables, reader, self.report, state)

    def _batches(self) -> Iterator[Batch]:
        bound_malloc()
        plan, step = self.plan, self.plan.step
        if plan.unavailable:
            yield self._without_rows(plan.untouched)
        elif step is None:
            yield from self._reread()
        elif step.kind == "unchanged":
            yield self._without_rows(plan.base or plan.blank)
        else:
            yield from self._read(step)

    def _without_rows(self, state: State) -> Batch:
        return Batch(None, state)

    def _reread(self) -> Iterator[Batch]:
        base = self.plan.base
        assert base is not None  # the plan has refused it otherwise
        yield from reread(self._reader(), base, since=self.plan.run.since, until=self.plan.run.until)

    def _read(self, step: Step) -> Iterator[Batch]:
        reader = self._reader()
        try:
            yield from self._by_step(reader, step)
        except ObjectUnavailable as error:
            if step.kind == "replace" and self.report.read.pages:
                raise  # the table would be made equal to what came so far, and lose the rest
            self.report.kind, self.report.problems.unavailable = "unavailable", str(error)
            yield self._without_rows(self.plan.untouched)
        finally:
            record_org(self.report, self.client, self.plan)
            record_columns(self.report, self.plan, reader.plan, reader.dropped, reader.complicated)

    def _by_step(self, reader: Reader, step: Step) -> Iterator[Batch]:
        plan, probe, filter_ = self.plan, self.plan.probe, self.plan.spec.query.where
        base = plan.base or plan.blank
        self.report.planned.rows = plan.rows_planned
        reader.commit_rows = commit_rows(self.report.planned.rows, most=plan.deployment.commit_rows)
        ceiling = not_ahead(probe.ceiling if probe else self._newest_stamp(reader), plan.began_at)
        expected = probe.count if probe else None
        if step.walk:
            start = step.walk if step.walk.is_begun else replace(step.walk, ceiling=ceiling)
            return walk(reader, at_walk(base, start), ceiling=ceiling, rows_expected=expected, filter=filter_)
        if step.kind == "tail":
            last = probe if self._is_explained() else None
            return tail(reader, base, step, ceiling=ceiling, began_at=plan.began_at, last_probe=last)
        is_snapshot = plan.spec.how == "snapshot"
        return whole(
            reader, base, ceiling=ceiling, began_at=plan.began_at, filter=filter_, rows_expected=expected,
            last_probe=probe if is_snapshot else None, by_ids=not is_snapshot,
        )  # fmt: skip

    def _newest_stamp(self, reader: Reader) -> datetime | None:
        return None if self.plan.is_unordered else reader.read_newest_stamp()

    def _is_explained(self) -> bool:
        """Return whether the table may hold another number of rows than the probe counts.

        It keeps purged rows, or it removes deleted rows that the org still counts.
        """
        window, probe = self.plan.window, self.plan.probe
        if not window or not probe:
            return False
        return self.plan.spec.deleted == "remove" or window[0] > probe.count

    def _reader(self) -> Reader:
        plan = self.plan
        return Reader(
            plan.spec, self.client, self.report, plan.columns,
            all_rows=plan.deployment.read_deleted and plan.spec.has_is_deleted,
            commit_rows=plan.deployment.commit_rows, reserve=plan.reserve, plan_again=self._plan_again,
            watch=self.watch, hash_key=plan.deployment.hash_key, lanes=plan.deployment.lanes,
            bulk=plan.deployment.bulk_limits if plan.uses_bulk_job else None,
        )  # fmt: skip

    def _plan_again(self, dropped: Collection[str]) -> ColumnPlan:
        """Plan the columns again after the org refused one. A column that came meanwhile waits for the next sync."""
        plan, sobject = self.plan, self.plan.spec.sobject
        described = self.client.describe([sobject], fresh=not dropped)[sobject]
        refused = plan.base.columns.refused if plan.base else {}
        columns = endpoint_columns(plan.spec, described, plan.deployment, dropped=[*refused, *dropped])
        names = set(columns.read_names)
        return replace(columns, read=tuple(column for column in plan.columns.read if column.api_name in names))
