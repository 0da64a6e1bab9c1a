"""The tables of a namespace in a DuckDB database: a view each, or a copy of what DuckDB cannot read by itself.

A copy (files in an object store, nested columns) is streamed in, and made again only if the snapshot has changed.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyiceberg.manifest import DataFileContent

from sf_assets.downstream.views import Files, can_be_viewed, identifier, text, view_query
from sf_assets.errors import IcebergError
from sf_assets.iceberg.catalog import IcebergCatalog
from sf_assets.iceberg.commit.data_files import live_files

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from pyiceberg.table import Table

STREAM = "sf_assets_stream"


@dataclass(frozen=True)
class DuckTable:
    """What DuckDB has under a table's name: a view, or a copy of the version that its comment names."""

    schema: str
    name: str
    kind: str
    version: str | None = None

    def __str__(self) -> str:
        return f"{identifier(self.schema)}.{identifier(self.name)}"


def show_tables(conn: "DuckDBPyConnection", catalog: IcebergCatalog) -> None:
    """Show every table at its current snapshot and drop the views of others.

    Raises: TableUnsupported for a table with equality deletes.
    """
    schema = catalog.namespace
    conn.execute(f"create schema if not exists {identifier(schema)}").fetchall()
    names = catalog.names()
    before = _duck_tables(conn, schema)
    for name in before.keys() - set(names):
        _drop(conn, before[name])
    for name in names:
        _show(
            conn, catalog.catalog.load_table((schema, name)), DuckTable(schema, name, "view"), before=before.get(name)
        )


def _duck_tables(conn: "DuckDBPyConnection", schema: str) -> dict[str, DuckTable]:
    here = "schema_name = $1 and database_name = current_database()"
    rows = conn.execute(
        f"select view_name, 'view', null from duckdb_views() where {here} union all "
        f"select table_name, 'table', comment from duckdb_tables() where {here}",
        [schema],
    ).fetchall()
    return {name: DuckTable(schema, name, kind, version) for name, kind, version in rows}


def _show(conn: "DuckDBPyConnection", table: "Table", target: DuckTable, *, before: DuckTable | None) -> None:
    files = snapshot_files(table)
    if can_be_viewed(table.schema(), files):
        if before and before.kind == "table":
            _drop(conn, before)
        conn.execute(f"create or replace view {target} as {view_query(table.schema(), files)}").fetchall()
    elif before is None or before.version != _version(table):
        if before:
            _drop(conn, before)
        _copy(conn, table, target)


def snapshot_files(table: "Table") -> Files:
    """Return the files of a table's current snapshot. Raises WarehouseError for equality deletes."""
    live = live_files(table)
    deletes = {delete.file_path: delete for file in live for delete in file.deletes}
    if any(delete.content == DataFileContent.EQUALITY_DELETES for delete in deletes.values()):
        name = table.name()[-1]
        raise IcebergError(
            f"{name}: the table has equality deletes",
            table=name,
            remedy="Compact the table with the tool that wrote them.",
        )
    whole = tuple(file.path for file in live if not file.deletes)
    return Files(whole, tuple(file.path for file in live if file.deletes), tuple(deletes))


def _copy(conn: "DuckDBPyConnection", table: "Table", target: DuckTable) -> None:
    conn.register(STREAM, table.scan().to_arrow_batch_reader())
    conn.execute(f"create table {target} as select * from {STREAM}").fetchall()
    conn.unregister(STREAM)
    conn.execute(f"comment on table {target} is {text(_version(table))}").fetchall()


def _version(table: "Table") -> str:
    """Return a text that changes with the rows or the columns."""
    snapshot = table.current_snapshot()
    return f"snapshot {snapshot.snapshot_id if snapshot else None}, schema {table.schema().schema_id}"


def _drop(conn: "DuckDBPyConnection", target: DuckTable) -> None:
    conn.execute(f"drop {target.kind} {target}").fetchall()
