"""The table of thirty endpoints, their queries, and the catalogue."""

import subprocess
import sys
from pathlib import Path

import pytest

from sf_assets.specs import catalogue
from sf_assets.specs.endpoints import ENDPOINTS, QUERIES, endpoints
from sf_assets.specs.model import EndpointSpec

SPECS = {spec.endpoint: spec for spec in endpoints()}
WITHOUT_IS_DELETED = {
    "FieldPermissions",
    "ObjectPermissions",
    "Organization",
    "PermissionSet",
    "PermissionSetAssignment",
    "Profile",
    "RecordType",
    "User",
    "UserRole",
}
GROUPS = {
    "crm_core": "account contact lead opportunity case",
    "opportunity_detail": "opportunity_line_item opportunity_contact_role opportunity_history",
    "sales_catalog": "product pricebook pricebook_entry contract quote quote_line_item sales_order order_item",
    "marketing": "campaign campaign_member",
    "activity": "task event",
    "people_and_permissions": "user user_role profile permission_set permission_set_assignment field_permissions"
    " object_permissions record_type",
    "asset_and_org": "asset organization",
}
RENAMED = {"product": "Product2", "pricebook": "Pricebook2", "sales_order": "Order"}

every_spec = pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)


def test_the_table_holds_the_thirty_endpoints_by_area() -> None:
    groups: dict[str, list[str]] = {}
    for row in ENDPOINTS:
        groups.setdefault(row.group, []).append(row.endpoint)

    assert {group: " ".join(names) for group, names in groups.items()} == GROUPS
    assert len(SPECS) == len(ENDPOINTS) == 30


@every_spec
def test_an_endpoint_is_named_after_its_object(spec: EndpointSpec) -> None:
    spoken = "".join(word.capitalize() for word in spec.endpoint.split("_"))

    assert spec.sobject == RENAMED.get(spec.endpoint, spoken)


def test_what_has_no_is_deleted_is_read_whole_but_users() -> None:
    assert {spec.sobject for spec in SPECS.values() if not spec.has_is_deleted} == WITHOUT_IS_DELETED
    assert {spec.sobject for spec in SPECS.values() if spec.how == "snapshot"} == WITHOUT_IS_DELETED - {"User"}


def test_rows_are_known_by_id_but_where_salesforce_computes_them() -> None:
    assert {spec.endpoint: spec.keys for spec in SPECS.values() if spec.keys != ("id",)} == {
        "field_permissions": ("parent_id", "field"),
        "object_permissions": ("parent_id", "sobject_type"),
    }


@every_spec
def test_an_endpoint_tells_newcomers_what_it_holds_in_a_sentence(spec: EndpointSpec) -> None:
    assert spec.description[0].isupper()
    assert spec.description.endswith(".")
    assert spec.owner.startswith("team:")


def test_every_query_file_belongs_to_an_endpoint_and_the_other_way_round() -> None:
    assert {path.name for path in QUERIES.iterdir()} == {f"{name}.soql" for name in SPECS}


@every_spec
def test_a_query_names_columns_in_catalogue_order_or_all_standard_ones(spec: EndpointSpec) -> None:
    catalogue_names = tuple(field.name for field in spec.catalogue)

    assert catalogue_names
    assert spec.query.custom
    assert spec.query.standard == (spec.endpoint in {"profile", "permission_set"})
    assert spec.query.columns == (() if spec.query.standard else catalogue_names)


@every_spec
def test_a_query_file_has_one_column_a_line(spec: EndpointSpec) -> None:
    first, *columns, last = Path(spec.query.path).read_text().splitlines()
    expansions = ["FIELDS(STANDARD)"] * spec.query.standard + ["FIELDS(CUSTOM)"]

    assert first == "SELECT"
    assert [column.strip(" ,") for column in columns] == [*spec.query.columns, *expansions]
    assert last == f"FROM {spec.sobject}"


@every_spec
def test_the_catalogue_begins_with_id_and_has_no_compounds_or_reader_views(spec: EndpointSpec) -> None:
    assert (spec.catalogue[0].name, spec.catalogue[0].type) == ("Id", "id")
    assert not {"LastViewedDate", "LastReferencedDate"} & {field.name for field in spec.catalogue}
    assert not {"address", "location"} & {field.type for field in spec.catalogue}


@every_spec
def test_a_features_columns_stand_behind_the_plain_ones_by_name(spec: EndpointSpec) -> None:
    features = [field.name for field in spec.catalogue if field.feature]
    plain = [field.name for field in spec.catalogue if not field.feature]

    assert [field.name for field in spec.catalogue] == plain + sorted(features)


def test_the_catalogue_knows_what_a_column_is() -> None:
    fields = {field.name: field for field in catalogue.fields("Opportunity")}

    assert (fields["Amount"].type, fields["Amount"].precision, fields["Amount"].scale) == ("currency", 18, 2)
    assert fields["AccountId"].reference_to == ("Account",)
    assert fields["AccountId"].label == "Account ID"
    assert fields["CurrencyIsoCode"].feature
    assert not fields["StageName"].feature


def test_the_catalogue_is_silent_about_custom_objects() -> None:
    assert catalogue.fields("Invoice__c") == ()
    assert dict(catalogue.names("Invoice__c")) == {}


def test_permission_sets_come_with_the_rights_that_we_know() -> None:
    rights = [f.name for f in SPECS["permission_set"].catalogue if f.name.startswith("Permissions")]

    assert len(rights) == 386


def test_reading_the_table_loads_nothing_heavy() -> None:
    heavy = {"polars", "pyiceberg", "pyarrow", "httpx", "dagster", "sqlalchemy"}
    code = "import sys; from sf_assets.specs.endpoints import endpoints; endpoints(); print(*sys.modules)"

    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert not heavy & set(modules)
