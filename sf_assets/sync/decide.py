"""What the next sync reads: decided from the state, the org's answers and the table. Pure: the clock is passed in.

Each rule prevents a history of events in which rows are lost without it; docs/reading.md lists the histories.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sf_assets.salesforce.limits import PAGE_ROWS
from sf_assets.sync.column_status import new_columns, revealed_columns
from sf_assets.sync.limits import DAY, DEEP_LOOKBACK, LOOKBACK, SMALL_OBJECT_ROWS
from sf_assets.sync.state import Probe, Resume, State, Walk


@dataclass(frozen=True)
class Step:
    """What the next sync does.

    `lower`: a tail's first stamp. `walk`, `resume`: where it goes on. `pending`: new columns that are too expensive to
    backfill.
    """

    kind: Literal["unchanged", "walk", "tail", "replace"]
    lower: datetime | None = None
    resume: Resume | None = None
    walk: Walk | None = None
    pending: tuple[str, ...] = ()


@dataclass(frozen=True)
class SyncInput:
    """The facts that a decision uses, besides the state.

    `readable`: API names that can be selected now. `window`: COUNT and MAX of the table over the probe's predicate.
    `backfill_calls`: the most calls for a new column. `reconcile`: the daily work is requested now.
    """

    readable: tuple[str, ...]
    probe: Probe | None
    window: tuple[int, datetime | None] | None
    table_rows: int
    filter: str | None
    now: datetime
    backfill_calls: int
    reconcile: bool = False

    @property
    def can_backfill(self) -> bool:
        """Whether a walk over the whole table is affordable."""
        return self.table_rows <= self.backfill_calls * PAGE_ROWS


def decide_tail(base: State | None, at: SyncInput) -> Step:
    """Decide for a merged endpoint: a walk first, then tails, or nothing without changes."""
    if base is None or not (base.position.tail_from or base.position.walk):
        has_been_read = base is not None and base.times.read_at is not None
        return Step("unchanged") if has_been_read and _is_empty(at) else Step("walk", walk=_new_walk(at))
    if base.position.walk:
        return Step("walk", walk=base.position.walk)
    fresh = new_columns(base, at.readable)
    if base.filter != at.filter or (fresh and at.can_backfill):
        return Step("walk", walk=_new_walk(at))
    return _tail_or_nothing(base, at, base.position.tail_from, pending=fresh)


def _is_empty(at: SyncInput) -> bool:
    return at.probe is not None and at.probe.count == 0 and at.table_rows == 0


def _new_walk(at: SyncInput) -> Walk:
    return Walk(None, at.probe.ceiling if at.probe else None, at.now, at.readable)


def _tail_or_nothing(base: State, at: SyncInput, tail_from: datetime | None, *, pending: tuple[str, ...]) -> Step:
    assert tail_from is not None  # decide_tail walks otherwise
    revealed, resume = revealed_columns(base, at.readable), base.position.resume
    is_deep = at.reconcile or is_deep_due(base, at.now)
    lower = since_hidden(base, revealed, lower=deep_lower(base, tail_from) if is_deep else tail_from - LOOKBACK)
    if resume and resume.lower <= lower and set(revealed) <= set(resume.revealed):
        return Step("tail", lower=resume.lower, resume=resume, pending=pending)
    if not revealed and not resume and not is_deep and is_unchanged(base, at):
        return Step("unchanged", pending=pending)
    return Step("tail", lower=lower, pending=pending)


def deep_lower(base: State, tail_from: datetime) -> datetime:
    """Return the first stamp of a deep tail. It is 36 hours back, or where the last deep read began.

    A row that was out of sight only between two daily comparisons was stamped after the first of them.
    """
    last = base.times.deep_read_at
    return min(tail_from - DEEP_LOOKBACK, last - LOOKBACK) if last else tail_from - DEEP_LOOKBACK


def since_hidden(base: State, revealed: Collection[str], *, lower: datetime) -> datetime:
    """Return the first stamp of a tail that covers the time of hidden columns."""
    return min([lower, *(stamp for column in revealed if (stamp := base.columns.hidden[column]) is not None)])


def decide_snapshot(base: State | None, at: SyncInput) -> Step:
    """Decide for a replaced endpoint. Without IsDeleted, only a full read shows which rows are gone."""
    if base is None or base.filter != at.filter or set(at.readable) - set(base.columns.read):
        return Step("replace")
    if at.reconcile:
        return Step("replace")
    is_small = at.probe is not None and at.probe.count <= SMALL_OBJECT_ROWS
    if (is_small and is_deep_due(base, at.now)) or not is_unchanged(base, at):
        return Step("replace")
    return Step("unchanged")


def is_deep_due(base: State, now: datetime) -> bool:
    """Return whether the daily deep read is due."""
    return base.times.deep_read_at is None or now - base.times.deep_read_at >= DAY


def is_unchanged(base: State, at: SyncInput) -> bool:
    """Return whether table and org are equal, and no update can be missed."""
    if at.probe is None or at.window is None:
        return False
    is_equal = (at.probe.count, at.probe.ceiling) == at.window
    is_explained = base.counts.last_probe == at.probe
    newest = at.probe.ceiling or base.position.tail_from
    return (is_equal or is_explained) and is_settled(base.times.read_at, newest)


def is_settled(read_at: datetime | None, newest: datetime | None) -> bool:
    """Return whether no row with the newest stamp can still appear after a read."""
    return newest is None or (read_at is not None and read_at - LOOKBACK > newest)
