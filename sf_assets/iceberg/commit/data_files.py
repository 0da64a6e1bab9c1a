"""The data files of a table's current snapshot: which may hold a key, and their live rows with positions.

Files are read through the table's FileIO. Columns are found by field id, or by name where a file has no field ids.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.conversions import from_bytes
from pyiceberg.expressions.literals import literal
from pyiceberg.io import FileIO
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat, ManifestEntry
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.table.delete_file_index import DeleteFileIndex
from pyiceberg.table.snapshots import Snapshot
from pyiceberg.types import NestedField

from sf_assets.errors import TableUnsupported
from sf_assets.iceberg.commit.casting import arrow_schema
from sf_assets.iceberg.commit.manifests import Manifests
from sf_assets.iceberg.translate_errors import name_damage

POSITION = "__position"
"""The column that holds a row's position in its file; no Salesforce column has this name."""
DELETED_PATH_ID = 2147483546
DELETED_POSITION_ID = 2147483545
FIELD_ID = b"PARQUET:field_id"


@dataclass(frozen=True)
class LiveFile:
    """A data file of the current snapshot and the delete files that apply to it."""

    data: DataFile
    deletes: tuple[DataFile, ...] = ()
    field_ids: Mapping[str, int] = field(default_factory=dict, repr=False)
    """The table's name mapping, for a file without field ids."""

    @property
    def path(self) -> str:
        return self.data.file_path

    @property
    def own_deletes(self) -> tuple[DataFile, ...]:
        """The delete files that apply to this data file only."""
        return tuple(delete for delete in self.deletes if deleted_path(delete) == self.path)


def live_files(table: Table, manifests: Manifests | None = None, *, snapshot: Snapshot | None = None) -> list[LiveFile]:
    """Return the files of a snapshot, by default the current one. Raises: TableUnsupported."""
    cache = manifests or Manifests(table.io)
    listed = [e for manifest in cache.of(snapshot or table.current_snapshot()) for e in cache.entries(manifest)]
    entries = [entry for entry in listed if entry.data_file.record_count]
    field_ids, deletes = _name_mapping(table), DeleteFileIndex()
    for entry in entries:
        refuse_unreadable(entry.data_file, table=table.name()[-1])
        if entry.data_file.content == DataFileContent.POSITION_DELETES:
            deletes.add_delete_file(entry, partition_key=entry.data_file.partition)
    data = (entry for entry in entries if entry.data_file.content == DataFileContent.DATA)
    return [LiveFile(entry.data_file, _deletes_of(entry, deletes), field_ids) for entry in data]


def refuse_unreadable(file: DataFile, *, table: str) -> None:
    """Raise TableUnsupported for a file of a kind that cannot be read and changed here."""
    if file.content == DataFileContent.EQUALITY_DELETES:
        raise TableUnsupported(f"{table}: the table has equality deletes ({file.file_path})", table=table)
    if file.file_format != FileFormat.PARQUET:
        raise TableUnsupported(f"{table}: the table has {file.file_format.name} files ({file.file_path})", table=table)


def _deletes_of(entry: ManifestEntry, index: DeleteFileIndex) -> tuple[DataFile, ...]:
    file = entry.data_file
    deletes = index.for_data_file(entry.sequence_number or 0, file, partition_key=file.partition)
    return tuple(sorted(deletes, key=lambda delete: delete.file_path))


def _name_mapping(table: Table) -> dict[str, int]:
    mapping = table.metadata.name_mapping()
    fields = mapping.root if mapping else []
    return {name: field.field_id for field in fields if field.field_id is not None for name in field.names}


def deleted_path(delete: DataFile) -> str | None:
    """Return the only data file that a delete file applies to, or None for several."""
    low = (delete.lower_bounds or {}).get(DELETED_PATH_ID)
    high = (delete.upper_bounds or {}).get(DELETED_PATH_ID)
    return low.decode() if low is not None and low == high else None


def bounds(file: DataFile, field: NestedField) -> tuple[Any, Any]:
    """Return the least and greatest value of a column in a file, None where unknown."""
    low = (file.lower_bounds or {}).get(field.field_id)
    high = (file.upper_bounds or {}).get(field.field_id)
    return tuple(None if raw is None else from_bytes(field.field_type, raw) for raw in (low, high))  # type: ignore[return-value, arg-type]  # a field_type here is always primitive


def may_hold(file: DataFile, field: NestedField, *, low: object, high: object) -> bool:
    """Return whether a file may hold a value between `low` and `high`, inclusive.

    `low` and `high` are Python values; None means unbounded.
    """
    least, greatest = bounds(file, field)
    if greatest is not None and low is not None and greatest < _iceberg_value(low, field):
        return False
    return not (least is not None and high is not None and least > _iceberg_value(high, field))


