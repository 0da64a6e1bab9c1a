"""The practice org: Salesforce objects in memory that can be changed while they are served."""

from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from sf_assets.devorg.org.bulk_jobs import BulkJobs
from sf_assets.devorg.org.cursors import Locators
from sf_assets.devorg.org.faults import Fault
from sf_assets.devorg.org.field_operations import FieldOperations
from sf_assets.devorg.org.row_operations import RowOperations
from sf_assets.devorg.org.sessions import Sessions
from sf_assets.devorg.org.settings import Behaviour
from sf_assets.devorg.org.state import OrgState, build_tables
from sf_assets.devorg.org.usage import Usage
from sf_assets.devorg.store.schema import ObjectSchema
from sf_assets.devorg.store.timestamps import Clock, wall_clock

OPERATIONS = (
    "insert",
    "insert_many",
    "update",
    "restamp",
    "delete",
    "undelete",
    "purge",
    "purge_many",
    "empty_bin",
    "trim_delete_log",
    "set_raw",
    "recalculate",
    "merge",
    "hide_rows",
    "show_rows",
    "add_field",
    "hide_field",
    "show_field",
    "retype_field",
    "change_field",
    "refuse_field",
    "accept_field",
    "add_object",
    "switch_off",
    "switch_on",
    "restore",
)


@dataclass(frozen=True)
class PageRequest:
    """A page that is about to be built, for `on_page` hooks. `offset` counts from the first row."""

    sobject: str
    soql: str
    offset: int


class Org(RowOperations, FieldOperations):
    """A Salesforce org in memory, with the objects and rows that it is given.

    `faults` and `on_page` are plain lists; `behaviour` is replaced as a whole.
    """

    def __init__(
        self,
        *,
        objects: Mapping[str, ObjectSchema],
        data: Mapping[str, list[dict[str, Any]]] | None = None,
        seed: int = 0,
        clock: Clock = wall_clock,
        behaviour: Behaviour | None = None,
    ) -> None:
        tables = build_tables(objects, data or {})
        super().__init__(tables=tables, seed=seed, clock=clock, behaviour=behaviour or Behaviour())
        self.begin_serving()

    def begin_serving(self) -> None:
        """Start without sessions, results, jobs, faults, hooks and calls."""
        self.faults: list[Fault] = []
        self.on_page: list[Callable[[PageRequest], None]] = []
        self.sessions = Sessions()
        self.locators = Locators()
        self.bulk_jobs = BulkJobs()
        self.usage = Usage()

    def copy(self, *, clock: Clock | None = None) -> "Org":
        """Return an org with the same rows, without sessions, faults or journal; cheap."""
        with self.lock:
            twin = copy(self)
            OrgState.__init__(
                twin,
                tables={name: table.copy() for name, table in self.tables.items()},
                seed=self.seed,
                clock=clock or self.clock,
                behaviour=self.behaviour,
            )
            twin.switched_off = set(self.switched_off)
            twin.delete_logs = {name: log.copy() for name, log in self.delete_logs.items()}
            twin.begin_serving()
            return twin

    def behave(self, **switches: Any) -> None:
        """Change settings: `org.behave(page_rows=200)`."""
        self.behaviour = replace(self.behaviour, **switches)

    def apply(self, operation: Mapping[str, Any]) -> Any:
        """Apply an operation of the journal or the admin API: `{"op": "update", "sobject": ..., ...}`."""
        arguments = dict(operation)
        verb = arguments.pop("op", None)
        if verb not in OPERATIONS:
            raise ValueError(f"no operation {verb!r}; there are {', '.join(OPERATIONS)}")
        return getattr(self, verb)(**arguments)

    def rows(self, sobject: str, deleted: bool = True, limit: int | None = None) -> list[dict[str, Any]]:
        """Return all rows by Id with all fields, as the API prints them.

        Hidden rows and fields are among them.
        """
        with self.lock:
            return list(islice(self._records(sobject, deleted=deleted), limit))

    def _records(self, sobject: str, *, deleted: bool) -> Iterator[dict[str, Any]]:
        table = self.table(sobject)
        for key in table.by_id.between():
            record = table.record(key)
            if deleted or not record.get("IsDeleted"):
                yield record

    def row(self, sobject: str, record_id: str) -> dict[str, Any]:
        """Return one row with all fields. Raises: KeyError if it does not exist."""
        with self.lock:
            table = self.table(sobject)
            return table.record(table.key(record_id))

    def expire_sessions(self) -> None:
        """Expire all tokens: they are 401 INVALID_SESSION_ID from now on."""
        with self.lock:
            self.sessions.expire()

    def expire_locators(self) -> None:
        """Expire all nextRecordsUrls: they are INVALID_QUERY_LOCATOR from now on."""
        with self.lock:
            self.locators.expire()

    def spend_calls(self, used: int) -> None:
        """Set the number of calls of the last 24 hours."""
        with self.lock:
            self.usage.set(used, self.now())
