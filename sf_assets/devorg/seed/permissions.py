"""Record types, permission sets (with those of profiles), assignments, object and field permissions.

Salesforce computes the permission rows of sets with Modify All Data: their Ids are invalid or repeated.
"""

from collections.abc import Iterator, Mapping
from itertools import chain, islice
from itertools import count as count_from
from random import Random

from sf_assets.devorg.seed.people import permission_names, rights
from sf_assets.devorg.seed.row_builder import DAY_SECONDS, Row, RowBuilder, maybe, stamp
from sf_assets.devorg.store.ids import record_id_of
from sf_assets.devorg.store.schema import ObjectSchema

COMPUTED_ID = "000000000000000AAA"
ADMIN_RIGHT = "PermissionsModifyAllData"
OBJECT_RIGHTS = ("Read", "Create", "Edit", "Delete", "ViewAllRecords", "ModifyAllRecords")
SETS = (
    "Data Steward", "Integration Rights", "Quote Approver", "Forecast Viewer", "Campaign Editor", "Contract Signer",
    "Export Reports", "Knowledge Author", "Case Escalation", "Sandbox Admin", "Territory Planner", "Price Manager",
)  # fmt: skip
# object | record type | developer name | is active
RECORD_TYPES = (
    ("Account", "Customer", "Customer", True),
    ("Account", "Partner", "Partner", True),
    ("Opportunity", "New Business", "New_Business", True),
    ("Opportunity", "Renewal", "Renewal", True),
    ("Case", "Support", "Support", True),
    ("Case", "Réclamation", "Reclamation", True),
    ("Account", "Prospect (old)", "Prospect_old", False),
    ("Campaign", "Trade Fair", "Trade_Fair", True),
)


def fill_record_types(builder: RowBuilder) -> None:
    """Add the record types; those beyond the table are of Case."""
    more = (("Case", f"Queue {index}", f"Queue_{index}", True) for index in count_from(1))
    table = [*RECORD_TYPES, *islice(more, max(0, builder.wanted - len(RECORD_TYPES)))]
    for (sobject, name, developer_name, is_active), at in zip(table, builder.birth_times(), strict=False):
        maybe_text = maybe(builder.rng, 0.6, f"{name} of {sobject}")
        values = {"Name": name, "DeveloperName": developer_name, "SobjectType": sobject, "IsActive": is_active}
        builder.add(at, values | {"Description": maybe_text})
    builder.finish()


def active_record_types(builder: RowBuilder, sobject: str) -> list[str | None]:
    """Return the Ids of an object's active record types, or [None]."""
    return [row["Id"] for row in builder.rows if row["SobjectType"] == sobject and row["IsActive"]] or [None]


def fill_permission_sets(builder: RowBuilder, *, profiles: RowBuilder) -> None:
    """Add the hidden set of each profile, with its rights, then sets that people made."""
    names = permission_names(builder)
    owners: list[Row | None] = [*profiles.rows, *([None] * builder.wanted)]
    for index, (profile, at) in enumerate(zip(owners, builder.birth_times(), strict=False)):
        if profile is not None:
            builder.add(at, _owned(profile, names))
        else:
            builder.add(at, _own_set(builder.rng, index - len(profiles.rows), names))
    builder.finish()


def _owned(profile: Row, names: list[str]) -> Row:
    name = f"X{profile['Id']}"
    values: Row = {right: profile.get(right, False) for right in names}
    values |= {"Name": name, "Label": name, "ProfileId": profile["Id"], "IsOwnedByProfile": True}
    return values | {"Type": "Profile", "LicenseId": profile["UserLicenseId"], "PsgCount": None}


def _own_set(rng: Random, index: int, names: list[str]) -> Row:
    label = SETS[index % len(SETS)] + (f" {index // len(SETS) + 1}" if index >= len(SETS) else "")
    values = rights(rng, names, share=0.03, is_admin=index == 0)
    values |= {"Name": label.replace(" ", "_"), "Label": label, "IsCustom": True, "Type": "Regular", "PsgCount": 0}
    return values | {"Description": maybe(rng, 0.7, f"Lets people do the work of a {label}"),
                     "HasActivationRequired": rng.random() < 0.1}  # fmt: skip


