"""The practice org's first rows fit the schema and each other, whatever the size of the org."""

import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

import pytest

from sf_assets.devorg.seed.all_objects import seed_rows
from sf_assets.devorg.store.ids import eighteen
from sf_assets.devorg.store.schema import FieldSchema, load_objects

BASE = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
SCHEMAS = load_objects()
SIZES = {
    "default": {},
    "tiny": dict.fromkeys(SCHEMAS, 3),
    "one of each": dict.fromkeys(SCHEMAS, 1),
    "no customers": {"Account": 0, "Contact": 0, "Lead": 0},
    "nothing": dict.fromkeys(SCHEMAS, 0),
    "lopsided": {"Account": 2, "Opportunity": 40, "OpportunityHistory": 500, "PricebookEntry": 0, "User": 1},
}
COMPUTED = ("ObjectPermissions", "FieldPermissions")
STAMPS = ("CreatedDate", "LastModifiedDate", "SystemModstamp")
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000\+0000")


@lru_cache
def org(size):
    return seed_rows(7, BASE, SIZES[size])


def each(rows):
    return [(name, row) for name, rows_of in rows.items() for row in rows_of]


@pytest.mark.parametrize("size", SIZES)
def test_every_row_has_every_field_of_its_object_and_no_other(size):
    for name, row in each(org(size)):
        assert list(row) == list(SCHEMAS[name].fields), name


def is_text(value, field):
    return isinstance(value, str) and 0 < len(value) <= (field.length or 32_768) and value == value.strip(" ")


def is_choice(value, field):
    return is_text(value, field) and (not field.picklist_values or value in field.picklist_values)


def is_number(value, field):
    return isinstance(value, float) and abs(value) < 10 ** (field.precision - field.scale)


def is_compound(value, field):
    keys = {"latitude", "longitude"} if field.type == "location" else {"street", "city", "postalCode", "country"}
    return isinstance(value, dict) and keys <= value.keys() and any(part is not None for part in value.values())


FITS = {
    "id": lambda value, field: isinstance(value, str) and len(value) == 18,
    "reference": lambda value, field: isinstance(value, str) and len(value) == 18,
    "string": is_text,
    "textarea": is_text,
    "email": lambda value, field: is_text(value, field) and "@" in value,
    "phone": is_text,
    "url": is_text,
    "encryptedstring": is_text,
    "combobox": is_text,
    "picklist": is_choice,
    "multipicklist": lambda value, field: set(value.split(";")) <= set(field.picklist_values),
    "boolean": lambda value, field: isinstance(value, bool),
    "int": lambda value, field: isinstance(value, int) and not isinstance(value, bool),
    "double": is_number,
    "percent": is_number,
    "currency": is_number,
    "date": lambda value, field: date.fromisoformat(value).isoformat() == value,
    "datetime": lambda value, field: bool(STAMP.fullmatch(value)) and bool(datetime.fromisoformat(value)),
    "time": lambda value, field: bool(re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3}Z", value)),
    "address": is_compound,
    "location": is_compound,
}


def fits(value, field: FieldSchema):
    if value is None:
        return field.nillable and field.type != "boolean"
    return FITS[field.type](value, field)


@pytest.mark.parametrize("size", SIZES)
def test_every_value_fits_type_length_and_picklist_of_its_field(size):
    misfits = {
        (name, field.name, row[field.name])
        for name, row in each(org(size))
        for field in SCHEMAS[name].fields.values()
        if not fits(row[field.name], field)
    }

    assert misfits == set()


@pytest.mark.parametrize("size", SIZES)
def test_every_id_has_its_prefix_and_checksum_and_ids_ascend_with_birth(size):
    for name, rows in org(size).items():
        bad_ids = [
            row for row in rows if name not in COMPUTED or not row["Id"].startswith(("0000", "1100000", "01k0000"))
        ]
        ids = [row["Id"] for row in bad_ids]

        assert all(row_id.startswith(SCHEMAS[name].key_prefix) and eighteen(row_id[:15]) == row_id for row_id in ids)
        assert ids == sorted(set(ids))
        if "CreatedDate" in SCHEMAS[name].fields:
            assert [row["CreatedDate"] for row in bad_ids] == sorted(row["CreatedDate"] for row in bad_ids)


