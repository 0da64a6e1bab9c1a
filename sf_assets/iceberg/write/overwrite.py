"""Write frames of other assets: the frame defines the table's columns and holds all its rows."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

import polars as pl
import pyarrow as pa
from pyiceberg.schema import Schema

from sf_assets.errors import ColumnIncompatible, ValueUnexpected
from sf_assets.iceberg.commit.casting import cast_frame, complete
from sf_assets.iceberg.commit.pending_commit import PendingCommit
from sf_assets.iceberg.commit.pyiceberg_internals import schema_of_arrow
from sf_assets.iceberg.commit.schema_evolution import Evolution, refuse_case_twins
from sf_assets.iceberg.model import TableColumn

SIGNED: Mapping[type[pl.DataType], pl.DataType] = {
    pl.Int8: pl.Int32(),
    pl.Int16: pl.Int32(),
    pl.UInt8: pl.Int32(),
    pl.UInt16: pl.Int32(),
    pl.UInt32: pl.Int64(),
    pl.UInt64: pl.Int64(),
    pl.Categorical: pl.String(),
    pl.Enum: pl.String(),
    pl.Null: pl.String(),
}
"""Polars types that Iceberg lacks -> the nearest that takes their values (UInt64 past 2^63 is refused by the cast)."""


def first_frame(frames: Iterable[pl.DataFrame], *, table: str) -> tuple[pl.DataFrame, Iterator[pl.DataFrame]]:
    """Return the first frame and the whole stream. Raises: ValueUnexpected without a frame."""
    rest = iter(frames)
    first = next(rest, None)
    if first is None:
        raise ValueUnexpected(f"{table}: no frame was given, so the table's columns are not known", table=table)
    return first, chain([first], rest)


def frame_columns(frame: pl.DataFrame, *, table: str) -> tuple[TableColumn, ...]:
    """Return the columns that a table needs for the frame. Raises: ColumnIncompatible."""
    types = {name: _storable(name, dtype, table=table) for name, dtype in frame.schema.items()}
    empty = pl.DataFrame(schema=types).to_arrow(compat_level=pl.CompatLevel.oldest())
    schema = schema_of_arrow(pa.schema([_micros(field) for field in empty.schema]))
    return tuple(TableColumn(field.name, field.field_type) for field in schema.fields)


def plan_overwrite(schema: Schema, columns: Sequence[TableColumn], *, table: str) -> Evolution:
    """Return the changes that give the table exactly these columns.

    All rows are replaced, so every type may change.
    """
    refuse_case_twins([column.name for column in columns], table=table)
    present = {field.name: field for field in schema.fields}
    names = {column.name for column in columns}
    return Evolution(
        added=tuple(column for column in columns if column.name not in present),
        retyped=tuple(c for c in columns if c.name in present and str(present[c.name].field_type) != str(c.type)),
        dropped=tuple(name for name in present if name not in names),
    )


def fill(pending: PendingCommit, frames: Iterable[pl.DataFrame], *, table: str) -> int:
    """Replace the table's rows with the frames; return the row count."""
    pending.drop_all()
    rows = 0
    for frame in frames:
        rows += frame.height
        pending.add(complete(cast_frame(frame, pending.types, table=table), pending.types))
    return rows


def _storable(name: str, dtype: pl.DataType, *, table: str) -> pl.DataType:
    if isinstance(dtype, pl.Datetime):
        return pl.Datetime("us", None if dtype.time_zone is None else "UTC")
    if isinstance(dtype, pl.List):
        return pl.List(_storable(name, dtype.inner, table=table))  # type: ignore[arg-type]  # an instance, once built
    if isinstance(dtype, pl.Struct):
        return pl.Struct({f.name: _storable(name, f.dtype, table=table) for f in dtype.fields})  # type: ignore[arg-type]
    if isinstance(dtype, pl.Duration | pl.Object | pl.Int128 | pl.Array):
        raise ColumnIncompatible(f"{table}: column {name} is {dtype}, which Iceberg has not", table=table, column=name)
    return SIGNED.get(type(dtype), dtype)


def _micros(field: pa.Field) -> pa.Field:
    return field.with_type(pa.time64("us")) if pa.types.is_time(field.type) else field
