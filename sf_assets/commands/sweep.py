"""`sf-assets sweep`: remove files that no snapshot needs: of expired snapshots, and of interrupted writes."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from sf_assets.commands.options import FiniteRange
from sf_assets.commands.settings import deployment
from sf_assets.errors import TableForeign

if TYPE_CHECKING:
    from sf_assets.iceberg.tables import IcebergTables


@click.command()
@click.option(
    "--older-than-days",
    type=FiniteRange(min=1, max=3650),
    default=3,
    show_default=True,
    help="Age of the files to remove; a running write may need younger ones.",
)
def sweep(older_than_days: float) -> None:
    """Remove files that no snapshot needs. For cron, once a week.

    Snapshots expire after five days at most. Files that only they used stay until they are swept.
    """
    for table, files in remove_orphan_files(deployment().iceberg.tables(), older_than=timedelta(days=older_than_days)):
        result = (
            "not a table of sf_assets, left alone" if files is None else f"{files} file{'s' * (files != 1)} removed"
        )
        click.echo(f"{table}: {result}")


def remove_orphan_files(tables: "IcebergTables", *, older_than: timedelta) -> Iterator[tuple[str, int | None]]:
    """Yield each table's name and its removed files, or None for a foreign table."""
    for name in tables.names():
        try:
            yield name, len(tables.remove_orphan_files(name, older_than=older_than))
        except TableForeign:
            yield name, None