def home(prefix_of, row_id):
    return prefix_of.get(row_id[:3])


@pytest.mark.parametrize("size", SIZES)
def test_every_reference_leads_to_a_row_of_a_fitting_object(size):
    rows = org(size)
    prefix_of = {schema.key_prefix: name for name, schema in SCHEMAS.items()}
    row_ids = {row["Id"] for _, row in each(rows)}
    dangling = set()
    for name, row in each(rows):
        for field in SCHEMAS[name].fields.values():
            if field.type != "reference" or row[field.name] is None:
                continue
            target = home(prefix_of, row[field.name])
            if target is None:  # an object outside the thirty: a licence, a queue
                sound = any(other not in SCHEMAS for other in field.reference_to)
            else:
                sound = target in field.reference_to and row[field.name] in row_ids
            if not sound:
                dangling.add((name, field.name, row[field.name]))

    assert dangling == set()


@pytest.mark.parametrize("size", SIZES)
def test_no_living_row_refers_to_a_deleted_one(size):
    rows = org(size)
    dead = {row["Id"] for _, row in each(rows) if row.get("IsDeleted")}
    references = [
        (name, field.name)
        for name, row in each(rows)
        if not row.get("IsDeleted")
        for field in SCHEMAS[name].fields.values()
        if field.type == "reference" and row[field.name] in dead
    ]

    assert Counter(references) == {}


@pytest.mark.parametrize("size", SIZES)
def test_all_stamps_are_in_order_and_older_than_an_hour_before_the_base(size):
    limit = f"{BASE - timedelta(hours=1):%Y-%m-%dT%H:%M:%S}.000+0000"
    for name, row in each(org(size)):
        stamps = [row[stamp] for stamp in STAMPS if stamp in row]
        assert stamps == sorted(stamps), (name, row["Id"])
        assert stamps[-1] < limit


def test_the_nine_objects_without_a_recycle_bin_have_no_is_deleted():
    without = {name for name, schema in SCHEMAS.items() if not schema.has_is_deleted}

    assert without == {
        "FieldPermissions", "ObjectPermissions", "Organization", "PermissionSet", "PermissionSetAssignment", "Profile",
        "RecordType", "User", "UserRole",
    }  # fmt: skip
    assert all(("IsDeleted" in schema.fields) == schema.has_is_deleted for schema in SCHEMAS.values())


@pytest.mark.parametrize("size", ["default", "tiny", "lopsided"])
def test_the_same_seed_base_and_counts_give_the_same_rows(size):
    assert seed_rows(7, BASE, SIZES[size]) == org(size)


def test_another_seed_gives_other_rows():
    assert seed_rows(8, BASE, SIZES["tiny"])["Contact"] != org("tiny")["Contact"]


def test_counts_are_met_for_parents_and_children_alike():
    counts = {"Account": 30, "Contact": 70, "Opportunity": 20, "OpportunityHistory": 90, "OpportunityLineItem": 55,
              "Task": 11, "Quote": 9, "QuoteLineItem": 31, "Order": 7, "OrderItem": 13, "FieldPermissions": 500,
              "User": 5, "CampaignMember": 40, "Campaign": 4, "Case": 6, "Event": 8}  # fmt: skip

    rows = seed_rows(1, BASE, counts)

    assert {name: len(rows[name]) for name in counts} == counts


def test_an_unknown_object_is_refused_by_name():
    with pytest.raises(KeyError, match="Acount"):
        seed_rows(1, BASE, {"Acount": 3})


def test_a_default_org_has_thirty_objects_and_20_000_rows():
    rows = org("default")

    assert len(rows) == 30
    assert all(rows.values())
    assert 15_000 < sum(map(len, rows.values())) < 25_000
