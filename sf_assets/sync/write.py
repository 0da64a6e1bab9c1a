"""Writing a sync into its Iceberg table: rows, state and erasures."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from typing import Any

from sf_assets.errors import ResultIncomplete
from sf_assets.iceberg.commit.table_state import RUN
from sf_assets.iceberg.model import Chunk, TableFacts, Written
from sf_assets.iceberg.tables import IcebergTables
from sf_assets.sync.batches import Batch
from sf_assets.sync.columns import table_columns
from sf_assets.sync.deleted_rows import DELETED, drop_unknown_deleted, purged_rows, removes_deleted
from sf_assets.sync.endpoint import Sync
from sf_assets.sync.reader import FractionsFound
from sf_assets.sync.state import State
from sf_assets.sync.transitions import needs_state_commit


def write_sync(tables: IcebergTables, table: str, sync: Sync, run_id: str) -> TableFacts:
    """Drain a sync into its table, complete its report, and return the table's facts.

    Whole numbers with fractions get second columns: the rest of the sync is planned again with them.
    """
    rest = sync
    while True:
        try:
            with _closing(rest.batches):
                facts = _write_sync(tables, table, rest, run_id)
        except FractionsFound as fractions:
            if rest.again is None:
                raise
            rest = rest.again(fractions.columns)
        else:
            sync.columns = rest.columns
            return facts


@contextmanager
def _closing(batches: Iterator[Batch]) -> Iterator[None]:
    """End the read with the write, also after an error. It may hold a job."""
    try:
        yield
    finally:
        if isinstance(batches, Generator):
            batches.close()


def _write_sync(tables: IcebergTables, table: str, sync: Sync, run_id: str) -> TableFacts:
    sync = _commit_opening(tables, table, sync)
    chunks = _Chunks(sync)
    written = sync.report.written = _write_rows(tables, table, sync, chunks, run_id)
    final = sync.report.final = chunks.last_state
    facts = sync.facts if written is None else tables.facts(table)
    if final and _needs_commit(sync, final) and (facts is None or facts.state != final.to_json()):
        facts = _commit_state(tables, table, sync, final, facts)
    if facts is not None and removes_deleted(sync.spec):
        tables.erase(table, DELETED)
        facts = tables.facts(table)  # an erasure without rows may still complete a former one
    if facts is None:
        raise ResultIncomplete(f"{table}: the sync ended without a table", endpoint=table)
    if sync.facts is not None:
        sync.report.retyped = facts.retyped_since(sync.facts)
    return facts


def _commit_opening(tables: IcebergTables, table: str, sync: Sync) -> Sync:
    """Commit the state of an opening batch; return the rest of the sync."""
    batches = iter(sync.batches)
    first = next(batches, None)
    if first is None or first.state is None or not first.is_opening:
        return replace(sync, batches=chain([] if first is None else [first], batches))
    tables.commit_state(
        table,
        columns=table_columns(sync.columns),
        base=_json(sync.stored),
        state=first.state.to_json(),
        keys=sync.spec.keys,
    )
    return replace(sync, stored=first.state, batches=batches)


class _Chunks:
    """The batches of a sync as chunks. It keeps the state of the last batch."""

    def __init__(self, sync: Sync) -> None:
        self._batches = sync.batches
        self.last_state: State | None = None

    def __iter__(self) -> Iterator[Chunk]:
        for batch in self._batches:
            self.last_state = batch.state or self.last_state
            if batch.frame is not None:
                yield Chunk(batch.frame, _json(batch.state))


def _write_rows(tables: IcebergTables, table: str, sync: Sync, batches: _Chunks, run_id: str) -> Written | None:
    chunks = iter(batches)
    if removes_deleted(sync.spec):
        chunks = drop_unknown_deleted(chunks, tables, sync.spec)
    first = next(chunks, None)
    if first is None:
        return None
    values = _write_values(sync, chain([first], chunks), run_id)
    if sync.how == "merge":
        return tables.merge(table, stamp=sync.spec.stamp_column, **values)
    deleted = purged_rows(sync.spec, sync.report.began_at)
    return tables.replace(table, may_vanish=sync.may_vanish, deleted_rows=deleted, retype=sync.retype, **values)


def _write_values(sync: Sync, chunks: Iterator[Chunk], run_id: str) -> Mapping[str, Any]:
    return {
        "columns": table_columns(sync.columns),
        "keys": sync.spec.keys,
        "chunks": chunks,
        "base": _json(sync.stored),
        "summary": {RUN: run_id},
        "doc": sync.spec.description,
    }


def _needs_commit(sync: Sync, final: State) -> bool:
    """Return whether the final state must be committed, also without rows."""
    lacks_columns = sync.facts is None or bool(sync.report.planned.added)
    has_trials = sync.stored is not None and sync.stored.columns.refused != final.columns.refused
    return lacks_columns or has_trials or needs_state_commit(sync.base, final)


def _commit_state(tables: IcebergTables, table: str, sync: Sync, final: State, facts: TableFacts | None) -> TableFacts:
    """Commit the final state alone, onto the state that the table has now."""
    written = sync.report.written
    has_commits = facts is not None and written is not None and written.commits > 0
    return tables.commit_state(
        table,
        columns=table_columns(sync.columns),
        base=facts.state if facts and has_commits else _json(sync.stored),
        state=final.to_json(),
        keys=sync.spec.keys,
    )


def _json(state: State | None) -> str | None:
    return None if state is None else state.to_json()
