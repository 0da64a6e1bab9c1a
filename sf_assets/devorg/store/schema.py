"""Objects and fields of the practice org, as describe shows them; `objects.json` holds the facts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any


def wire_number(value: float) -> str:
    """Return the JSON text of a double as Java writes it.

    Numbers from 10^7 on and below 10^-3 have an exponent.
    """
    plain = float.__repr__(value)
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return plain if "e" not in plain else f"{value:f}"
    digits, exponent = _scientific(plain)
    return f"{digits}E{exponent}"


def _scientific(plain: str) -> tuple[str, int]:
    """Return the shortest digits of a float's repr as `d.ddd`, and their power of ten."""
    sign, body = ("-", plain[1:]) if plain.startswith("-") else ("", plain)
    mantissa, _, power = body.partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    leading = len(whole + fraction) - len(digits)
    exponent = int(power or 0) + len(whole) - 1 - leading
    digits = digits.rstrip("0") or "0"
    return f"{sign}{digits[0]}.{digits[1:] or '0'}", exponent


@dataclass(frozen=True)
class FieldSchema:
    """One field as describe shows it; `length` in characters.

    A field that is not `visible` is hidden by field-level security: describe leaves it out and queries refuse it. A
    field that is not `queryable` is in describe, and every query that names it is refused.
    """

    name: str
    type: str
    label: str
    length: int = 0
    precision: int = 0
    scale: int = 0
    nillable: bool = True
    reference_to: tuple[str, ...] = ()
    picklist_values: tuple[str, ...] = ()
    calculated: bool = False
    custom: bool = False
    filterable: bool = True
    sortable: bool = True
    compound_field_name: str | None = None
    visible: bool = True
    queryable: bool = True


@dataclass(frozen=True)
class Restriction:
    """A filter without which an object cannot be queried: `=` or `IN` on one of these fields."""

    filters: tuple[str, ...]
    status: int
    error_code: str
    message: str


# Their reference pages do not list getDeleted() and getUpdated() (Object Reference, v56).
NOT_REPLICATEABLE = frozenset(
    {"FieldPermissions", "ObjectPermissions", "Organization", "PermissionSet", "PermissionSetAssignment"}
)


@dataclass(frozen=True)
class ObjectSchema:
    """One sObject; `fields` by API name in the order of describe.

    `undeletable`: rows come back from the recycle bin. `replicateable`: `/deleted` and `/updated` are served.
    """

    name: str
    label: str
    key_prefix: str
    fields: dict[str, FieldSchema]
    has_is_deleted: bool
    undeletable: bool
    queryable: bool = True
    replicateable: bool = True
    restriction: Restriction | None = None


def load_objects() -> dict[str, ObjectSchema]:
    """Return new schemas of the thirty objects by API name; callers may change their `fields`."""
    text = files(__package__).joinpath("objects.json").read_text(encoding="utf-8")
    return {name: _object(name, facts) for name, facts in json.loads(text).items()}


def _object(name: str, facts: Mapping[str, Any]) -> ObjectSchema:
    fields = {field["name"]: _field(field) for field in facts["fields"]}
    return ObjectSchema(
        name=name,
        label=facts["label"],
        key_prefix=facts["keyPrefix"],
        fields=fields,
        has_is_deleted=facts["hasIsDeleted"],
        undeletable=facts["undeletable"],
        replicateable=name not in NOT_REPLICATEABLE,
    )


def _field(facts: Mapping[str, Any]) -> FieldSchema:
    return FieldSchema(
        name=facts["name"],
        type=facts["type"],
        label=facts["label"],
        length=facts.get("length", 0),
        precision=facts.get("precision", 0),
        scale=facts.get("scale", 0),
        nillable=facts.get("nillable", True),
        reference_to=tuple(facts.get("referenceTo", ())),
        picklist_values=tuple(facts.get("picklistValues", ())),
        calculated=facts.get("calculated", False),
        custom=facts.get("custom", False),
        filterable=facts.get("filterable", True),
        sortable=facts.get("sortable", True),
        compound_field_name=facts.get("compoundFieldName"),
    )
