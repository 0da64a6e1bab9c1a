"""An endpoint: its row of the table and its query, compared with each other and with the catalogue."""

import difflib
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, fields
from typing import Literal, get_args

from sf_assets.errors import SpecError
from sf_assets.specs import catalogue
from sf_assets.specs.cadences import CadenceWord
from sf_assets.specs.catalogue import CatalogueField
from sf_assets.specs.naming import column_name, is_custom
from sf_assets.specs.object_limits import missing_filter, why_unreadable
from sf_assets.specs.soql_file import MAX_NAME, SoqlQuery

How = Literal["tail", "snapshot"]
Deleted = Literal["mark", "remove"]
Calculated = Literal["default", "refresh", "stale", "exclude"]
Bulk = Literal["default", "auto", "never", "always"]

STAMP = "SystemModstamp"
DELETED = "IsDeleted"
NEVER_READ = frozenset({"LastViewedDate", "LastReferencedDate"})
"""Columns that show the integration user's own views, not the record."""

MAX_DESCRIPTION = 1_000

_OWNER = re.compile(r"team:\w+([-.]\w+)*|[^@\s]+@[^@\s]+\.[^@\s]+")


def quoted(text: str) -> str:
    """Return a text for a message: quoted, shortened, without control characters."""
    return repr(text) if len(text) <= 60 else f"{text[:60]!r}…"


