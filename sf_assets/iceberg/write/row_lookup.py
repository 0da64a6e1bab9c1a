"""Find the table's versions of rows by key, then by position; read few columns of few files."""

from collections.abc import Sequence

import polars as pl
from pyiceberg.io import FileIO
from pyiceberg.schema import Schema

from sf_assets.iceberg.commit.casting import complete
from sf_assets.iceberg.commit.data_files import POSITION, LiveFile, may_hold, read_batches, read_rows
from sf_assets.iceberg.commit.pending_commit import PendingCommit
from sf_assets.iceberg.write.row_versions import FILE, MergeRule


def candidates(pending: PendingCommit, keys: pl.DataFrame) -> list[tuple[int, LiveFile]]:
    """Return the files that may hold one of the keys, with their index.

    The bounds of the first key column decide.
    """
    first = keys.columns[0]
    field = pending.schema.find_field(first)
    low, high = keys[first].min(), keys[first].max()
    return [(i, file) for i, file in enumerate(pending.files) if may_hold(file.data, field, low=low, high=high)]


def find_rows(pending: PendingCommit, keys: pl.DataFrame, rule: MergeRule) -> pl.DataFrame:
    """Return key and ordering columns, FILE and POSITION of the live rows with these keys."""
    columns = [*keys.columns, *(c for c in rule.ordering(list(pending.types)) if c not in keys.columns)]
    parts = [_empty(pending, columns)]
    for index, file in candidates(pending, keys):
        away = pending.hidden_positions(file).alias(POSITION).to_frame()
        for batch in read_batches(pending.io, file, schema=pending.schema, columns=columns):
            hits = batch.join(keys, on=keys.columns, how="semi").join(away, on=POSITION, how="anti")
            if hits.height:
                parts.append(hits.with_columns(pl.lit(index, dtype=pl.UInt32).alias(FILE)))
    return pl.concat(parts)


def with_table_values(
    pending: PendingCommit, rows: pl.DataFrame, columns: Sequence[str], *, suffix: str = ""
) -> pl.DataFrame:
    """Return the rows (with FILE and POSITION) joined with the table's values."""
    if not columns:
        return rows
    files = pending.files
    parts = [
        _values(pending.io, files[int(index)], place[POSITION], schema=pending.schema, columns=columns).with_columns(
            pl.lit(index, dtype=pl.UInt32).alias(FILE)
        )
        for (index,), place in rows.select(FILE, POSITION).partition_by(FILE, as_dict=True).items()
    ]
    if not parts:
        parts = [_empty(pending, columns)]
    values = pl.concat(parts).rename({name: name + suffix for name in columns})
    return rows.join(values, on=[FILE, POSITION], how="left", maintain_order="left")


def whole_rows(pending: PendingCommit, news: pl.DataFrame, *, columns: Sequence[str]) -> pl.DataFrame:
    """Return new versions in all columns of the table; unread columns keep the table's values."""
    hidden = [name for name in pending.types if name not in columns and name in pending.former_columns]
    fresh = news.filter(pl.col(FILE).is_null()).select(columns)
    former = news.filter(pl.col(FILE).is_not_null()).select(*columns, FILE, POSITION)
    filled = with_table_values(pending, former, hidden)
    return pl.concat([complete(part, pending.types) for part in (fresh, filled)])


def hide_rows(pending: PendingCommit, places: pl.DataFrame) -> None:
    """Hide the rows at the given FILE and POSITION."""
    files = pending.files
    for (index,), place in places.select(FILE, POSITION).partition_by(FILE, as_dict=True).items():
        pending.hide(files[int(index)], place[POSITION])


def _values(
    io: FileIO, file: LiveFile, positions: pl.Series, *, schema: Schema, columns: Sequence[str]
) -> pl.DataFrame:
    return read_rows(io, file, positions.unique().sort(), schema=schema, columns=columns)


def _empty(pending: PendingCommit, columns: Sequence[str]) -> pl.DataFrame:
    types = {name: pending.types[name] for name in columns}
    return pl.DataFrame(schema={**types, POSITION: pl.Int64, FILE: pl.UInt32})
