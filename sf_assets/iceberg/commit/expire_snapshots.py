"""What keeps a table cheap to read and to commit to: old snapshots expire, orphaned files are swept."""

from datetime import datetime, timedelta

from pyiceberg.table import Transaction
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.update.snapshot import ExpireSnapshots
from pyiceberg.utils.datetime import datetime_to_millis

from sf_assets.iceberg.commit.table_state import state_snapshot

KEEP_SNAPSHOTS_FOR = timedelta(days=5)
"""Snowflake's automated refresh stops when the snapshot that it read last is no ancestor any more."""
KEEP_SNAPSHOTS_AT_LEAST = 10


def stage_expiry(transaction: Transaction, *, now: datetime) -> None:
    """Put the expiry of old snapshots into a commit that is made anyway."""
    old = expired_snapshots(transaction.table_metadata, now=now)
    if old:
        ExpireSnapshots(transaction).by_ids(old).commit()


def expired_snapshots(metadata: TableMetadata, *, now: datetime) -> list[int]:
    """The snapshots that may go: older than five days, not among the last ten, no branch's head, not the state's."""
    limit = datetime_to_millis(now - KEEP_SNAPSHOTS_FOR)
    kept = {ref.snapshot_id for ref in metadata.refs.values()} | {state_snapshot(metadata)}
    by_age = sorted(metadata.snapshots, key=lambda snapshot: snapshot.timestamp_ms)
    return [
        s.snapshot_id for s in by_age[:-KEEP_SNAPSHOTS_AT_LEAST] if s.timestamp_ms < limit and s.snapshot_id not in kept
    ]
