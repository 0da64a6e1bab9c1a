"""What a describe of an sObject tells of it: its fields, as this user sees them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Field:
    """One field of a describe; names and type words as Salesforce spells them."""

    name: str
    type: str
    label: str = ""
    length: int = 0
    precision: int = 0
    scale: int = 0
    nillable: bool = True
    calculated: bool = False
    custom: bool = False
    filterable: bool = True
    sortable: bool = True
    reference_to: tuple[str, ...] = ()
    help: str = ""


@dataclass(frozen=True)
class SObject:
    """One sObject and the fields of it that this user may read."""

    name: str
    label: str
    fields: tuple[Field, ...]
