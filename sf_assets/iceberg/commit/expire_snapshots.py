"""Expire old snapshots in the commit that is made anyway."""

from datetime import datetime, timedelta

from pyiceberg.table import Transaction
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.update.snapshot import ExpireSnapshots
from pyiceberg.utils.datetime import datetime_to_millis

from sf_assets.iceberg.commit.table_state import state_snapshot

KEEP_SNAPSHOTS_FOR = timedelta(days=5)
"""Snowflake's automated refresh stops when its last snapshot is no longer an ancestor."""
KEEP_SNAPSHOTS_AT_LEAST = 10
KEEP_SNAPSHOTS_AT_MOST = 36
"""Each takes 0.8 kB of the metadata, which every commit writes whole and every reader reads whole."""
KEEP_ALL_FOR = timedelta(hours=12)
"""Below this age any number stays: tables that are synced every few minutes."""


def stage_expiry(transaction: Transaction, *, now: datetime) -> None:
    """Add the expiry of old snapshots to the transaction."""
    old = expired_snapshots(transaction.table_metadata, now=now)
    if old:
        ExpireSnapshots(transaction).by_ids(old).commit()


def expired_snapshots(metadata: TableMetadata, *, now: datetime) -> list[int]:
    """Return the ids of the snapshots that may expire.

    Kept: the last ten, those younger than five days (older than 12 hours: only among the last 36), the snapshot of the
    state, heads of branches and tags.
    """
    limit, surplus_limit = (datetime_to_millis(now - age) for age in (KEEP_SNAPSHOTS_FOR, KEEP_ALL_FOR))
    required = {ref.snapshot_id for ref in metadata.refs.values()} | {state_snapshot(metadata)}
    by_age = sorted(metadata.snapshots, key=lambda snapshot: snapshot.timestamp_ms)
    old = [s for s in by_age[:-KEEP_SNAPSHOTS_AT_LEAST] if s.timestamp_ms < limit]
    surplus = [s for s in by_age[:-KEEP_SNAPSHOTS_AT_MOST] if s.timestamp_ms < surplus_limit]
    return list(dict.fromkeys(s.snapshot_id for s in (*old, *surplus) if s.snapshot_id not in required))
