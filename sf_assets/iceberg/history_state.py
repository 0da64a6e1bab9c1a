"""How far a history has followed its table. The table's expiry and its history both need it."""

import json
from dataclasses import asdict, dataclass

from sf_assets.errors import TableDamaged, TableForeign


def history_name(table: str) -> str:
    """Return the name of a table's history."""
    return f"{table}_changes"


@dataclass(frozen=True)
class HistoryState:
    """How far a history has followed its table; part of each commit of the history.

    `table`: the table's UUID. `snapshot`, `sequence`: the last snapshot used. `number`: the last change number.
    """

    table: str
    snapshot: int
    sequence: int
    number: int

    def to_json(self) -> str:
        """Return the state as one line of JSON."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str, *, name: str) -> "HistoryState":
        """Return the state that `to_json` wrote. Raises: TableForeign for that of a newer version, TableDamaged."""
        try:
            values = json.loads(text)
            state = cls(**{key: values[key] for key in _TYPES})
            is_sound = all(type(values[key]) is kind for key, kind in _TYPES.items())
        except (ValueError, TypeError, KeyError, RecursionError):
            is_sound = False
        if not is_sound:
            raise TableDamaged(f"{name}: the state in the history is unreadable: {text[:80]!r}", path="sf_assets.state")
        if set(values) - set(_TYPES):
            raise TableForeign(
                f"{name}: the state in the history is not one that this version of sf_assets can read",
                table=name,
                remedy="Upgrade this code location: a newer sf_assets has written the table.",
            )
        return state


_TYPES = {"table": str, "snapshot": int, "sequence": int, "number": int}
