"""The permission set of the integration user: rights to read, closed under what they depend on."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sf_assets.specs.model import EndpointSpec

HERE = Path(__file__).parent
RIGHTS: Mapping[str, str] = {
    "FieldPermissions": "ViewSetup",
    "ObjectPermissions": "ViewSetup",
    "PermissionSet": "ViewSetup",
    "PermissionSetAssignment": "ViewSetup",
    "UserRole": "ViewRoles",
    "Event": "ViewAllData",
    "Task": "ViewAllData",
}
"""User permission without which rows are hidden. Tasks and events of other users need View All Data."""
WITHOUT_OBJECT_RIGHT = frozenset(
    {
        *("Event", "FieldPermissions", "ObjectPermissions", "Organization", "PermissionSet", "PermissionSetAssignment"),
        *("Profile", "RecordType", "Task", "User", "UserRole"),
        *("CampaignMember", "OpportunityContactRole", "OpportunityHistory", "OpportunityLineItem", "OrderItem"),
        *("PricebookEntry", "QuoteLineItem"),
    }
)
"""Objects that follow the right of another object, or a user permission alone."""
PARENTS: Mapping[str, str] = {
    "CampaignMember": "Campaign",
    "OpportunityContactRole": "Opportunity",
    "OpportunityHistory": "Opportunity",
    "OpportunityLineItem": "Opportunity",
    "OrderItem": "Order",
    "PricebookEntry": "Pricebook2",
    "QuoteLineItem": "Quote",
}
"""Object -> the parent that decides on its rows."""
WITHOUT_VIEW_ALL = frozenset({"Pricebook2", "Product2"})


@dataclass(frozen=True)
class ObjectPermission:
    """The right to read one object.

    `view_all_fields` is off where columns are excluded: then fields are granted.
    """

    name: str
    view_all_records: bool
    view_all_fields: bool


@dataclass(frozen=True)
class PermissionSet:
    """What the set contains."""

    objects: tuple[ObjectPermission, ...]
    fields: tuple[str, ...]
    user_permissions: tuple[str, ...]


def permission_set(specs: Iterable[EndpointSpec]) -> PermissionSet:
    """Return the smallest set that reads these endpoints and deploys.

    Nothing in it lacks what it depends on.
    """
    excluded = _excluded(specs)
    rights = {"ApiEnabled", *(RIGHTS[name] for name in excluded if name in RIGHTS)}
    owners = {PARENTS.get(name, name) for name in excluded} - WITHOUT_OBJECT_RIGHT
    objects = closed(owners, dependencies("object_permissions", "object"))
    return PermissionSet(
        tuple(ObjectPermission(name, name not in WITHOUT_VIEW_ALL, not excluded.get(name)) for name in sorted(objects)),
        tuple(_fields(excluded)),
        tuple(sorted(closed(rights, dependencies("user_permissions", "permission")))),
    )


def closed(names: Collection[str], requires: Mapping[str, Collection[str]]) -> set[str]:
    """Return the names and everything that they require, directly or through others."""
    complete, added = set(names), set(names)
    while added:
        added = {name for one in added for name in requires.get(one, ())} - complete
        complete |= added
    return complete


@cache
def dependencies(kind: str, subject: str) -> Mapping[str, frozenset[str]]:
    """Return the dependencies of permission_dependencies.json: name -> what it requires."""
    requires: dict[str, frozenset[str]] = {}
    for entry in _read("permission_dependencies.json")[kind]:
        requires[entry[subject]] = requires.get(entry[subject], frozenset()) | set(entry["requires"])
    return requires


def grantable_fields(sobject: str, excluded: Sequence[str]) -> tuple[str, ...]:
    """Return the standard fields that field-level security governs, without the excluded ones.

    A compound field that holds an excluded column is left out as a whole.
    """
    fields = _read("field_security.json")["objects"].get(sobject, {})
    refused = {name.lower() for name in excluded}
    return tuple(
        name for name, parts in fields.items() if not refused & {name.lower(), *(part.lower() for part in parts)}
    )


def _fields(excluded: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield the fields to grant one by one.

    They belong to objects with excluded columns or without an object right.
    """
    for name in sorted(excluded):
        if excluded[name] or name in WITHOUT_OBJECT_RIGHT:
            yield from (f"{name}.{field}" for field in grantable_fields(name, excluded[name]))


def _excluded(specs: Iterable[EndpointSpec]) -> dict[str, tuple[str, ...]]:
    return {spec.sobject: spec.excluded for spec in specs}


@cache
def _read(file: str) -> Any:
    return json.loads((HERE / file).read_text(encoding="utf-8"))
