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


def state_property(state: str, *, snapshot_id: int | None) -> dict[str, str]:
    """The table property that says: with this snapshot the table is read up to `state`."""
    return {STATE: json.dumps({"snapshot": snapshot_id, "state": state})}


def state_of(table: Table) -> str | None:
    """The state that is true of the table's current rows; None: nothing is known of them."""
    metadata = table.metadata
    lineage = list(ancestors_of(metadata.current_snapshot(), metadata))
    written = _written(metadata.properties)
    if written is not None and _is_ancestor(written[0], lineage, table):
        return written[1]
    return next((state for snapshot in lineage if (state := _in_summary(snapshot)) is not None), None)


def state_snapshot(metadata: TableMetadata) -> int | None:
    """The snapshot that the property names; it must not expire while later ones bear no state."""
    written = _written(metadata.properties)
    return written[0] if written else None


def refuse_other_base(table: Table, base: str | Unchecked | None, *, name: str) -> None:
    """Raise CommitConflict when the table's state is not the one that the caller started from."""
    if isinstance(base, Unchecked):
        return
    found = state_of(table)
    if found != base:
        raise CommitConflict(
            f"{name}: the table's state is no longer the one that this run read; another run was here",
            table=name,
            expected=str(base)[:200],
            found=str(found)[:200],
        )


def _written(properties: Mapping[str, str]) -> tuple[int | None, str] | None:
    text = properties.get(STATE)
    if text is None:
        return None
    value = json.loads(text)
    return value["snapshot"], value["state"]


def _is_ancestor(snapshot_id: int | None, lineage: Sequence[Snapshot], table: Table) -> bool:
    """Whether the current rows come after a snapshot; one that has expired is known by the files that it added."""
    if snapshot_id is None or any(snapshot.snapshot_id == snapshot_id for snapshot in lineage):
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
