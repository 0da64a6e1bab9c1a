"""Expire old snapshots in the commit that is made anyway."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pyiceberg.table import Table, Transaction
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.update.snapshot import ExpireSnapshots
from pyiceberg.utils.datetime import datetime_to_millis

from sf_assets.iceberg.commit.table_properties import PROPERTIES
from sf_assets.iceberg.commit.table_state import state_snapshot
from sf_assets.iceberg.commit.unread_snapshots import unread_snapshots

MAX_AGE, MIN_COUNT = "history.expire.max-snapshot-age-ms", "history.expire.min-snapshots-to-keep"
"""Iceberg's own properties. Ours: five days and ten. Snowflake's refresh stops when its last snapshot is gone."""
KEEP_AT_MOST = 36
"""Each takes 0.8 kB of the metadata, which every commit writes whole and every reader reads whole."""
KEEP_ALL_FOR = timedelta(hours=12)
"""Below this age any number stays: tables that are synced every few minutes."""


@dataclass(frozen=True)
class Retention:
    """Which snapshots stay. `at_most` None: any number of those that are younger than `max_age`."""

    max_age: timedelta
    at_least: int
    at_most: int | None


def retention(properties: Mapping[str, str]) -> Retention:
    """Return the retention that the table's properties ask for. A user's own age keeps any number of snapshots."""
    age, count = _positive(properties, MAX_AGE), _positive(properties, MIN_COUNT)
    is_ours = age == int(PROPERTIES[MAX_AGE])
    return Retention(timedelta(milliseconds=age), count, max(KEEP_AT_MOST, count) if is_ours else None)


def stage_expiry(transaction: Transaction, table: Table, *, now: datetime) -> None:
    """Add the expiry of the table's old snapshots to the transaction."""
    old = due_snapshots(table, transaction.table_metadata, now=now)
    if old:
        ExpireSnapshots(transaction).by_ids(old).commit()


def due_snapshots(table: Table, metadata: TableMetadata, *, now: datetime) -> list[int]:
    """Return the ids of the old snapshots that the table's history does not need."""
    old = expired_snapshots(metadata, now=now)
    unread = unread_snapshots(table, metadata, now=now) if old else frozenset()
    return [snapshot for snapshot in old if snapshot not in unread]


def expired_snapshots(metadata: TableMetadata, *, now: datetime) -> list[int]:
    """Return the ids of the snapshots that are old enough to expire.

    Kept: the last ten, those younger than five days (older than 12 hours: only among the last 36), the snapshot of the
    state, heads of branches and tags. Properties of the table change the ten and the five days.
    """
    rule = retention(metadata.properties)
    limit, surplus_limit = (datetime_to_millis(now - age) for age in (rule.max_age, KEEP_ALL_FOR))
    required = {ref.snapshot_id for ref in metadata.refs.values()} | {state_snapshot(metadata)}
    by_age = sorted(metadata.snapshots, key=lambda snapshot: snapshot.timestamp_ms)
    old = [s for s in by_age[: -rule.at_least] if s.timestamp_ms < limit]
    surplus = [s for s in by_age[: -rule.at_most] if s.timestamp_ms < surplus_limit] if rule.at_most else []
    return list(dict.fromkeys(s.snapshot_id for s in (*old, *surplus) if s.snapshot_id not in required))


def _positive(properties: Mapping[str, str], name: str) -> int:
    """Return a property as a whole number above zero; ours if it is not one."""
    text = properties.get(name, "")
    return int(text) if text.isdecimal() and int(text) else int(PROPERTIES[name])