def count_live(io: FileIO, file: LiveFile) -> int:
    """Return the number of live rows; open delete files only if counts are not enough."""
    if not file.deletes:
        return file.data.record_count
    if len(file.deletes) == 1 and file.own_deletes:
        return file.data.record_count - file.deletes[0].record_count
    return file.data.record_count - len(deleted_positions(io, file))


def deleted_positions(io: FileIO, file: LiveFile, *, own: bool = False) -> pl.Series:
    """Return the deleted positions of a file, ascending.

    own: only those of delete files that apply to this data file alone.
    """
    deletes = file.own_deletes if own else file.deletes
    parts = [_positions_in(io, delete, file.path) for delete in deletes]
    return pl.concat([pl.Series(POSITION, [], dtype=pl.Int64), *parts]).unique().sort()


def read_batches(io: FileIO, file: LiveFile, *, schema: Schema, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Yield the live rows by row group: the columns and POSITION (Int64)."""
    hidden = deleted_positions(io, file).to_frame() if file.deletes else None
    with _parquet(io, file.path) as parquet:
        start = 0
        for group in range(parquet.num_row_groups):
            frame = _group_frame(parquet, group, file=file, schema=schema, columns=columns, start=start)
            start += frame.height
            yield frame if hidden is None else frame.join(hidden, on=POSITION, how="anti", maintain_order="left")


def read_rows(
    io: FileIO, file: LiveFile, positions: pl.Series, *, schema: Schema, columns: Sequence[str]
) -> pl.DataFrame:
    """Return the rows at the given positions, with POSITION; read only their row groups."""
    parts = []
    with _parquet(io, file.path) as parquet:
        start = 0
        for group in range(parquet.num_row_groups):
            rows = parquet.metadata.row_group(group).num_rows
            wanted = positions.filter(positions.is_between(start, start + rows - 1))
            if len(wanted):
                frame = _group_frame(parquet, group, file=file, schema=schema, columns=columns, start=start)
                parts.append(frame[(wanted - start).cast(pl.UInt32)])
            start += rows
    return pl.concat(parts)


@contextmanager
def _parquet(io: FileIO, path: str) -> Iterator[pq.ParquetFile]:
    """Open a Parquet file; return freed memory to the system after a large one."""
    with name_damage(path), io.new_input(path).open() as stream, pq.ParquetFile(stream, pre_buffer=True) as parquet:
        yield parquet
        is_large = parquet.num_row_groups > 1
    if is_large:
        pa.default_memory_pool().release_unused()


def _positions_in(io: FileIO, delete: DataFile, path: str) -> pl.Series:
    with _parquet(io, delete.file_path) as parquet:
        frame = cast(pl.DataFrame, pl.from_arrow(parquet.read(columns=["file_path", "pos"])))
    return frame.filter(pl.col("file_path") == path)["pos"].alias(POSITION)


def _group_frame(
    parquet: pq.ParquetFile, group: int, *, file: LiveFile, schema: Schema, columns: Sequence[str], start: int
) -> pl.DataFrame:
    """Return one row group in the table's types; missing columns are NULL."""
    names = _names_in_file(parquet.schema_arrow, file)
    fields = [schema.find_field(column) for column in columns]
    stored = {field.name: names[field.field_id] for field in fields if field.field_id in names}
    raw = parquet.read_row_group(group, columns=list(stored.values()))
    rows = parquet.metadata.row_group(group).num_rows
    table = _in_table_types(raw, fields=fields, stored=stored, rows=rows)
    frame = cast(pl.DataFrame, pl.from_arrow(table))
    return frame.with_columns(pl.int_range(start, start + rows, dtype=pl.Int64).alias(POSITION))


def _names_in_file(schema: pa.Schema, file: LiveFile) -> dict[int, str]:
    """Return field id -> column name in this file. Raises: TableUnsupported."""
    names = {int(field.metadata[FIELD_ID]): field.name for field in schema if FIELD_ID in (field.metadata or {})}
    if names:
        return names
    mapped = {file.field_ids[name]: name for name in schema.names if name in file.field_ids}
    if not mapped:
        raise TableUnsupported(
            f"{file.path}: the file has no field ids, and the table has no name mapping for its columns",
            remedy="Set the table property schema.name-mapping.default, or take the file out of the table.",
        )
    return mapped


def _in_table_types(raw: pa.Table, *, fields: Sequence[NestedField], stored: dict[str, str], rows: int) -> pa.Table:
    wanted = arrow_schema(Schema(*fields))
    arrays = [
        raw.column(stored[field.name]).cast(field.type) if field.name in stored else pa.nulls(rows, field.type)
        for field in wanted
    ]
    return pa.table(arrays, schema=wanted)


def _iceberg_value(value: object, field: NestedField) -> Any:
    return literal(value).to(field.field_type).value  # type: ignore[type-var]  # bounds exist for primitives only
