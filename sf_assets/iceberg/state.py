"""How far a table has been read, kept where it cannot disagree with the rows: in the commit that wrote them.

The property names the snapshot that it belongs to, since properties do not roll back with a table; the summary of each
snapshot bears the state as well, so that a rolled-back table finds the one of its present.
"""

import json
from collections.abc import Mapping

from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.snapshots import Snapshot, ancestors_of

from sf_assets.errors import CommitConflict
from sf_assets.iceberg.model import Unchecked

STATE = "sf_assets.state"


def state_property(state: str, *, snapshot_id: int | None) -> dict[str, str]:
    """The table property that says: with this snapshot the table is read up to `state`."""
    return {STATE: json.dumps({"snapshot": snapshot_id, "state": state})}


def state_of(metadata: TableMetadata) -> str | None:
    """The state that is true of the table's current rows; None: nothing is known of them."""
    lineage = list(ancestors_of(metadata.current_snapshot(), metadata))
    written = _written(metadata.properties)
    if written is not None and (written[0] is None or written[0] in _known_ids(lineage)):
        return written[1]
    return next((state for snapshot in lineage if (state := _in_summary(snapshot)) is not None), None)


def state_snapshot(metadata: TableMetadata) -> int | None:
    """The snapshot that the property names; it must not expire while later ones bear no state."""
    written = _written(metadata.properties)
    return written[0] if written else None


def refuse_other_base(metadata: TableMetadata, base: str | Unchecked | None, *, table: str) -> None:
    """Raise CommitConflict when the table's state is not the one that the caller started from."""
    if isinstance(base, Unchecked):
        return
    found = state_of(metadata)
    if found != base:
        raise CommitConflict(
            f"{table}: the table's state is no longer the one that this run read; another run was here",
            table=table,
            expected=str(base)[:200],
            found=str(found)[:200],
        )


def _written(properties: Mapping[str, str]) -> tuple[int | None, str] | None:
    text = properties.get(STATE)
    if text is None:
        return None
    value = json.loads(text)
    return value["snapshot"], value["state"]


def _known_ids(lineage: list[Snapshot]) -> set[int | None]:
    """The current snapshot, its ancestors, and the expired parent that the oldest of them still names."""
    return {snapshot.snapshot_id for snapshot in lineage} | {snapshot.parent_snapshot_id for snapshot in lineage}


def _in_summary(snapshot: Snapshot) -> str | None:
    return snapshot.summary.additional_properties.get(STATE) if snapshot.summary else None
