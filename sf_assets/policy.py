"""Whether a table that is older than a policy of hashing keeps to it; until it does, a check says so by name."""

from dataclasses import replace
from typing import TYPE_CHECKING

from sf_assets.specs.model import EndpointSpec
from sf_assets.state import State

if TYPE_CHECKING:
    from sf_assets.iceberg.model import TableFacts


def noted(state: State, spec: EndpointSpec, table: "TableFacts | None") -> State:
    """Return the state with the policy under which this sync writes.

    A column is `hashed` from when it or the table was new, as long as the policy names it; else it becomes `mixed`.
    """
    there = {_bare(name) for name in table.columns} if table and table.rows else set[str]()
    wanted, before = {name.lower() for name in spec.hashed}, {*state.hashed} if there else set[str]()
    hashed = (wanted & before) | {name for name in wanted if _bare(name) not in there}
    touched = {*wanted, *before, *(state.mixed if there else ())}
    return replace(state, hashed=tuple(sorted(hashed)), mixed=tuple(sorted(touched - hashed)))


def unlike_policy(state: State, spec: EndpointSpec) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the columns that are hashed now and may hold texts, and those that hold hashes and are hashed no more."""
    wanted = {name.lower() for name in spec.hashed}
    clear = tuple(name for name in spec.hashed if name.lower() not in state.hashed)
    return clear, tuple(name for name in state.mixed if name not in wanted)


def _bare(name: str) -> str:
    """An API name and the table's name for it, alike."""
    return name.replace("_", "").lower()
