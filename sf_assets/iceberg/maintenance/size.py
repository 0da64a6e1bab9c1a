"""The size of a table: what an upkeep makes smaller."""

from dataclasses import dataclass

from pyiceberg.table import Table

from sf_assets.iceberg.commit.data_files import live_files


@dataclass(frozen=True)
class TableSize:
    """Files and bytes of the current snapshot, and how many snapshots the table has."""

    data_files: int
    delete_files: int
    bytes: int
    snapshots: int


def measure(table: Table) -> TableSize:
    """Count the files that a reader of the table opens."""
    files = live_files(table)
    deletes = {delete.file_path: delete for file in files for delete in file.deletes}
    size = sum(file.data.file_size_in_bytes for file in files) + sum(d.file_size_in_bytes for d in deletes.values())
    return TableSize(len(files), len(deletes), size, len(table.metadata.snapshots))
