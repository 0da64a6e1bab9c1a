"""The org of a history: small objects, edits by name, and every version that each row ever had."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sf_assets.devorg.org.org import Org
from sf_assets.devorg.org.settings import Behaviour
from sf_assets.devorg.store.ids import record_id_of
from sf_assets.devorg.store.schema import FieldSchema, ObjectSchema
from sf_assets.specs.model import EndpointRow, EndpointSpec
from sf_assets.specs.naming import column_name
from sf_assets.specs.soql_file import read_query
from sf_assets_tests.conftest import Clock
from sf_assets_tests.sync.simulator.history import Edit

START = datetime(2026, 3, 10, 12, tzinfo=UTC)
TEXTS = ("plain", "", " ", "a\0b", "🚀" * 3, 'O\'Brien \\ "q"', "ünï", "x" * 60, "-0", "NULL")
TEXT, NOTE = "Name", "Note__c"
CALCULATED = ("Label__c", "Total__c")

Row = dict[str, Any]


def _field(name: str, type_: str, **facts: Any) -> FieldSchema:
    return FieldSchema(name, type_, name, custom=name.endswith("__c"), **facts)


def _object(name: str, prefix: str, *more: FieldSchema, deletable: bool = True) -> ObjectSchema:
    fields = [_field("Id", "id", length=18, nillable=False)]
    fields += [_field("IsDeleted", "boolean", nillable=False)] if deletable else []
    fields += [_field(TEXT, "string", length=255), *more, _field(NOTE, "string", length=255)]
    fields += [_field("SystemModstamp", "datetime", nillable=False)]
    return ObjectSchema(
        name, name, prefix, {one.name: one for one in fields}, has_is_deleted=deletable, undeletable=deletable
    )


def objects() -> dict[str, ObjectSchema]:
    """Return new schemas: a parent with calculated columns, its child, and an object without IsDeleted."""
    calculated = [_field("Label__c", "string", length=255, calculated=True), _field("Total__c", "double", scale=2)]
    money = _field("AnnualRevenue", "currency", precision=18, scale=2)
    parents = _object("Account", "001", money, calculated[0], FieldSchema(**vars(calculated[1]) | {"calculated": True}))
    children = _object("Contact", "003", _field("AccountId", "reference", length=18, reference_to=("Account",)))
    return {"Account": parents, "Contact": children, "UserRole": _object("UserRole", "00E", deletable=False)}


def spec_of(endpoint: str, *, deleted: str = "mark") -> EndpointSpec:
    """Return the spec of one of the endpoints account, contact and user_role."""
    sobject = {"account": "Account", "contact": "Contact", "user_role": "UserRole"}[endpoint]
    names = [name for name in objects()[sobject].fields if not name.endswith("__c")]
    text = f"SELECT\n  {', '.join(names)},\n  FIELDS(CUSTOM)\nFROM {sobject}\n"
    how = "snapshot" if endpoint == "user_role" else "tail"
    mode = deleted if how == "tail" else "mark"
    row = EndpointRow(endpoint, sobject, how, "hourly", "crm", "team:data", "Rows.", deleted=mode)  # type: ignore[arg-type]
    return EndpointSpec.of(row, read_query(text, path=f"{endpoint}.soql"))


@dataclass
class Version:
    """A row as it was from a moment on (`since`, counted in edits) until another; None: not visible."""

    since: int
    row: Row | None
    until: int | None = None


@dataclass
class Dirt:
    """A change that no stamp shows: of which column (None: of the row), of which kind, and when."""

    kind: str  # gone, back, late, value
    column: str | None
    at: int


@dataclass
class Book:
    """What is known of one object's rows, by Id."""

    versions: dict[str, list[Version]] = field(default_factory=dict)
    values: dict[tuple[str, str], list[Any]] = field(default_factory=dict)
    ever_unseen: set[str] = field(default_factory=set)


