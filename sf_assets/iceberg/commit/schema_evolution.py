"""How a table's columns follow the endpoint's: added, widened, documented, never dropped. Pure decisions."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pyiceberg.exceptions import ResolveError
from pyiceberg.schema import Schema, promote
from pyiceberg.table import Transaction
from pyiceberg.types import DecimalType, IcebergType, NestedField, StringType, TimeType

from sf_assets.errors import ColumnIncompatible
from sf_assets.iceberg.model import TableColumn

PROVISIONAL = "sf_assets.provisional"


@dataclass(frozen=True)
class Evolution:
    """The changes of a schema. `provisional`: the new list of provisional columns, or None if it stays."""

    added: tuple[TableColumn, ...] = ()
    retyped: tuple[TableColumn, ...] = ()
    widened: tuple[TableColumn, ...] = ()
    documented: tuple[TableColumn, ...] = ()
    dropped: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    provisional: tuple[str, ...] | None = None

    @property
    def is_needed(self) -> bool:
        """Whether the change deserves a commit of its own. Changed docs wait."""
        return self._changes_columns or self.provisional is not None

    @property
    def changes_schema(self) -> bool:
        return bool(self._changes_columns or self.documented)

    @property
    def _changes_columns(self) -> bool:
        return bool(self.added or self.retyped or self.widened or self.dropped or self.renamed)


def plan_evolution(
    schema: Schema, columns: Sequence[TableColumn], *, provisional: Collection[str], table: str, retype: bool = False
) -> Evolution:
    """Return the changes that give the table the columns. Raises: ColumnIncompatible.

    retype: replace a column of another type, without its values. For callers that write every row.
    """
    refuse_case_twins([*schema.column_names, *(column.name for column in columns)], table=table)
    present = {field.name: field for field in schema.fields}
    existing = [column for column in columns if column.name in present]
    replaced = {column.name for column in existing if retype and _is_other(present[column.name], column)}
    retyped = [column for column in existing if _is_retyped(present[column.name], column, {*provisional, *replaced})]
    definite = [column for column in existing if column not in retyped and not column.provisional]
    added = [column for column in columns if column.name not in present]
    after = _still_provisional(columns, added=added, provisional=provisional)
    return Evolution(
        added=tuple(added),
        retyped=tuple(retyped),
        widened=tuple(column for column in definite if _is_widened(present[column.name], column, table=table)),
        documented=tuple(c for c in existing if c not in retyped and c.doc and (present[c.name].doc or "") != c.doc),
        provisional=after if set(after) != set(provisional) else None,
    )


def refuse_case_twins(names: Sequence[str], *, table: str) -> None:
    """Raise ColumnIncompatible for names that differ only by case: Snowflake folds case."""
    by_fold: dict[str, str] = {}
    for name in names:
        if by_fold.setdefault(name.casefold(), name) != name:
            twin = by_fold[name.casefold()]
            raise ColumnIncompatible(
                f"{table}: columns {twin} and {name} differ only by case", table=table, column=name
            )


def stage_evolution(transaction: Transaction, evolution: Evolution) -> None:
    """Add the changes to the transaction."""
    if evolution.renamed:
        with transaction.update_schema() as update:
            for former, present in evolution.renamed:
                update.rename_column(former, present)
    if evolution.changes_schema:
        _stage_schema(transaction, evolution)
    if evolution.provisional is not None:
        transaction.set_properties(provisional_property(evolution.provisional))


def provisional_property(names: Sequence[str]) -> dict[str, str]:
    return {PROVISIONAL: json.dumps(sorted(names))}


def _stage_schema(transaction: Transaction, evolution: Evolution) -> None:
    with transaction.update_schema() as update:
        for name in [*evolution.dropped, *(column.name for column in evolution.retyped)]:
            update.delete_column(name)
        for column in [*evolution.retyped, *evolution.added]:
            update.add_column(column.name, column.type, doc=column.doc or None)
        for column in evolution.widened:
            update.update_column(column.name, field_type=column.type)
        for column in evolution.documented:
            update.update_column(column.name, doc=column.doc)


def _is_retyped(field: NestedField, column: TableColumn, provisional: Collection[str]) -> bool:
    return field.name in provisional and field.field_type != column.type


def _is_other(field: NestedField, column: TableColumn) -> bool:
    """Return whether neither type holds all values of the other.

    A provisional type does not count.
    """
    old, new = field.field_type, column.type
    return not column.provisional and old != new and not _fits(new, old) and not _fits(old, new)


def _is_widened(field: NestedField, column: TableColumn, *, table: str) -> bool:
    """Return whether the table's type must grow. Raises: ColumnIncompatible.

    A table column that is already wider stays.
    """
    old, new = field.field_type, column.type
    if not new.is_primitive or old == new or _fits(new, old) or _is_former_time(old, new):
        return False
    if _fits(old, new):
        return True
    raise ColumnIncompatible(
        f"{table}: column {field.name} is {old} in the table and would have to become {new}",
        table=table,
        column=field.name,
    )


def _is_former_time(old: IcebergType, new: IcebergType) -> bool:
    """Return whether this is a time column as former versions made it.

    It keeps its type until a full refresh makes it text.
    """
    return isinstance(old, TimeType) and isinstance(new, StringType)


def _fits(narrow: IcebergType, wide: IcebergType) -> bool:
    """Return whether one type holds all values of the other; decimal scales must be equal."""
    if isinstance(narrow, DecimalType) and isinstance(wide, DecimalType) and narrow.scale != wide.scale:
        return False
    try:
        return promote(narrow, wide) == wide
    except ResolveError:
        return False


def _still_provisional(
    columns: Sequence[TableColumn], *, added: Sequence[TableColumn], provisional: Collection[str]
) -> tuple[str, ...]:
    real = {column.name for column in columns if not column.provisional}
    new = {column.name for column in added if column.provisional}
    return tuple(sorted((set(provisional) - real) | new))
