"""What becomes of columns that appear, disappear, lose digits or are refused. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime

from sf_assets.sync.limits import LOOKBACK
from sf_assets.sync.state import State


def with_rounded(state: State, rounded: Collection[str]) -> State:
    """Return the state with these columns as those that lost digits."""
    return replace(state, columns=replace(state.columns, rounded=tuple(sorted(rounded))))


def with_fractional(state: State, fractional: Collection[str]) -> State:
    """Return the state with these columns too as whole numbers that had fractions."""
    names = tuple(sorted({*state.columns.fractional, *fractional}))
    return replace(state, columns=replace(state.columns, fractional=names))


def with_refused(state: State, refused: Mapping[str, datetime], *, complicated: Collection[str] = ()) -> State:
    """Return the state with these columns as those that the org refuses.

    `complicated`: those that are too much for one query with the others, besides the ones that the state names.
    """
    names = tuple(sorted({*state.columns.complicated, *complicated} & refused.keys()))
    return replace(state, columns=replace(state.columns, refused=dict(refused), complicated=names))


def new_columns(state: State, readable: Collection[str]) -> tuple[str, ...]:
    """Return the readable columns that some row of the table may never have had read."""
    dated = {column for column, since in state.columns.hidden.items() if since is not None}
    return tuple(column for column in readable if column not in state.columns.read and column not in dated)


def revealed_columns(state: State, readable: Collection[str]) -> tuple[str, ...]:
    """Return the readable columns that were hidden. Rows stamped since then have to be read again."""
    return tuple(column for column in readable if state.columns.hidden.get(column) is not None)


def with_hidden(state: State, readable: Collection[str]) -> State:
    """Record the columns that can no longer be read. Their values are those of before `tail_from`."""
    lost = [column for column in state.columns.read if column not in readable]
    tail_from = state.position.tail_from
    since = tail_from - LOOKBACK if tail_from else None
    columns = replace(
        state.columns,
        read=tuple(column for column in state.columns.read if column in readable),
        hidden={**state.columns.hidden, **dict.fromkeys(lost, since)},
    )
    return replace(state, columns=columns)


def with_rows_unread(state: State, readable: Collection[str], *, since: datetime | None) -> State:
    """Record that rows were read without the columns that cannot be read now.

    `since`: the oldest stamp of these rows, or None for any. It may be older than the moment from which the table's
    values of these columns are old.
    """
    state = with_hidden(state, readable)
    hidden = {
        column: None if before is None or since is None else min(before, since)
        for column, before in state.columns.hidden.items()
        if column not in readable
    }
    return replace(state, columns=replace(state.columns, hidden={**state.columns.hidden, **hidden}))
