"""Writing a sync into its Iceberg table: rows, state and erasures."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from sf_assets.errors import ResultIncomplete
from sf_assets.iceberg.model import Chunk, TableFacts, Written
from sf_assets.iceberg.tables import IcebergTables
from sf_assets.sync.columns import table_columns
from sf_assets.sync.deleted_rows import DELETED, forgets, without_strangers
from sf_assets.sync.endpoint import Sync
from sf_assets.sync.state import State

STAMP = "system_modstamp"
"""The column that orders two versions of a row."""


def write_sync(warehouse: "IcebergTables", table: str, sync: "Sync", run_id: str) -> "TableFacts":
    """Drain a sync into its table and return the table's facts; `sync.record` is complete afterwards.

    A sync that got further than its last rows has its final state committed alone. Raises what
    reading and writing raise.
    """

    written = sync.record.written = _write_batches(warehouse, table, sync, run_id)
    facts = sync.facts if written is None else warehouse.facts(table)
    state = _json(sync.record.final)
    if state is not None and sync.record.settle and (facts is None or facts.state != state):
        committed = facts is not None and written is not None and written.commits > 0
        base = facts.state if facts and committed else _json(sync.base)
        facts = warehouse.commit_state(
            table, columns=table_columns(sync.columns), base=base, state=state, keys=sync.spec.keys
        )
    if facts is not None and forgets(sync.spec) and warehouse.erase(table, DELETED):
        facts = warehouse.facts(table)
    if facts is None:
        raise ResultIncomplete(f"{table}: the sync ended without a table", endpoint=table)
    if sync.facts is not None:
        sync.record.retyped = facts.retyped_since(sync.facts)
    return facts


def _write_batches(warehouse: "IcebergTables", table: str, sync: "Sync", run_id: str) -> "Written | None":

    chunks = _chunks(sync)
    if forgets(sync.spec):
        chunks = without_strangers(chunks, warehouse, sync.spec)
    first = next(chunks, None)
    if first is None:
        return None
    told: dict[str, Any] = {
        "columns": table_columns(sync.columns),
        "keys": sync.spec.keys,
        "chunks": chain([first], chunks),
        "base": _json(sync.base),
        "summary": _summary(run_id),
        "doc": sync.spec.description,
    }
    if sync.how == "merge":
        return warehouse.merge(table, stamp=STAMP, **told)
    return warehouse.replace(table, may_vanish=sync.may_vanish, retype=sync.retype, **told)


def _chunks(sync: "Sync") -> "Iterator[Chunk]":
    from sf_assets.iceberg.model import Chunk

    return (Chunk(batch.frame, _json(batch.state)) for batch in sync.batches)


def _json(state: "State | None") -> str | None:
    return None if state is None else state.to_json()


def _summary(run_id: str) -> dict[str, str]:
    return {"sf_assets.run": run_id}
