"""Permanently erase the deleted rows of a history: every version, from every file and snapshot.

It finds its work in the history itself, so an erasure that was killed is completed by the next update.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

import polars as pl
from pyiceberg.table import Table

from sf_assets.iceberg.commit.data_files import POSITION, LiveFile, bounds, live_files, read_batches
from sf_assets.iceberg.commit.pending_commit import PendingCommit
from sf_assets.iceberg.commit.schema_evolution import Evolution
from sf_assets.iceberg.history.model import CHANGE, DELETE, NUMBER
from sf_assets.iceberg.maintenance.erase import commit_erasure, complete_erasure, sweep_if_due

LAST = "__last_delete"


def forget_deleted(
    history: Table, *, keys: Sequence[str], now: datetime, keeps_past: bool = False
) -> tuple[Table, int]:
    """Erase every version of each deleted row; return the history and the number of versions.

    A row that came back keeps its versions since. Without a deletion only manifests are read.
    Raises: ConcurrentCommit.
    """
    history = sweep_if_due(history, now=now)
    files = live_files(history)
    if not any(_may_hold_deletes(history, file) for file in files):
        return complete_erasure(history, now=None, keeps_past=keeps_past), 0
    deleted = _deleted(history, files, keys)
    pending = PendingCommit(history, Evolution(), live=files)
    try:
        erased = sum(_rewrite_without(pending, file, deleted, keys) for file in files)
        if not erased:
            return complete_erasure(history, now=None, keeps_past=keeps_past), 0
        after = commit_erasure(pending, history, erased, now=now)
    finally:
        pending.discard()
    return complete_erasure(after, now=now, keeps_past=keeps_past), erased


def _may_hold_deletes(history: Table, file: LiveFile) -> bool:
    """Return whether a file's lower bound admits `delete`, the first of the words."""
    least = bounds(file.data, history.schema().find_field(CHANGE))[0]
    return least is None or least <= DELETE


def _deleted(history: Table, files: Sequence[LiveFile], keys: Sequence[str]) -> pl.DataFrame:
    """Return the keys of deleted rows with the number of their last deletion."""
    parts = [
        batch.filter(pl.col(CHANGE) == DELETE).select(*keys, NUMBER)
        for file in files
        if _may_hold_deletes(history, file)
        for batch in read_batches(history.io, file, schema=history.schema(), columns=[*keys, CHANGE, NUMBER])
    ]
    return pl.concat(parts).group_by(keys).agg(pl.col(NUMBER).max().alias(LAST))


def _rewrite_without(pending: PendingCommit, file: LiveFile, deleted: pl.DataFrame, keys: Sequence[str]) -> int:
    """Rewrite a file that has versions of the deleted rows; return how many went."""
    erased = sum(
        batch.height - _rest(batch, deleted, keys).height for batch in _batches(pending, file, [*keys, NUMBER])
    )
    if erased or file.deletes:
        for batch in _batches(pending, file, list(pending.types)):
            pending.add(_rest(batch, deleted, keys))
        pending.drop(file)
    return erased


def _rest(batch: pl.DataFrame, deleted: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    joined = batch.join(deleted, on=keys, how="left", maintain_order="left")
    return joined.filter(pl.col(LAST).is_null() | (pl.col(NUMBER) > pl.col(LAST))).drop(LAST)


def _batches(pending: PendingCommit, file: LiveFile, columns: list[str]) -> Iterator[pl.DataFrame]:
    for batch in read_batches(pending.io, file, schema=pending.schema, columns=columns):
        yield batch.drop(POSITION)
