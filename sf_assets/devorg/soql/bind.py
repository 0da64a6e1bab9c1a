"""A statement bound to an object: names are looked up, refusals have the words of a real org."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sf_assets.devorg.api_errors import (
    Refusal,
    at_place,
    field_refused,
    malformed,
    no_such_column,
    no_such_object,
)
from sf_assets.devorg.soql.date_functions import DATE_TYPES, OF_DATETIME_ONLY
from sf_assets.devorg.soql.predicate import Test, matcher
from sf_assets.devorg.soql.restriction import check_restriction
from sf_assets.devorg.soql.syntax import Aggregate, And, Column, Compare, Condition, Fields, Not, Order, Select
from sf_assets.devorg.store.schema import FieldSchema
from sf_assets.devorg.store.table import Table

FIELDS_LIMIT = 200
COMPOUND = frozenset({"address", "location"})


@dataclass(frozen=True)
class Plan:
    """What to read: `columns` of a listing, or `outputs` (name, column or aggregate) of a grouping query.

    `live_only` replaces `IsDeleted = false`, which is not part of `where`: the table knows its deleted rows.
    """

    select: Select
    sobject: str
    columns: tuple[FieldSchema, ...]
    outputs: tuple[tuple[str, Column | Aggregate], ...]
    where: Condition | None
    test: Test | None
    live_only: bool

    @property
    def counts_only(self) -> bool:
        """Whether the statement is `SELECT COUNT()`, with totalSize as its result."""
        return any(isinstance(item, Aggregate) and not item.name for _, item in self.outputs)


def plan(select: Select, find_table: Callable[[str], Table | None]) -> Plan:
    """Bind a statement.

    `find_table` returns a table that the user may see, by its name in any case.
    """
    table = find_table(select.sobject)
    if table is None:
        raise no_such_object(select.text, select.sobject_at, sobject=select.sobject)
    _check_names(select, table)
    check_restriction(select, table.schema)
    outputs = _outputs(select, table)
    columns = () if outputs else _columns(select, table)
    where, live_only = without_deleted(select.where)
    test = matcher(where, table.lower, table.place, soql=select.text) if where else None
    return Plan(select, table.schema.name, columns, outputs, where, test, live_only)


def without_deleted(where: Condition | None) -> tuple[Condition | None, bool]:
    """Split `IsDeleted = false` off a condition: the table knows its deleted rows."""
    parts = where.parts if isinstance(where, And) else (() if where is None else (where,))
    rest = tuple(part for part in parts if not _is_live(part))
    if len(rest) == len(parts):
        return where, False
    return (None if not rest else rest[0] if len(rest) == 1 else And(rest)), True


def _is_live(part: Condition) -> bool:
    if not isinstance(part, Compare) or part.name.lower() != "isdeleted":
        return False
    return (part.operator, part.values[0].text) == ("=", "false")


# -- names --------------------------------------------------------------------------------------------------------


def field_of(table: Table, name: str, *, at: int, soql: str) -> FieldSchema:
    """Return the field of a name in any case.

    Raises:
        Refusal: INVALID_FIELD for hidden and unknown ones.
    """
    field = table.lower.get(name.lower())
    if field is None or not field.queryable:
        raise no_such_column(soql, at, column=name, sobject=table.schema.name)
    return field


def _check_names(select: Select, table: Table) -> None:
    for item in select.items:
        if not isinstance(item, Fields) and item.name:
            field_of(table, item.name, at=item.at, soql=select.text)
        if isinstance(item, Column) and item.function and not select.group_by:
            raise malformed(at_place(select.text, item.at, f"{item.function} must be in GROUP BY"))
    for term in comparisons(select.where):
        field = field_of(table, term.name, at=term.at, soql=select.text)
        if not field.filterable or field.type in COMPOUND:
            raise field_refused(select.text, term.at, f"field '{field.name}' can not be filtered in a query call")
    for order in select.order_by:
        _check_order(select, table, order)
    for column in select.group_by:
        _check_group(select, table, column)


def _check_group(select: Select, table: Table, column: Column) -> None:
    field = field_of(table, column.name, at=column.at, soql=select.text)
    if not column.function:
        return
    wanted = frozenset({"datetime"}) if column.function in OF_DATETIME_ONLY else DATE_TYPES
    if field.type not in wanted:
        message = f"field '{field.name}' does not support the function {column.function}"
        raise field_refused(select.text, column.at, message)


def _check_order(select: Select, table: Table, order: Order) -> None:
    field = field_of(table, order.name, at=order.at, soql=select.text)
    if not field.sortable or field.type in COMPOUND:
        raise field_refused(select.text, order.at, f"field '{field.name}' can not be sorted in a query call")


def comparisons(condition: Condition | None) -> Iterator[Compare]:
    """Yield all comparisons of a condition, from left to right."""
    if isinstance(condition, Compare):
        yield condition
    elif isinstance(condition, Not):
        yield from comparisons(condition.part)
    elif condition is not None:
        for part in condition.parts:
            yield from comparisons(part)


# -- columns ------------------------------------------------------------------------------------------------------


def _columns(select: Select, table: Table) -> tuple[FieldSchema, ...]:
    fields: dict[str, FieldSchema] = {}
    for item in select.items:
        for field in _fields_of(item, select=select, table=table):
            if field.name in fields:
                raise Refusal(400, "INVALID_FIELD", f"duplicate field selected: {field.name}")
            fields[field.name] = field
    return tuple(fields.values())


def _fields_of(item: Column | Aggregate | Fields, *, select: Select, table: Table) -> list[FieldSchema]:
    if isinstance(item, Fields):
        return _group_of_fields(item.which, select=select, table=table)
    if isinstance(item, Column) and item.alias is not None:
        raise malformed(at_place(select.text, item.at, "only aggregate expressions use field aliasing"))
    return [table.lower[item.name.lower()]]


def _group_of_fields(which: str, *, select: Select, table: Table) -> list[FieldSchema]:
    bounded = select.limit is not None and select.limit <= FIELDS_LIMIT
    if which != "STANDARD" and not bounded:
        raise malformed(f"The SOQL FIELDS function must have a LIMIT of at most {FIELDS_LIMIT}")
    wanted = {"ALL": (True, False), "CUSTOM": (True,), "STANDARD": (False,)}[which]
    return [field for field in table.lower.values() if field.custom in wanted and field.queryable]


# -- grouping -----------------------------------------------------------------------------------------------------


def _outputs(select: Select, table: Table) -> tuple[tuple[str, Column | Aggregate], ...]:
    """Return names and items of a grouping query; nothing if the query lists rows."""
    if not select.group_by and not any(isinstance(item, Aggregate) for item in select.items):
        return ()
    grouped = {_key(column) for column in select.group_by}
    outputs: list[tuple[str, Column | Aggregate]] = []
    unnamed = 0
    for item in select.items:
        if isinstance(item, Fields) or (isinstance(item, Column) and _key(item) not in grouped):
            raise _ungrouped(select, item)
        if isinstance(item, Column) and not item.function:
            outputs.append((item.alias or table.lower[item.name.lower()].name, item))
        else:
            outputs.append((item.alias or f"expr{unnamed}", item))
            unnamed += item.alias is None
    _check_bare_count(select)
    for order in select.order_by:
        if _key(order) not in {_key(item) for _, item in outputs}:
            message = f"Ordered field must be grouped or aggregated: {order.name}"
            raise malformed(at_place(select.text, order.at, message))
    return tuple(outputs)


def _key(item: Column | Order | Aggregate) -> tuple[str, str]:
    return item.function, item.name.lower()


def _ungrouped(select: Select, item: Column | Fields) -> Refusal:
    if isinstance(item, Fields):
        return malformed("The SOQL FIELDS function is not supported with aggregate functions or GROUP BY.")
    return malformed(at_place(select.text, item.at, f"Field must be grouped or aggregated: {item.name}"))


def _check_bare_count(select: Select) -> None:
    bare = any(isinstance(item, Aggregate) and not item.name for item in select.items)
    if bare and (len(select.items) > 1 or select.group_by):
        raise malformed("Grouped or aggregated COUNT() must be the only element in the SELECT list; use COUNT(Id).")
