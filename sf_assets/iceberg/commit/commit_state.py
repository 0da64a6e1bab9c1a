"""Moves a table's state, or its columns, where no row is news: properties and schema, no snapshot."""

# ruff: noqa: SLF001 - a transaction takes a requirement of its own by this name alone

from collections.abc import Callable

from pyiceberg.table import Table, Transaction
from pyiceberg.table.refs import MAIN_BRANCH
from pyiceberg.table.update import AssertRefSnapshotId

from sf_assets.errors import CommitConflict
from sf_assets.iceberg.commit.schema_evolution import Evolution, stage_evolution
from sf_assets.iceberg.commit.table_state import check_base, concurrent_commit_error, state_of, state_property
from sf_assets.iceberg.commit.transaction import CachedTransaction, ConcurrentCommit, finish
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
    """The table, with the state set for its current snapshot. Raises: CommitConflict."""
    for _ in range(TRIES):
        found = load()
        evolution = plan(found)
        if state_of(found) == state and not evolution.is_needed:
            return found
        check_base(found, base, name=table)
        try:
            return _commit(found, evolution, state=state)
        except ConcurrentCommit:
            continue
    raise CommitConflict(f"{table}: other writers were faster, {TRIES} times", table=table)


def commit_columns(found: Table, evolution: Evolution, *, table: str) -> Table:
    """The table, with its columns changed where that cannot wait for rows. Raises: CommitConflict."""
    if not evolution.is_needed:
        return found
    try:
        return _commit(found, evolution, state=None)
    except ConcurrentCommit:
        raise concurrent_commit_error(found, name=table) from None


def _commit(found: Table, evolution: Evolution, *, state: str | None) -> Table:
    transaction = CachedTransaction(found)
    stage_evolution(transaction, evolution)
    if state is not None:
        _stage_state(transaction, found, state)
    return finish(transaction)


def _stage_state(transaction: Transaction, found: Table, state: str) -> None:
    """Set the state, provided that no snapshot comes in between: it is true of this one."""
    snapshot = found.current_snapshot()
    snapshot_id = snapshot.snapshot_id if snapshot else None
    same = AssertRefSnapshotId(ref=MAIN_BRANCH, snapshot_id=snapshot_id)  # type: ignore[call-arg]  # takes both spellings
    transaction._stage((), (same,))
    transaction.set_properties(state_property(state, snapshot_id=snapshot_id))
