"""How far an endpoint has been read, and what the next sync has to do about it. Pure: no I/O, the clock is passed in.

A state travels with the rows: it is written in the same Iceberg commit. Every rule here stands against a history of
events that loses rows without it; docs/reading.md tells the histories.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from sf_assets.errors import TableForeign

LOOKBACK = timedelta(minutes=20)
"""A transaction commits behind its stamp by up to this much (Salesforce's bound is the oldest open transaction)."""
DEEP_LOOKBACK = timedelta(hours=36)
"""How far back the daily deep tail looks for rows that were later than that."""
DEEP_EVERY = timedelta(hours=24)
DEEP_SNAPSHOT_ROWS = 50_000
"""A snapshot endpoint up to this size is read in full once a day although its probe shows no change (25 calls)."""


@dataclass(frozen=True)
class Walk:
    """An unfinished walk by Id: `columns` have been read since its start, `ceiling` was fixed before it."""

    after_id: str | None
    ceiling: datetime | None
    began_at: datetime
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Resume:
    """The last row of an unfinished tail that lies safely below the ceiling; the tail goes on behind it.

    The tail began at `lower`; `shown` are the columns for which it reads rows again.
    """

    stamp: datetime
    id: str
    lower: datetime
    shown: tuple[str, ...] = ()


@dataclass(frozen=True)
class Seen:
    """What the probe answered before the last complete read: it explains a table that holds more or fewer rows."""

    since: datetime | None
    count: int
    ceiling: datetime | None


@dataclass(frozen=True)
class State:
    """How far one table has been read from one object of one org. Columns are API names.

    Those of `hashed`, in lower case, hold nothing but hashes in the table; those of `mixed` may hold texts as well.
    `whole_at`: every row has been read since. Of those of `rounded` some value of the table has lost digits.
    `hashed_under`: the fingerprint of the key of the table's hashes. `lacking`: what the last count of all rows missed.
    """

    org_id: str
    sobject: str
    columns_read: tuple[str, ...] = ()
    tail_from: datetime | None = None
    walk: Walk | None = None
    resume: Resume | None = None
    read_at: datetime | None = None
    deep_at: datetime | None = None
    hidden: Mapping[str, datetime | None] = field(default_factory=dict)
    filter: str | None = None
    seen: Seen | None = None
    hashed: tuple[str, ...] = ()
    mixed: tuple[str, ...] = ()
    whole_at: datetime | None = None
    rounded: tuple[str, ...] = ()
    hashed_under: str | None = None
    lacking: int = 0

    def to_json(self) -> str:
        """Return the state as one line of JSON; the same state always gives the same text, in later versions too."""
        told = {name: value for name, value in asdict(self).items() if value}
        return json.dumps(told, default=datetime.isoformat, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "State":
        """Read what `to_json` wrote.

        Raises TableForeign for a newer version's key, on whose state an older one must not act, and for other texts.
        """
        try:
            return cls._from_raw(json.loads(text))
        except (TypeError, KeyError, ValueError, AttributeError) as cause:
            raise TableForeign(
                f"the state in the table is not one that this version of sf_assets can read: {cause}",
                remedy="Upgrade this code location: a newer sf_assets has written the table.",
            ) from None

    @classmethod
    def _from_raw(cls, raw: dict[str, Any]) -> "State":
        walk, resume, seen = raw.pop("walk", None), raw.pop("resume", None), raw.pop("seen", None)
        hidden = raw.pop("hidden", {})
        names: dict[str, Any] = {key: tuple(raw.pop(key, ())) for key in ("columns_read", "hashed", "mixed", "rounded")}
        return cls(
            walk=walk and Walk(**_moments(walk, "ceiling", "began_at") | {"columns": tuple(walk["columns"])}),
            resume=resume and Resume(**_moments(resume, "stamp", "lower") | {"shown": tuple(resume["shown"])}),
            seen=seen and Seen(**_moments(seen, "since", "ceiling")),
            **names,
            hidden=_moments(hidden, *hidden),
            **_moments(raw, "tail_from", "read_at", "deep_at", "whole_at"),
        )


def _moments(raw: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {key: datetime.fromisoformat(value) if key in names and value else value for key, value in raw.items()}


@dataclass(frozen=True)
class Probe:
    """The org's answer to COUNT(Id), MAX(SystemModstamp) over stamps from `since` on (None: the whole object)."""

    since: datetime | None
    count: int
    ceiling: datetime | None


@dataclass(frozen=True)
class Step:
    """What the next sync does. `lower`: a tail's first stamp; `walk`: where it goes on; `pending`: columns too dear."""

    kind: Literal["unchanged", "walk", "tail", "replace"]
    lower: datetime | None = None
    resume: Resume | None = None
    walk: Walk | None = None
    pending: tuple[str, ...] = ()


@dataclass(frozen=True)
class SyncInput:
    """What a decision rests on. `read`: the API names that can be selected now; `window`: (count, max stamp) of the
    table over the probe's predicate; `page_rows` rows cost one call; at most `backfill_calls` go into a new column or
    into rows that the table lacks; `total`: how many rows the org holds in all, if it was asked."""

    read: tuple[str, ...]
    probe: Probe | None
    window: tuple[int, datetime | None] | None
    table_rows: int
    filter: str | None
    now: datetime
    backfill_calls: int
    page_rows: int = 2_000
    total: int | None = None

    @property
    def lacking(self) -> int:
        """How many rows at least the org holds and the table lacks, of those that no tail would find: they came into
        the user's sight with an old stamp. Purged rows, which the table keeps, hide as many of them."""
        if self.total is None or self.probe is None or self.probe.since is None or self.window is None:
            return 0
        return max(0, (self.total - self.probe.count) - (self.table_rows - self.window[0]))


def decide_tail(base: State | None, at: SyncInput) -> Step:
    """Decide for an endpoint that is merged: walk first, then tails, and nothing where nothing happened."""
    if base is None or not (base.tail_from or base.walk):
        empty = base is not None and at.probe is not None and at.probe.count == 0 and at.table_rows == 0
        return Step("unchanged") if empty else Step("walk", walk=_walk_from_start(at))
    if base.walk:
        return Step("walk", walk=base.walk)
    fresh = new_columns(base, at.read)
    affordable = at.table_rows <= at.backfill_calls * at.page_rows
    if base.filter != at.filter or ((fresh or at.lacking) and affordable):
        return Step("walk", walk=_walk_from_start(at))
    return _tail_or_nothing(base, at, pending=fresh)


def _walk_from_start(at: SyncInput) -> Walk:
    return Walk(None, at.probe.ceiling if at.probe else None, at.now, at.read)


def _tail_or_nothing(base: State, at: SyncInput, *, pending: tuple[str, ...]) -> Step:
    assert base.tail_from is not None  # decide_tail walks otherwise
    shown = revealed_columns(base, at.read)
    lower = base.tail_from - (DEEP_LOOKBACK if is_deep_due(base, at.now) else LOOKBACK)
    lower = since_hidden(base, shown, lower=lower)
    if base.resume and base.resume.lower <= lower and set(shown) <= set(base.resume.shown):
        return Step("tail", lower=base.resume.lower, resume=base.resume, pending=pending)
    if not shown and not base.resume and not is_deep_due(base, at.now) and is_unchanged(base, at):
        return Step("unchanged", pending=pending)
    return Step("tail", lower=lower, pending=pending)


def since_hidden(base: State, shown: Collection[str], *, lower: datetime) -> datetime:
    return min([lower, *(stamp for column in shown if (stamp := base.hidden[column]) is not None)])


def decide_snapshot(base: State | None, at: SyncInput) -> Step:
    """Decide for an endpoint that is replaced whole: it has no IsDeleted, so only a full read shows what is gone."""
    complete = base is not None and base.filter == at.filter and not set(at.read) - set(base.columns_read)
    small = at.probe is not None and at.probe.count <= DEEP_SNAPSHOT_ROWS
    if base is None or not complete or (small and is_deep_due(base, at.now)) or not is_unchanged(base, at):
        return Step("replace")
    return Step("unchanged")


def is_deep_due(base: State, now: datetime) -> bool:
    """Whether it is time to look deeper than usual."""
    return base.deep_at is None or now - base.deep_at >= DEEP_EVERY


def is_unchanged(base: State, at: SyncInput) -> bool:
    """Whether the org holds what the table holds, and no second update within the last second can be hidden from us."""
    if at.probe is None or at.window is None:
        return False
    same = (at.probe.count, at.probe.ceiling) == at.window
    explained = base.seen == Seen(at.probe.since, at.probe.count, at.probe.ceiling)
    return (same or explained) and is_settled(base.read_at, at.probe.ceiling or base.tail_from)


def is_settled(read_at: datetime | None, newest: datetime | None) -> bool:
    """Whether a read began so long after the newest stamp that nothing with that stamp can still appear."""
    return newest is None or (read_at is not None and read_at > newest + LOOKBACK)


def new_columns(base: State, read: Collection[str]) -> tuple[str, ...]:
    """Columns that some row of the table may never have had read."""
    dated = {column for column, since in base.hidden.items() if since is not None}
    return tuple(column for column in read if column not in base.columns_read and column not in dated)


def revealed_columns(base: State, read: Collection[str]) -> tuple[str, ...]:
    """Columns that were hidden for a while; rows stamped since then have to be read again."""
    return tuple(column for column in read if base.hidden.get(column) is not None)


def with_hidden(base: State, read: Collection[str]) -> State:
    """Note the columns that can no longer be read: their values are those of before `tail_from`."""
    lost = [column for column in base.columns_read if column not in read]
    since = base.tail_from - LOOKBACK if base.tail_from else None
    return replace(
        base,
        columns_read=tuple(column for column in base.columns_read if column in read),
        hidden={**base.hidden, **dict.fromkeys(lost, since)},
    )


def later(one: datetime | None, other: datetime | None) -> datetime | None:
    """The later of two moments, of which either may be missing."""
    return max(filter(None, (one, other)), default=None)
