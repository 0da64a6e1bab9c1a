"""Changes between former and present rows: insert, update, delete, undelete.

Memory: key, hash and position of each former row, and one batch. Rows that
differ in `_synced_at` alone are equal.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from sf_assets.iceberg.commit.data_files import POSITION
from sf_assets.iceberg.history.model import CHANGE, DELETE, DELETED, INSERT, UNDELETE, UPDATE
from sf_assets.iceberg.history.row_source import Rows, RowSource
from sf_assets.iceberg.model import SYNCED_AT

HASH, PLACE, ROW, WAS_DELETED = "__hash", "__place", "__row", "__was_deleted"


@dataclass
class RowChanges:
    """The changes from `former` (see `index`) to present rows. Without `content` every present row is another one."""

    keys: Sequence[str]
    content: Sequence[str]
    former: pl.DataFrame

    def __post_init__(self) -> None:
        self.former = self.former.with_row_index(ROW)
        self._seen: list[pl.Series] = [pl.Series(ROW, [], dtype=pl.UInt32)]

    def present(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the rows of the frame that are changes, with CHANGE."""
        hashed = frame.with_columns(content_hash(frame, self.content))
        joined = hashed.join(self.former, on=self.keys, how="left", maintain_order="left", suffix="_former")
        self._seen.append(joined[ROW].drop_nulls())
        is_same = (pl.col(HASH) == pl.col(f"{HASH}_former")).fill_null(False) & pl.lit(bool(self.content))
        news = joined.filter(~is_same)
        return news.with_columns(_change(news.columns).alias(CHANGE)).select(*frame.columns, CHANGE)

    def vanished(self) -> pl.DataFrame:
        """Return PLACE and POSITION of the former rows that no frame had. Deleted rows are already gone."""
        rows = pl.concat(self._seen)
        missing = self.former.filter(~pl.col(ROW).is_in(rows.implode()) & ~pl.col(WAS_DELETED))
        return missing.select(PLACE, POSITION)


def _change(columns: Sequence[str]) -> pl.Expr:
    is_deleted = pl.col(DELETED).fill_null(False) if DELETED in columns else pl.lit(False)
    return (
        pl.when(is_deleted).then(pl.lit(DELETE))
        .when(pl.col(ROW).is_null()).then(pl.lit(INSERT))
        .when(pl.col(WAS_DELETED)).then(pl.lit(UNDELETE))
        .otherwise(pl.lit(UPDATE))
    )  # fmt: skip


def content_hash(frame: pl.DataFrame, content: Sequence[str]) -> pl.Series:
    """Return a hash of each row over the columns that make a version."""
    if not content:
        return pl.Series(HASH, [0] * frame.height, dtype=pl.UInt64)
    return frame.select(content).hash_rows().alias(HASH)


def content_columns(columns: Sequence[str]) -> list[str]:
    """Return the columns in which a difference is a new version."""
    return sorted(name for name in columns if name != SYNCED_AT)


def index(source: RowSource, places: Sequence[Rows], *, keys: Sequence[str], content: Sequence[str]) -> pl.DataFrame:
    """Return keys, HASH, WAS_DELETED, PLACE (index in `places`) and POSITION of the rows."""
    parts = [
        indexed(batch, number, keys=keys, content=content)
        for number, rows in enumerate(places)
        for batch in source.batches(rows, [*keys, DELETED, *content])
    ]
    return pl.concat([_empty(source, keys), *parts]).unique(keys, keep="last", maintain_order=True)


def indexed(batch: pl.DataFrame, number: int, *, keys: Sequence[str], content: Sequence[str]) -> pl.DataFrame:
    """Return the index of one batch."""
    deleted = pl.col(DELETED).fill_null(False) if DELETED in batch.columns else pl.lit(False)
    return batch.select(
        *keys,
        content_hash(batch, content),
        deleted.alias(WAS_DELETED),
        pl.lit(number, dtype=pl.UInt32).alias(PLACE),
        POSITION,
    )


def rows_at(source: RowSource, places: Sequence[Rows], positions: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Yield the rows at PLACE and POSITION, without POSITION."""
    for (number,), part in positions.partition_by(PLACE, as_dict=True).items():
        wanted = Rows(places[int(number)].file, part[POSITION].sort())
        for batch in source.batches(wanted):
            yield batch.drop(POSITION)


def _empty(source: RowSource, keys: Sequence[str]) -> pl.DataFrame:
    types = {key: source.types[key] for key in keys}
    more = {HASH: pl.UInt64, WAS_DELETED: pl.Boolean, PLACE: pl.UInt32, POSITION: pl.Int64}
    return pl.DataFrame(schema={**types, **more})
