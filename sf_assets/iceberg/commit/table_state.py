"""How far a table has been read, stored in the commit that wrote the rows.

The property names its snapshot, because properties do not roll back with a table. Another property holds the states of
all snapshots, compressed together, so a rolled-back table finds the state of its current snapshot. Former versions
wrote each state into its snapshot's summary: with hundreds of columns that made the metadata a megabyte long.
"""

import json
import zlib
from base64 import b85decode, b85encode
from collections.abc import Mapping, Sequence

from pyiceberg.table import Table
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.snapshots import Snapshot, ancestors_of

from sf_assets.errors import CommitConflict, TableDamaged
from sf_assets.iceberg.commit.manifests import Manifests
from sf_assets.iceberg.model import Unchecked

STATE = "sf_assets.state"
SNAPSHOT_STATES = "sf_assets.snapshot_states"
RUN = "sf_assets.run"
"""Key of a snapshot's summary: the run that wrote it."""


def state_property(state: str, *, snapshot_id: int | None) -> dict[str, str]:
    """Return the table property that ties `state` to a snapshot."""
    return {STATE: json.dumps({"snapshot": snapshot_id, "state": state})}


def snapshot_states_property(metadata: TableMetadata, state: str, *, snapshot_id: int) -> dict[str, str]:
    """Return the property with the states of all snapshots, this one included."""
    states = {**_snapshot_states(metadata), snapshot_id: state}
    present = {snapshot.snapshot_id for snapshot in metadata.snapshots}
    text = json.dumps({key: value for key, value in states.items() if key in present})
    return {SNAPSHOT_STATES: b85encode(zlib.compress(text.encode(), 9)).decode()}


def state_at(metadata: TableMetadata, snapshot: Snapshot) -> str | None:
    """Return the state that was committed with a snapshot, or None if it has none."""
    if (state := _snapshot_states(metadata).get(snapshot.snapshot_id)) is not None:
        return state
    return snapshot.summary.additional_properties.get(STATE) if snapshot.summary else None


def _snapshot_states(metadata: TableMetadata) -> dict[int, str]:
    """Return snapshot -> state; empty if the property is missing or unreadable.

    A table that is rolled back to a snapshot without a state is read again from the start.
    """
    try:
        states = json.loads(zlib.decompress(b85decode(metadata.properties[SNAPSHOT_STATES])))
        return {int(snapshot): str(state) for snapshot, state in states.items()}
    except (KeyError, ValueError, AttributeError, RecursionError, zlib.error):
        return {}


def state_of(table: Table) -> str | None:
    """Return the state of the table's current rows, or None if it is unknown.

    The nearest ancestor of the current snapshot that has a state wins.
    """
    metadata = table.metadata
    written_for, written = _written(metadata.properties)
    lineage = list(ancestors_of(metadata.current_snapshot(), metadata))
    for snapshot in lineage:
        if written is not None and snapshot.snapshot_id == written_for:
            return written
        if (state := state_at(metadata, snapshot)) is not None:
            return state
    return written if written is not None and _came_before(written_for, lineage, table) else None


def state_snapshot(metadata: TableMetadata) -> int | None:
    """Return the snapshot that the state property names. It must not expire."""
    return _written(metadata.properties)[0]


def check_base(table: Table, base: str | Unchecked | None, *, name: str) -> None:
    """Raise CommitConflict if the table's state is not the caller's base."""
    if isinstance(base, Unchecked):
        return
    state = state_of(table)
    if state != base:
        rival = _rival(table, moved=_snapshot_state(table) == state)
        raise CommitConflict(
            f"{name}: the table's state is no longer the one that this run read; {rival} was here",
            table=name,
            expected=str(base)[:200],
            found=str(state)[:200],
        )


def concurrent_commit_error(table: Table, *, name: str) -> CommitConflict:
    """Return the error of a commit that came too late, with the other run."""
    before = table.current_snapshot()
    now = table.refresh()
    rival = _rival(now, moved=now.current_snapshot() != before)
    return CommitConflict(f"{name}: {rival} has written the table meanwhile", table=name)


def _rival(table: Table, *, moved: bool) -> str:
    """Return words for the other writer: the current snapshot's run if it moved."""
    snapshot = table.current_snapshot()
    run = snapshot.summary.additional_properties.get(RUN) if moved and snapshot and snapshot.summary else None
    return f"another run, {run}," if run else "another run"


def _snapshot_state(table: Table) -> str | None:
    snapshot = table.current_snapshot()
    return state_at(table.metadata, snapshot) if snapshot else None


def _written(properties: Mapping[str, str]) -> tuple[int | None, str | None]:
    """Return the snapshot and the state of the property, or None, None without one."""
    text = properties.get(STATE)
    if text is None:
        return None, None
    try:
        value = json.loads(text)
        snapshot, state = value["snapshot"], value["state"]
        if isinstance(snapshot, int | None) and isinstance(state, str | None):
            return snapshot, state
    except (ValueError, TypeError, KeyError, RecursionError):
        pass
    raise TableDamaged(f"the table property {STATE} is unreadable: {text[:80]!r}", path=STATE)


def _came_before(snapshot_id: int | None, lineage: Sequence[Snapshot], table: Table) -> bool:
    """Return whether the expired snapshot is an ancestor of the current one.

    Proof is a parent id, or a file that the snapshot added. Without proof the table is read again from the start."""
    if snapshot_id is None:
        return True
    if not lineage or table.metadata.snapshot_by_id(snapshot_id) is not None:
        return False
    if lineage[-1].parent_snapshot_id == snapshot_id:
        return True
    cache = Manifests(table.io)
    manifests = cache.of(lineage[0])
    if any(manifest.added_snapshot_id == snapshot_id for manifest in manifests):
        return True
    entries = (entry for manifest in manifests for entry in cache.entries(manifest))
    return any(entry.snapshot_id == snapshot_id for entry in entries)


def drop_state(table: Table) -> None:
    """Remove the state of a table: the next run reads it again from the start."""
    table.transaction().remove_properties(STATE).commit_transaction()
