"""The state of an org: tables, clock, lock, and a journal of its changes."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from threading import RLock
from typing import Any

from sf_assets.devorg.org.delete_log import DeleteLog
from sf_assets.devorg.org.settings import Behaviour
from sf_assets.devorg.store.ids import record_id_of
from sf_assets.devorg.store.schema import ObjectSchema
from sf_assets.devorg.store.table import Table
from sf_assets.devorg.store.timestamps import Clock, as_moment, stamp_text

Journal = Callable[[dict[str, Any]], None]
DEFAULT_USER_ID = "005000000000001AAA"


class OrgState:
    """Tables by API name. Each public operation holds `lock`, so a page never shows half a change."""

    def __init__(self, *, tables: dict[str, Table], seed: int, clock: Clock, behaviour: Behaviour) -> None:
        self.lock = RLock()
        self.clock = clock
        self.behaviour = behaviour
        self.journal: Journal | None = None
        self.seed = seed
        self.tables = tables
        self.switched_off: set[str] = set()
        self.metadata_at = self.now()
        self.delete_logs = {name: DeleteLog(_deleted_rows(table)) for name, table in tables.items()}
        self.org_id = next(iter(tables["Organization"].rows), "") if "Organization" in tables else ""
        self.org_id = self.org_id or record_id_of("00D", 62**8 + seed)

    def now(self) -> datetime:
        """Return the org's time: whole seconds, UTC."""
        return as_moment(self.clock()).replace(microsecond=0)

    def stamp(self, moment: datetime | str | None) -> str:
        """Return the stamp of a change: the org's time unless one is given."""
        return stamp_text(self.now() if moment is None else as_moment(moment))

    def table(self, sobject: str) -> Table:
        """Return an object's table, even if it is switched off.

        Raises:
            KeyError: The object is unknown; the message lists the known ones.
        """
        if sobject not in self.tables:
            raise KeyError(f"no object {sobject}; there are {', '.join(sorted(self.tables))}")
        return self.tables[sobject]

    def delete_log(self, sobject: str) -> DeleteLog:
        """Return the delete log of an object."""
        return self.delete_logs.setdefault(sobject, DeleteLog())

    def visible_tables(self) -> list[Table]:
        """Return the tables that the integration user may see."""
        return [table for name, table in self.tables.items() if name not in self.switched_off]

    def visible_table(self, name: str) -> Table | None:
        """Return the visible table of this name in any case, or None."""
        api_name = name if name in self.tables else self._api_names().get(name.lower())
        return None if api_name is None or api_name in self.switched_off else self.tables[api_name]

    def _api_names(self) -> dict[str, str]:
        return {name.lower(): name for name in self.tables}

    def journalize(self, verb: str, **arguments: Any) -> None:
        """Write an operation to the journal, in the form that `Org.apply` takes."""
        if self.journal is not None:
            self.journal({"op": verb, **arguments})

    @property
    def user(self) -> Mapping[str, Any]:
        """The integration user's row: the first active user, or a default one."""
        table = self.tables.get("User")
        with self.lock:
            records = map(table.record, table.by_id.between()) if table is not None else iter(())
            active = (record for record in records if record.get("IsActive", True))
            return next(active, {"Id": DEFAULT_USER_ID, "Username": "integration@practice.example"})


def _deleted_rows(table: Table) -> Iterator[tuple[str, int]]:
    """Yield Id and stamp of the rows in the recycle bin."""
    yield from table.bin_keys.items()


def build_tables(objects: Mapping[str, ObjectSchema], data: Mapping[str, list[dict[str, Any]]]) -> dict[str, Table]:
    """Return a table for each object, with its rows."""
    tables = {name: Table(schema) for name, schema in objects.items()}
    for name, records in data.items():
        tables[name].insert(records)
    return tables
