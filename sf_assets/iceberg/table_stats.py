"""Counts of rows and the latest timestamp of a column: from file bounds where possible, else from the column."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
from pyiceberg.table import Table
from pyiceberg.types import NestedField, TimestampType, TimestamptzType

from sf_assets.errors import ColumnIncompatible
from sf_assets.iceberg.commit.data_files import LiveFile, bounds, count_live, live_files, may_hold, read_batches

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EXACT = (TimestampType, TimestamptzType)
"""Types with exact bounds in a manifest: never shortened."""


def count_since(table: Table, column: str, since: datetime | None) -> tuple[int, datetime | None]:
    """Return COUNT(*) and MAX(column) of the rows with column >= since (None: all).

    Raises: ColumnIncompatible if the table has no such column.
    """
    if column not in table.schema().column_names:
        raise ColumnIncompatible(
            f"{table.name()[-1]}: the table has no column {column}", table=table.name()[-1], column=column
        )
    field = table.schema().find_field(column)
    count, latest = 0, None
    for file in live_files(table):
        if since is None or may_hold(file.data, field, low=since, high=None):
            rows, greatest = _in_file(table, file, field=field, since=since)
            count += rows
            latest = max((moment for moment in (latest, greatest) if moment is not None), default=None)
    return count, latest


def count_true(table: Table, column: str) -> int:
    """Return how many rows have true in a boolean column; 0 without the column.

    Only files that may have both values are read, and of these only this column.
    """
    if column not in table.schema().column_names:
        return 0
    field = table.schema().find_field(column)
    return sum(_true_in_file(table, file, field=field) for file in live_files(table))


def _true_in_file(table: Table, file: LiveFile, *, field: NestedField) -> int:
    least, greatest = bounds(file.data, field)
    if greatest is False:
        return 0
    if least is True and not _nulls(file, field):
        return count_live(table.io, file)
    return sum(int(values.sum() or 0) for values in _values(table, file, field.name))


def _in_file(table: Table, file: LiveFile, *, field: NestedField, since: datetime | None) -> tuple[int, Any]:
    least, greatest = bounds(file.data, field)
    is_whole = since is None or (least is not None and _datetime(least) >= since and not _nulls(file, field))
    if is_whole and not file.deletes and greatest is not None and isinstance(field.field_type, EXACT):
        return count_live(table.io, file), _datetime(greatest)
    values = pl.concat(_values(table, file, field.name))
    selected = values if since is None else values.filter(values >= since)
    return len(selected), selected.max()


def _values(table: Table, file: LiveFile, column: str) -> Iterator[pl.Series]:
    for batch in read_batches(table.io, file, schema=table.schema(), columns=[column]):
        yield batch[column]


def _nulls(file: LiveFile, field: NestedField) -> int:
    return (file.data.null_value_counts or {}).get(field.field_id, 1)


def _datetime(micros: int) -> datetime:
    return EPOCH + timedelta(microseconds=micros)
