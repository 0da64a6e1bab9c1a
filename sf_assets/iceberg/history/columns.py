"""The columns of a history follow those of its table by field id, so that a renamed column stays one column."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.types import NestedField

from sf_assets.iceberg.catalog import provisional_of
from sf_assets.iceberg.commit.schema_evolution import Evolution
from sf_assets.iceberg.history.model import OWN_COLUMNS
from sf_assets.iceberg.model import TableColumn

COLUMNS = "sf_assets.history-columns"
"""Property of a history: field id in the table -> name in the history."""


@dataclass(frozen=True)
class HistoryColumns:
    """Field id in the table -> name in the history, and what the history's schema has to become."""

    names: Mapping[int, str]
    evolution: Evolution

    def renames(self, schema: Schema) -> dict[str, str]:
        """Return name in a schema of the table -> name in the history."""
        return {field.name: self.names[field.field_id] for field in schema.fields}

    def property(self) -> dict[str, str]:
        """Return the property that stores the names."""
        return {COLUMNS: json.dumps({str(key): name for key, name in sorted(self.names.items())})}


def first_columns(schemas: Sequence[Schema], *, provisional: Sequence[str]) -> tuple[TableColumn, ...]:
    """Return the columns of a new history: the last schema's and its own."""
    columns = [_column(field, field.name, provisional) for field in schemas[-1].fields]
    return (*columns, *OWN_COLUMNS)


def plan_columns(history: Table, schemas: Sequence[Schema], *, provisional: Sequence[str]) -> HistoryColumns:
    """Return how the history follows the schemas of its table, oldest first.

    A column that was made again with another type gets the name; the former one becomes `<name>__former_<field id>`.
    A provisional column has no values, so it is replaced.
    """
    fields = {field.field_id: field for schema in schemas for field in schema.fields}
    current = {field.field_id for field in schemas[-1].fields}
    names = {key: name for key, name in _stored(history, schemas[-1]).items() if name in history.schema().column_names}
    planned = _Plan(history, names, provisional)
    for field in sorted(fields.values(), key=lambda one: (one.field_id in current, one.field_id)):
        planned.take(field, is_current=field.field_id in current)
    return HistoryColumns(planned.names, planned.evolution())


def _stored(history: Table, schema: Schema) -> dict[int, str]:
    """Return the stored names. A history that was just made has none: its columns are those of the schema."""
    text = history.properties.get(COLUMNS)
    if text is None:
        return {field.field_id: field.name for field in schema.fields}
    return {int(key): name for key, name in json.loads(text).items()}


class _Plan:
    """The names so far, and the changes of the history's schema that lead to them."""

    def __init__(self, history: Table, names: Mapping[int, str], provisional: Sequence[str]) -> None:
        self.names = dict(names)
        self._present = {field.name: field for field in history.schema().fields}
        self._provisional = provisional
        self._former_provisional = set(provisional_of(history))
        self._added: list[TableColumn] = []
        self._retyped: list[TableColumn] = []
        self._widened: list[TableColumn] = []
        self._renamed: list[tuple[str, str]] = []

    def take(self, field: NestedField, *, is_current: bool) -> None:
        """Give a column of the table its place in the history."""
        name = self.names.get(field.field_id)
        if name is None:
            self._add(field, is_current=is_current)
        elif is_current:
            if name != field.name and field.name not in self.names.values():
                self._rename(field.field_id, name, field.name)
            self._widen(field, former=name)

    def _add(self, field: NestedField, *, is_current: bool) -> None:
        holder = next((key for key, name in self.names.items() if name == field.name), None)
        name = field.name if holder is None or is_current else _former(field.name, field.field_id)
        if holder is not None and is_current and name in self._former_provisional:
            del self.names[holder]
            self._retyped.append(_column(field, name, self._provisional))
        else:
            if holder is not None and is_current:
                self._rename(holder, name, _former(name, holder))
            self._added.append(_column(field, name, self._provisional if is_current else ()))
        self.names[field.field_id] = name

    def _rename(self, key: int, former: str, present: str) -> None:
        if former in self._present:
            self._renamed.append((former, present))
        else:
            self._added = [_renamed(column, former, present) for column in self._added]
        self.names[key] = present

    def _widen(self, field: NestedField, *, former: str) -> None:
        present = self._present.get(former)
        if present is not None and present.field_type != field.field_type:
            self._widened.append(_column(field, self.names[field.field_id], ()))

    def evolution(self) -> Evolution:
        """Return the changes of the history's schema."""
        provisional = {column.name for column in [*self._added, *self._retyped] if column.provisional}
        after = tuple(sorted((self._former_provisional & set(self._provisional)) | provisional))
        return Evolution(
            added=tuple(self._added),
            retyped=tuple(self._retyped),
            widened=tuple(self._widened),
            renamed=tuple(self._renamed),
            provisional=after if set(after) != self._former_provisional else None,
        )


def _former(name: str, field_id: int) -> str:
    return f"{name}__former_{field_id}"


def _column(field: NestedField, name: str, provisional: Iterable[str]) -> TableColumn:
    return TableColumn(name, field.field_type, field.doc or "", provisional=field.name in provisional)


def _renamed(column: TableColumn, former: str, present: str) -> TableColumn:
    return TableColumn(present, column.type, column.doc, column.provisional) if column.name == former else column
