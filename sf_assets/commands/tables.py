"""The list of a deployment's tables, from what the last runs wrote of themselves into `_sync_status`."""

from typing import TYPE_CHECKING, Any

from rich.table import Table

from sf_assets.assets.status import TABLE
from sf_assets.errors import ConfigError

if TYPE_CHECKING:
    from sf_assets.iceberg.warehouse import Warehouse


def table_list(warehouse: "Warehouse") -> Table:
    """Return the printed list, a line per endpoint; raise ConfigError when nothing was ever materialized."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in ("table", "rows", "true as of (UTC)", "last sync", "where"):
        table.add_column(title, justify="right" if title == "rows" else "left", overflow="fold")
    for row in _statuses(warehouse):
        table.add_row(*_cells(row, warehouse))
    return table


def _statuses(warehouse: "Warehouse") -> list[dict[str, Any]]:
    if warehouse.facts(TABLE) is None:
        raise ConfigError(
            "there are no tables yet",
            remedy="Materialize some endpoints first: make demo, or make dev and 'Materialize all' in Dagit.",
        )
    rows: list[dict[str, Any]] = warehouse.scan(TABLE).sort("endpoint").collect().to_dicts()
    return rows


def _cells(row: dict[str, Any], warehouse: "Warehouse") -> tuple[str, ...]:
    facts = warehouse.facts(row["endpoint"])
    true_as_of = row["true_as_of"]
    return (
        row["endpoint"],
        f"{row['rows'] or 0:,}",
        f"{true_as_of:%Y-%m-%d %H:%M:%S}" if true_as_of else "never",
        row["state"],
        facts.uri if facts else "no table",
    )
