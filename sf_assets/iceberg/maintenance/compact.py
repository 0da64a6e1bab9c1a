"""Rewrite small files and files with many hidden rows, in one snapshot and only when needed."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import polars as pl
from pyiceberg.table import Table

from sf_assets.iceberg.commit.data_files import POSITION, LiveFile, bounds, read_batches
from sf_assets.iceberg.commit.pending_commit import PendingCommit
from sf_assets.iceberg.commit.schema_evolution import Evolution
from sf_assets.iceberg.commit.table_state import state_of
from sf_assets.iceberg.commit.transaction import ConcurrentCommit

SMALL_ROWS = 50_000
SMALL_FILES = 24
DELETED_SHARE = 0.1
DELETED_ROWS = 5_000
"""Fewer hidden rows than this are not worth a rewrite, whatever their share."""
DELETE_FILES = 20
GROUP_ROWS = 250_000


def compact_if_due(table: Table, files: Sequence[LiveFile], *, keys: Sequence[str], now: datetime) -> Table:
    """Rewrite files if there are enough small or delete-laden ones; return the table."""
    due = files_to_compact(files)
    if not due:
        return table
    pending = PendingCommit(table, Evolution(), live=files)
    try:
        for group in _groups(pending, due, key=keys[0]):
            _rewrite(pending, group, keys=keys)
        summary = {"sf_assets.compacted-files": str(len(due))}
        return pending.commit(state=state_of(table), summary=summary, now=now).table
    except ConcurrentCommit:
        return table.refresh()
    finally:
        pending.discard()


def files_to_compact(files: Sequence[LiveFile]) -> list[LiveFile]:
    """Return the files to rewrite: small ones if more than 24, and delete-laden ones."""
    small = {file.path for file in files if file.data.record_count < SMALL_ROWS}
    is_littered = len(small) > SMALL_FILES
    return [file for file in files if (is_littered and file.path in small) or _has_many_deletes(file)]


def _has_many_deletes(file: LiveFile) -> bool:
    hidden = sum(delete.record_count for delete in file.own_deletes)
    is_costly = hidden > DELETED_SHARE * file.data.record_count and hidden >= DELETED_ROWS
    return is_costly or len(file.deletes) > DELETE_FILES


def _groups(pending: PendingCommit, due: Sequence[LiveFile], *, key: str) -> Iterator[list[LiveFile]]:
    """Yield files in key order, as many at a time as memory allows."""
    field = pending.schema.find_field(key)
    by_bound = [(bounds(file.data, field)[0], file) for file in due]
    ordered = sorted((pair for pair in by_bound if pair[0] is not None), key=lambda pair: pair[0])
    group: list[LiveFile] = []
    for file in [file for low, file in by_bound if low is None] + [file for _, file in ordered]:
        if group and sum(f.data.record_count for f in group) + file.data.record_count > GROUP_ROWS:
            yield group
            group = []
        group.append(file)
    yield group


def _rewrite(pending: PendingCommit, group: Sequence[LiveFile], *, keys: Sequence[str]) -> None:
    """Write the live rows of the files in key order and drop the files."""
    columns = list(pending.types)
    parts = []
    for file in group:
        parts += [b.drop(POSITION) for b in read_batches(pending.io, file, schema=pending.schema, columns=columns)]
        pending.drop(file)
    pending.add(pl.concat(parts).sort(keys))
