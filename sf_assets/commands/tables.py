"""The list of a deployment's tables, from what the last runs wrote of themselves into `_sync_status`."""

from typing import TYPE_CHECKING, Any

from rich.table import Table

from sf_assets.errors import ConfigError
from sf_assets.sync.status_table import TABLE

if TYPE_CHECKING:
    from sf_assets.iceberg.tables import IcebergTables


def table_list(warehouse: "IcebergTables") -> Table:
    """Return the printed list, a line per endpoint; raise ConfigError when nothing was ever materialized."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("table", no_wrap=True)
    table.add_column("rows", justify="right", no_wrap=True)
    table.add_column("true as of (UTC)", no_wrap=True)
    table.add_column("last sync")
    for row in statuses(warehouse):
        table.add_row(row["endpoint"], f"{row['rows'] or 0:,}", _moment(row["true_as_of"]), row["state"])
    return table


def location(warehouse: "IcebergTables") -> str:
    """Return the folder or bucket that the tables have in common, as an URI."""
    facts = warehouse.facts(TABLE)
    return facts.uri.rsplit("/", 1)[0] if facts else ""


def statuses(warehouse: "IcebergTables") -> list[dict[str, Any]]:
    """Return the rows of `_sync_status` in the order of their names."""
    if warehouse.facts(TABLE) is None:
        raise ConfigError(
            "there are no tables yet",
            remedy="Materialize some endpoints first: make demo, or make dev and 'Materialize all' in Dagit.",
        )
    rows: list[dict[str, Any]] = warehouse.scan(TABLE).sort("endpoint").collect().to_dicts()
    return rows


def _moment(value: Any) -> str:
    return f"{value:%Y-%m-%d %H:%M:%S}" if value else "never"
