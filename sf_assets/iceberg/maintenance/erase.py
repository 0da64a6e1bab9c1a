"""Forgets rows for good: no file of the table, of whatever snapshot, holds them or an older version of them afterwards.

Files that hold such a row, and files with hidden older versions, are written anew; then what only earlier snapshots
needed is deleted, and they expire. They go last, for by them an erasure that was cut short is known and ended by the
next one. The price: nobody can go back behind an erasure.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta

import polars as pl
from pyiceberg.io import FileIO
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot
from pyiceberg.table.update.snapshot import ExpireSnapshots

from sf_assets.iceberg.commit.data_files import POSITION, LiveFile, bounds, live_files, read_batches
from sf_assets.iceberg.commit.pending_commit import PendingCommit
from sf_assets.iceberg.commit.schema_evolution import Evolution
from sf_assets.iceberg.commit.table_state import state_of
from sf_assets.iceberg.commit.transaction import CachedTransaction, finish
from sf_assets.iceberg.maintenance.orphan_files import (
    remove_orphan_files,
)  # imports every file system; no sync needs it

ERASED = "sf_assets.erased-rows"
"""What the summary of an erasure's snapshot tells."""
ABANDONED_AFTER = timedelta(days=1)
"""A file that no snapshot names is of a commit that was given up, or of a snapshot that has expired."""


def erase(table: Table, column: str, *, now: datetime) -> tuple[Table, int]:
    """Remove the rows whose boolean `column` is true; returns the table and how many they were.

    Without such a row nothing is written, and only manifests are read. Raises: Overtaken.
    """
    files = live_files(table)
    if not any(_may_hold(table, file, column) for file in files):
        return _expire_past(table), 0
    pending = PendingCommit(table, Evolution(), live=files)
    try:
        erased = sum(_rewrite_without(pending, file, column) for file in files if _must_rewrite(table, file, column))
        if not erased:
            return _expire_past(table), 0
        summary = {ERASED: str(erased)}
        after = pending.commit(state=state_of(table), summary=summary, now=now).table
    finally:
        pending.discard()
    after = _expire_past(after)
    remove_orphan_files(after, before=now - ABANDONED_AFTER)
    return after, erased


def _may_hold(table: Table, file: LiveFile, column: str) -> bool:
    """Whether a file's greatest value admits a true one."""
    return bounds(file.data, table.schema().find_field(column))[1] is not False


def _must_rewrite(table: Table, file: LiveFile, column: str) -> bool:
    return bool(file.deletes) or _may_hold(table, file, column)


def _rewrite_without(pending: PendingCommit, file: LiveFile, column: str) -> int:
    """Write the rows of a file that stay, and leave the file out; returns how many went."""
    erased = 0
    for batch in read_batches(pending.io, file, schema=pending.schema, columns=list(pending.types)):
        kept = batch.drop(POSITION).filter(pl.col(column).fill_null(False).not_())
        erased += batch.height - kept.height
        if kept.height:
            pending.add(kept)
    pending.drop(file)
    return erased


def _expire_past(table: Table) -> Table:
    """Delete the files that only snapshots of before the last erasure needed, and let those snapshots expire."""
    snapshots = table.metadata.snapshots
    erasures = [s.sequence_number or 0 for s in snapshots if s.summary and ERASED in s.summary.additional_properties]
    past = [s for s in snapshots if (s.sequence_number or 0) < max(erasures, default=0)]
    if not past:
        return table
    needed = {path for s in snapshots if s not in past for path in _files_of(s, table.io)}
    once = (path for s in past for path in _files_of(s, table.io, tolerate=(FileNotFoundError,)))
    _delete(table.io, dict.fromkeys(path for path in once if path not in needed))
    transaction = CachedTransaction(table)
    ExpireSnapshots(transaction).by_ids([s.snapshot_id for s in past]).commit()
    return finish(transaction)


def _files_of(snapshot: Snapshot, io: FileIO, *, tolerate: tuple[type[OSError], ...] = ()) -> Iterator[str]:
    """Every file of rows or of their bounds: first those that a file names, then the file itself.

    So a past snapshot's file that is gone was deleted after all that it named.
    """
    with suppress(*tolerate):
        for manifest in snapshot.manifests(io):
            with suppress(*tolerate):
                yield from (entry.data_file.file_path for entry in manifest.fetch_manifest_entry(io))
                yield manifest.manifest_path
    yield snapshot.manifest_list


def _delete(io: FileIO, paths: Iterable[str]) -> None:
    """Delete the files; one that cannot be deleted is an error here, for it holds what is to be forgotten."""
    for path in paths:
        with suppress(FileNotFoundError):
            io.delete(path)
