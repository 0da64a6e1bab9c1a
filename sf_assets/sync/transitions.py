"""Where a later sync may go on: checkpoints on the way through a reading, and the state at its end. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sf_assets.sync.state import (
    DEEP_LOOKBACK,
    LOOKBACK,
    Seen,
    State,
    Step,
    is_settled,
    later,
    revealed_columns,
    since_hidden,
    with_hidden,
)


def walked(base: State, read: Collection[str], *, after_id: str | None) -> State:
    """The state in the midst of a walk. A column that cannot be read now is no longer complete at its end, even if the
    walk goes on another day with all of its columns."""
    assert base.walk is not None
    columns = tuple(column for column in base.walk.columns if column in read)
    return replace(base, walk=replace(base.walk, after_id=after_id, columns=columns))


def checkpoint(stamps: Sequence[datetime | None], ids: Sequence[str | None], *, below: datetime | None) -> int | None:
    """The index of the last row, in the order of the result, that a tail may resume behind.

    Only a stamp below the ceiling less the lookback is trusted: a row restamped while it was paged stands in the
    middle of the result with a stamp from the future.
    """
    if below is None:
        return None
    backwards = reversed(range(len(stamps)))
    return next((i for i in backwards if (stamp := stamps[i]) is not None and stamp < below and ids[i]), None)


def not_ahead(ceiling: datetime | None, began_at: datetime) -> datetime | None:
    """The ceiling, or the second in which the reading began: nothing that was read can have been stamped later, unless
    by a clock that ran ahead, and once that is set right its rows would be looked for behind that stamp alone."""
    return ceiling and min(ceiling, began_at.replace(microsecond=0))


def tail_behind_walk(done: State, read: Collection[str]) -> Step:
    """The tail that ends a long walk: from the ceiling at its start, and from earlier on where a column that was hidden
    has come back while it was interrupted."""
    assert done.tail_from is not None
    return Step("tail", lower=since_hidden(done, revealed_columns(done, read), lower=done.tail_from - LOOKBACK))


def finished_walk(base: State, read: Collection[str], *, filter: str | None) -> State:
    """The state once the last row of `base.walk` is committed: a tail goes on from the ceiling at its start."""
    walk = base.walk
    assert walk is not None
    whole = tuple(column for column in walk.columns if column in read)
    torn = [column for column in walk.columns if column not in read]
    return replace(
        with_hidden(base, read),
        columns_read=whole,
        hidden={**_without(with_hidden(base, read).hidden, whole), **dict.fromkeys(torn, None)},
        tail_from=later(base.tail_from, walk.ceiling),
        walk=None, resume=None, seen=None, filter=filter, lacking=0,
        read_at=walk.began_at, deep_at=walk.began_at, whole_at=walk.began_at,
    )  # fmt: skip


def finished_tail(
    base: State, read: Collection[str], step: Step, *, ceiling: datetime | None, began_at: datetime, seen: Seen | None
) -> State:
    """The state once the last row of a tail is committed. `ceiling` and `began_at` were fixed before its query."""
    assert base.tail_from is not None
    assert step.lower is not None
    known = with_hidden(base, read)
    back = [c for c in revealed_columns(base, read) if (since := base.hidden[c]) is not None and step.lower <= since]
    return replace(
        known,
        columns_read=(*known.columns_read, *back),
        hidden=_without(known.hidden, back),
        tail_from=later(base.tail_from, ceiling),
        resume=None, seen=seen, read_at=began_at,
        deep_at=began_at if step.lower <= base.tail_from - DEEP_LOOKBACK else base.deep_at,
    )  # fmt: skip


def finished_replace(
    base: State, read: Sequence[str], *,
    ceiling: datetime | None, began_at: datetime, seen: Seen | None, filter: str | None, hashed: Collection[str] = (),
) -> State:  # fmt: skip
    """The state once the table holds exactly one reading of the whole object, with these columns `hashed`."""
    hidden = with_hidden(base, read).hidden
    return replace(
        base,
        columns_read=tuple(read), hidden=_without(hidden, read), filter=filter,
        tail_from=ceiling, walk=None, resume=None, seen=seen, read_at=began_at, deep_at=began_at, whole_at=began_at,
        rounded=tuple(column for column in base.rounded if column not in read),
        **_read_hashed(base, read, hashed),
    )  # fmt: skip


def _read_hashed(base: State, read: Collection[str], hashed: Collection[str]) -> dict[str, Any]:
    """What is noted of a column that was not read stays, for so do its values."""
    fresh, wanted = {column.lower() for column in read}, {column.lower() for column in hashed}
    whole = (set(base.hashed) - fresh) | (fresh & wanted)
    return {"hashed": tuple(sorted(whole)), "mixed": tuple(sorted(set(base.mixed) - fresh))}


def explaining(seen: Seen | None, newest: datetime | None) -> Seen | None:
    """The probe's answer, unless a row that was read is newer: when that one goes again, the org answers as before,
    and the table holds it still."""
    is_older = seen is not None and newest is not None and (seen.ceiling is None or seen.ceiling < newest)
    return None if is_older else seen


def needs_state_commit(base: State | None, final: State) -> bool:
    """Whether a state without rows must be committed: only when the next sync would decide otherwise without it."""
    if base is None or replace(final, read_at=base.read_at) != base:
        return True
    return is_settled(final.read_at, final.tail_from) and not is_settled(base.read_at, base.tail_from)


def _without(hidden: Mapping[str, datetime | None], columns: Collection[str]) -> dict[str, datetime | None]:
    return {column: since for column, since in hidden.items() if column not in columns}
