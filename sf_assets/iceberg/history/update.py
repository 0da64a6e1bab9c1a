"""Bring the history of a table up to its current snapshot, in one commit of rows and state together."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot

from sf_assets.iceberg.catalog import keys_of, provisional_of
from sf_assets.iceberg.commit.casting import complete
from sf_assets.iceberg.commit.commit_state import commit_state
from sf_assets.iceberg.commit.data_files import POSITION
from sf_assets.iceberg.commit.manifests import Manifests
from sf_assets.iceberg.commit.pending_commit import CommitResult, PendingCommit
from sf_assets.iceberg.commit.schema_evolution import Evolution
from sf_assets.iceberg.commit.table_state import check_base, concurrent_commit_error
from sf_assets.iceberg.commit.transaction import ConcurrentCommit
from sf_assets.iceberg.history.columns import HistoryColumns, plan_columns
from sf_assets.iceberg.history.file_changes import file_changes
from sf_assets.iceberg.history.last_versions import last_versions
from sf_assets.iceberg.history.lineage import Lineage, Step
from sf_assets.iceberg.history.model import CHANGE, DELETE, NOTE, NUMBER, OWN_COLUMNS, SNAPSHOT, SOURCE
from sf_assets.iceberg.history.row_changes import RowChanges, content_columns, index, rows_at
from sf_assets.iceberg.history.row_source import Rows, RowSource
from sf_assets.iceberg.history_state import HistoryState
from sf_assets.iceberg.model import SYNCED_AT

OWN_NAMES = frozenset(column.name for column in OWN_COLUMNS)


@dataclass
class HistoryUpdate:
    """One update. `state`: that of the history. `now`: its time, and the time by which its snapshots expire."""

    table: Table
    history: Table
    name: str
    lineage: Lineage
    state: HistoryState | None
    summary: Mapping[str, str]
    now: datetime
    expires: bool = True

    def __post_init__(self) -> None:
        self.changes: Counter[str] = Counter()
        self._keys = keys_of(self.table)
        self._manifests = Manifests(self.table.io)
        self._columns = self._plan_columns()
        self._number = self.state.number if self.state else 0

    def run(self) -> tuple[Table, CommitResult | None]:
        """Write the changes of all steps. Raises: CommitConflict if another run was faster."""
        base = None if self.state is None else self.state.to_json()
        check_base(self.history, base, name=self.name)
        pending = PendingCommit(self.history, self._columns.evolution)
        try:
            for frame in self._frames(pending):
                pending.add(complete(frame, pending.types))
            if pending.is_empty:
                return self._commit_state(base), None
            result = self._commit(pending)
        except ConcurrentCommit:
            raise concurrent_commit_error(self.history, name=self.name) from None
        finally:
            pending.discard()
        return result.table, result

    def _commit(self, pending: PendingCommit) -> CommitResult:
        notes = {NOTE: " ".join(self.lineage.notes)} if self.lineage.notes else {}
        return pending.commit(
            state=self._next_state(),
            summary={**self.summary, **notes},
            now=self.now if self.expires else None,
            properties=self._columns.property(),
        )

    def _commit_state(self, base: str | None) -> Table:
        """Store that the snapshots were used. They changed no row."""
        catalog, identifier = self.history.catalog, self.history.name()
        return commit_state(
            load=lambda: catalog.load_table(identifier),
            plan=lambda _: Evolution(),
            base=base,
            state=self._next_state(),
            table=self.name,
        )

    def _next_state(self) -> str:
        last = self.lineage.steps[-1].after
        uuid, sequence = str(self.table.metadata.table_uuid), last.sequence_number or 0
        return HistoryState(uuid, last.snapshot_id, sequence, self._number).to_json()

    def _plan_columns(self) -> HistoryColumns:
        schemas = [self._schema(step) for step in self.lineage.steps]
        return plan_columns(self.history, [*schemas, self.table.schema()], provisional=provisional_of(self.table))

    def _schema(self, step: Step) -> Schema:
        """Return the schema of a step. A rollback of rows leaves the table its present columns."""
        schema_id = step.after.schema_id
        if step.source == "rollback" or schema_id is None:
            return self.table.schema()
        return self.table.schemas()[schema_id]

    def _frames(self, pending: PendingCommit) -> Iterator[pl.DataFrame]:
        for step in self.lineage.steps:
            if not step.changes_rows:
                continue
            self._number += 1
            for frame in self._changes(step, pending):
                self.changes.update(dict(frame[CHANGE].value_counts().iter_rows()))
                yield frame.with_columns(
                    pl.lit(self._number, dtype=pl.Int64).alias(NUMBER),
                    pl.lit(step.after.snapshot_id, dtype=pl.Int64).alias(SNAPSHOT),
                    pl.lit(step.source).alias(SOURCE),
                )

    def _changes(self, step: Step, pending: PendingCommit) -> Iterator[pl.DataFrame]:
        schema = self._schema(step)
        source = RowSource(self.table.io, schema, self._columns.renames(schema), pending.types, self.name)
        content = () if step.is_by_sync else content_columns(source.columns)
        moved = file_changes(self.table, step.before, step.after, self._manifests)
        own, places, read = source, moved.lost, index
        if step.source == "comparison":
            own, places, read = *self._own_rows(pending), last_versions
        former = read(own, places, keys=self._keys, content=content)
        changes = RowChanges(self._keys, content, former)
        yield from self._present(changes, source, moved.gained, step)
        at = self.now if step.source == "rollback" else _time_of(step.after)
        for frame in rows_at(own, places, changes.vanished()):
            yield _with_time(frame.drop(OWN_NAMES, strict=False), at).with_columns(pl.lit(DELETE).alias(CHANGE))

    def _present(
        self, changes: RowChanges, source: RowSource, gained: Sequence[Rows], step: Step
    ) -> Iterator[pl.DataFrame]:
        for rows in gained:
            for batch in source.batches(rows):
                news = changes.present(batch.drop(POSITION))
                if news.height:
                    yield _with_time(news, self.now) if step.source == "rollback" else news

    def _own_rows(self, pending: PendingCommit) -> tuple[RowSource, tuple[Rows, ...]]:
        """Return the history's own rows, in the columns that it has after this commit."""
        names = {name: name for name in pending.types}
        source = RowSource(pending.io, pending.schema, names, pending.types, self.name)
        return source, tuple(Rows(file) for file in pending.files)


def _with_time(frame: pl.DataFrame, at: datetime) -> pl.DataFrame:
    """Set the time of versions that no sync read: of vanished and rolled-back rows."""
    if SYNCED_AT not in frame.columns:
        return frame
    return frame.with_columns(pl.lit(at, dtype=frame.schema[SYNCED_AT]).alias(SYNCED_AT))


def _time_of(snapshot: Snapshot) -> datetime:
    return datetime.fromtimestamp(snapshot.timestamp_ms / 1000, tz=UTC)
