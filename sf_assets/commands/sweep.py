"""Removes the files that no snapshot needs: of expired snapshots, and of writes that never came to their commit."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from sf_assets.errors import TableForeign

if TYPE_CHECKING:
    from sf_assets.iceberg.tables import IcebergTables


def swept(warehouse: "IcebergTables", *, older_than: timedelta) -> Iterator[tuple[str, int | None]]:
    """Sweep table by table; yield its name and how many files went, None for a table that is not ours."""
    for name in warehouse.names():
        try:
            yield name, len(warehouse.remove_orphan_files(name, older_than=older_than))
        except TableForeign:
            yield name, None
