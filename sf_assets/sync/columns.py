"""Plan an endpoint's columns: which are read, which the table has, and of what type.

A type comes from describe, or from the catalogue if the org does not show the column; never from a value. The table of
types is in `sf_assets/sync/type_map.py`.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import polars as pl
from pyiceberg.types import (
    IcebergType,
)

from sf_assets.errors import FieldInvalid, SpecError
from sf_assets.iceberg.model import SYNCED_AT, TableColumn
from sf_assets.salesforce.describe import Field, SObject
from sf_assets.specs import catalogue
from sf_assets.specs.catalogue import SYSTEM_COLUMNS, CatalogueField
from sf_assets.specs.model import NEVER_READ, EndpointSpec
from sf_assets.specs.naming import EXACT, column_name, is_custom
from sf_assets.sync.type_map import MOMENT, MONEY_SCALE, MOST_MONEY_SCALE, TYPES, Types, money

__all__ = ["Column", "ColumnPlan", "column_name", "plan_columns", "table_columns"]

WHOLE_NUMBERS = frozenset({"int", "long"})
"""Some standard fields of these types have fractions: Site.DailyRequestTimeUsed (tap-salesforce#69), others
(estuary/connectors#3089)."""
EXACT_DOC = "{}: the exact value where it is not a whole number, else NULL"
COMPOUND = frozenset({"address", "location"})
"""Their parts are columns of their own."""


@dataclass(frozen=True)
class Column:
    """One column of one table. `type` is Salesforce's word, `scale` Salesforce's scale.

    Provisional: the org does not show it, so its type is the catalogue's and nothing is read into it. Keeps fractions:
    a whole number with a second column, which has the exact values of those that are not whole.
    """

    api_name: str
    name: str
    type: str
    scale: int = 0
    label: str = ""
    doc: str = ""
    calculated: bool = False
    provisional: bool = False
    key: bool = False
    keeps_fractions: bool = False

    @property
    def exact_name(self) -> str:
        """The table's name of the column that keeps the fractions."""
        return f"{self.name}{EXACT}"

    @property
    def decimal_scale(self) -> int:
        """Digits after the point that a currency column keeps."""
        return min(max(self.scale, MONEY_SCALE), MOST_MONEY_SCALE)

    @property
    def polars(self) -> pl.DataType:
        """The type in a frame."""
        return self._types.polars

    @property
    def iceberg(self) -> IcebergType:
        """The type in the table."""
        return self._types.iceberg

    @property
    def snowflake(self) -> str:
        """The type in Snowflake, as DDL writes it."""
        return self._types.snowflake

    @property
    def _types(self) -> Types:
        return money(self.decimal_scale) if self.type == "currency" else TYPES[self.type]


@dataclass(frozen=True)
class ColumnPlan:
    """What one sync reads and what the table has; both in the same order, `Id` first.

    `missing`: API names of the spec's columns that this org or user does not show. `excluded_calculated`: API names of
    calculated columns that are not read because the setting says so. `untyped`: columns with types that the table of
    types lacks; they are not read.
    """

    read: tuple[Column, ...]
    table: tuple[Column, ...]
    missing: tuple[str, ...]
    excluded_calculated: tuple[str, ...]
    untyped: tuple[str, ...] = ()

    @property
    def read_names(self) -> tuple[str, ...]:
        """API names of the columns that are read."""
        return tuple(column.api_name for column in self.read)


def plan_columns(
    spec: EndpointSpec,
    described: SObject | None,
    *,
    calculated: Literal["refresh", "stale", "exclude"] = "refresh",
    dropped: Collection[str] = (),
) -> ColumnPlan:
    """Plan an endpoint's columns: the spec's, then the org's custom ones by name.

    Without a describe (`None`) the catalogue's columns of a plain org are read; a describe without fields is an object
    that is off: nothing is read and all columns are provisional. `dropped` are API names that the org has refused
    (`INVALID_FIELD`). A column of the spec that neither describe nor the catalogue knows is a provisional text.

    Raises SpecError for a column of the spec of a type that is not in the table of types, and for two columns of one
    name; FieldInvalid when the org does not show a column without which no sync is right.
    """
    visible = _visible(spec, described, dropped)
    named = _named(spec, visible)
    unread = _unread(spec, visible) if calculated == "exclude" else set()
    listed = [name for name in named if name.lower() not in unread or not is_custom(name) or name in spec.query.columns]
    table = tuple(_column(spec, name, visible.get(name.lower())) for name in listed)
    read = tuple(c for c in table if not c.provisional and c.api_name.lower() not in unread)
    if visible:
        _refuse_blind(spec, read)
    _refuse_collisions(spec, table)
    missing = tuple(c.api_name for c in table if c.provisional)
    excluded = tuple(visible[name.lower()].name for name in named if name.lower() in unread)
    return ColumnPlan(read, table, missing, excluded, _untyped(spec, visible))


def table_columns(columns: Sequence[Column]) -> tuple[TableColumn, ...]:
    """Return the columns as the warehouse takes them, `_synced_at` as the last one."""
    own = TableColumn(SYNCED_AT, MOMENT.iceberg, "When this version of the row was read from Salesforce.")
    double = TYPES["double"].iceberg
    exact = (TableColumn(c.exact_name, double, EXACT_DOC.format(c.api_name)) for c in columns if c.keeps_fractions)
    return (*(TableColumn(c.name, c.iceberg, c.doc, c.provisional) for c in columns), *exact, own)


def keep_fractions(plan: ColumnPlan, fractional: Collection[str]) -> ColumnPlan:
    """Return the plan with a second column for each whole number that had fractions. `fractional`: API names."""
    read, table = (tuple(_keeping(column, fractional) for column in columns) for columns in (plan.read, plan.table))
    return replace(plan, read=read, table=table)


def _keeping(column: Column, fractional: Collection[str]) -> Column:
    return replace(column, keeps_fractions=column.type in WHOLE_NUMBERS and column.api_name in fractional)


def _visible(spec: EndpointSpec, described: SObject | None, dropped: Collection[str]) -> dict[str, Field]:
    """Return the readable fields by lower-case name. Salesforce takes a name in any case."""
    fields = described.fields if described else _plain_fields(spec)
    refused_names = {name.lower() for name in dropped}
    return {field.name.lower(): field for field in fields if field.name.lower() not in refused_names}


def _plain_fields(spec: EndpointSpec) -> Iterator[Field]:
    """Return the columns of a plain org, by the catalogue. An unknown key is read as text."""
    entries = _catalogue_entries(spec.sobject)
    yield from (_as_field(field) for field in entries.values() if not field.feature)
    unknown = (name for name in spec.query.columns if name.lower() not in entries)
    yield from (Field(name, "string") for name in unknown if column_name(name) in spec.required)


@cache
def _catalogue_entries(sobject: str) -> Mapping[str, CatalogueField]:
    return {entry.name.lower(): entry for entry in catalogue.fields(sobject) or SYSTEM_COLUMNS}


def _as_field(entry: CatalogueField) -> Field:
    return Field(entry.name, entry.type, entry.label, entry.length, entry.precision, entry.scale)


def _named(spec: EndpointSpec, visible: Mapping[str, Field]) -> list[str]:
    """Return the API names of the table's columns in their order, `Id` first."""
    names = {"id": "Id"}
    for name in (*spec.query.columns, *_standards(spec, visible), *_customs(spec, visible)):
        names.setdefault(name.lower(), name)
    return [name for name in names.values() if not spec.is_excluded(name)]


def _standards(spec: EndpointSpec, visible: Mapping[str, Field]) -> Iterator[str]:
    """Return the columns of `FIELDS(STANDARD)`: the catalogue's, then the org's."""
    if spec.query.standard:
        yield from (entry.name for entry in spec.catalogue)
        yield from _expanded(visible, custom=False)


def _customs(spec: EndpointSpec, visible: Mapping[str, Field]) -> Iterator[str]:
    """Return the columns of `FIELDS(CUSTOM)`, which only describe has."""
    if spec.query.custom:
        yield from _expanded(visible, custom=True)


def _expanded(visible: Mapping[str, Field], *, custom: bool) -> list[str]:
    kind = (field for field in visible.values() if (field.custom or is_custom(field.name)) == custom)
    fields = (field for field in kind if field.type in TYPES)
    return sorted((field.name for field in fields if field.name not in NEVER_READ), key=str.lower)


def _untyped(spec: EndpointSpec, visible: Mapping[str, Field]) -> tuple[str, ...]:
    """Return the expanded columns of unknown types, with these types."""
    kinds = {True: spec.query.custom, False: spec.query.standard}
    fields = [field for field in visible.values() if field.type not in TYPES and field.type not in COMPOUND]
    fields = [field for field in fields if kinds[field.custom or is_custom(field.name)]]
    return tuple(f"{field.name} ({field.type})" for field in fields if not spec.is_excluded(field.name))


def _unread(spec: EndpointSpec, visible: Mapping[str, Field]) -> set[str]:
    calculated = (field.name for field in visible.values() if field.calculated)
    return {name.lower() for name in calculated if column_name(name) not in spec.required}


def _column(spec: EndpointSpec, name: str, field: Field | None) -> Column:
    """Build a column from the org's field or the catalogue. An unknown name is a text."""
    entry = _catalogue_entries(spec.sobject).get(name.lower())
    source = field or (_as_field(entry) if entry else Field(name, "string"))
    if source.type not in TYPES:
        raise _refused_type(spec, source)
    own_name = column_name(source.name)
    return Column(
        api_name=source.name,
        name=own_name,
        type=source.type,
        scale=source.scale,
        label=source.label,
        doc=_doc(source),
        calculated=source.calculated,
        provisional=field is None,
        key=own_name in spec.keys,
    )


def _doc(field: Field) -> str:
    """Return `API name: label (calculated). Help text.`, without missing parts."""
    label = f": {field.label}" if field.label else ""
    calculated = " (calculated)" if field.calculated else ""
    help_text = f". {' '.join(field.help.split())}" if field.help.strip() else ""
    return f"{field.name}{label}{calculated}{help_text}"


def _refused_type(spec: EndpointSpec, field: Field) -> SpecError:
    what = f"{spec.sobject}.{field.name} is of type {field.type!r}, which has no column type"
    parts = "; its parts are columns" if field.type in COMPOUND else ""
    return SpecError(
        f"Endpoint {spec.endpoint}: {what}{parts}.",
        remedy=f'Exclude it: [override.{spec.endpoint}] excluded = ["{field.name}"] in endpoints.toml.',
        endpoint=spec.endpoint, object=spec.sobject, column=field.name, type=field.type,
    )  # fmt: skip


def _refuse_blind(spec: EndpointSpec, read: Sequence[Column]) -> None:
    visible = {column.name for column in read}
    spelled = {column_name(name): name for name in (*spec.query.columns, *(entry.name for entry in spec.catalogue))}
    hidden = tuple(spelled.get(name, name) for name in spec.required if name not in visible)
    if hidden:
        message = f"{spec.sobject} does not show {', '.join(hidden)}, without which {spec.endpoint} cannot be read."
        remedy = f"Grant the integration user read access to {', '.join(hidden)} of {spec.sobject}."
        raise FieldInvalid(message, remedy=remedy, columns=hidden, endpoint=spec.endpoint)


def _refuse_collisions(spec: EndpointSpec, table: Sequence[Column]) -> None:
    for name, times in Counter((SYNCED_AT, *(column.name for column in table))).items():
        if times > 1:
            same = [column.api_name for column in table if column.name == name]
            message = f"Endpoint {spec.endpoint}: {' and '.join(same)} would both be column {name}."
            remedy = f'Exclude one: [override.{spec.endpoint}] excluded = ["{same[-1]}"] in endpoints.toml.'
            raise SpecError(message, remedy=remedy, endpoint=spec.endpoint, columns=tuple(same))
