"""Values that pass between IcebergTables and its callers. No I/O."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final, final

from pyiceberg.types import IcebergType

if TYPE_CHECKING:
    import polars as pl

SYNCED_AT = "_synced_at"
"""The column that says when a row was read."""


@final
class Unchecked:
    """The type of `UNCHECKED`."""

    def __repr__(self) -> str:
        return "UNCHECKED"


UNCHECKED: Final = Unchecked()
"""As `base`: commit whatever the state of the table."""


@dataclass(frozen=True)
class TableColumn:
    """A column that a table must have. A provisional column has a guessed type and no values yet."""

    name: str
    type: IcebergType
    doc: str = ""
    provisional: bool = False


@dataclass(frozen=True)
class Chunk:
    """Rows to write, and the state after them (None: not a commit point)."""

    frame: "pl.DataFrame"
    state: str | None


@dataclass(frozen=True)
class DeletedRows:
    """Rows that a replace may remove uncounted: `column` is true in the table, and the source has purged them.

    It has where `stamp` is before `purged_before`, or where the chunks have other rows with the mark: then the source
    still shows the marked rows that it has.
    """

    column: str
    stamp: str
    purged_before: datetime


@dataclass(frozen=True)
class TableFacts:
    """A table's properties from its metadata alone; no data file is opened."""

    rows: int
    snapshot_id: int | None
    state: str | None
    columns: tuple[str, ...]
    uri: str
    metadata_location: str
    types: tuple[IcebergType, ...] = field(default=(), repr=False)

    def retyped_since(self, before: "TableFacts") -> dict[str, str]:
        """Return column -> "former type to present type" for columns with a new type."""
        if before.metadata_location == self.metadata_location:
            return {}
        former = dict(zip(before.columns, before.types, strict=True))
        present = zip(self.columns, self.types, strict=True)
        return {name: f"{former[name]} to {type_}" for name, type_ in present if former.get(name, type_) != type_}


@dataclass(frozen=True)
class Written:
    """The result of a write: `rows` in the table afterwards, `read` in the frames.

    read = inserted + updated + unchanged + outdated. A key counts once as inserted or updated a commit. `outdated` rows
    are older versions, which are dropped.
    """

    snapshot_id: int | None
    commits: int
    rows: int
    read: int
    inserted: int
    updated: int
    vanished: int
    unchanged: int
    outdated: int
    bytes_written: int
    files_written: int
    added_columns: tuple[str, ...]
    uri: str
    metadata_location: str