@dataclass
class World:
    """An org, its clock, and the count of changes so far."""

    sobjects: tuple[str, ...]
    rows: int
    page_rows: int
    locator_rows: str
    clock: Clock = field(default_factory=lambda: Clock(START))

    def __post_init__(self) -> None:
        behaviour = Behaviour(page_rows=self.page_rows, locator_rows=self.locator_rows)  # type: ignore[arg-type]
        schemas = {name: schema for name, schema in objects().items() if name in self.sobjects}
        self.org = Org(objects=schemas, seed=1, clock=self.clock, behaviour=behaviour)
        self.seq = 0
        self.number = 0
        self.books = {name: Book() for name in self.sobjects}
        self.dirt: dict[str, list[tuple[str, Dirt]]] = {name: [] for name in self.sobjects}
        self.all_dirt: dict[str, list[tuple[str, Dirt]]] = {name: [] for name in self.sobjects}
        self.dropped_columns: dict[str, set[str]] = {name: set() for name in self.sobjects}
        self.retyped: set[str] = set()
        self.newest = START - timedelta(days=365)
        for name in self.sobjects:
            for _ in range(self.rows):
                self._insert(name, stamp=START - timedelta(days=1 + self.number))
        self.record()

    # -- edits --------------------------------------------------------------------------------------------------

    def edit(self, edit: Edit) -> bool:
        """Make one change. Returns False if nothing can be changed in this way now."""
        if edit.sobject not in self.sobjects:
            return False
        outcome = getattr(self, f"_edit_{edit.verb}")(edit)
        self.record()
        return outcome is not False

    def record(self) -> None:
        """Keep the versions of all rows as they are now."""
        self.seq += 1
        for name, book in self.books.items():
            present = self.present(name)
            for key in book.versions.keys() | present.keys():
                self._note(book, key, present.get(key))

    def _note(self, book: Book, key: str, row: Row | None) -> None:
        versions = book.versions.setdefault(key, [Version(0, None)])
        if versions[-1].row == row:
            return
        versions[-1].until = self.seq
        versions.append(Version(self.seq, row))
        if row is None:
            book.ever_unseen.add(key)
            return
        self.newest = max(self.newest, row["SystemModstamp"])
        for column, value in row.items():
            past_values = book.values.setdefault((key, column), [])
            if value not in past_values:
                past_values.append(value)

    def present(self, sobject: str) -> dict[str, Row]:
        """Return the rows that the integration user may see, by Id, as Python values."""
        table = self.org.tables[sobject]
        fields = table.schema.fields
        rows = (row for row in self.org.rows(sobject) if row["Id"] not in table.hidden_keys)
        return {row["Id"]: {name: plain(value, fields[name].type) for name, value in row.items()} for row in rows}

    def hidden(self, sobject: str) -> set[str]:
        return set(self.org.tables[sobject].hidden_keys)

    def logged(self, sobject: str, *, until: datetime | None = None) -> set[str]:
        """Return the Ids that the user sees in the delete log: not those of hidden rows."""
        end = 10**15 if until is None else int(until.timestamp() * 1_000)
        entries = self.org.delete_log(sobject).between(0, end)
        return {record_id for record_id, _ in entries} - self.hidden(sobject)

    def readable(self, sobject: str) -> set[str]:
        """Return the columns that queries may name."""
        return {one.name for one in self.org.tables[sobject].schema.fields.values() if one.visible and one.queryable}

    def stain(self, sobject: str, ids: Iterable[str], kind: str, column: str | None = None) -> None:
        """Remember changes that no stamp shows."""
        entries = [(record_id, Dirt(kind, column, self.seq + 1)) for record_id in ids]
        self.dirt[sobject] += entries
        self.all_dirt[sobject] += entries

    def _ids(self, edit: Edit, *, deleted: bool | None = None, hidden: bool = False) -> list[str]:
        rows = [row for row in self.org.rows(edit.sobject) if deleted is None or row.get("IsDeleted", False) == deleted]
        ids = [row["Id"] for row in rows if (row["Id"] in self.hidden(edit.sobject)) == hidden]
        if not ids:
            return []
        first = edit.row % len(ids)
        return (ids[first:] + ids[:first])[: edit.count]

    def _stamp(self, edit: Edit) -> datetime:
        return (self.clock() - timedelta(seconds=edit.late)).replace(microsecond=0)

    def _insert(self, sobject: str, *, stamp: datetime, early_id: int | None = None) -> str:
        self.number += 1
        values: Row = {TEXT: f"n{self.number}", NOTE: f"note {self.number}"}
        if sobject in self.retyped:
            values[NOTE] = float(self.number)
        if sobject == "Contact" and "Account" in self.sobjects and (parents := self.org.rows("Account")):
            values["AccountId"] = parents[self.number % len(parents)]["Id"]
        if early_id is not None:
            prefix = self.org.tables[sobject].schema.key_prefix
            values["Id"] = record_id_of(prefix, 62**8 + early_id % 50 + 100 * self.number)
        return self.org.insert(
            sobject, {k: v for k, v in values.items() if k in self.org.tables[sobject].place}, stamp=stamp
        )

    def _edit_insert(self, edit: Edit) -> None:
        for _ in range(edit.count):
            row_id = self._insert(
                edit.sobject, stamp=self._stamp(edit), early_id=edit.value if edit.how == "early" else None
            )
            self._stain_late(edit, [row_id])

    def _stain_late(self, edit: Edit, ids: list[str]) -> None:
        if edit.late > 1200:
            self.stain(edit.sobject, ids, "late")

    def _edit_update(self, edit: Edit) -> bool:
        ids = self._ids(edit)
        column = {"note": NOTE, "money": "AnnualRevenue", "new": "New__c"}.get(edit.how, TEXT)
        field_ = self.org.tables[edit.sobject].schema.fields.get(column)
        if field_ is None:
            return False
        value: Any = TEXTS[edit.value % len(TEXTS)]
        if field_.type in ("currency", "double"):
            value = edit.value * 1.25
        for record_id in ids:
            self.org.update(edit.sobject, record_id, {column: value}, stamp=self._stamp(edit), restamp=not edit.quiet)
        if edit.quiet:
            self.stain(edit.sobject, ids, "value", column)
        self._stain_late(edit, ids)
        return bool(ids)

    def _edit_restamp(self, edit: Edit) -> None:
        ids = self._ids(edit)
        self.org.restamp(edit.sobject, ids, self._stamp(edit))
        self._stain_late(edit, ids)

    def _edit_delete(self, edit: Edit) -> bool:
        ids = self._ids(edit, deleted=False)
        before = {name: {r["Id"]: r for r in self.org.rows(name)} for name in self.sobjects}
        for record_id in ids:
            if edit.quiet:
                if "IsDeleted" not in self.org.tables[edit.sobject].place:
                    return False
                self.org.update(edit.sobject, record_id, {"IsDeleted": True}, restamp=False)
                self.stain(edit.sobject, [record_id], "value")
            else:
                self.org.delete(edit.sobject, record_id, stamp=self._stamp(edit), cascade=edit.how or "restamped")
                self._stain_late(edit, [record_id])
                if edit.sobject == "UserRole":
                    self.stain("UserRole", [record_id], "gone")
        if edit.how in ("silent", "unlogged"):
            for name in self.sobjects:
                changed = [r["Id"] for r in self.org.rows(name) if before[name].get(r["Id"]) != r]
                self.stain(name, [one for one in changed if name != edit.sobject], "value")
        elif edit.late > 1200 and edit.sobject == "Account" and "Contact" in self.sobjects:
            self.stain("Contact", [r["Id"] for r in self.org.rows("Contact")], "late")
        return bool(ids)

    def _edit_undelete(self, edit: Edit) -> bool:
        ids = self._ids(edit, deleted=True)
        for record_id in ids:
            self.org.undelete(edit.sobject, record_id, stamp=self._stamp(edit), restamp=not edit.quiet)
        if edit.quiet:
            self.stain(edit.sobject, ids, "value")
        self._stain_late(edit, ids)
        return bool(ids)

    def _edit_purge(self, edit: Edit) -> bool:
        if len(self.org.rows(edit.sobject)) <= edit.count + 2:
            return False
        ids = self._ids(edit)
        self.org.purge_many(edit.sobject, ids, log=not edit.quiet)
        self.stain(edit.sobject, ids, "gone")
        return bool(ids)

    def _edit_empty_bin(self, edit: Edit) -> bool:
        ids = list(self.org.tables[edit.sobject].bin_keys)
        self.org.empty_bin(edit.sobject, log=not edit.quiet)
        self.stain(edit.sobject, ids, "gone")
        return bool(ids)

    def _edit_hide(self, edit: Edit) -> bool:
        ids = self._ids(edit)
        self.org.hide_rows(edit.sobject, ids)
        self.stain(edit.sobject, ids, "gone")
        return bool(ids)

    def _edit_show(self, edit: Edit) -> bool:
        ids = self._ids(edit, hidden=True)
        self.org.show_rows(edit.sobject, ids)
        self.stain(edit.sobject, ids, "back")
        return bool(ids)

    def _edit_recalculate(self, edit: Edit) -> bool:
        if edit.sobject != "Account":
            return False
        ids, column = self._ids(edit), CALCULATED[edit.value % 2]
        value = float(edit.value) if column == "Total__c" else TEXTS[edit.value % len(TEXTS)]
        self.org.recalculate(edit.sobject, {record_id: {column: value} for record_id in ids})
        self.stain(edit.sobject, ids, "value", column)
        return bool(ids)

    # -- columns and objects ------------------------------------------------------------------------------------

    def _edit_hide_column(self, edit: Edit) -> None:
        self.org.hide_field(edit.sobject, NOTE)
        self.dropped_columns[edit.sobject].add(NOTE)

    def _edit_show_column(self, edit: Edit) -> None:
        self.org.show_field(edit.sobject, NOTE)

    def _edit_refuse_column(self, edit: Edit) -> None:
        self.org.refuse_field(edit.sobject, NOTE)
        self.dropped_columns[edit.sobject].add(NOTE)

    def _edit_accept_column(self, edit: Edit) -> None:
        self.org.accept_field(edit.sobject, NOTE)

    def _edit_add_column(self, edit: Edit) -> bool:
        if "New__c" in self.org.tables[edit.sobject].place:
            return False
        self.org.add_field(edit.sobject, FieldSchema("New__c", "double", "New", scale=2, custom=True))
        self.dropped_columns[edit.sobject].add("New__c")
        return True

    def _edit_retype_column(self, edit: Edit) -> bool:
        if edit.sobject in self.retyped:
            return False
        self.org.retype_field(edit.sobject, NOTE, "double")
        self.retyped.add(edit.sobject)
        self.dropped_columns[edit.sobject].add(NOTE)
        self.stain(edit.sobject, self.books[edit.sobject].versions, "value", NOTE)  # also of rows that are gone
        return True

    def _edit_switch_off(self, edit: Edit) -> None:
        self.org.switch_off(edit.sobject)

    def _edit_switch_on(self, edit: Edit) -> None:
        self.org.switch_on(edit.sobject)


def plain(value: Any, type_: str) -> Any:
    """Return a value of the wire as the table has it."""
    if value is None:
        return None
    if type_ == "datetime":
        return datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.%f%z").astimezone(UTC)
    if type_ == "currency":
        return Decimal(str(value)).quantize(Decimal("0.000001"))
    if type_ == "date":
        return date.fromisoformat(value)
    return float(value) if type_ == "double" else value


def table_names(row: Mapping[str, Any]) -> Row:
    """Return a row under the table's names of its columns."""
    return {column_name(name): value for name, value in row.items()}
