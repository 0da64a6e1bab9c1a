"""Whether a table that is older than a policy of hashing, or than its key, keeps to it.

Until a table keeps to a policy a check says so by name. Another key is refused: equal texts would be equal hashes no
more, in this table and across tables, and no later look could tell which hash is of which key.
"""

from dataclasses import replace

from sf_assets.errors import HashKeyChanged
from sf_assets.iceberg.model import TableFacts
from sf_assets.specs.model import EndpointSpec
from sf_assets.sync.hashing import fingerprint
from sf_assets.sync.state import State


def annotate_hashing(state: State, spec: EndpointSpec, table: TableFacts | None, *, key: bytes) -> State:
    """Return the state with the policy, and its key, under which this sync writes.

    A column is `hashed` from when it or the table was new, as long as policy and key stay; else it becomes `mixed`.
    """
    there = {_bare(name) for name in table.columns} if table and table.rows else set[str]()
    wanted, held = {name.lower() for name in spec.hashed}, {*state.hashed} if there else set[str]()
    under = fingerprint(key) if wanted else state.hashed_under
    kept = held if state.hashed_under in {None, under} else set[str]()
    hashed = (wanted & kept) | {name for name in wanted if _bare(name) not in there}
    mixed = {*wanted, *held, *(state.mixed if there else ())} - hashed
    return replace(
        state,
        hashed=tuple(sorted(hashed)),
        mixed=tuple(sorted(mixed)),
        hashed_under=under if hashed or mixed else None,
    )


def refuse_other_key(state: State | None, spec: EndpointSpec, table: TableFacts | None, *, key: bytes) -> None:
    """Raise HashKeyChanged when the table holds hashes of another key than the one that this sync would hash with."""
    if not spec.hashed or state is None or not (table and table.rows) or not (state.hashed or state.mixed):
        return
    if state.hashed_under not in {None, fingerprint(key)}:
        raise HashKeyChanged(
            f"{spec.endpoint}: the key of hashed columns is not the one that the table's hashes were made with.",
            endpoint=spec.endpoint, columns=", ".join(spec.hashed),
            hashed_under=state.hashed_under, key_at_hand=fingerprint(key),
        )  # fmt: skip


def columns_out_of_policy(state: State, spec: EndpointSpec) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the columns that are hashed now and may hold texts, and those that hold hashes and are hashed no more."""
    wanted = {name.lower() for name in spec.hashed}
    clear = tuple(name for name in spec.hashed if name.lower() not in state.hashed)
    return clear, tuple(name for name in state.mixed if name not in wanted)


def _bare(name: str) -> str:
    """An API name and the table's name for it, alike."""
    return name.replace("_", "").lower()
