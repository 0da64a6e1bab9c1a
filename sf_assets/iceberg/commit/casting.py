"""Cast frames to a table's schema. A value that would change is refused by name."""

from collections.abc import Mapping
from typing import cast

import polars as pl
import pyarrow as pa
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.schema import Schema

from sf_assets.errors import ColumnIncompatible, ValueUnexpected

TEXTS = (pl.String, pl.Categorical, pl.Enum)


def arrow_schema(schema: Schema) -> pa.Schema:
    """Return the Arrow schema of a table's data files, field ids included."""
    return schema_to_pyarrow(schema, include_field_ids=True)


def frame_types(schema: Schema) -> dict[str, pl.DataType]:
    """Return the Polars type of each column of the schema."""
    frame = cast(pl.DataFrame, pl.from_arrow(arrow_schema(schema).empty_table()))
    return dict(frame.schema)


def cast_frame(frame: pl.DataFrame, types: Mapping[str, pl.DataType], *, table: str) -> pl.DataFrame:
    """Return the frame with each column in the table's type.

    Raises: ColumnIncompatible for a column that the table lacks, ValueUnexpected for a value that would change.
    """
    unknown = [name for name in frame.columns if name not in types]
    if unknown:
        raise ColumnIncompatible(
            f"{table}: the frame has columns that the table lacks: {', '.join(unknown)}", table=table
        )
    for name in frame.select(pl.col(pl.Time)).columns:
        _refuse_nanoseconds(frame[name], table=table)
    wrong = [name for name, dtype in frame.schema.items() if dtype != types[name]]
    return frame.with_columns([_cast(frame[name], types[name], table=table) for name in wrong])


def complete(frame: pl.DataFrame, types: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Return the frame in all columns of the table, in order; missing ones are NULL."""
    return frame.select(
        pl.col(name) if name in frame.columns else pl.lit(None, dtype=dtype).alias(name)
        for name, dtype in types.items()
    )


def to_arrow(frame: pl.DataFrame, schema: pa.Schema) -> pa.Table:
    """Convert a complete frame to the given Arrow schema."""
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(schema)


def _cast(column: pl.Series, dtype: pl.DataType, *, table: str) -> pl.Series:
    if column.null_count() == len(column):
        return pl.Series(column.name, [None] * len(column), dtype=dtype)
    if not _is_family(column.dtype, dtype):
        raise _unexpected(column, column.drop_nulls()[0], dtype, table=table)
    result = _times(column) if dtype == pl.Time and column.dtype == pl.String else column.cast(dtype, strict=False)
    lost = _lost(column, result)
    if lost.any():
        raise _unexpected(column, column.filter(lost)[0], dtype, table=table)
    return result


def _is_family(source: pl.DataType, target: pl.DataType) -> bool:
    """Return whether two types hold the same kind of value.

    A time without a zone is not an instant, so it is not cast to one.
    """
    if isinstance(source, pl.Datetime) and isinstance(target, pl.Datetime):
        return (source.time_zone is None) == (target.time_zone is None)
    if isinstance(source, TEXTS):
        return isinstance(target, pl.String | pl.Time)
    if source.is_numeric():
        return target.is_numeric()
    return type(source) is type(target)


def _times(column: pl.Series) -> pl.Series:
    """Parse times of day for a column of Iceberg's type time, which former versions made."""
    return column.str.to_time("%H:%M:%S%.f", strict=False)


def _lost(column: pl.Series, result: pl.Series) -> pl.Series:
    """Return a mask of the values that do not survive the cast."""
    if column.dtype.is_nested():
        return pl.Series([False] * len(column))
    if result.dtype == pl.Time and column.dtype == pl.String:
        return result.is_null() & column.is_not_null()
    back = result.cast(column.dtype, strict=False)
    return ~back.eq_missing(column)


def _refuse_nanoseconds(column: pl.Series, *, table: str) -> None:
    """Raise ValueUnexpected for a time that is finer than microseconds."""
    finer = column.filter(column.dt.nanosecond() % 1000 != 0)
    if len(finer):
        raise _unexpected(column, finer[0], pl.Time(), table=table)


def _unexpected(column: pl.Series, value: object, dtype: pl.DataType, *, table: str) -> ValueUnexpected:
    return ValueUnexpected(
        f"{table}: column {column.name} takes {dtype}; the value {value!r} ({column.dtype}) cannot be kept in it",
        table=table,
        column=column.name,
        value=str(value)[:200],
    )
