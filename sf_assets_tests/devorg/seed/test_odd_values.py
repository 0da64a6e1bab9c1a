"""What real orgs hold and careless readers lose is there, in the default org."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from sf_assets.devorg.seed.all_objects import seed_rows
from sf_assets.devorg.store.schema import load_objects, wire_number

BASE = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
COMPUTED_ID = "000000000000000AAA"


@pytest.fixture(scope="module")
def org():
    return seed_rows(7, BASE, {})


@pytest.fixture(scope="module")
def texts(org):
    return [value for rows in org.values() for row in rows for value in row.values() if isinstance(value, str)]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (12345678.0, "1.2345678E7"),
        (1e7, "1.0E7"),
        (9_999_999.99, "9999999.99"),
        (5.6e9, "5.6E9"),
        (-12345678.5, "-1.23456785E7"),
        (0.001, "0.001"),
        (0.0001, "1.0E-4"),
        (1.5e-7, "1.5E-7"),
        (99999999999999.98, "9.999999999999998E13"),
        (1e21, "1.0E21"),
        (60.0, "60.0"),
        (0.0, "0.0"),
    ],
)
def test_numbers_are_written_as_java_writes_them(number, text):
    assert wire_number(number) == text
    assert float(text) == number


def test_some_amounts_are_written_with_an_exponent(org):
    amounts = [row["AnnualRevenue"] for row in org["Account"]] + [row["Amount"] for row in org["Opportunity"]]

    assert sum("E" in wire_number(amount) for amount in amounts if amount) > 100


@pytest.mark.parametrize(
    ("sobject", "field"), [("Account", "Annual_Contract_Value__c"), ("OpportunityLineItem", "UnitPrice")]
)
def test_some_money_has_more_digits_than_its_scale(org, sobject, field):
    assert any(row[field] is not None and round(row[field], 2) != row[field] for row in org[sobject])


def test_some_money_has_more_than_six_decimals(org):
    assert any(round(row["Annual_Contract_Value__c"], 6) != row["Annual_Contract_Value__c"] for row in org["Account"])


def test_several_hundred_contacts_were_loaded_within_one_second(org):
    (_, most), *_ = Counter(row["SystemModstamp"] for row in org["Contact"]).most_common(1)

    assert most > 300


@pytest.mark.parametrize("sobject", ["Account", "Contact", "Lead", "Opportunity", "Task", "Event", "Case", "Product2"])
def test_some_rows_lie_in_the_recycle_bin(org, sobject):
    deleted = sum(row["IsDeleted"] for row in org[sobject])

    assert 0 < deleted < 0.2 * len(org[sobject])


@pytest.mark.parametrize("sobject", ["Task", "Event"])
def test_old_activities_are_archived(org, sobject):
    archived_rows = sum(row["IsArchived"] for row in org[sobject])

    assert 0.1 * len(org[sobject]) < archived_rows < 0.9 * len(org[sobject])


@pytest.mark.parametrize(
    "piece",
    [
        "\u2028",
        "\u2029",
        "\n",
        "\r\n",
        "\t",
        '"',
        "'",
        "\\",
        "\u0301",
        "\u200f",
        "\u200d",
        "\u200b",
        "\ufeff",
        "🚀",
        "𝔘",
    ],
)
def test_texts_hold_what_breaks_careless_readers(texts, piece):
    assert any(piece in text for text in texts)


@pytest.mark.parametrize("word", ["null", "NaN", "true", "0"])
def test_some_texts_only_look_like_other_values(texts, word):
    assert word in texts


def test_some_texts_are_as_long_as_may_be(org):
    assert max(len(row["Description"] or "") for row in org["Account"]) == 32_000
    assert max(len(row["Description"] or "") for row in org["Task"]) == 32_000


def test_no_text_is_empty_since_salesforce_stores_null(texts):
    assert "" not in texts


@pytest.mark.parametrize(("sobject", "key"), [("ObjectPermissions", "SobjectType"), ("FieldPermissions", "Field")])
def test_computed_permissions_have_invalid_or_repeated_ids(org, sobject, key):
    admins = {row["Id"] for row in org["PermissionSet"] if row["PermissionsModifyAllData"]}
    admin_rows = [row for row in org[sobject] if row["ParentId"] in admins]
    ids = Counter(row["Id"] for row in org[sobject])
    keys = Counter((row["ParentId"], row[key]) for row in org[sobject])

    assert ids[COMPUTED_ID] > 20
    assert sum(many > 1 for many in ids.values()) == 2
    assert all(ids[row["Id"]] > 1 for row in admin_rows)
    assert max(keys.values()) == 1


@pytest.mark.parametrize("sobject", ["PermissionSet", "Profile"])
def test_profiles_and_permission_sets_have_nearly_four_hundred_rights(sobject):
    rights = [name for name in load_objects()[sobject].fields if name.startswith("Permissions")]

    assert len(rights) == 386


def test_some_features_are_on_and_others_are_off():
    objects = load_objects()

    assert {"RecordTypeId", "CurrencyIsoCode", "BillingStateCode"} <= objects["Account"].fields.keys()
    assert not {"IsPersonAccount", "Division", "PersonEmail"} & objects["Account"].fields.keys()
    assert "CurrencyIsoCode" in objects["Opportunity"].fields
    assert "CurrencyIsoCode" not in objects["Task"].fields


def test_custom_fields_are_of_every_type_that_they_can_have():
    custom = [field for schema in load_objects().values() for field in schema.fields.values() if field.custom]

    assert {field.type for field in custom} >= {
        "boolean", "currency", "date", "datetime", "double", "email", "encryptedstring", "location", "multipicklist",
        "percent", "picklist", "string", "textarea", "time", "url",
    }  # fmt: skip
    assert {field.type for field in custom if field.calculated} == {"currency", "string", "boolean", "percent"}
    assert any(field.name.count("__") == 2 for field in custom)


def test_every_object_has_nulls(org):
    custom = [field for field in load_objects()["Account"].fields.values() if field.custom and not field.calculated]
    without = [field.name for field in custom if not any(row[field.name] is None for row in org["Account"])]

    assert without == ["Annual_Contract_Value__c"]
