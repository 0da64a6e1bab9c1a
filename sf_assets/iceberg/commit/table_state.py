"""How far a table has been read, kept where it cannot disagree with the rows: in the commit that wrote them.

The property names the snapshot that it belongs to, since properties do not roll back with a table; the summary of each
snapshot bears the state as well, so that a rolled-back table finds the one of its present.
"""

import json
from collections.abc import Mapping, Sequence

from pyiceberg.table import Table
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.snapshots import Snapshot, ancestors_of

from sf_assets.errors import CommitConflict
from sf_assets.iceberg.model import Unchecked

STATE = "sf_assets.state"
RUN = "sf_assets.run"
"""What a snapshot's summary says of the run that wrote it."""


def state_property(state: str, *, snapshot_id: int | None) -> dict[str, str]:
    """The table property that says: with this snapshot the table is read up to `state`."""
    return {STATE: json.dumps({"snapshot": snapshot_id, "state": state})}


def state_of(table: Table) -> str | None:
    """The state that is true of the table's current rows: the nearest on its line. None: nothing is known."""
    metadata = table.metadata
    written_for, written = _written(metadata.properties)
    lineage = list(ancestors_of(metadata.current_snapshot(), metadata))
    for snapshot in lineage:
        if written is not None and snapshot.snapshot_id == written_for:
            return written
        if (state := _in_summary(snapshot)) is not None:
            return state
    return written if written is not None and _came_before(written_for, lineage, table) else None


def state_snapshot(metadata: TableMetadata) -> int | None:
    """The snapshot that the property names; it must not expire while later ones bear no state."""
    return _written(metadata.properties)[0]


def check_base(table: Table, base: str | Unchecked | None, *, name: str) -> None:
    """Raise CommitConflict when the table's state is not the one that the caller started from."""
    if isinstance(base, Unchecked):
        return
    found = state_of(table)
    if found != base:
        rival = _rival(table, moved=_text(table) == found)
        raise CommitConflict(
            f"{name}: the table's state is no longer the one that this run read; {rival} was here",
            table=name,
            expected=str(base)[:200],
            found=str(found)[:200],
        )


def concurrent_commit_error(table: Table, *, name: str) -> CommitConflict:
    """The error of a commit that came too late; the table is looked at once more to name who was faster."""
    before = table.current_snapshot()
    now = table.refresh()
    rival = _rival(now, moved=now.current_snapshot() != before)
    return CommitConflict(f"{name}: {rival} has written the table meanwhile", table=name)


def _rival(table: Table, *, moved: bool) -> str:
    """The words for who was faster: the run that the snapshot names, if it was a snapshot that has moved."""
    snapshot = table.current_snapshot()
    run = snapshot.summary.additional_properties.get(RUN) if moved and snapshot and snapshot.summary else None
    return f"another run, {run}," if run else "another run"


def _text(table: Table) -> str | None:
    snapshot = table.current_snapshot()
    return _in_summary(snapshot) if snapshot else None


def _written(properties: Mapping[str, str]) -> tuple[int | None, str | None]:
    """The snapshot that the property names (None: the empty table), and its state (None: there is no property)."""
    text = properties.get(STATE)
    if text is None:
        return None, None
    value = json.loads(text)
    return value["snapshot"], value["state"]


def _came_before(snapshot_id: int | None, lineage: Sequence[Snapshot], table: Table) -> bool:
    """Whether the current rows come after a snapshot that has expired: it is known by the files that it added."""
    if snapshot_id is None:
        return True
    if not lineage or table.metadata.snapshot_by_id(snapshot_id) is not None:
        return False
    manifests = lineage[0].manifests(table.io)
    if any(manifest.added_snapshot_id == snapshot_id for manifest in manifests):
        return True
    entries = (entry for manifest in manifests for entry in manifest.fetch_manifest_entry(table.io))
    return any(entry.snapshot_id == snapshot_id for entry in entries)


def _in_summary(snapshot: Snapshot) -> str | None:
    return snapshot.summary.additional_properties.get(STATE) if snapshot.summary else None
