"""From API names to column names."""

import pytest

from sf_assets.specs import catalogue
from sf_assets.specs.naming import column_name, is_custom


@pytest.mark.parametrize(
    ("api_name", "name"),
    [
        ("Id", "id"),
        ("Fax", "fax"),
        ("IsDeleted", "is_deleted"),
        ("SystemModstamp", "system_modstamp"),
        ("Product2Id", "product_2_id"),
        ("Pricebook2Id", "pricebook_2_id"),
        ("Address1Line", "address_1_line"),
        ("Top10", "top_10"),
        ("UserPermissionsSFContentUser", "user_permissions_sfcontent_user"),
        ("PermissionsViewAllFields", "permissions_view_all_fields"),
        ("PermissionsB2BCommerce", "permissions_b_2_bcommerce"),
        ("FiscalYear", "fiscal_year"),
        ("PersonLastCURequestDate", "person_last_curequest_date"),
        ("My_Field__c", "my_field__c"),
        ("MyField2__c", "myfield2__c"),
        ("pkg__NumberOfRooms__c", "pkg__numberofrooms__c"),
        ("Home__Latitude__s", "home__latitude__s"),
        ("Birthday__pc", "birthday__pc"),
    ],
)
def test_a_column_is_named_after_its_api_name(api_name: str, name: str) -> None:
    assert column_name(api_name) == name


@pytest.mark.parametrize("sobject", catalogue.sobjects())
def test_no_two_standard_columns_of_an_object_get_the_same_name(sobject: str) -> None:
    names = [column_name(field.name) for field in catalogue.fields(sobject)]

    assert len(names) == len(set(names)) == len({field.name for field in catalogue.fields(sobject)})


@pytest.mark.parametrize("sobject", catalogue.sobjects())
def test_no_standard_column_looks_custom_before_or_after_it_is_named(sobject: str) -> None:
    looks = {field.name for field in catalogue.fields(sobject) if is_custom(field.name)}

    assert not looks
    assert not {field.name for field in catalogue.fields(sobject) if "__" in column_name(field.name)}
