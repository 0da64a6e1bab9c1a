"""Permanently erase rows from every data file and snapshot.

Files with such a row and files with hidden older versions are rewritten. Then the files that only earlier snapshots
need are deleted, and those snapshots expire. The snapshots go last: they show the next run that an erasure did not
finish. A rollback past an erasure is impossible.
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
from sf_assets.iceberg.commit.pyiceberg_internals import CachedTransaction
from sf_assets.iceberg.commit.schema_evolution import Evolution
from sf_assets.iceberg.commit.table_state import state_of
from sf_assets.iceberg.commit.transaction import finish
from sf_assets.iceberg.maintenance.orphan_files import (
    remove_orphan_files,
)  # imports every file system; no sync needs it
from sf_assets.iceberg.metadata_log import ERASED, past_snapshots

ABANDONED_AFTER = timedelta(days=1)
"""Age at which a file that no snapshot names is an orphan."""


def erase(table: Table, column: str, *, now: datetime, keeps_past: bool = False) -> tuple[Table, int]:
    """Remove the rows with a true `column`; return the table and the number of rows.

    `keeps_past`: another engine may still read an older snapshot. `erase_past` then completes the erasure.
    Without such a row nothing is written, and only manifests are read. Raises: ConcurrentCommit.
    """
    files = live_files(table)
    if not any(_may_hold(table, file, column) for file in files):
        return (table if keeps_past else erase_past(table)), 0
    pending = PendingCommit(table, Evolution(), live=files)
    try:
        erased = sum(_rewrite_without(pending, file, column) for file in files if _must_rewrite(table, file, column))
        if not erased:
            return (table if keeps_past else erase_past(table)), 0
        summary = {ERASED: str(erased)}
        after = pending.commit(state=state_of(table), summary=summary, now=now).table
    finally:
        pending.discard()
    if keeps_past:
        return after, erased
    after = erase_past(after)
    remove_orphan_files(after, before=now - ABANDONED_AFTER)
    return after, erased


def _may_hold(table: Table, file: LiveFile, column: str) -> bool:
    """Return whether a file's upper bound admits a true value."""
    return bounds(file.data, table.schema().find_field(column))[1] is not False


def _must_rewrite(table: Table, file: LiveFile, column: str) -> bool:
    return bool(file.deletes) or _may_hold(table, file, column)


def _rewrite_without(pending: PendingCommit, file: LiveFile, column: str) -> int:
    """Rewrite a file without the erased rows; return how many went."""
    erased = 0
    for batch in read_batches(pending.io, file, schema=pending.schema, columns=list(pending.types)):
        rest = batch.drop(POSITION).filter(pl.col(column).fill_null(False).not_())
        erased += batch.height - rest.height
        if rest.height:
            pending.add(rest)
    pending.drop(file)
    return erased


def erase_past(table: Table) -> Table:
    """Delete the files that only snapshots before the last erasure need; expire these.

    The snapshots go last: an erasure that was killed is recognized by them and completed by the next one.
    """
    snapshots, past = table.metadata.snapshots, past_snapshots(table)
    if not past:
        return table
    needed = {path for s in snapshots if s not in past for path in _files_of(s, table.io)}
    once = (path for s in past for path in _files_of(s, table.io, tolerate=(FileNotFoundError,)))
    _delete(table.io, dict.fromkeys(path for path in once if path not in needed))
    transaction = CachedTransaction(table)
    ExpireSnapshots(transaction).by_ids([s.snapshot_id for s in past]).commit()
    return finish(transaction)


def _files_of(snapshot: Snapshot, io: FileIO, *, tolerate: tuple[type[OSError], ...] = ()) -> Iterator[str]:
    """Yield every file of a snapshot that holds rows or bounds.

    A file follows the files that it names: if a file of a past snapshot is gone, so are those it named.
    """
    with suppress(*tolerate):
        for manifest in snapshot.manifests(io):
            with suppress(*tolerate):
                yield from (entry.data_file.file_path for entry in manifest.fetch_manifest_entry(io))
                yield manifest.manifest_path
    yield snapshot.manifest_list


def _delete(io: FileIO, paths: Iterable[str]) -> None:
    """Delete the files. Raises OSError if one cannot be deleted: it holds erased rows."""
    for path in paths:
        with suppress(FileNotFoundError):
            io.delete(path)
