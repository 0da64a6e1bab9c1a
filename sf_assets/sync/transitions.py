"""Where the next sync resumes: checkpoints and final states. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from sf_assets.sync.column_status import revealed_columns, with_hidden, with_rows_unread
from sf_assets.sync.decide import Step, is_settled, since_hidden
from sf_assets.sync.limits import DEEP_LOOKBACK, LOOKBACK
from sf_assets.sync.state import (
    BulkJob,
    HashStatus,
    OrgCounts,
    Position,
    Probe,
    ReadTimes,
    Reread,
    Spans,
    State,
    at_reread,
    at_walk,
    later,
)

EARLIEST = datetime(1700, 1, 1, tzinfo=UTC)
"""The first day that Salesforce stores. From an earlier stamp no time can be taken away."""


def mid_walk_state(
    base: State,
    readable: Collection[str],
    *,
    after_id: str | None,
    spans: Spans = (),
    bulk: BulkJob | None = None,
) -> State:
    """Return the state in the middle of a walk.

    A column that cannot be read now is not complete at the walk's end, even if a later day reads it again.
    """
    walk = base.position.walk
    assert walk is not None
    columns = tuple(column for column in walk.columns if column in readable)
    return at_walk(base, replace(walk, after_id=after_id, columns=columns, spans=spans, bulk=bulk))


def checkpoint(stamps: Sequence[datetime | None], ids: Sequence[str | None], *, below: datetime | None) -> int | None:
    """Return the index of the last row after which a tail may resume, or None.

    Only a stamp below the ceiling minus the lookback is safe: a row that is restamped while its result is paged
    appears in the middle with a newer stamp.
    """
    if below is None:
        return None
    backwards = reversed(range(len(stamps)))
    return next((i for i in backwards if (stamp := stamps[i]) is not None and stamp < below and ids[i]), None)


def not_ahead(ceiling: datetime | None, began_at: datetime) -> datetime | None:
    """Return the ceiling, between EARLIEST and the second in which the read began.

    A later stamp comes from a clock that runs ahead. Once that clock is corrected, rows appear before such a ceiling.
    """
    return ceiling and max(EARLIEST, min(ceiling, began_at.replace(microsecond=0)))


def tail_after_walk(walk_end: State, readable: Collection[str]) -> Step:
    """Return the tail that follows a long walk.

    It begins at the walk's ceiling, or earlier if a column that was hidden came back during the walk.
    """
    tail_from = walk_end.position.tail_from
    assert tail_from is not None
    return Step("tail", lower=since_hidden(walk_end, revealed_columns(walk_end, readable), lower=tail_from - LOOKBACK))


def finished_walk(base: State, readable: Collection[str], *, filter: str | None) -> State:
    """Return the state after a walk's last row. A tail continues from the ceiling at its start."""
    walk = base.position.walk
    assert walk is not None
    complete = tuple(column for column in walk.columns if column in readable)
    incomplete = [column for column in walk.columns if column not in readable]
    hidden = _without(with_hidden(base, readable).columns.hidden, complete)
    return replace(
        base,
        filter=filter,
        position=Position(tail_from=later(base.position.tail_from, walk.ceiling)),
        columns=replace(base.columns, read=complete, hidden={**hidden, **dict.fromkeys(incomplete, None)}),
        times=_times_after_walk(base.times, walk.began_at),
        counts=replace(base.counts, last_probe=None),
    )


def _times_after_walk(before: ReadTimes, began_at: datetime) -> ReadTimes:
    """Return the times after a walk. A later walk says nothing of rows that the org no longer has."""
    if before.read_at is None:
        return ReadTimes(began_at, began_at, began_at, began_at, began_at, began_at)
    return replace(before, read_at=began_at, deep_read_at=began_at, full_read_at=began_at, calculated_at=began_at)


def reread_state(base: State, readable: Collection[str], place: Reread | None, *, since: datetime | None) -> State:
    """Return the state in the middle of a bounded re-read, or after it (None). No watermark moves."""
    return at_reread(with_rows_unread(base, readable, since=since), place)


def finished_tail(
    base: State,
    readable: Collection[str],
    step: Step,
    *,
    ceiling: datetime | None,
    began_at: datetime,
    last_probe: Probe | None,
) -> State:
    """Return the state after the last row of a tail. `ceiling` and `began_at` were fixed before its query."""
    tail_from, lower = base.position.tail_from, step.lower
    assert tail_from is not None
    assert lower is not None
    columns = with_rows_unread(base, readable, since=lower).columns
    back = [c for c in revealed_columns(base, readable) if (since := base.columns.hidden[c]) and lower <= since]
    is_deep = lower <= tail_from - DEEP_LOOKBACK
    return replace(
        base,
        position=replace(base.position, tail_from=later(tail_from, ceiling), resume=None),
        columns=replace(columns, read=(*columns.read, *back), hidden=_without(columns.hidden, back)),
        times=replace(base.times, read_at=began_at, deep_read_at=began_at if is_deep else base.times.deep_read_at),
        counts=replace(base.counts, last_probe=last_probe),
    )


def finished_replace(
    base: State,
    readable: Sequence[str],
    *,
    ceiling: datetime | None,
    began_at: datetime,
    last_probe: Probe | None,
    filter: str | None,
    hashed: Collection[str] = (),
) -> State:
    """Return the state of a table with exactly one read of the whole object."""
    hidden = _without(with_hidden(base, readable).columns.hidden, readable)
    rounded = tuple(column for column in base.columns.rounded if column not in readable)
    return replace(
        base,
        filter=filter,
        position=Position(tail_from=ceiling),
        columns=replace(base.columns, read=tuple(readable), hidden=hidden, rounded=rounded),
        times=ReadTimes(began_at, began_at, began_at, began_at, began_at, began_at),
        counts=OrgCounts(last_probe, deleted_until=base.counts.deleted_until),
        hashing=_hashing_after_replace(base.hashing, readable, hashed),
    )


def _hashing_after_replace(before: HashStatus, readable: Collection[str], hashed: Collection[str]) -> HashStatus:
    """Keep the hash status of columns that were not read. Their values did not change."""
    fresh, wanted = {column.lower() for column in readable}, {column.lower() for column in hashed}
    pure = (set(before.hashed) - fresh) | (fresh & wanted)
    return replace(before, hashed=tuple(sorted(pure)), mixed=tuple(sorted(set(before.mixed) - fresh)))


def usable_probe(probe: Probe | None, newest: datetime | None) -> Probe | None:
    """Return the probe, or None if a row that was read is newer than it.

    When that row disappears again, the org answers as before, but the table still holds the row.
    """
    is_older = probe is not None and newest is not None and (probe.ceiling is None or probe.ceiling < newest)
    return None if is_older else probe


def needs_state_commit(base: State | None, final: State) -> bool:
    """Return whether to commit a state without rows, because the next sync needs it."""
    if base is None or replace(final, times=replace(final.times, read_at=base.times.read_at)) != base:
        return True
    if base.times.read_at and final.times.read_at and final.times.read_at < base.times.read_at:
        return True  # a clock ran ahead, so the former state is wrong
    newest = final.position.tail_from
    return is_settled(final.times.read_at, newest) and not is_settled(base.times.read_at, newest)


def _without(hidden: Mapping[str, datetime | None], columns: Collection[str]) -> dict[str, datetime | None]:
    return {column: since for column, since in hidden.items() if column not in columns}
