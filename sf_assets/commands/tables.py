"""`sf-assets tables`: the tables of a deployment, as the last runs recorded them in `_sync_status`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from sf_assets.commands.settings import deployment
from sf_assets.errors import ConfigError

if TYPE_CHECKING:
    from sf_assets.assets.resources import IcebergResource
    from sf_assets.iceberg.tables import IcebergTables

NO_TABLES = "Materialize some endpoints first: make demo, or make dev and 'Materialize all' in Dagit."


@click.command()
def tables() -> None:
    """List the tables: rows, true as of, last sync."""
    from rich.console import Console

    console, warehouse = Console(), existing_tables(deployment().iceberg)
    rows = statuses(warehouse)
    console.print(table_list(rows))
    for line in failures(rows):
        console.print(line, style="red", markup=False, highlight=False, soft_wrap=True)
    console.print(f"\nThe tables are in {location(warehouse)}", soft_wrap=True, highlight=False)


def existing_tables(iceberg: "IcebergResource") -> "IcebergTables":
    """Return the tables. Raises: ConfigError if the local catalog does not exist, without creating it."""
    from sf_assets.iceberg.configuration import catalog_config

    is_local = not catalog_config(iceberg.catalog) and not iceberg.properties
    if is_local and not (Path(iceberg.local_folder) / "catalog.db").exists():
        raise ConfigError(f"there are no tables yet in {iceberg.local_folder}", remedy=NO_TABLES)
    return iceberg.tables()


def table_list(rows: list[dict[str, Any]]) -> Table:
    """Return the printed list, a line for each endpoint."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("table", no_wrap=True)
    table.add_column("rows", justify="right", no_wrap=True)
    table.add_column("true as of (UTC)", no_wrap=True)
    table.add_column("last sync")
    for row in rows:
        table.add_row(row["endpoint"], f"{row['rows'] or 0:,}", _moment(row["true_as_of"]), row["state"])
    return table


def failures(rows: list[dict[str, Any]]) -> list[str]:
    """Return a line for each reason of failed syncs, with their endpoints."""
    endpoints: dict[str, list[str]] = {}
    for row in rows:
        if row["state"] in FAILED and row.get("warnings"):
            endpoints.setdefault(str(row["warnings"]), []).append(row["endpoint"])
    return [f"{', '.join(names)}: {reason}" for reason, names in endpoints.items()]


FAILED = ("failed", "quota_spent")


def location(warehouse: "IcebergTables") -> str:
    """Return the folder or bucket of the tables, as an URI."""
    from sf_assets.sync.status_table import TABLE

    facts = warehouse.facts(TABLE)
    return facts.uri.rsplit("/", 1)[0] if facts else ""


def statuses(warehouse: "IcebergTables") -> list[dict[str, Any]]:
    """Return the rows of `_sync_status`, sorted by endpoint. Raises: ConfigError if nothing was ever materialized."""
    from sf_assets.sync.status_table import TABLE

    if warehouse.facts(TABLE) is None:
        raise ConfigError("there are no tables yet", remedy=NO_TABLES)
    rows: list[dict[str, Any]] = warehouse.read(TABLE, warehouse.scan(TABLE).sort("endpoint")).to_dicts()
    return rows


def _moment(value: Any) -> str:
    return f"{value:%Y-%m-%d %H:%M:%S}" if value else "never"
