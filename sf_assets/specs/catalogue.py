"""The catalogue: names, types and labels of the standard columns of thirty sObjects.

It is used where an org does not show a column, and to refuse a misspelled one. Where the org's describe has a column,
describe is right. The catalogue leaves out compound columns, and the two columns that show the reader's own views.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("catalogue.json")


@dataclass(frozen=True)
class CatalogueField:
    """One standard column.

    `feature`: the column only exists where some feature is on, and its type is likely but not certain.
    """

    name: str
    type: str
    label: str = ""
    length: int = 0
    precision: int = 0
    scale: int = 0
    reference_to: tuple[str, ...] = ()
    feature: bool = False


SYSTEM_COLUMNS: tuple[CatalogueField, ...] = (
    CatalogueField("Id", "id", "Record ID", 18),
    CatalogueField("OwnerId", "reference", "Owner ID", 18, reference_to=("Group", "User")),
    CatalogueField("IsDeleted", "boolean", "Deleted"),
    CatalogueField("CurrencyIsoCode", "picklist", "Currency ISO Code", 3, feature=True),
    CatalogueField("RecordTypeId", "reference", "Record Type ID", 18, reference_to=("RecordType",), feature=True),
    CatalogueField("CreatedDate", "datetime", "Created Date"),
    CatalogueField("CreatedById", "reference", "Created By ID", 18, reference_to=("User",)),
    CatalogueField("LastModifiedDate", "datetime", "Last Modified Date"),
    CatalogueField("LastModifiedById", "reference", "Last Modified By ID", 18, reference_to=("User",)),
    CatalogueField("SystemModstamp", "datetime", "System Modstamp"),
)
"""Columns that mean the same on every object, also on objects that the catalogue lacks."""


def sobjects() -> tuple[str, ...]:
    """Return the names of the sObjects in the catalogue."""
    return tuple(_raw())


@cache
def fields(sobject: str) -> tuple[CatalogueField, ...]:
    """Return the standard columns of an sObject, `Id` first; empty if the catalogue lacks it."""
    return tuple(_field(raw) for raw in _raw().get(sobject, ()))


@cache
def names(sobject: str) -> Mapping[str, str]:
    """Return the standard column names of an sObject by their lower-case form, without building fields."""
    return {raw["name"].lower(): raw["name"] for raw in _raw().get(sobject, ())}


@cache
def _raw() -> Mapping[str, list[dict[str, Any]]]:
    catalogue: dict[str, list[dict[str, Any]]] = json.loads(_FILE.read_bytes())
    return catalogue


def _field(raw: Mapping[str, Any]) -> CatalogueField:
    return CatalogueField(**{**raw, "reference_to": tuple(raw.get("reference_to", ()))})
