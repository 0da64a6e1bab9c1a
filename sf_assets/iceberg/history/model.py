"""The own columns of a history table, and the result of an update. No I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pyiceberg.types import LongType, StringType

from sf_assets.iceberg.model import TableColumn

KIND = "changes"
"""The kind of a history table, next to `rows` and `frame`."""
CHANGE, NUMBER, SNAPSHOT, SOURCE = "_change", "_change_number", "_snapshot_id", "_derived_from"
INSERT, UPDATE, DELETE, UNDELETE = "insert", "update", "delete", "undelete"
DELETED = "is_deleted"
NOTE = "sf_assets.history-note"
"""Key of a snapshot's summary: why a history could not follow the table's snapshots one by one."""
OWN_COLUMNS = (
    TableColumn(CHANGE, StringType(), "insert, update, delete or undelete. A row exists unless its last is delete."),
    TableColumn(NUMBER, LongType(), "Order of the changes. A row has at most one change of a number."),
    TableColumn(SNAPSHOT, LongType(), "The table's snapshot that first held this version."),
    TableColumn(SOURCE, StringType(), "snapshot, rollback (the table went back), or comparison (snapshots are gone)."),
)


@dataclass(frozen=True)
class HistoryResult:
    """What an update of a history did.

    `changes`: kind -> count. `has_gap`: versions between two snapshots may be missing. `erased`: rows that were
    permanently removed. `snapshots`: how many of the table's snapshots were used.
    """

    table: str
    rows: int
    snapshots: int = 0
    changes: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    has_gap: bool = False
    erased: int = 0
    bytes_written: int = 0
    snapshot_id: int | None = None
    uri: str = ""
    columns: tuple[str, ...] = ()
