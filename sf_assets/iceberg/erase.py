"""Forgets rows for good: no file of the table, of whatever snapshot, holds them or an older version of them afterwards.

Files that hold such a row, and files with hidden older versions, are written anew; then every earlier snapshot expires
and what only those needed is deleted. The price: nobody can go back behind an erasure.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

import polars as pl
from pyiceberg.table import Table
from pyiceberg.table.update.snapshot import ExpireSnapshots

from sf_assets.iceberg.draft import Draft
from sf_assets.iceberg.evolve import Evolution
from sf_assets.iceberg.files import POSITION, LiveFile, bounds, live_files, read_batches
from sf_assets.iceberg.state import state_of
from sf_assets.iceberg.sweep import referenced, sweep
from sf_assets.iceberg.transaction import SteadyTransaction, finish
from sf_assets.iceberg.writer import remove_files

ABANDONED_AFTER = timedelta(days=1)
"""A file that no snapshot names is of a commit that was given up, or of a snapshot that has expired."""


def erase(table: Table, column: str, *, now: datetime) -> tuple[Table, int]:
    """Remove the rows whose boolean `column` is true; returns the table and how many they were.

    Without such a row nothing is written, and only manifests are read. Raises: Overtaken.
    """
    files = live_files(table)
    if not any(_may_hold(table, file, column) for file in files):
        return table, 0
    draft = Draft(table, Evolution(), live=files)
    try:
        erased = sum(_written_anew(draft, file, column) for file in files if _concerns(table, file, column))
        if not erased:
            return table, 0
        summary = {"sf_assets.erased-rows": str(erased)}
        after = draft.commit(state=state_of(table), summary=summary, now=now).table
    finally:
        draft.discard()
    after = _without_past(after, before=table)
    sweep(after, before=now - ABANDONED_AFTER)
    return after, erased


def _may_hold(table: Table, file: LiveFile, column: str) -> bool:
    """Whether a file's greatest value admits a true one."""
    return bounds(file.data, table.schema().find_field(column))[1] is not False


def _concerns(table: Table, file: LiveFile, column: str) -> bool:
    return bool(file.deletes) or _may_hold(table, file, column)


def _written_anew(draft: Draft, file: LiveFile, column: str) -> int:
    """Write the rows of a file that stay, and leave the file out; returns how many went."""
    erased = 0
    for batch in read_batches(draft.io, file, schema=draft.schema, columns=list(draft.types)):
        kept = batch.drop(POSITION).filter(pl.col(column).fill_null(False).not_())
        erased += batch.height - kept.height
        if kept.height:
            draft.add(kept)
    draft.drop(file)
    return erased


def _without_past(table: Table, *, before: Table) -> Table:
    """Expire all but the current snapshot, and delete the files that only the others needed."""
    current = table.current_snapshot()
    past = [s.snapshot_id for s in table.metadata.snapshots if current is None or s.snapshot_id != current.snapshot_id]
    needed_once = set(_data_of(before)) | set(_data_of(table))
    if past:
        transaction = SteadyTransaction(table)
        ExpireSnapshots(transaction).by_ids(past).commit()
        table = finish(transaction)
    remove_files(table.io, sorted(needed_once - set(_data_of(table))))
    return table


def _data_of(table: Table) -> Iterator[str]:
    """Every file of rows or of their bounds; metadata files bear neither."""
    return (path for path in referenced(table) if not path.endswith(".metadata.json"))
