"""The snapshots of a table that its history has not used yet. They expire later than others."""

from datetime import datetime, timedelta

from pyiceberg.exceptions import NoSuchNamespaceError, NoSuchTableError
from pyiceberg.table import Table
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.snapshots import Snapshot, ancestors_of
from pyiceberg.utils.datetime import datetime_to_millis

from sf_assets.iceberg.commit.table_state import state_of
from sf_assets.iceberg.history_state import HistoryState, history_name
from sf_assets.iceberg.translate_errors import is_denied

KEEP_UNREAD_FOR = timedelta(days=30)
"""A history that was switched off would otherwise keep every snapshot of its table."""
KEEP_UNREAD_AT_MOST = 1_000
"""About 0.8 MB of metadata."""


def unread_snapshots(table: Table, metadata: TableMetadata, *, now: datetime) -> frozenset[int]:
    """Return the ids of the snapshots from the last one that the history used.

    Empty without a history. At most the last 1,000, and none older than 30 days. If the history cannot be loaded, all
    of these are returned.
    """
    try:
        used = _last_used(table, metadata)
    except (NoSuchTableError, NoSuchNamespaceError):
        return frozenset()
    except Exception as error:  # noqa: BLE001 - a damaged history stops no sync of its table: the expiry waits
        used = None if is_denied(error) else metadata.snapshots[0]
    if used is None:
        return frozenset()
    first, limit = _branching_point(metadata, used).sequence_number or 0, datetime_to_millis(now - KEEP_UNREAD_FOR)
    by_age = sorted(metadata.snapshots, key=lambda snapshot: snapshot.timestamp_ms)[-KEEP_UNREAD_AT_MOST:]
    return frozenset(s.snapshot_id for s in by_age if (s.sequence_number or 0) >= first and s.timestamp_ms >= limit)


def _last_used(table: Table, metadata: TableMetadata) -> Snapshot | None:
    """Return the last snapshot that the history used, if the table still has it."""
    *namespace, name = table.name()
    history = table.catalog.load_table((*namespace, history_name(name)))
    text = state_of(history)
    state = None if text is None else HistoryState.from_json(text, name=name)
    is_of_table = state is not None and state.table == str(metadata.table_uuid)
    return metadata.snapshot_by_id(state.snapshot) if state is not None and is_of_table else None


def _branching_point(metadata: TableMetadata, used: Snapshot) -> Snapshot:
    """Return the last common ancestor of a snapshot and the current one.

    After a rollback it is before the snapshot, otherwise the snapshot itself.
    """
    present = {snapshot.snapshot_id for snapshot in ancestors_of(metadata.current_snapshot(), metadata)}
    return next((s for s in ancestors_of(used, metadata) if s.snapshot_id in present), used)
