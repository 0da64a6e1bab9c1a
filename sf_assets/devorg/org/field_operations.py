"""Changes of objects and fields while the org runs, as an administrator makes them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, fields, replace
from typing import Any

from sf_assets.devorg.org.state import OrgState
from sf_assets.devorg.store.row_codec import decode
from sf_assets.devorg.store.schema import FieldSchema, ObjectSchema
from sf_assets.devorg.store.special_objects import SPECIAL_OBJECTS
from sf_assets.devorg.store.table import Table

NUMBERS = frozenset({"double", "currency", "percent"})
WHOLE = frozenset({"int", "long"})


class FieldOperations(OrgState):
    """Add, hide, show and retype fields; add objects; switch them off and on."""

    def add_field(self, sobject: str, field: FieldSchema | Mapping[str, Any]) -> None:
        """Add a field after the others, null in every row (a boolean false).

        Names that end in __c are custom.
        """
        with self.lock:
            schema = field if isinstance(field, FieldSchema) else field_from(field)
            self.table(sobject).set_field(schema)
            self._changed("add_field", sobject=sobject, field=asdict(schema))

    def hide_field(self, sobject: str, name: str) -> None:
        """Hide a field by field-level security: describe leaves it out, queries refuse it."""
        with self.lock:
            table = self.table(sobject)
            table.set_field(replace(table.schema.fields[name], visible=False))
            self._changed("hide_field", sobject=sobject, name=name)

    def show_field(self, sobject: str, name: str) -> None:
        """Show a hidden field again."""
        with self.lock:
            table = self.table(sobject)
            table.set_field(replace(table.schema.fields[name], visible=True))
            self._changed("show_field", sobject=sobject, name=name)

    def retype_field(self, sobject: str, name: str, type: str, **facts: Any) -> None:  # noqa: A002  # describe's word
        """Change a field's type and convert its values, to null where they do not fit.

        No stamp moves.
        """
        with self.lock:
            table = self.table(sobject)
            field = replace(table.schema.fields[name], type=type, **facts)
            place, turn = table.place[name], converter(type)
            table.retype_field(field, {key: turn(decode(table.parts(key)[place])) for key in table.rows})
            self._changed("retype_field", sobject=sobject, name=name, type=type, **facts)

    def change_field(self, sobject: str, name: str, **facts: Any) -> None:
        """Change what describe says of a field: `label`, `length`, `filterable`, `sortable`, `calculated`."""
        with self.lock:
            table = self.table(sobject)
            table.set_field(replace(table.schema.fields[name], **facts))
            self._changed("change_field", sobject=sobject, name=name, **facts)

    def refuse_field(self, sobject: str, name: str) -> None:
        """Keep a field in describe and refuse each query that names it with INVALID_FIELD."""
        self.change_field(sobject, name, queryable=False)

    def accept_field(self, sobject: str, name: str) -> None:
        """Answer queries that name a refused field again."""
        self.change_field(sobject, name, queryable=True)

    def add_object(
        self, name: str, fields: Iterable[FieldSchema | Mapping[str, Any]] = (), *, key_prefix: str = "a00"
    ) -> None:
        """Add an object without rows.

        It is one of SPECIAL_OBJECTS by its name, or any other with these fields.
        """
        with self.lock:
            schemas = [field if isinstance(field, FieldSchema) else field_from(field) for field in fields]
            schema = custom_object(name, schemas, key_prefix) if schemas else special_object(name)
            self.tables[name] = Table(schema)
            self._changed("add_object", name=name, fields=[asdict(field) for field in schemas], key_prefix=key_prefix)

    def switch_off(self, sobject: str) -> None:
        """Switch off an object: 404 on its describe, INVALID_TYPE in SOQL."""
        with self.lock:
            self.switched_off.add(self.table(sobject).schema.name)
            self._changed("switch_off", sobject=sobject)

    def switch_on(self, sobject: str) -> None:
        with self.lock:
            self.switched_off.discard(self.table(sobject).schema.name)
            self._changed("switch_on", sobject=sobject)

    def restore(self) -> None:
        """Show every column, row and object again, and answer queries of refused columns."""
        with self.lock:
            for table in self.tables.values():
                table.hidden_keys.clear()
                for field in list(table.schema.fields.values()):
                    if not (field.visible and field.queryable):
                        table.set_field(replace(field, visible=True, queryable=True))
            self.switched_off.clear()
            self._changed("restore")

    def _changed(self, verb: str, **arguments: Any) -> None:
        self.metadata_at = self.now()
        self.journalize(verb, **arguments)


def special_object(name: str) -> ObjectSchema:
    if name not in SPECIAL_OBJECTS:
        raise KeyError(f"no special object {name}; there are {', '.join(sorted(SPECIAL_OBJECTS))}, or name its fields")
    return SPECIAL_OBJECTS[name]


def custom_object(name: str, fields: Iterable[FieldSchema], key_prefix: str) -> ObjectSchema:
    by_name = {field.name: field for field in fields}
    deletable = "IsDeleted" in by_name
    return ObjectSchema(name, name, key_prefix, by_name, has_is_deleted=deletable, undeletable=deletable)


def field_from(facts: Mapping[str, Any]) -> FieldSchema:
    """Return a field from facts in our names or those of describe.

    Raises:
        ValueError: A name is unknown; the message lists the known ones.
    """
    values = {DESCRIBE_NAMES.get(name, name): value for name, value in facts.items()}
    names = [entry.name for entry in fields(FieldSchema)]
    unknown = sorted(set(values) - set(names))
    if unknown:
        raise ValueError(f"a field has no {', '.join(unknown)}; there are {', '.join(names)}")
    lists = {name: tuple(values[name]) for name in ("reference_to", "picklist_values") if name in values}
    custom = str(values.get("name", "")).endswith("__c")
    return FieldSchema(**{"label": values.get("name", ""), "custom": custom, **values, **lists})


DESCRIBE_NAMES = {
    "referenceTo": "reference_to",
    "picklistValues": "picklist_values",
    "compoundFieldName": "compound_field_name",
}


def converter(type_name: str) -> Callable[[Any], Any]:
    """Return a function to a value of this type, or to None where none fits."""
    if type_name in NUMBERS:
        return _number
    if type_name in WHOLE:
        return lambda value: None if (number := _number(value)) is None else int(number)
    if type_name == "boolean":
        return bool
    if type_name in ("date", "datetime", "time"):
        return lambda value: None
    return _text


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)
