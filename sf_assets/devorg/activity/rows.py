"""Rows of an org that changes: find one, change it at a moment, and never move a stamp back."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from random import Random
from typing import Any, Protocol

from sf_assets.devorg.seed.row_builder import Row, pick, stamp

TRIES = 200


class ChangeableOrg(Protocol):
    """The operations of an org that simulated activity uses."""

    def insert(self, sobject: str, record: Mapping[str, Any], *, stamp: datetime) -> str: ...
    def update(
        self, sobject: str, record_id: str, values: Mapping[str, Any], *, stamp: datetime, restamp: bool = True
    ) -> None: ...
    def delete(self, sobject: str, record_id: str, *, stamp: datetime) -> None: ...
    def undelete(self, sobject: str, record_id: str, *, stamp: datetime) -> None: ...
    def rows(self, sobject: str, deleted: bool = True) -> list[dict[str, Any]]: ...
    def row(self, sobject: str, record_id: str) -> dict[str, Any]: ...


def moment(at: int) -> datetime:
    """Return the epoch second as an aware datetime."""
    return datetime.fromtimestamp(at, UTC)


def is_live(row: Row) -> bool:
    return not row.get("IsDeleted")


class ActiveRows:
    """The rows of an org during one pause. Changes here are changes of the org."""

    def __init__(self, org: ChangeableOrg, rng: Random) -> None:
        self.org = org
        self.rng = rng
        self._known: dict[str, list[Row]] = {}

    def all(self, sobject: str) -> list[Row]:
        """Return all rows of the object, deleted ones too."""
        if sobject not in self._known:
            self._known[sobject] = self.org.rows(sobject)
        return self._known[sobject]

    def one(self, sobject: str, at: int, fits: Callable[[Row], bool] = is_live) -> Row | None:
        """Return a row that fits and is not younger than `at`, or None."""
        rows, now = self.all(sobject), stamp(at)
        for _ in range(TRIES if rows else 0):
            row = pick(self.rng, rows)
            if row["SystemModstamp"] <= now and fits(row):
                return row
        return None

    def one_id(self, sobject: str, at: int) -> str | None:
        """Return the Id of a live row."""
        row = self.one(sobject, at)
        return row["Id"] if row else None

    def insert(self, sobject: str, values: Row, at: int) -> str:
        """Insert a row and remember it."""
        cells = {name: value for name, value in values.items() if value is not None}
        record_id = self.org.insert(sobject, cells, stamp=moment(at))
        if sobject in self._known:
            self._known[sobject].append(self.org.row(sobject, record_id))
        return record_id

    def update(self, sobject: str, row: Row, values: Row, at: int) -> int:
        """Change a row and return the number of changed rows."""
        self.org.update(sobject, row["Id"], values, stamp=moment(at))
        row |= values | {"SystemModstamp": stamp(at)}
        return 1

    def recalculate(self, sobject: str, record_id: str, change: Callable[[Row], Row], at: int) -> int:
        """Set calculated columns from the row; its stamp does not move."""
        values = change(self.org.row(sobject, record_id))
        self.org.update(sobject, record_id, values, stamp=moment(at), restamp=False)
        return 1
