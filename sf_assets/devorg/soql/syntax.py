"""A SELECT statement as data. `at` is a place in the statement, counted from 0, for error messages."""

from dataclasses import dataclass
from typing import Literal

ValueKind = Literal["null", "boolean", "number", "string", "datetime", "date"]


@dataclass(frozen=True)
class Column:
    """A field by name, or a date function of it; `alias` only where the query groups."""

    name: str
    at: int
    alias: str | None = None
    function: str = ""


@dataclass(frozen=True)
class Aggregate:
    """`COUNT()`, `COUNT(Id)`, `MAX(x)` ...; `name` is empty for `COUNT()`."""

    function: str
    name: str
    at: int
    alias: str | None = None


@dataclass(frozen=True)
class Fields:
    """`FIELDS(ALL | CUSTOM | STANDARD)`."""

    which: str
    at: int


Item = Column | Aggregate | Fields


@dataclass(frozen=True)
class Value:
    """A literal; `text` has neither quotes nor escapes."""

    kind: ValueKind
    text: str
    at: int


@dataclass(frozen=True)
class Compare:
    """`field operator value`, with several values for `IN` and `NOT IN` only."""

    name: str
    operator: str
    values: tuple[Value, ...]
    at: int


@dataclass(frozen=True)
class And:
    """All parts hold (AND)."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True)
class Or:
    """At least one part holds (OR)."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True)
class Not:
    """The part does not hold."""

    part: "Condition"


Condition = Compare | And | Or | Not


@dataclass(frozen=True)
class Order:
    """One term of ORDER BY; with a `function` only where the query groups."""

    name: str
    at: int
    descending: bool = False
    nulls_last: bool = False
    function: str = ""


@dataclass(frozen=True)
class Select:
    """A whole statement with its text; `sobject_at` is the place of the object's name."""

    text: str
    items: tuple[Item, ...]
    sobject: str
    sobject_at: int
    where: Condition | None = None
    group_by: tuple[Column, ...] = ()
    order_by: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0
