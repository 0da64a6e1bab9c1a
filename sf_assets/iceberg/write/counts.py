"""The counters of a write and its result."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from pyiceberg.table import Table

from sf_assets.iceberg.commit.data_files import LiveFile
from sf_assets.iceberg.commit.pending_commit import CommitResult
from sf_assets.iceberg.model import Written


@dataclass
class Counts:
    """The counters of `Written`; read = inserted + updated + unchanged + outdated."""

    read: int = 0
    inserted: int = 0
    updated: int = 0
    vanished: int = 0
    unchanged: int = 0
    outdated: int = 0
    commits: int = 0
    files_written: int = 0
    bytes_written: int = 0

    def add(self, other: "Counts") -> None:
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))

    def add_commit(self, result: CommitResult) -> None:
        self.commits += 1
        self.files_written += result.files
        self.bytes_written += result.bytes

    def written(self, table: Table, *, rows: int, added_columns: Sequence[str]) -> Written:
        snapshot = table.current_snapshot()
        return Written(
            snapshot_id=snapshot.snapshot_id if snapshot else None,
            rows=rows,
            added_columns=tuple(added_columns),
            uri=table.location(),
            metadata_location=table.metadata_location,
            **{field.name: getattr(self, field.name) for field in fields(self)},
        )


@dataclass(frozen=True)
class WriteResult:
    """A finished write. `live`: the table's files afterwards if a commit made them known."""

    table: Table
    counts: Counts
    live: tuple[LiveFile, ...] | None
    added_columns: tuple[str, ...]
