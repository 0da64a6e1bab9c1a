"""The metadata files that the newest one still names: for a reader that may lag."""

from dataclasses import dataclass
from datetime import UTC, datetime

from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot

ERASED = "sf_assets.erased-rows"
"""A property of the summary of a snapshot that erased rows."""


@dataclass(frozen=True)
class TableVersions:
    """Metadata locations with commit times, oldest first, and the time of the last snapshot."""

    locations: tuple[tuple[str, datetime], ...]
    rows_at: datetime | None
    is_erasure_pending: bool = False
    """Files of older snapshots still hold erased rows."""


def read_metadata_log(table: Table) -> TableVersions:
    """Return the table's metadata log, the current file last."""
    metadata = table.metadata
    log = [(entry.metadata_file, _datetime(entry.timestamp_ms)) for entry in metadata.metadata_log]
    snapshot = table.current_snapshot()
    rows_at = None if snapshot is None else _datetime(snapshot.timestamp_ms)
    current = (table.metadata_location, _datetime(metadata.last_updated_ms))
    return TableVersions((*log, current), rows_at, bool(past_snapshots(table)))


def past_snapshots(table: Table) -> list[Snapshot]:
    """Return the snapshots before the last erasure: their files may hold removed rows."""
    snapshots = table.metadata.snapshots
    erasures = [s.sequence_number or 0 for s in snapshots if s.summary and ERASED in s.summary.additional_properties]
    return [s for s in snapshots if (s.sequence_number or 0) < max(erasures, default=0)]


def _datetime(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC)
