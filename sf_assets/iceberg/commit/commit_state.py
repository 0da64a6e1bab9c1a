"""Commits of state or columns without rows: properties and schema, no snapshot."""

from collections.abc import Callable

from pyiceberg.table import Table, Transaction
from pyiceberg.table.refs import MAIN_BRANCH
from pyiceberg.table.update import AssertRefSnapshotId

from sf_assets.errors import CommitConflict
from sf_assets.iceberg.commit.pyiceberg_internals import CachedTransaction, stage_requirement
from sf_assets.iceberg.commit.schema_evolution import Evolution, stage_evolution
from sf_assets.iceberg.commit.table_state import check_base, concurrent_commit_error, state_of, state_property
from sf_assets.iceberg.commit.transaction import ConcurrentCommit, finish
from sf_assets.iceberg.model import Unchecked

TRIES = 10


def commit_state(
    *,
    load: Callable[[], Table],
    plan: Callable[[Table], Evolution],
    base: str | Unchecked | None,
    state: str,
    table: str,
) -> Table:
    """Set the state for the table's current snapshot and return the table. Raises: CommitConflict."""
    for _ in range(TRIES):
        current = load()
        evolution = plan(current)
        if state_of(current) == state and not evolution.is_needed:
            return current
        check_base(current, base, name=table)
        try:
            return _commit(current, evolution, state=state)
        except ConcurrentCommit:
            continue
    raise CommitConflict(f"{table}: other writers were faster, {TRIES} times", table=table)


def commit_columns(current: Table, evolution: Evolution, *, table: str) -> Table:
    """Commit column changes that cannot wait for rows. Raises: CommitConflict."""
    if not evolution.is_needed:
        return current
    try:
        return _commit(current, evolution, state=None)
    except ConcurrentCommit:
        raise concurrent_commit_error(current, name=table) from None


def _commit(current: Table, evolution: Evolution, *, state: str | None) -> Table:
    transaction = CachedTransaction(current)
    stage_evolution(transaction, evolution)
    if state is not None:
        _stage_state(transaction, current, state)
    return finish(transaction)


def _stage_state(transaction: Transaction, current: Table, state: str) -> None:
    """Set the state; require that the current snapshot has not changed."""
    snapshot = current.current_snapshot()
    snapshot_id = snapshot.snapshot_id if snapshot else None
    same = AssertRefSnapshotId(ref=MAIN_BRANCH, snapshot_id=snapshot_id)  # type: ignore[call-arg]  # takes both spellings
    stage_requirement(transaction, same)
    transaction.set_properties(state_property(state, snapshot_id=snapshot_id))