def fill_assignments(builder: RowBuilder, *, sets: RowBuilder, users: RowBuilder) -> None:
    """Assign to each user the set of the profile, then further sets, each pair once."""
    of_profile = {row["ProfileId"]: row["Id"] for row in sets.rows if row["ProfileId"]}
    own = [(user["Id"], of_profile[user["ProfileId"]]) for user in users.rows if user["ProfileId"] in of_profile]
    set_ids = [row["Id"] for row in sets.rows if not row["ProfileId"]]
    further = [(user["Id"], set_id) for set_id in set_ids for user in users.rows]
    builder.rng.shuffle(further)
    for (user_id, set_id), at in zip([*own, *further], builder.birth_times(), strict=False):
        builder.add(at, _assigned(builder, user_id, set_id, at))
    builder.finish()


def _assigned(builder: RowBuilder, user_id: str, set_id: str, at: int) -> Row:
    expires = stamp(at + int(builder.rng.random() * 900) * DAY_SECONDS) if builder.rng.random() < 0.1 else None
    is_active = expires is None or expires > stamp(builder.ends)
    return {"AssigneeId": user_id, "PermissionSetId": set_id, "IsActive": is_active, "ExpirationDate": expires}


def fill_object_permissions(builder: RowBuilder, *, sets: RowBuilder, schemas: Mapping[str, ObjectSchema]) -> None:
    """Add one row for a set and an object.

    Salesforce computes those of sets with Modify All Data.
    """
    pairs = _permitted(builder, sets, sorted(schemas), invented="Custom_{:04}__c")
    for (parent, sobject), at in zip(pairs, builder.birth_times(), strict=False):
        level = len(OBJECT_RIGHTS) if parent[ADMIN_RIGHT] else 1 + int(builder.rng.random() ** 2 * len(OBJECT_RIGHTS))
        values: Row = {f"Permissions{right}": place < level for place, right in enumerate(OBJECT_RIGHTS)}
        builder.add(at, values | {"ParentId": parent["Id"], "SobjectType": sobject, **_computed(builder, parent)})
    builder.finish()


def fill_field_permissions(builder: RowBuilder, *, sets: RowBuilder, schemas: Mapping[str, ObjectSchema]) -> None:
    """Add one row for a set and a field that it may read."""
    real = [f"{name}.{field}" for name in sorted(schemas) for field in _permissionable(schemas[name])]
    pairs = _permitted(builder, sets, real, invented="Account.Custom_{:06}__c")
    for (parent, field), at in zip(pairs, builder.birth_times(), strict=False):
        may_edit = parent[ADMIN_RIGHT] or builder.rng.random() < 0.5
        values = {"ParentId": parent["Id"], "SobjectType": field.partition(".")[0], "Field": field}
        values |= {"PermissionsRead": True, "PermissionsEdit": may_edit}
        builder.add(at, values | _computed(builder, parent))
    builder.finish()


def _permissionable(schema: ObjectSchema) -> list[str]:
    """Return the fields that an administrator may hide: those that may be null."""
    return [field.name for field in schema.fields.values() if field.nillable and field.type != "address"]


def _computed(builder: RowBuilder, parent: Row) -> Row:
    """Return the Id of a computed row: invalid, and sometimes repeated."""
    if not parent[ADMIN_RIGHT]:
        return {}
    is_repeated = builder.rng.random() < 0.1
    return {"Id": record_id_of(builder.schema.key_prefix, 4_711) if is_repeated else COMPUTED_ID}


def _permitted(builder: RowBuilder, sets: RowBuilder, names: list[str], *, invented: str) -> Iterator[tuple[Row, str]]:
    """Return pairs of a set and a name, each once.

    Names are invented if there are not enough.
    """
    builder.rng.shuffle(names)
    pool = chain(names, (invented.format(index) for index in count_from(1)))
    return islice(((parent, name) for name in pool for parent in sets.rows), builder.wanted if sets.rows else 0)
