"""A row of the table and its query, checked against each other and against the catalogue."""

from typing import Any

import pytest

from sf_assets.errors import SpecError
from sf_assets.specs.model import EndpointRow, EndpointSpec
from sf_assets.specs.soql_file import read_query

ACCOUNT = "SELECT\n  Id,\n  IsDeleted,\n  Name,\n  SystemModstamp\nFROM Account\n"
INVOICE = "SELECT\n  Id,\n  IsDeleted,\n  SystemModstamp,\n  Number__c\nFROM Invoice__c\n"


def row(**changes: Any) -> EndpointRow:
    plain = {"endpoint": "account", "sobject": "Account", "how": "tail", "cadence": "hourly", "group": "crm"}
    return EndpointRow(**{**plain, "owner": "team:sales", "description": "Companies.", **changes})


def spec(text: str, **changes: Any) -> EndpointSpec:
    return EndpointSpec.of(row(**changes), query=read_query(text, path="a.soql"))


@pytest.mark.parametrize(
    ("changes", "what", "remedy"),
    [
        ({"endpoint": "Account"}, "cannot be a table name", "lower-case"),
        ({"endpoint": "_sync_status"}, "cannot be a table name", "letter first"),
        ({"endpoint": "a-b"}, "cannot be a table name", "lower-case"),
        ({"sobject": "Invoice c"}, "'Invoice c' is not an API name", "Invoice__c"),
        ({"group": "crm core"}, "'crm core' is not a group name", "letters"),
        ({"owner": "sales"}, "'sales' is not an owner", "team:NAME"),
        ({"owner": "team:"}, "'team:' is not an owner", "team:NAME"),
        ({"how": "walk"}, "how 'walk' is unknown", "tail, snapshot"),
        ({"cadence": "weekly"}, "cadence 'weekly' is unknown", "hourly, six_hours, daily"),
        ({"keys": ()}, "no keys", "identify a row"),
    ],
)
def test_a_malformed_row_is_refused_by_its_endpoint(changes: dict[str, Any], what: str, remedy: str) -> None:
    with pytest.raises(SpecError) as error_info:
        row(**changes)

    assert what in str(error_info.value)
    assert str(changes.get("endpoint", "account")) in str(error_info.value)
    assert remedy in error_info.value.remedy


@pytest.mark.parametrize("owner", ["team:sales", "team:sales-ops", "jo.doe@example.com"])
def test_an_owner_is_a_team_or_an_address(owner: str) -> None:
    assert row(owner=owner).owner == owner


DISAGREEING = [
    (ACCOUNT, {"sobject": "Contact"}, 6, "reads Account, its row says Contact", "FROM Contact"),
    (ACCOUNT.replace("Account", "account"), {"sobject": "account"}, 6, "account is spelled Account", "Write Account"),
    (ACCOUNT.replace("  Id,\n", ""), {}, 1, "Id is missing", "Add Id"),
    (ACCOUNT.replace("  IsDeleted,\n", ""), {}, 1, "IsDeleted is missing", "Add IsDeleted"),
    (ACCOUNT.replace(",\n  SystemModstamp", ""), {}, 1, "SystemModstamp is missing", "Add SystemModstamp"),
    (ACCOUNT, {"keys": ("parent_id",)}, 1, "no column of the query is called 'parent_id'", "key 'parent_id'"),
    (ACCOUNT.replace("Name", "Nmae"), {}, 4, "no readable standard column Nmae", "Write Name"),
    (ACCOUNT.replace("Name", "Flavour"), {}, 4, "no readable standard column Flavour", "Correct Flavour"),
    (ACCOUNT.replace("Name", "BillingAddress"), {}, 4, "standard column BillingAddress", "by their parts"),
    (ACCOUNT.replace("Name", "name"), {}, 4, "name is spelled Name", "Write Name"),
    (ACCOUNT.replace("Name", "LastViewedDate"), {}, 4, "user's own views", "Remove LastViewedDate"),
    (ACCOUNT, {"excluded": ("Phone",)}, 1, "excludes Phone, which is not among the columns", "Correct Phone"),
    (ACCOUNT, {"excluded": ("Nam",)}, 1, "excludes Nam, ", "Write Name"),
    (ACCOUNT, {"excluded": ("id",)}, 2, "excludes id, which every", "from excluded"),
    (ACCOUNT, {"excluded": ("SystemModstamp",)}, 5, "excludes SystemModstamp, which every", "from excluded"),
    (ACCOUNT, {"excluded": ("IsDeleted",)}, 3, "excludes IsDeleted, which every", "from excluded"),
    (ACCOUNT, {"excluded": ("isdeleted",)}, 3, "excludes isdeleted, which every", "from excluded"),
    (INVOICE, {"sobject": "Invoice__c", "keys": ("other__c",)}, 1, "called 'other__c'", "key 'other__c'"),
    (
        INVOICE.replace("Number__c", "FIELDS(CUSTOM)"),
        {"sobject": "Invoice__c", "keys": ("number__c",), "excluded": ("Number__c",)},
        1,
        "excludes Number__c, which every",
        "from excluded",
    ),
    (ACCOUNT, {"excluded": ("Name",), "keys": ("name",)}, 4, "excludes Name, which every", "from excluded"),
    (INVOICE.replace("  IsDeleted,\n", ""), {"sobject": "Invoice__c"}, 1, "IsDeleted is missing", "Add IsDeleted"),
]


