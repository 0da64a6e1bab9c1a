"""The metadata files of a table that its newest one still names: for a reader that may be behind."""

from dataclasses import dataclass
from datetime import UTC, datetime

from pyiceberg.table import Table


@dataclass(frozen=True)
class TableVersions:
    """Metadata locations and when each was committed, oldest first; and when rows or columns changed last."""

    locations: tuple[tuple[str, datetime], ...]
    rows_at: datetime | None


def read_metadata_log(table: Table) -> TableVersions:
    """Return what the table's own metadata log says, the current file last."""
    metadata = table.metadata
    log = [(entry.metadata_file, _datetime(entry.timestamp_ms)) for entry in metadata.metadata_log]
    snapshot = table.current_snapshot()
    rows_at = None if snapshot is None else _datetime(snapshot.timestamp_ms)
    return TableVersions((*log, (table.metadata_location, _datetime(metadata.last_updated_ms))), rows_at)


def _datetime(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC)
