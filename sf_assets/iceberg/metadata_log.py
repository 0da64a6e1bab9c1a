"""The metadata files that the newest one still names: for a reader that may lag."""

from dataclasses import dataclass
from datetime import UTC, datetime

from pyiceberg.table import Table


@dataclass(frozen=True)
class TableVersions:
    """Metadata locations with commit times, oldest first, and the time of the last snapshot."""

    locations: tuple[tuple[str, datetime], ...]
    rows_at: datetime | None


def read_metadata_log(table: Table) -> TableVersions:
    """Return the table's metadata log, the current file last."""
    metadata = table.metadata
    log = [(entry.metadata_file, _datetime(entry.timestamp_ms)) for entry in metadata.metadata_log]
    snapshot = table.current_snapshot()
    rows_at = None if snapshot is None else _datetime(snapshot.timestamp_ms)
    return TableVersions((*log, (table.metadata_location, _datetime(metadata.last_updated_ms))), rows_at)


def _datetime(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC)
