"""Comparison of values by type: times as times, numbers as numbers, text without case, Ids by ASCII."""

from collections.abc import Callable
from datetime import date
from typing import Any

from sf_assets.devorg.api_errors import Refusal, at_place, field_refused, malformed
from sf_assets.devorg.soql.syntax import Value
from sf_assets.devorg.store.ids import eighteen
from sf_assets.devorg.store.row_codec import decode
from sf_assets.devorg.store.schema import FieldSchema
from sf_assets.devorg.store.timestamps import milliseconds

NUMERIC = frozenset({"int", "long", "double", "currency", "percent"})
EXACT = frozenset({"id", "reference", "date", "time"})
WANTED = {"datetime": "dateTime", "date": "date", "boolean": "boolean", "int": "int", "long": "long", "time": "time"}


def literal_kind(field: FieldSchema) -> str:
    """Return the kind of literal that a field is compared with."""
    if field.type in NUMERIC:
        return "number"
    return field.type if field.type in ("datetime", "date", "boolean", "time") else "string"


def _time(part: bytes) -> int:
    return milliseconds(part[1:-1].decode())


def _folded(part: bytes) -> Any:
    value = decode(part)
    return value.casefold() if isinstance(value, str) else value


def sort_value(field: FieldSchema) -> Callable[[bytes], Any]:
    """Return a function from a cell's JSON (never `null`) to a comparable value."""
    if field.type == "datetime":
        return _time
    return decode if field.type in EXACT or field.type in NUMERIC or field.type == "boolean" else _folded


def literal(value: Value, field: FieldSchema, *, soql: str) -> Any:
    """Return a literal's value as `sort_value` gives the field's values; None for null.

    Raises:
        Refusal: INVALID_FIELD for a wrong kind.
    """
    if value.kind == "null":
        return None
    if value.kind != literal_kind(field):
        raise _wrong_kind(value, field, soql=soql)
    if value.kind in ("datetime", "date"):
        return _moment(value, soql=soql)
    if value.kind == "number":
        return float(value.text) if not value.text.lstrip("+-").isdigit() else int(value.text)
    if value.kind == "boolean":
        return value.text == "true"
    if field.type in ("id", "reference"):
        return eighteen(value.text)
    return value.text if field.type in EXACT else value.text.casefold()


def _moment(value: Value, *, soql: str) -> Any:
    """Return a datetime in milliseconds, a date as text: dates sort as text."""
    try:
        return milliseconds(value.text) if value.kind == "datetime" else date.fromisoformat(value.text).isoformat()
    except ValueError:
        raise malformed(at_place(soql, value.at, f"Invalid {value.kind}: {value.text}")) from None


def _wrong_kind(value: Value, field: FieldSchema, *, soql: str) -> Refusal:
    wanted = WANTED.get(field.type, "double" if field.type in NUMERIC else "string")
    quotes = "should be enclosed in quotes" if wanted == "string" else "should not be enclosed in quotes"
    message = f"value of filter criterion for field '{field.name}' must be of type {wanted} and {quotes}"
    return field_refused(soql, value.at, message)
