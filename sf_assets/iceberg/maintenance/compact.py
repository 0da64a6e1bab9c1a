"""Rewrite small files and files with many hidden rows, in one snapshot and only when needed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table

from sf_assets.iceberg.commit.data_files import POSITION, LiveFile, bounds, read_batches
from sf_assets.iceberg.commit.pending_commit import PendingCommit
from sf_assets.iceberg.commit.schema_evolution import Evolution
from sf_assets.iceberg.commit.table_state import state_of
from sf_assets.iceberg.commit.transaction import ConcurrentCommit

GROUP_CELLS = 2_000_000
"""Rows times columns that are sorted at once: about 30 MB. Writing makes a few copies of them."""


@dataclass(frozen=True)
class CompactionRule:
    """When files are worth a rewrite."""

    small_rows: int = 50_000
    """A file with fewer rows is small."""
    small_files: int = 24
    """More small files than this are rewritten, all together."""
    deleted_share: float = 0.1
    deleted_rows: int = 5_000
    """A file with more hidden rows than both is rewritten."""
    delete_files: int = 20
    """So is one with more delete files than this."""


DURING_SYNC = CompactionRule()
WEEKLY = CompactionRule(small_files=1, deleted_share=0.02, deleted_rows=1_000, delete_files=1)


def compact_if_due(
    table: Table, files: Sequence[LiveFile], *, keys: Sequence[str], now: datetime, rule: CompactionRule = DURING_SYNC
) -> Table:
    """Rewrite files if there are enough small or delete-laden ones; return the table."""
    due = files_to_compact(files, rule)
    if not due:
        return table
    try:
        return compact(table, files, due, keys=keys, now=now)
    except ConcurrentCommit:
        return table.refresh()


def compact(
    table: Table,
    files: Sequence[LiveFile],
    due: Sequence[LiveFile],
    *,
    keys: Sequence[str],
    now: datetime,
    dangling: Sequence[DataFile] = (),
) -> Table:
    """Rewrite the due files and drop dangling delete files. Raises: ConcurrentCommit."""
    pending = PendingCommit(table, Evolution(), live=files)
    try:
        for group in _groups(pending, due, key=keys[0]) if due else ():
            _rewrite(pending, group, keys=keys)
        pending.drop_deletes(dangling)
        summary = {"sf_assets.compacted-files": str(len(due))}
        return pending.commit(state=state_of(table), summary=summary, now=now).table
    finally:
        pending.discard()


def files_to_compact(files: Sequence[LiveFile], rule: CompactionRule = DURING_SYNC) -> list[LiveFile]:
    """Return the files to rewrite: small ones if too many, and delete-laden ones."""
    small = {file.path for file in files if file.data.record_count < rule.small_rows}
    is_littered = len(small) > rule.small_files
    return [file for file in files if (is_littered and file.path in small) or _has_many_deletes(file, rule)]


def _has_many_deletes(file: LiveFile, rule: CompactionRule) -> bool:
    hidden = sum(delete.record_count for delete in file.own_deletes)
    is_costly = hidden > rule.deleted_share * file.data.record_count and hidden >= rule.deleted_rows
    return is_costly or len(file.deletes) > rule.delete_files


def _groups(pending: PendingCommit, due: Sequence[LiveFile], *, key: str) -> Iterator[list[LiveFile]]:
    """Yield files in key order, as many at a time as memory allows."""
    field = pending.schema.find_field(key)
    by_bound = [(bounds(file.data, field)[0], file) for file in due]
    ordered = sorted((pair for pair in by_bound if pair[0] is not None), key=lambda pair: pair[0])
    most_rows = GROUP_CELLS // len(pending.types)
    group: list[LiveFile] = []
    for file in [file for low, file in by_bound if low is None] + [file for _, file in ordered]:
        if group and sum(f.data.record_count for f in group) + file.data.record_count > most_rows:
            yield group
            group = []
        group.append(file)
    yield group


def _rewrite(pending: PendingCommit, group: Sequence[LiveFile], *, keys: Sequence[str]) -> None:
    """Write the live rows of the files in key order and drop the files."""
    for file in group:
        pending.drop(file)
    if len(group) == 1:  # a large file is not held in memory: its row groups keep their order
        for batch in _batches(pending, group[0]):
            pending.add(batch.sort(keys))
        return
    parts = [batch for file in group for batch in _batches(pending, file)]
    pending.add(pl.concat(parts).sort(keys))


def _batches(pending: PendingCommit, file: LiveFile) -> Iterator[pl.DataFrame]:
    columns = list(pending.types)
    for batch in read_batches(pending.io, file, schema=pending.schema, columns=columns):
        yield batch.drop(POSITION)
