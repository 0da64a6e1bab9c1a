"""The last version of each row that a history holds, for a comparison with the table."""

from collections.abc import Sequence

import polars as pl

from sf_assets.iceberg.history.model import CHANGE, DELETE, NUMBER
from sf_assets.iceberg.history.row_changes import WAS_DELETED, index, indexed
from sf_assets.iceberg.history.row_source import Rows, RowSource

FOLD_ROWS = 1_000_000
"""Above this number of versions, all but the last of each row are dropped."""


def last_versions(
    source: RowSource, places: Sequence[Rows], *, keys: Sequence[str], content: Sequence[str]
) -> pl.DataFrame:
    """Return the index of the rows that exist, from the last version of each. Memory: one entry a row."""
    parts: list[pl.DataFrame] = []
    for number, rows in enumerate(places):
        for batch in source.batches(rows, [*content, CHANGE, NUMBER]):
            entry = indexed(batch, number, keys=keys, content=content)
            parts.append(entry.with_columns(batch[NUMBER], batch[CHANGE]))
            if sum(part.height for part in parts[1:]) > FOLD_ROWS:
                parts = [_last(pl.concat(parts), keys)]
    if not parts:
        return index(source, (), keys=keys, content=content)
    last = _last(pl.concat(parts), keys)
    exists = (pl.col(CHANGE) != DELETE) | pl.col(WAS_DELETED)  # a row that vanished is not in the table
    return last.filter(exists).drop(NUMBER, CHANGE)


def _last(frame: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    return frame.sort(NUMBER, maintain_order=True).unique(keys, keep="last", maintain_order=True)
