"""Whether a table that is older than its hashing policy, or than the key, complies with it.

Until it complies, a check names the columns. Another key is refused: equal texts would no longer have equal hashes,
and nothing could tell which hash was made with which key.
"""

from dataclasses import replace

from sf_assets.errors import HashKeyChanged
from sf_assets.iceberg.model import TableFacts
from sf_assets.specs.model import EndpointSpec
from sf_assets.sync.hashing import fingerprint
from sf_assets.sync.state import HashStatus, State


def annotate_hashing(state: State, spec: EndpointSpec, table: TableFacts | None, *, key: bytes) -> State:
    """Return the state with the policy and the key fingerprint that this sync uses."""
    has_rows = bool(table and table.rows)
    columns = {_bare(name) for name in table.columns} if table and has_rows else set[str]()
    fingerprint_now = fingerprint(key) if spec.hashed else state.hashing.key
    before = state.hashing if has_rows else replace(state.hashing, hashed=(), mixed=())
    return replace(state, hashing=_hash_status(before, spec, columns, key=fingerprint_now))


def _hash_status(before: HashStatus, spec: EndpointSpec, columns: set[str], *, key: str | None) -> HashStatus:
    """Set a column to `hashed` or `mixed`. It is `hashed` if it or its table is new and policy and key stay."""
    wanted = {name.lower() for name in spec.hashed}
    remaining = set(before.hashed) if before.key in {None, key} else set[str]()
    hashed = (wanted & remaining) | {name for name in wanted if _bare(name) not in columns}
    mixed = {*wanted, *before.hashed, *before.mixed} - hashed
    return HashStatus(tuple(sorted(hashed)), tuple(sorted(mixed)), key if hashed or mixed else None)


def refuse_other_key(state: State | None, spec: EndpointSpec, table: TableFacts | None, *, key: bytes) -> None:
    """Refuse a key that differs from the one of the table's hashes.

    Raises:
        HashKeyChanged: the table holds hashes of another key.
    """
    if not spec.hashed or state is None or not (table and table.rows):
        return
    status = state.hashing
    if (status.hashed or status.mixed) and status.key not in {None, fingerprint(key)}:
        raise HashKeyChanged(
            f"{spec.endpoint}: the key of hashed columns is not the one that the table's hashes were made with.",
            endpoint=spec.endpoint, columns=", ".join(spec.hashed),
            hashed_under=status.key, key_at_hand=fingerprint(key),
        )  # fmt: skip


def columns_out_of_policy(state: State, spec: EndpointSpec) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return hashed columns that may hold texts, and columns with hashes of a former policy."""
    wanted = {name.lower() for name in spec.hashed}
    clear = tuple(name for name in spec.hashed if name.lower() not in state.hashing.hashed)
    return clear, tuple(name for name in state.hashing.mixed if name not in wanted)


def _bare(name: str) -> str:
    """Return the form that an API name and its name in the table share."""
    return name.replace("_", "").lower()
