"""Which snapshots of a table its history has to follow. Pure decisions over the table's metadata."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Literal

from pyiceberg.table import Table
from pyiceberg.table.snapshots import Operation, Snapshot, ancestors_of

from sf_assets.iceberg.commit.table_state import RUN
from sf_assets.iceberg.history_state import HistoryState
from sf_assets.iceberg.metadata_log import ERASED, past_snapshots

COMPACTED = "sf_assets.compacted-files"
Source = Literal["snapshot", "rollback", "comparison"]


@dataclass(frozen=True)
class Step:
    """From one snapshot to another. `before` None: from an empty table, or from the history's last versions."""

    before: Snapshot | None
    after: Snapshot
    source: Source = "snapshot"

    @property
    def changes_rows(self) -> bool:
        """Whether rows can differ. A compaction only moves them."""
        summary = self.after.summary
        if self.source != "snapshot" or self.before is None or summary is None:
            return True
        return summary.operation != Operation.REPLACE and COMPACTED not in summary.additional_properties

    @property
    def is_by_sync(self) -> bool:
        """Whether a sync wrote the snapshot. It writes no row that is equal, so the content is not compared."""
        summary = self.after.summary
        return self.source == "snapshot" and summary is not None and RUN in summary.additional_properties


@dataclass(frozen=True)
class Lineage:
    """The steps that a history has to take, and what is to be said of them."""

    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()
    has_gap: bool = False


def plan_lineage(table: Table, state: HistoryState | None) -> Lineage:
    """Return the steps from the last snapshot used to the current one. A table without a snapshot has none."""
    chain = _readable_chain(table)
    if not chain or (state and state.snapshot == chain[-1].snapshot_id):
        return Lineage(())
    if state is None:
        return Lineage(_steps(None, chain), _beginning(chain[0]))
    ids = [snapshot.snapshot_id for snapshot in chain]
    if state.snapshot in ids:
        return Lineage(_following(chain, ids.index(state.snapshot)))
    used = table.metadata.snapshot_by_id(state.snapshot)
    if used is not None and used not in past_snapshots(table) and not _is_cut(chain, used):
        return _rolled_back(table, chain, ids, used)
    return _compared(table, chain, state)


def _readable_chain(table: Table) -> list[Snapshot]:
    """Return the current snapshot and its ancestors, oldest first. An erasure removes the files of earlier ones."""
    past = {snapshot.snapshot_id for snapshot in past_snapshots(table)}
    chain = []
    for snapshot in ancestors_of(table.current_snapshot(), table.metadata):
        if snapshot.snapshot_id in past:
            break
        chain.append(snapshot)
    return chain[::-1]


def _following(chain: Sequence[Snapshot], index: int) -> tuple[Step, ...]:
    return tuple(Step(before, after) for before, after in pairwise(chain[index:]))


def _steps(before: Snapshot | None, chain: Sequence[Snapshot], source: Source = "snapshot") -> tuple[Step, ...]:
    return (Step(before, chain[0], source), *_following(chain, 0))


def _beginning(first: Snapshot) -> tuple[str, ...]:
    if first.parent_snapshot_id is None:
        return ()
    return (f"The history begins with snapshot {_named(first)}; the table's earlier snapshots have expired.",)


def _rolled_back(table: Table, chain: Sequence[Snapshot], ids: Sequence[int], used: Snapshot) -> Lineage:
    """Return the way back to the last common snapshot, then forward. All of these snapshots exist: nothing is lost."""
    common = next((s for s in ancestors_of(used, table.metadata) if s.snapshot_id in ids), None)
    index = ids.index(common.snapshot_id) if common else 0
    note = f"The table was rolled back from snapshot {_named(used)} to {_named(chain[index])}."
    return Lineage((Step(used, chain[index], "rollback"), *_following(chain, index)), (note,))


def _is_cut(chain: Sequence[Snapshot], used: Snapshot) -> bool:
    """Return whether snapshots after `used` have expired.

    A tag keeps the older one, or an engine expires snapshots by id. pyiceberg also removes the parent's id then.
    """
    return (chain[0].sequence_number or 0) > (used.sequence_number or 0)


def _compared(table: Table, chain: Sequence[Snapshot], state: HistoryState) -> Lineage:
    """Return a comparison with the next readable snapshot, then the later snapshots."""
    rest = [snapshot for snapshot in chain if (snapshot.sequence_number or 0) > state.sequence] or [chain[-1]]
    if state.table != str(table.metadata.table_uuid):
        rest, why, has_gap = [chain[-1]], "the table was made again", True
    elif past_snapshots(table) or _was_erased(rest[0]):
        why, has_gap = "an erasure has removed the snapshots before it", False
    elif table.metadata.snapshot_by_id(state.snapshot) is not None:
        why, has_gap = "snapshots between it and the present one have expired", True
    else:
        why, has_gap = "that snapshot has expired", True
    note = (
        f"The line from snapshot {state.snapshot}, the last one used, is gone: {why}. The history was compared with"
        f" snapshot {_named(rest[0])}" + ("; versions between the two may be missing." if has_gap else ".")
    )
    return Lineage(_steps(None, rest, "comparison"), (note,), has_gap=has_gap)


def _was_erased(snapshot: Snapshot) -> bool:
    return bool(snapshot.summary and ERASED in snapshot.summary.additional_properties)


def _named(snapshot: Snapshot) -> str:
    at = datetime.fromtimestamp(snapshot.timestamp_ms / 1000, tz=UTC)
    return f"{snapshot.snapshot_id} ({at:%Y-%m-%d %H:%M:%S} UTC)"
