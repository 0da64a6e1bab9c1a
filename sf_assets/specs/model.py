"""An endpoint: its row of the table and its query, checked against each other and against the catalogue."""

import difflib
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, fields
from typing import Literal, get_args

from sf_assets.errors import SpecError
from sf_assets.specs import catalogue
from sf_assets.specs.catalogue import CatalogueField
from sf_assets.specs.naming import column_name, is_custom
from sf_assets.specs.soql import SoqlQuery

How = Literal["tail", "snapshot"]
Cadence = Literal["hourly", "six_hours", "daily"]
Deleted = Literal["mark", "remove"]

STAMP = "SystemModstamp"
DELETED = "IsDeleted"
NEVER_READ = frozenset({"LastViewedDate", "LastReferencedDate"})
"""They show the integration user's own views, not the record's."""

_OWNER = re.compile(r"team:\w+([-.]\w+)*|[^@\s]+@[^@\s]+\.[^@\s]+")


@dataclass(frozen=True)
class EndpointRow:
    """A row of the table of endpoints.

    `keys` are the table's column names that identify a row. `how`: a tail reads what has changed since, a snapshot
    reads the whole object. `excluded` are API names that are neither read nor in the table; of the texts in `hashed`
    only a keyed hash is written. `deleted`: a deleted row stays, marked, or is removed for good. Raises SpecError.
    """

    endpoint: str
    sobject: str
    how: How
    cadence: Cadence
    group: str
    owner: str
    description: str
    keys: tuple[str, ...] = ("id",)
    excluded: tuple[str, ...] = ()
    hashed: tuple[str, ...] = ()
    deleted: Deleted = "mark"

    def __post_init__(self) -> None:
        for what, remedy in self._misfits():
            message = f"Endpoint {self.endpoint!r}: {what}."
            raise SpecError(message, remedy=f"{remedy}.", endpoint=self.endpoint)

    def _misfits(self) -> Iterator[tuple[str, str]]:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", self.endpoint):
            yield "its name is no table name", "Use lower-case letters, digits and _, with a letter first"
        if not re.fullmatch(r"[A-Za-z]\w*", self.sobject, re.ASCII):
            yield f"sobject {self.sobject!r} is no API name", "Write the object's API name, such as Invoice__c"
        if not re.fullmatch(r"\w+", self.group, re.ASCII):
            yield f"group {self.group!r} is no group name", "Use letters, digits and _"
        if not _OWNER.fullmatch(self.owner):
            yield f"owner {self.owner!r} is no owner", "Write team:NAME or an e-mail address"
        worded = (("how", self.how, How), ("cadence", self.cadence, Cadence), ("deleted", self.deleted, Deleted))
        for name, value, words in ((name, value, get_args(kind)) for name, value, kind in worded):
            if value not in words:
                yield f"{name} {value!r} is unknown", f"Write one of {', '.join(words)}"
        if not self.keys:
            yield "it has no keys", 'Name the columns that identify a row, such as keys = ["id"]'


