"""An Iceberg table as a query of DuckDB over its current snapshot's files. It decides and opens nothing.

Columns are found by field id, so a renamed, added or widened column is right in every file; position deletes are an
anti-join over the files that have some. Nothing is read before the query is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pyiceberg.schema import Schema
from pyiceberg.types import (
    BinaryType,
    BooleanType,
    DateType,
    DecimalType,
    DoubleType,
    FloatType,
    IcebergType,
    IntegerType,
    LongType,
    StringType,
    TimestampType,
    TimestamptzType,
    TimeType,
)

TYPES: dict[type[IcebergType], str] = {
    BinaryType: "BLOB",
    BooleanType: "BOOLEAN",
    DateType: "DATE",
    DoubleType: "DOUBLE",
    FloatType: "FLOAT",
    IntegerType: "INTEGER",
    LongType: "BIGINT",
    StringType: "VARCHAR",
    TimestampType: "TIMESTAMP",
    TimestamptzType: "TIMESTAMPTZ",
    TimeType: "TIME",
}
SCHEME = "file://"
PATTERNS = frozenset("*?[{")
"""Characters that DuckDB takes for a pattern in a path."""


@dataclass(frozen=True)
class Files:
    """The files of a snapshot: data files without deletes, those with some, and the position deletes of these."""

    whole: tuple[str, ...]
    pierced: tuple[str, ...]
    deletes: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """Every file that the query opens."""
        return (*self.whole, *self.pierced, *self.deletes)


def can_be_viewed(schema: Schema, files: Files) -> bool:
    """Return whether DuckDB reads the table by itself: local files, plain columns."""
    is_plain = all(duckdb_type(field.field_type) for field in schema.fields)
    return is_plain and all(is_local(path) for path in files.all)


def is_local(path: str) -> bool:
    """Return whether a path names one local file, for DuckDB too."""
    scheme, has_scheme, _ = path.partition("://")
    return (not has_scheme or scheme == "file") and not PATTERNS.intersection(path)


def duckdb_type(kind: IcebergType) -> str | None:
    """Return DuckDB's name of a type, or None if it is nested or unknown."""
    if isinstance(kind, DecimalType):
        return f"DECIMAL({kind.precision}, {kind.scale})"
    return TYPES.get(type(kind))


def view_query(schema: Schema, files: Files) -> str:
    """Return the SELECT of a table's live rows in its current schema."""
    parts = []
    if files.whole:
        parts.append(f"select {_names(schema)} from {_parquet(schema, files.whole)}")
    if files.pierced:
        parts.append(_without_deleted(schema, files))
    return "\nunion all\n".join(parts) or f"select {_nulls(schema)} where false"


def _without_deleted(schema: Schema, files: Files) -> str:
    """Return the SELECT of files with deleted positions.

    DuckDB names a file by its path without scheme, Iceberg as it was written.
    """
    return (
        f"select {_names(schema)} from {_parquet(schema, files.pierced)} as data\n"
        f"where not exists (select 1 from read_parquet({_paths(files.deletes)}) as gone\n"
        f"  where replace(gone.file_path, '{SCHEME}', '') = data.filename and gone.pos = data.file_row_number)"
    )


def _parquet(schema: Schema, paths: Sequence[str]) -> str:
    fields = ", ".join(
        f"{field.field_id}: {{name: {text(field.name)}, type: {text(str(duckdb_type(field.field_type)))}, "
        "default_value: NULL}"
        for field in schema.fields
    )
    return f"read_parquet({_paths(paths)}, schema = MAP {{{fields}}})"


def _names(schema: Schema) -> str:
    return ", ".join(identifier(field.name) for field in schema.fields)


def _nulls(schema: Schema) -> str:
    return ", ".join(f"NULL::{duckdb_type(field.field_type)} as {identifier(field.name)}" for field in schema.fields)


def _paths(paths: Iterable[str]) -> str:
    return f"[{', '.join(text(path.removeprefix(SCHEME)) for path in paths)}]"


def identifier(name: str) -> str:
    """Quote a name for DuckDB."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """Quote a text for DuckDB."""
    return "'" + value.replace("'", "''") + "'"