def printable(text: str, limit: int = 200) -> str:
    """Return a foreign text for a message: shortened, without control characters."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text[:limit])


@dataclass(frozen=True)
class EndpointRow:
    """A row of the table of endpoints.

    - `how`: a tail reads the rows that changed, a snapshot reads the whole object.
    - `keys`: the table's column names that identify a row.
    - `excluded`: API names of columns that are neither read nor in the table.
    - `hashed`: API names of text columns; only a keyed hash of their values is written.
    - `deleted`: a deleted row stays with `is_deleted = true`, or is removed permanently.
    - `calculated`: formulas and roll-ups are read again daily, stay as of their row's last change, or are left out;
      "default" is what the deployment says.
    - `refreshed`: API names of more columns that change without a stamp.
    - `bulk`: Bulk query jobs read the object as a whole if it is large, never, or always; "default" is what the
      deployment says.
    - `stamp`: API name of the time by which a tail finds new rows. Another one than SystemModstamp is for rows that
      are written once and never change, such as AccountHistory (CreatedDate) or LoginHistory (LoginTime).
    - `history`: a table `<endpoint>_changes` has every version that the table has held.

    Raises: SpecError if a value is malformed.
    """

    endpoint: str
    sobject: str
    how: How
    cadence: CadenceWord
    group: str
    owner: str
    description: str
    keys: tuple[str, ...] = ("id",)
    excluded: tuple[str, ...] = ()
    hashed: tuple[str, ...] = ()
    deleted: Deleted = "mark"
    calculated: Calculated = "default"
    refreshed: tuple[str, ...] = ()
    bulk: Bulk = "default"
    stamp: str = STAMP
    history: bool = False

    def __post_init__(self) -> None:
        for what, remedy in (*self._malformed_names(), *self._malformed_values()):
            message = f"Endpoint {quoted(self.endpoint)}: {what}."
            raise SpecError(message, remedy=f"{remedy}.", endpoint=self.endpoint[:MAX_NAME])

    def _malformed_names(self) -> Iterator[tuple[str, str]]:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", self.endpoint):
            yield "its name cannot be a table name", "Use lower-case letters, digits and _, with a letter first"
        if not re.fullmatch(r"[A-Za-z]\w*", self.sobject, re.ASCII):
            yield f"sobject {quoted(self.sobject)} is not an API name", "Write an API name, such as Invoice__c"
        if not re.fullmatch(r"[A-Za-z]\w*", self.stamp, re.ASCII) or len(self.stamp) > MAX_NAME:
            yield f"stamp {quoted(self.stamp)} is not an API name", "Write the API name of a time, such as CreatedDate"
        if not re.fullmatch(r"\w+", self.group, re.ASCII):
            yield f"group {quoted(self.group)} is not a group name", "Use letters, digits and _"
        if not _OWNER.fullmatch(self.owner):
            yield f"owner {quoted(self.owner)} is not an owner", "Write team:NAME or an e-mail address"
        for name in ("endpoint", "sobject", "group", "owner"):
            if len(text := getattr(self, name)) > MAX_NAME:
                yield f"{name} has {len(text):,} characters", f"Shorten {name} to {MAX_NAME} characters"

    def _malformed_values(self) -> Iterator[tuple[str, str]]:
        kinds = {"how": How, "cadence": CadenceWord, "deleted": Deleted, "calculated": Calculated, "bulk": Bulk}
        for name, value, choices in ((name, getattr(self, name), get_args(kind)) for name, kind in kinds.items()):
            if value not in choices:
                yield f"{name} {quoted(value)} is unknown", f"Write one of {', '.join(choices)}"
        if not self.keys:
            yield "it has no keys", 'Name the columns that identify a row, such as keys = ["id"]'
        for key in sorted({key for key in self.keys if self.keys.count(key) > 1}):
            yield f"keys names {quoted(key)} twice", "Name each column of the key once"
        if not self.description.isprintable():
            yield "its description has control characters", "Write the description as one line of text"
        if len(self.description) > MAX_DESCRIPTION:
            yield f"its description has {len(self.description):,} characters", f"Write at most {MAX_DESCRIPTION:,}"


@dataclass(frozen=True)
class EndpointSpec(EndpointRow):
    """An endpoint's row with its query.

    Raises: SpecError with file and line if the two do not fit together.
    """

    query: SoqlQuery = field(kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        for word, what, remedy in self._disagreements():
            line = self.query.line_of(word)
            message = f"{self.query.path}:{line}: {what} (endpoint {self.endpoint})."
            values = {"endpoint": self.endpoint, "path": self.query.path, "line": line}
            raise SpecError(message, remedy=f"{remedy}.", **values)

    @classmethod
    def of(cls, row: EndpointRow, query: SoqlQuery) -> "EndpointSpec":
        """Join a row of the table with its query."""
        return cls(**{column.name: getattr(row, column.name) for column in fields(EndpointRow)}, query=query)

    @property
    def catalogue(self) -> tuple[CatalogueField, ...]:
        """The object's standard columns, `Id` first; empty for an object that the catalogue lacks."""
        return catalogue.fields(self.sobject)

    @property
    def has_is_deleted(self) -> bool:
        """Whether deleted rows may stay visible, so that the object is read through queryAll.

        It is true for an object that the catalogue lacks and that is read by FIELDS(STANDARD): without IsDeleted,
        queryAll returns the same rows as query.
        """
        return self._is_unlisted or DELETED in self._names()

    @property
    def required(self) -> tuple[str, ...]:
        """The table's names of Id, keys, stamp and, if it exists, IsDeleted."""
        is_there = DELETED in self._names() or (self._is_unlisted and is_custom(self.sobject))
        deleted = [DELETED] if is_there else []
        return tuple(dict.fromkeys(["id", *self.keys, *map(column_name, [self.stamp, *deleted])]))

    @property
    def stamp_column(self) -> str:
        """The table's name of the stamp."""
        return column_name(self.stamp)

    @property
    def is_append_only(self) -> bool:
        """Whether rows never change. Rows that the org no longer has stay: its retention removed them."""
        return self.stamp != STAMP

    def is_excluded(self, api_name: str) -> bool:
        """Return whether the row excludes a column; upper and lower case are equal."""
        return api_name.lower() in {name.lower() for name in self.excluded}

    @property
    def _is_unlisted(self) -> bool:
        """Whether only the org can list the standard columns."""
        return self.query.standard and not catalogue.names(self.sobject)

    def _names(self) -> Collection[str]:
        standard = catalogue.names(self.sobject).values() if self.query.standard else ()
        return (*self.query.columns, *standard)

    def _disagreements(self) -> Iterator[tuple[str, str, str]]:
        yield from self._wrong_object()
        yield from self._unreadable_object()
        yield from self._unknown_columns()
        yield from self._repeated_columns()
        yield from self._missing_columns()
        yield from self._wrong_names("excludes", self.excluded, setting="excluded")
        yield from self._wrong_names("hashes", self.hashed, setting="hashed")
        yield from self._wrong_names("refreshes", self.refreshed, setting="refreshed")

    def _wrong_object(self) -> Iterator[tuple[str, str, str]]:
        name, spellings = self.query.sobject, {name.lower(): name for name in catalogue.sobjects()}
        if name != self.sobject:
            what = f"the query reads {name}, its row says {self.sobject}"
            yield name, what, f"Write FROM {self.sobject}, or correct the endpoint's sobject"
        spelling = spellings.get(name.lower(), name)
        if spelling != name:
            yield name, f"{name} is spelled {spelling}", f"Write {spelling}, in the query and in the endpoint's row"

    def _unreadable_object(self) -> Iterator[tuple[str, str, str]]:
        if (reason := why_unreadable(self.sobject)) is not None:
            yield "FROM", *reason
        if columns := missing_filter(self.sobject, self.query.where):
            what = f"the org refuses a query of {self.sobject} without a filter on {' or '.join(columns)}"
            yield "FROM", what, f"Add such a filter, for example WHERE {columns[-1]} = '…', or remove the endpoint"

    def _unknown_columns(self) -> Iterator[tuple[str, str, str]]:
        spellings = catalogue.names(self.sobject)
        for name in self.query.columns:
            spelling = spellings.get(name.lower())
            if name in NEVER_READ:
                yield name, f"{name} shows the integration user's own views", f"Remove {name}"
            elif spelling and spelling != name:
                yield name, f"{name} is spelled {spelling}", f"Write {spelling}"
            elif spellings and not spelling and not is_custom(name):
                yield name, f"{self.sobject} has no readable standard column {name}", _advice(name, spellings.values())

    def _repeated_columns(self) -> Iterator[tuple[str, str, str]]:
        """Yield columns that would have one name in the table."""
        first_of: dict[str, str] = {}
        for name in self.query.columns:
            first = first_of.setdefault(column_name(name), name)
            if first != name:
                yield name, f"{name} and {first} are both {column_name(name)} in the table", f"Remove {name} or {first}"

    def _missing_columns(self) -> Iterator[tuple[str, str, str]]:
        names = self._names()
        needed = ["Id", self.stamp, *([DELETED] if self._keeps_deleted() else [])]
        for name in needed:
            if name not in names and not self._is_unlisted:
                yield "SELECT", f"{name} is missing", f"Add {name} to the columns"
        for key in self.keys:
            if not self._may_have(key):
                what = f"no column of the query is called {quoted(key)} in the table, and the row names it as a key"
                yield "SELECT", what, f"Add the column of key {quoted(key)}, or correct the row's keys"

    def _keeps_deleted(self) -> bool:
        """Return whether the query must read IsDeleted, so that deleted rows do not look alive.

        Every custom object has the column.
        """
        return DELETED.lower() in catalogue.names(self.sobject) or (self.how == "tail" and self.sobject.endswith("__c"))

    def _may_have(self, column: str) -> bool:
        """Return whether the query reads a column of the table, perhaps through FIELDS()."""
        expanded = self.query.custom if is_custom(column) else self._is_unlisted
        return expanded or column == "id" or any(column_name(name) == column for name in self._names())

    def _wrong_names(self, does: str, listed: Collection[str], *, setting: str) -> Iterator[tuple[str, str, str]]:
        names = {name.lower(): column_name(name) for name in self._names()} if listed else {}
        for name in listed:
            if names.get(name.lower(), name.lower()) in self.required:
                what = f"the endpoint's row {does} {name}, which every sync needs"
                yield name, what, f"Remove {name} from {setting}"
            elif not re.fullmatch(r"[A-Za-z]\w*", name, re.ASCII) or len(name) > MAX_NAME:
                what = f"the endpoint's row {does} {quoted(name)}, which is not an API name"
                yield "SELECT", what, f"Correct {setting}"
            elif name.lower() not in names and not is_custom(name) and not self.query.standard:
                what = f"the endpoint's row {does} {name}, which is not among the columns"
                yield "SELECT", what, _advice(name, self._names())


def _advice(name: str, choices: Collection[str]) -> str:
    near = difflib.get_close_matches(name, choices, n=1, cutoff=0.7)
    meaning = f"Write {near[0]}, or remove {name}" if near else f"Correct {name} or remove it"
    return f"{meaning}; compound columns are read by their parts, and newer standard ones by FIELDS(STANDARD)"
