"""How far one table has been read. A state is written in the same Iceberg commit as the rows that it describes.

Pure: no I/O, no clock. `sf_assets/sync/decide.py` decides from it, `sf_assets/sync/transitions.py` moves it on.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec

from sf_assets.errors import TableDamaged, TableForeign
from sf_assets.sync.state_parts import (
    BulkJob,
    ColumnStatus,
    HashStatus,
    OrgCounts,
    Position,
    Probe,
    ReadTimes,
    Reread,
    Resume,
    Spans,
    Walk,
    utc_moment,
)

__all__ = [
    "BulkJob",
    "ColumnStatus",
    "HashStatus",
    "OrgCounts",
    "Position",
    "Probe",
    "ReadTimes",
    "Reread",
    "Resume",
    "Spans",
    "State",
    "Walk",
    "at_reread",
    "at_resume",
    "at_walk",
    "later",
]


@dataclass(frozen=True)
class State:
    """How far one table has been read from one object of one org, under the WHERE of its spec (`filter`)."""

    org_id: str
    sobject: str
    filter: str | None = None
    position: Position = Position()
    columns: ColumnStatus = ColumnStatus()
    times: ReadTimes = ReadTimes()
    counts: OrgCounts = OrgCounts()
    hashing: HashStatus = HashStatus()

    def is_ahead_of(self, now: datetime) -> bool:
        """Return whether a moment of the state is more than a day in the future."""
        latest = later(self.position.tail_from, self.times.latest)
        return latest is not None and latest - now > timedelta(days=1)

    def to_json(self) -> str:
        """Return the state as one line of JSON. The same state gives the same text, in later versions too."""
        values = {key: _encoded(_attribute(self, path)) for key, path in JSON_KEYS.items()}
        present = {key: value for key, value in values.items() if value}
        return json.dumps(present, default=datetime.isoformat, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "State":
        """Return the state that `to_json` wrote.

        Raises:
            TableDamaged: the text is not a JSON object, or a value in it has another type than it must have.
            TableForeign: a newer version wrote the text: it has other keys.
        """
        try:
            return _checked(_decoded(json.loads(text)))
        except NewerStateError as unknown:
            raise TableForeign(
                f"the state in the table is not one that this version of sf_assets can read: it has {unknown}",
                remedy="Upgrade this code location: a newer sf_assets has written the table.",
            ) from None
        except (TypeError, KeyError, ValueError, AttributeError, RecursionError, msgspec.ValidationError):
            raise TableDamaged(f"the state in the table is unreadable: {text[:80]!r}", path="sf_assets.state") from None


JSON_KEYS: Mapping[str, tuple[str, ...]] = {
    "org_id": ("org_id",),
    "sobject": ("sobject",),
    "filter": ("filter",),
    "tail_from": ("position", "tail_from"),
    "walk": ("position", "walk"),
    "resume": ("position", "resume"),
    "reread": ("position", "reread"),
    "columns_read": ("columns", "read"),
    "hidden": ("columns", "hidden"),
    "rounded": ("columns", "rounded"),
    "refused": ("columns", "refused"),
    "fractional": ("columns", "fractional"),
    "too_complicated": ("columns", "complicated"),
    "read_at": ("times", "read_at"),
    "deep_at": ("times", "deep_read_at"),
    "whole_at": ("times", "full_read_at"),
    "reconciled_at": ("times", "reconciled_at"),
    "ids_compared_at": ("times", "ids_compared_at"),
    "calculated_at": ("times", "calculated_at"),
    "seen": ("counts", "last_probe"),
    "out_of_sight": ("counts", "out_of_sight"),
    "sight_lost_since": ("counts", "sight_lost_since"),
    "deleted_until": ("counts", "deleted_until"),
    "hashed": ("hashing", "hashed"),
    "mixed": ("hashing", "mixed"),
    "hashed_under": ("hashing", "key"),
}
"""JSON key -> where its value is in a State. Keys are a contract: tables of earlier versions have them."""

FORMER_KEYS = frozenset({"lacking"})
"""Keys of earlier versions that are read over."""

_GROUPS = {
    "position": Position,
    "columns": ColumnStatus,
    "times": ReadTimes,
    "counts": OrgCounts,
    "hashing": HashStatus,
}
_OPTIONAL = frozenset({"spans", "bulk"})
"""Attributes of `Walk` that are left out if empty: an older version reads a walk without them, and refuses others."""
_RENAMED = {"revealed": "shown"}
"""Attributes of `Resume` with another JSON key."""


def _attribute(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        value = getattr(value, name)
    return value


def _encoded(value: Any) -> Any:
    if not is_dataclass(value) or isinstance(value, type):
        return value
    return {_RENAMED.get(name, name): item for name, item in asdict(value).items() if item or name not in _OPTIONAL}


class NewerStateError(Exception):
    """The state has keys that only a newer version knows."""


def _refuse_newer(raw: Mapping[str, Any], keys: Collection[str]) -> None:
    if unknown := sorted(set(raw) - set(keys)):
        raise NewerStateError(", ".join(unknown))


def _attributes(kind: type) -> list[str]:
    """Return the JSON keys of a part of the state."""
    return [_RENAMED.get(field.name, field.name) for field in fields(kind)]


def _checked(state: State) -> State:
    """Return the state. Raises: msgspec.ValidationError where a value has another type than it must have."""
    return msgspec.convert(msgspec.to_builtins(state), type=State)


def _names(raw: list[str]) -> tuple[str, ...]:
    """Return a list of names. Raises: TypeError for anything else."""
    if not isinstance(raw, list):
        raise TypeError("not a list")
    return tuple(raw)


def _decoded(raw: dict[str, Any]) -> State:
    raw = {key: value for key, value in raw.items() if key not in FORMER_KEYS}
    _refuse_newer(raw, JSON_KEYS)
    flat: dict[str, Any] = {"org_id": raw["org_id"], "sobject": raw["sobject"]}
    grouped: dict[str, dict[str, Any]] = {group: {} for group in _GROUPS}
    for key, value in raw.items():
        *group, name = JSON_KEYS[key]
        (grouped[group[0]] if group else flat)[name] = _DECODERS.get(key, _same)(value)
    return State(**flat, **{group: kind(**grouped[group]) for group, kind in _GROUPS.items()})


def _same(value: Any) -> Any:
    return value


def _moments(raw: Mapping[str, Any], *names: str, of: type | None = None) -> dict[str, Any]:
    if of is not None:
        _refuse_newer(raw, _attributes(of))
    return {key: utc_moment(value) if key in names and value else value for key, value in raw.items()}


def _walk(raw: Mapping[str, Any]) -> Walk:
    spans = tuple((first, end) for first, end in raw.get("spans", ()))
    bulk = BulkJob(**_moments(raw["bulk"], "created_at", of=BulkJob)) if raw.get("bulk") else None
    values = _moments(raw, "ceiling", "began_at", of=Walk)
    return Walk(**values | {"columns": _names(raw["columns"]), "spans": spans, "bulk": bulk})


def _resume(raw: Mapping[str, Any]) -> Resume:
    values = _moments(raw, "stamp", "lower", of=Resume)
    return Resume(**values | {"revealed": _names(values.pop("shown"))})


def _reread(raw: Mapping[str, Any]) -> Reread:
    return Reread(**_moments(raw, "since", "until", "began_at", of=Reread))


def _probe(raw: Mapping[str, Any]) -> Probe:
    return Probe(**_moments(raw, "since", "ceiling", of=Probe))


def _hidden(raw: Mapping[str, Any]) -> dict[str, Any]:
    return _moments(raw, *raw)


_DECODERS: Mapping[str, Any] = {
    "tail_from": utc_moment,
    "walk": _walk,
    "resume": _resume,
    "reread": _reread,
    "columns_read": _names,
    "hidden": _hidden,
    "rounded": _names,
    "fractional": _names,
    "too_complicated": _names,
    "refused": _hidden,
    "read_at": utc_moment,
    "deep_at": utc_moment,
    "whole_at": utc_moment,
    "reconciled_at": utc_moment,
    "ids_compared_at": utc_moment,
    "calculated_at": utc_moment,
    "sight_lost_since": utc_moment,
    "deleted_until": utc_moment,
    "seen": _probe,
    "hashed": _names,
    "mixed": _names,
}


def at_walk(state: State, walk: Walk | None) -> State:
    """Return the state in the middle of a walk, without an unfinished tail."""
    return replace(state, position=replace(state.position, walk=walk, resume=None))


def at_reread(state: State, reread: Reread | None) -> State:
    """Return the state in the middle of a bounded re-read, or after it."""
    return replace(state, position=replace(state.position, reread=reread))


def at_resume(state: State, resume: Resume | None) -> State:
    """Return the state in the middle of a tail."""
    return replace(state, position=replace(state.position, resume=resume))


def later(one: datetime | None, other: datetime | None) -> datetime | None:
    """Return the later of two moments; either may be missing."""
    return max(filter(None, (one, other)), default=None)
