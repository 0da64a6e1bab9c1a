"""What a table may hold, and what it must hold, given every version that each row of the org ever had.

Claims: a sync that ends well claims that each row is in a version that was valid at its begin or later. The claim
stays until the next one; no kill, fault or re-read may take a row back behind it. Rows that changed without a stamp
are outside of a claim until a comparison with the org, or a full read, has covered the change.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from sf_assets.specs.naming import column_name
from sf_assets_tests.sync.simulator.world import Book, Row, Version, World, table_names

KEY = "Id"


class Wrong(AssertionError):
    """The table is not what it must be."""


@dataclass
class Claim:
    """What the table of one endpoint promises: versions of `since` or later, in these columns, without these rows.

    `open_rows`: Ids with changes that no stamp shows. `open_cells`: the same of single columns. `out_of_sight`: rows
    that the org does not show may be live, unless they were `logged` at the last comparison.
    """

    since: int
    columns: frozenset[str]
    open_rows: frozenset[str] = frozenset()
    open_cells: frozenset[tuple[str, str]] = frozenset()
    out_of_sight: bool = False
    logged: frozenset[str] = frozenset()


@dataclass
class Findings:
    """What is wrong with one table. `lost`: a row or version is missing. `doubled`: an Id is there twice. `values`."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    values: list[str] = field(default_factory=list)

    def raise_if_any(self, where: str) -> None:
        """Raise: Wrong with the first finding of each kind."""
        parts = [f"{name}: {items[0]}" for name, items in vars(self).items() if items]
        if parts:
            raise Wrong(f"{where}: {'; '.join(parts)}")


def check_always(rows: list[Row], book: Book, *, may_be_null: Collection[str]) -> Findings:
    """Check what holds at every moment, also after a kill: no Id twice, no value that the org never had."""
    findings, keys = Findings(), set[str]()
    for row in rows:
        key = row["id"]
        if key in keys:
            findings.doubled.append(f"{key} is in the table twice")
        keys.add(key)
        if key not in book.versions:
            findings.values.append(f"{key} was never a row of the org")
            continue
        for (record_id, column), values in ((k, v) for k, v in book.values.items() if k[0] == key):
            value = row.get(column_name(column))
            is_mark = column == "IsDeleted" and record_id in book.ever_unseen
            if value not in values and not is_mark and not (value is None and column in may_be_null):
                findings.values.append(f"{record_id}.{column} is {value!r}, and was {values!r} in the org")
    return findings


def check_claim(
    rows: list[Row], world: World, sobject: str, claim: Claim, *, is_snapshot: bool, removes: bool
) -> Findings:
    """Check the promise of the last sync that ended well."""
    findings, book, present = Findings(), world.books[sobject], {row["id"]: row for row in rows}
    for key, versions in book.versions.items():
        allowed = [one for one in versions if one.until is None or one.until > claim.since]
        was_unseen = any(one.row is None for one in allowed)  # back in sight since: the next comparison reads it
        if key in claim.open_rows or (claim.out_of_sight and was_unseen and key not in claim.logged):
            continue
        problem = _problem(key, present.get(key), allowed, claim, is_snapshot=is_snapshot, removes=removes)
        if problem:
            (findings.lost if "missing" in problem or "old" in problem else findings.values).append(f"{key} {problem}")
    return findings


def _problem(
    key: str, row: Row | None, allowed: list[Version], claim: Claim, *, is_snapshot: bool, removes: bool
) -> str | None:
    columns = [c for c in claim.columns if (key, c) not in claim.open_cells]
    if any(_fits(row, one, columns, is_snapshot=is_snapshot, removes=removes) for one in allowed):
        return None
    newest = allowed[-1].row
    if row is None:
        return f"is missing; the org has {_short(newest)}"
    if newest is None:
        return "is live, and the org does not show it (old)"
    theirs = table_names(newest)
    differing = {
        name: (row.get(name), theirs[name]) for name in map(column_name, columns) if row.get(name) != theirs[name]
    }
    return f"is in an old version; table and org: {differing}"


def _fits(row: Row | None, version: Version, columns: list[str], *, is_snapshot: bool, removes: bool) -> bool:
    if version.row is None or (removes and version.row.get("IsDeleted")):
        return row is None or (not is_snapshot and bool(row.get("is_deleted")))
    if row is None:
        return False
    theirs = table_names({name: value for name, value in version.row.items() if name in columns})
    return all(row.get(name) == value for name, value in theirs.items())


def _short(row: Any) -> str:
    return "no such row" if row is None else f"{{{', '.join(f'{k}: {v!r}' for k, v in list(row.items())[:4])}}}"