@dataclass(frozen=True)
class EndpointSpec(EndpointRow):
    """An endpoint as it is read: its row and its query. Raises SpecError, with file and line, where they do not fit."""

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
        """Join a row of the table and its query."""
        return cls(**{column.name: getattr(row, column.name) for column in fields(EndpointRow)}, query=query)

    @property
    def catalogue(self) -> tuple[CatalogueField, ...]:
        """The object's standard columns that we know, `Id` first; empty for an object that the catalogue lacks."""
        return catalogue.fields(self.sobject)

    @property
    def has_is_deleted(self) -> bool:
        """Whether deleted rows may stay visible, so that the object is read through queryAll.

        Of an unknown object read by FIELDS(STANDARD) it is not known; queryAll is query there if it has none.
        """
        return self._is_unlisted or DELETED in self._names()

    @property
    def required(self) -> tuple[str, ...]:
        """The table's names of the columns without which no sync is right: Id, keys, stamp, IsDeleted where it is."""
        is_there = DELETED in self._names() or (self._is_unlisted and is_custom(self.sobject))
        deleted = [DELETED] if is_there else []
        return tuple(dict.fromkeys(["id", *self.keys, *map(column_name, [STAMP, *deleted])]))

    def is_excluded(self, api_name: str) -> bool:
        """Whether the row excludes a column, in whatever case."""
        return api_name.lower() in {name.lower() for name in self.excluded}

    @property
    def _is_unlisted(self) -> bool:
        """Whether only the org knows the standard columns that are read."""
        return self.query.standard and not catalogue.names(self.sobject)

    def _names(self) -> Collection[str]:
        known = catalogue.names(self.sobject).values() if self.query.standard else ()
        return (*self.query.columns, *known)

    def _disagreements(self) -> Iterator[tuple[str, str, str]]:
        yield from self._wrong_object()
        yield from self._unknown_columns()
        yield from self._missing_columns()
        yield from self._wrong_names("excludes", self.excluded, setting="excluded")
        yield from self._wrong_names("hashes", self.hashed, setting="hashed")

    def _wrong_object(self) -> Iterator[tuple[str, str, str]]:
        named, known = self.query.sobject, {name.lower(): name for name in catalogue.sobjects()}
        if named != self.sobject:
            what = f"the query reads {named}, its row says {self.sobject}"
            yield named, what, f"Write FROM {self.sobject}, or correct the endpoint's sobject"
        spelled = known.get(named.lower(), named)
        if spelled != named:
            yield named, f"{named} is spelled {spelled}", f"Write {spelled}, in the query and in the endpoint's row"

    def _unknown_columns(self) -> Iterator[tuple[str, str, str]]:
        known = catalogue.names(self.sobject)
        for name in self.query.columns:
            spelled = known.get(name.lower())
            if name in NEVER_READ:
                yield name, f"{name} shows the integration user's own views", f"Take {name} out"
            elif spelled and spelled != name:
                yield name, f"{name} is spelled {spelled}", f"Write {spelled}"
            elif known and not spelled and not is_custom(name):
                yield name, f"{self.sobject} has no readable standard column {name}", _advice(name, known.values())

    def _missing_columns(self) -> Iterator[tuple[str, str, str]]:
        names = self._names()
        needed = ["Id", STAMP, *([DELETED] if self._keeps_deleted() else [])]
        for name in needed:
            if name not in names and not self._is_unlisted:
                yield "SELECT", f"{name} is missing", f"Add {name} to the columns"
        for key in self.keys:
            if not self._may_have(key):
                what = f"no column of the query is called {key} in the table, and the row names it as a key"
                yield "SELECT", what, f"Add the column of key {key}, or correct the row's keys"

    def _keeps_deleted(self) -> bool:
        """A tail that cannot see deleted rows keeps them as living ones; a custom object always has the column."""
        known = catalogue.names(self.sobject)
        return DELETED.lower() in known or (self.how == "tail" and self.sobject.endswith("__c"))

    def _may_have(self, column: str) -> bool:
        """Whether a column of the table is named by the query, or may come by its FIELDS()."""
        expanded = self.query.custom if is_custom(column) else self._is_unlisted
        return expanded or column == "id" or any(column_name(name) == column for name in self._names())

    def _wrong_names(self, does: str, listed: Collection[str], *, setting: str) -> Iterator[tuple[str, str, str]]:
        names = {name.lower(): column_name(name) for name in self._names()} if listed else {}
        for name in listed:
            if names.get(name.lower(), name.lower()) in self.required:
                what = f"the endpoint's row {does} {name}, without which no sync works"
                yield name, what, f"Take {name} out of {setting}"
            elif name.lower() not in names and not is_custom(name) and not self.query.standard:
                what = f"the endpoint's row {does} {name}, which is not among the columns"
                yield "SELECT", what, _advice(name, self._names())


def _advice(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.7)
    meant = f"Write {near[0]}, or take {name} out" if near else f"Correct {name} or take it out"
    return f"{meant}; compound columns are read by their parts, and newer standard ones by FIELDS(STANDARD)"
