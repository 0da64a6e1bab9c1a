"""Permanently erase rows or columns from every data file and snapshot.

Files with such values and files with hidden older versions are rewritten. Then the files that only earlier snapshots
need are deleted, and those snapshots expire. The snapshots go last: they show the next run that an erasure did not
finish. A rollback past an erasure is impossible.

A file of a write that was killed is named by no snapshot and may hold the values too. It goes once it is a day old:
the table property SWEEP_DUE makes a later run of the table remove it.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import polars as pl
from pyiceberg.io import FileIO
from pyiceberg.table import Table
from pyiceberg.table.refs import MAIN_BRANCH, SnapshotRefType
from pyiceberg.table.snapshots import Snapshot
from pyiceberg.table.update.snapshot import ExpireSnapshots, ManageSnapshots

from sf_assets.iceberg.commit.data_files import POSITION, LiveFile, bounds, live_files, read_batches
from sf_assets.iceberg.commit.pending_commit import PendingCommit
from sf_assets.iceberg.commit.pyiceberg_internals import CachedTransaction
from sf_assets.iceberg.commit.schema_evolution import Evolution
from sf_assets.iceberg.commit.table_state import state_of
from sf_assets.iceberg.commit.transaction import finish
from sf_assets.iceberg.maintenance.orphan_files import find_orphan_files, remove_orphan_files
from sf_assets.iceberg.metadata_log import ERASED, past_snapshots

SWEEP_DUE = "sf_assets.sweep-due"
"""Table property: when the files of killed writes from before the last erasure are to be removed."""
ABANDONED_AFTER = timedelta(days=1)
"""Age at which a file that no snapshot names is an orphan."""


def erase(table: Table, column: str, *, now: datetime, keeps_past: bool = False) -> tuple[Table, int]:
    """Remove the rows with a true `column`; return the table and the number of rows.

    `keeps_past`: another engine may still read an older snapshot. `erase_past` then completes the erasure.
    Without such a row nothing is written, and only manifests are read. Raises: ConcurrentCommit.
    """
    table = sweep_if_due(table, now=now)
    files = live_files(table)
    if not any(_may_hold(table, file, column) for file in files):
        return complete_erasure(table, now=None, keeps_past=keeps_past), 0
    pending = PendingCommit(table, Evolution(), live=files)
    try:
        erased = sum(_rewrite_without(pending, file, column) for file in files if _must_rewrite(table, file, column))
        if not erased:
            return complete_erasure(table, now=None, keeps_past=keeps_past), 0
        after = commit_erasure(pending, table, erased, now=now)
    finally:
        pending.discard()
    return complete_erasure(after, now=now, keeps_past=keeps_past), erased


def erase_columns(table: Table, names: Sequence[str], *, now: datetime, keeps_past: bool = False) -> tuple[Table, int]:
    """Drop columns and their values; return the table and the number of rewritten files.

    Columns that the table lacks are ignored; the call then completes an erasure that was interrupted.
    Raises: ConcurrentCommit.
    """
    present = tuple(name for name in names if name in table.schema().column_names)
    if not present:
        return complete_erasure(table, now=None, keeps_past=keeps_past), 0
    files = live_files(table)
    pending = PendingCommit(table, Evolution(dropped=present), live=files)
    try:
        for file in files:
            _rewrite(pending, file)
        after = commit_erasure(pending, table, 0, now=now)
    finally:
        pending.discard()
    return complete_erasure(after, now=now, keeps_past=keeps_past), len(files)


def commit_erasure(pending: PendingCommit, table: Table, rows: int, *, now: datetime) -> Table:
    """Commit the rewritten files as an erasure of `rows` rows."""
    due = {SWEEP_DUE: (now + ABANDONED_AFTER).isoformat()}
    return pending.commit(state=state_of(table), summary={ERASED: str(rows)}, now=now, properties=due).table


def complete_erasure(table: Table, *, now: datetime | None, keeps_past: bool) -> Table:
    """Delete the files of earlier snapshots, and files of killed writes older than a day."""
    after = table if keeps_past else erase_past(table)
    if now is not None:
        remove_orphan_files(after, before=now - ABANDONED_AFTER)
    return after


def sweep_if_due(table: Table, *, now: datetime) -> Table:
    """Remove files of killed writes if an erasure asked for it; return the table."""
    due = table.properties.get(SWEEP_DUE)
    if due is None or now < datetime.fromisoformat(due):
        return table
    _delete(table.io, find_orphan_files(table, before=now - ABANDONED_AFTER))
    transaction = CachedTransaction(table)
    transaction.remove_properties(SWEEP_DUE)
    return finish(transaction)


def _rewrite(pending: PendingCommit, file: LiveFile) -> None:
    for batch in read_batches(pending.io, file, schema=pending.schema, columns=list(pending.types)):
        pending.add(batch.drop(POSITION))
    pending.drop(file)


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
    _drop_refs(transaction, {s.snapshot_id for s in past})
    ExpireSnapshots(transaction).by_ids([s.snapshot_id for s in past]).commit()
    return finish(transaction)


def _drop_refs(transaction: CachedTransaction, snapshot_ids: set[int]) -> None:
    """Remove tags and branches that would keep erased rows readable."""
    for name, ref in transaction.table_metadata.refs.items():
        if ref.snapshot_id in snapshot_ids and name != MAIN_BRANCH:
            refs = ManageSnapshots(transaction)
            is_tag = ref.snapshot_ref_type == SnapshotRefType.TAG
            (refs.remove_tag(name) if is_tag else refs.remove_branch(name)).commit()


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