@pytest.mark.parametrize(("text", "changes", "line", "what", "remedy"), DISAGREEING)
def test_a_query_that_contradicts_its_row_is_refused_with_line_and_remedy(
    text: str, changes: dict[str, Any], line: int, what: str, remedy: str
) -> None:
    with pytest.raises(SpecError) as error_info:
        spec(text, **changes)

    assert str(error_info.value).startswith(f"a.soql:{line}: ")
    assert what in str(error_info.value)
    assert "account" in str(error_info.value)
    assert remedy in error_info.value.remedy


def test_a_column_of_a_custom_object_may_be_any() -> None:
    invoice = spec(INVOICE, endpoint="invoice", sobject="Invoice__c", keys=("number__c",))

    assert invoice.catalogue == ()
    assert invoice.has_is_deleted
    assert invoice.required == ("id", "number__c", "system_modstamp", "is_deleted")


def test_a_snapshot_of_an_unknown_object_needs_no_is_deleted() -> None:
    groups = spec("SELECT Id, SystemModstamp FROM Group", endpoint="group", sobject="Group", how="snapshot")

    assert not groups.has_is_deleted
    assert groups.required == ("id", "system_modstamp")


def test_all_standard_columns_hold_the_needed_ones_too() -> None:
    account = spec("SELECT FIELDS(STANDARD) FROM Account")
    invoice = spec("SELECT FIELDS(STANDARD), FIELDS(CUSTOM) FROM Invoice__c", sobject="Invoice__c")
    profile = spec("SELECT FIELDS(STANDARD) FROM Profile", sobject="Profile", how="snapshot")

    assert (account.has_is_deleted, invoice.has_is_deleted, profile.has_is_deleted) == (True, True, False)
    assert account.required == invoice.required == ("id", "system_modstamp", "is_deleted")
    assert profile.required == ("id", "system_modstamp")


def test_deleted_rows_are_optional_where_only_the_org_knows_the_columns() -> None:
    groups = spec("SELECT FIELDS(STANDARD) FROM Group", endpoint="group", sobject="Group", how="snapshot")

    assert groups.has_is_deleted
    assert groups.required == ("id", "system_modstamp")


def test_a_right_of_a_newer_release_can_be_excluded_from_standard_columns() -> None:
    profile = spec("SELECT FIELDS(STANDARD) FROM Profile", sobject="Profile", excluded=("PermissionsNewer",))

    assert profile.is_excluded("PermissionsNewer")


def test_a_custom_column_may_be_excluded_although_only_the_org_knows_it() -> None:
    account = spec(ACCOUNT.replace("Name", "FIELDS(CUSTOM)"), excluded=("Secret__c",))

    assert account.is_excluded("secret__C")
    assert not account.is_excluded("Id")
