"""The type table, and the plan of what is read and what a table has."""

from collections.abc import Callable

import polars as pl
import pytest
from pyiceberg.types import IcebergType

from sf_assets.errors import FieldInvalid, SpecError
from sf_assets.salesforce.describe import Field, SObject
from sf_assets.specs import catalogue
from sf_assets.specs.endpoints import endpoints
from sf_assets.specs.model import EndpointRow, EndpointSpec
from sf_assets.specs.soql_file import read_query
from sf_assets.sync.columns import Column, ColumnPlan, column_name, plan_columns, table_columns
from sf_assets.sync.type_map import TYPES

SPECS = {spec.endpoint: spec for spec in endpoints()}
SYSTEM = (Field("Id", "id", "Record ID"), Field("IsDeleted", "boolean"), Field("SystemModstamp", "datetime"))

MakeSpec = Callable[..., EndpointSpec]


@pytest.fixture
def make_spec() -> MakeSpec:
    """A spec over Account or, by `sobject`, another object: `make_spec("Name", "FIELDS(CUSTOM)")`."""

    def make(*columns: str, sobject: str = "Account", system: bool = True, **row: object) -> EndpointSpec:
        names = ("Id", "IsDeleted", *columns, "SystemModstamp") if system else columns
        query = read_query(f"SELECT {', '.join(names)} FROM {sobject}", path="x.soql")
        plain = {"endpoint": "x", "sobject": sobject, "how": "tail", "cadence": "hourly", "group": "g"}
        return EndpointSpec.of(EndpointRow(**{**plain, "owner": "team:x", "description": "X.", **row}), query)  # type: ignore[arg-type]

    return make


def org(*fields: Field, sobject: str = "Account") -> SObject:
    return SObject(sobject, sobject, (*SYSTEM, *fields))


def custom(name: str, type_: str = "string", **more: object) -> Field:
    return Field(name, type_, custom=True, **more)  # type: ignore[arg-type]


def names(columns: tuple[Column, ...]) -> list[str]:
    return [column.api_name for column in columns]


def only(plan: ColumnPlan, api_name: str) -> Column:
    (column,) = (column for column in plan.table if column.api_name == api_name)
    return column


TEXT_TYPES = """
    anyType base64 combobox email encryptedstring id multipicklist phone picklist reference string textarea url
"""
TEXT = TEXT_TYPES.split()


@pytest.mark.parametrize(
    ("type_", "scale", "polars", "iceberg", "snowflake"),
    [
        *((word, 0, pl.String(), "string", "VARCHAR") for word in TEXT),
        ("boolean", 0, pl.Boolean(), "boolean", "BOOLEAN"),
        ("int", 0, pl.Int32(), "int", "NUMBER(10, 0)"),
        ("long", 0, pl.Int64(), "long", "NUMBER(19, 0)"),
        ("double", 15, pl.Float64(), "double", "FLOAT"),
        ("percent", 2, pl.Float64(), "double", "FLOAT"),
        ("currency", 0, pl.Decimal(38, 6), "decimal(38, 6)", "NUMBER(38, 6)"),
        ("currency", 2, pl.Decimal(38, 6), "decimal(38, 6)", "NUMBER(38, 6)"),
        ("currency", 6, pl.Decimal(38, 6), "decimal(38, 6)", "NUMBER(38, 6)"),
        ("currency", 8, pl.Decimal(38, 8), "decimal(38, 8)", "NUMBER(38, 8)"),
        ("date", 0, pl.Date(), "date", "DATE"),
        ("datetime", 0, pl.Datetime("us", "UTC"), "timestamptz", "TIMESTAMP_LTZ(6)"),
        ("time", 0, pl.String(), "string", "VARCHAR"),
    ],
)
def test_a_salesforce_type_is_one_type_everywhere(
    type_: str, scale: int, polars: pl.DataType, iceberg: str, snowflake: str
) -> None:
    column = Column("A__c", "a__c", type_, scale)

    assert column.polars == polars
    assert isinstance(column.iceberg, IcebergType)
    assert str(column.iceberg) == iceberg
    assert column.snowflake == snowflake


def test_the_type_table_has_every_catalogue_type_and_only_salesforce_types() -> None:
    catalogue_types = {field.type for sobject in catalogue.sobjects() for field in catalogue.fields(sobject)}

    assert catalogue_types <= set(TYPES)
    assert set(TYPES) == {*TEXT, "boolean", "int", "long", "double", "percent", "currency", "date", "datetime", "time"}


def test_columns_that_the_org_shows_are_read_and_the_rest_stay(make_spec: MakeSpec) -> None:
    plan = plan_columns(
        make_spec("Name", "Phone", "AnnualRevenue"), org(Field("Phone", "phone"), Field("Fax", "phone"))
    )

    assert names(plan.read) == ["Id", "IsDeleted", "Phone", "SystemModstamp"]
    assert names(plan.table) == ["Id", "IsDeleted", "Name", "Phone", "AnnualRevenue", "SystemModstamp"]
    assert plan.missing == ("Name", "AnnualRevenue")
    assert only(plan, "AnnualRevenue").type == "currency"
    assert [column.provisional for column in plan.table] == [False, False, True, False, True, False]


def test_custom_columns_follow_the_specs_by_name_without_compounds(make_spec: MakeSpec) -> None:
    fields = [custom("b__c"), custom("Loc__c", "location"), custom("Loc__Latitude__s", "double"), custom("A__c")]

    plan = plan_columns(make_spec("Name", "FIELDS(CUSTOM)"), org(Field("Name", "string"), *fields))

    assert names(plan.read)[4:] == ["A__c", "b__c", "Loc__Latitude__s"]
    assert [column.name for column in plan.table][4:] == ["a__c", "b__c", "loc__latitude__s"]


def test_custom_columns_are_not_read_when_the_spec_does_not_ask_for_them(make_spec: MakeSpec) -> None:
    plan = plan_columns(make_spec("B__c"), org(custom("A__c"), custom("B__c")))

    assert names(plan.read) == ["Id", "IsDeleted", "B__c", "SystemModstamp"]


def test_id_stands_first_wherever_the_spec_names_it(make_spec: MakeSpec) -> None:
    plan = plan_columns(make_spec("SystemModstamp", "IsDeleted", "Id", system=False), org())

    assert names(plan.read) == names(plan.table) == ["Id", "SystemModstamp", "IsDeleted"]


def test_all_standard_columns_are_the_catalogues_then_the_orgs_own(make_spec: MakeSpec) -> None:
    spec = make_spec("FIELDS(STANDARD)", "FIELDS(CUSTOM)", sobject="Profile", system=False, how="snapshot")
    zebra = Field("PermissionsZebra", "boolean")
    fields = (zebra, Field("PermissionsApex", "boolean"), Field("LastViewedDate", "datetime"), custom("A__c"))
    catalogue_names = [field.name for field in spec.catalogue]

    plan = plan_columns(spec, org(*fields, Field("Name", "string"), sobject="Profile"))

    standards = [*catalogue_names, "IsDeleted", "PermissionsApex", "PermissionsZebra"]
    assert names(plan.table) == [*standards, "A__c"]
    assert set(names(plan.read)) == {"Id", "Name", *standards[len(catalogue_names) :], "SystemModstamp", "A__c"}
    assert "PermissionsApiEnabled" in plan.missing


def test_describes_type_and_spelling_win_over_the_catalogues_and_the_specs(make_spec: MakeSpec) -> None:
    spec = make_spec("AnnualRevenue", "my_field__c")

    plan = plan_columns(spec, org(Field("AnnualRevenue", "double", scale=3), custom("My_Field__c", "date")))

    assert (only(plan, "AnnualRevenue").type, only(plan, "AnnualRevenue").scale) == ("double", 3)
    assert only(plan, "My_Field__c").type == "date"
    assert not plan.missing


def test_an_excluded_column_is_neither_read_nor_in_the_table(make_spec: MakeSpec) -> None:
    spec = make_spec("Name", "Phone", "FIELDS(CUSTOM)", excluded=("phone", "Secret__c"))
    described_object = org(Field("Name", "string"), Field("Phone", "phone"), custom("Secret__c"), custom("Open__c"))

    plan = plan_columns(spec, described_object)

    assert names(plan.read) == names(plan.table) == ["Id", "IsDeleted", "Name", "SystemModstamp", "Open__c"]
    assert plan.missing == ()


def test_an_excluded_column_may_have_any_type(make_spec: MakeSpec) -> None:
    spec = make_spec("FIELDS(CUSTOM)", excluded=("Odd__c",))

    plan = plan_columns(spec, org(custom("Odd__c", "complexvalue")))

    assert names(plan.read) == ["Id", "IsDeleted", "SystemModstamp"]


def test_a_refused_column_is_missing_although_it_was_described(make_spec: MakeSpec) -> None:
    described_object = org(Field("Name", "string"), Field("Phone", "phone"))

    plan = plan_columns(make_spec("Name", "Phone"), described_object, dropped=["PHONE"])

    assert names(plan.read) == ["Id", "IsDeleted", "Name", "SystemModstamp"]
    assert plan.missing == ("Phone",)


def test_without_a_describe_a_plain_orgs_columns_are_read(make_spec: MakeSpec) -> None:
    spec = make_spec("Name", "CurrencyIsoCode", "Phone", "FIELDS(CUSTOM)")

    plan = plan_columns(spec, None, dropped=["Phone"])

    assert names(plan.read) == ["Id", "IsDeleted", "Name", "SystemModstamp"]
    assert plan.missing == ("CurrencyIsoCode", "Phone")
    assert not any(column.provisional for column in plan.read)


def test_without_a_describe_all_standard_columns_are_the_catalogues() -> None:
    plan = plan_columns(SPECS["profile"], None)

    assert names(plan.read) == [field.name for field in SPECS["profile"].catalogue if not field.feature]


def test_without_describe_only_system_columns_and_keys_are_read(make_spec: MakeSpec) -> None:
    spec = make_spec("Name", "CreatedDate", "Number__c", sobject="Invoice__c", keys=("number__c",))

    plan = plan_columns(spec, None)

    assert names(plan.read) == ["Id", "IsDeleted", "CreatedDate", "Number__c", "SystemModstamp"]
    assert only(plan, "CreatedDate").type == "datetime"
    assert plan.missing == ("Name",)


def test_an_object_that_is_off_has_all_its_columns_and_none_is_read() -> None:
    plan = plan_columns(SPECS["quote"], SObject("Quote", "Quote", ()))

    assert plan.read == ()
    assert names(plan.table) == [field.name for field in SPECS["quote"].catalogue]
    assert all(column.provisional for column in plan.table)
    assert only(plan, "TotalPrice").type == "currency"


def test_a_column_that_nobody_knows_is_a_provisional_text(make_spec: MakeSpec) -> None:
    spec = make_spec("Number__c", "CreatedDate", sobject="Invoice__c")

    plan = plan_columns(spec, org(sobject="Invoice__c"))

    assert (only(plan, "Number__c").type, only(plan, "Number__c").provisional) == ("string", True)
    assert (only(plan, "CreatedDate").type, only(plan, "CreatedDate").provisional) == ("datetime", True)


def test_calculated_columns_are_read_and_marked(make_spec: MakeSpec) -> None:
    plan = plan_columns(make_spec("FIELDS(CUSTOM)"), org(custom("F__c", label="Formula", calculated=True)))

    assert only(plan, "F__c").calculated
    assert only(plan, "F__c") in plan.read
    assert plan.excluded_calculated == ()


def test_calculated_columns_can_be_excluded_but_those_of_the_spec_stay(make_spec: MakeSpec) -> None:
    spec = make_spec("PhotoUrl", "Named__c")
    wild = make_spec("PhotoUrl", "FIELDS(CUSTOM)")
    described_object = org(
        Field("PhotoUrl", "url", calculated=True), custom("Named__c", calculated=True), custom("Plain__c")
    )

    plan, wild_plan = (plan_columns(each, described_object, calculated="exclude") for each in (spec, wild))

    assert names(plan.read) == ["Id", "IsDeleted", "SystemModstamp"]
    assert names(plan.table) == ["Id", "IsDeleted", "PhotoUrl", "Named__c", "SystemModstamp"]
    assert names(wild_plan.read) == ["Id", "IsDeleted", "SystemModstamp", "Plain__c"]
    assert names(wild_plan.table) == ["Id", "IsDeleted", "PhotoUrl", "SystemModstamp", "Plain__c"]
    assert plan.excluded_calculated == wild_plan.excluded_calculated == ("PhotoUrl", "Named__c")
    assert plan.missing == wild_plan.missing == ()
    assert not only(plan, "PhotoUrl").provisional


def test_a_calculated_column_among_all_standard_ones_stays_in_the_table() -> None:
    described_object = SObject("Profile", "Profile", (*SYSTEM, Field("Name", "string", calculated=True)))

    plan = plan_columns(SPECS["profile"], described_object, calculated="exclude")

    assert "Name" not in names(plan.read)
    assert not only(plan, "Name").provisional


def test_a_calculated_key_is_read_all_the_same(make_spec: MakeSpec) -> None:
    spec = make_spec("Number__c", sobject="Invoice__c", keys=("number__c",))

    plan = plan_columns(spec, org(custom("Number__c", calculated=True), sobject="Invoice__c"), calculated="exclude")

    assert "Number__c" in names(plan.read)
    assert plan.excluded_calculated == ()


def test_keys_are_marked() -> None:
    plan = plan_columns(SPECS["field_permissions"], None)

    assert [column.name for column in plan.read if column.key] == ["parent_id", "field"]


@pytest.mark.parametrize(
    ("field", "doc"),
    [
        (Field("Phone", "phone", "Account Phone"), "Phone: Account Phone"),
        (Field("Phone", "phone"), "Phone"),
        (custom("F__c", label="Formula", calculated=True), "F__c: Formula (calculated)"),
        (custom("H__c", label="Hint", help=" Ask\n  Jo. "), "H__c: Hint. Ask Jo."),
    ],
)
def test_a_columns_doc_says_what_it_is_in_salesforce(make_spec: MakeSpec, field: Field, doc: str) -> None:
    plan = plan_columns(make_spec(field.name), org(field))

    assert only(plan, field.name).doc == doc


@pytest.mark.parametrize("type_", ["complexvalue", "json", "address"])
def test_an_unknown_type_is_refused_by_object_column_and_type(make_spec: MakeSpec, type_: str) -> None:
    with pytest.raises(SpecError) as error_info:
        plan_columns(make_spec("Odd__c"), org(custom("Odd__c", type_)))

    assert f"Account.Odd__c is of type '{type_}'" in str(error_info.value)
    assert error_info.value.remedy == 'Exclude it: [override.x] excluded = ["Odd__c"] in endpoints.toml.'
    assert ("parts" in str(error_info.value)) == (type_ == "address")


@pytest.mark.parametrize("type_", ["complexvalue", "json", "of next year"])
def test_an_unknown_type_among_all_columns_is_named_and_not_read(make_spec: MakeSpec, type_: str) -> None:
    plan = plan_columns(make_spec("FIELDS(CUSTOM)"), org(custom("Odd__c", type_), custom("Even__c")))

    assert names(plan.read) == ["Id", "IsDeleted", "SystemModstamp", "Even__c"]
    assert plan.untyped == (f"Odd__c ({type_})",)
    assert plan_columns(make_spec("Name"), org(custom("Odd__c", type_))).untyped == ()


def test_two_columns_of_one_name_are_refused_by_their_names(make_spec: MakeSpec) -> None:
    spec = make_spec("FIELDS(STANDARD)", system=False, sobject="Invoice__c")
    twins = org(Field("Line2", "string"), Field("Line_2", "string"), sobject="Invoice__c")

    with pytest.raises(SpecError, match="Line2 and Line_2 would both be column line_2") as error_info:
        plan_columns(spec, twins)

    assert 'excluded = ["Line_2"]' in error_info.value.remedy


def test_a_key_that_the_org_hides_is_refused_with_the_missing_permission() -> None:
    described_object = SObject("FieldPermissions", "FieldPermissions", (*SYSTEM, Field("ParentId", "reference")))

    with pytest.raises(FieldInvalid, match="FieldPermissions does not show Field, without which") as error_info:
        plan_columns(SPECS["field_permissions"], described_object)

    assert "read access to Field of FieldPermissions" in error_info.value.remedy
    assert error_info.value.values["columns"] == ("Field",)


def test_a_key_may_be_a_custom_column_that_only_the_org_knows(make_spec: MakeSpec) -> None:
    spec = make_spec("FIELDS(CUSTOM)", sobject="Invoice__c", keys=("number__c",))

    plan = plan_columns(spec, org(custom("Number__c"), sobject="Invoice__c"))

    assert [column.name for column in plan.read if column.key] == ["number__c"]
    with pytest.raises(FieldInvalid, match="does not show number__c"):
        plan_columns(spec, org(sobject="Invoice__c"))


def test_the_table_has_one_column_more_that_tells_when_a_row_was_read(make_spec: MakeSpec) -> None:
    plan = plan_columns(make_spec("Name"), org())

    columns = table_columns(plan.table)

    assert [column.name for column in columns] == ["id", "is_deleted", "name", "system_modstamp", "_synced_at"]
    assert [column.provisional for column in columns] == [False, False, True, False, False]
    assert str(columns[-1].type) == "timestamptz"
    assert columns[2].doc == "Name: Account Name"


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_a_plain_org_gives_every_endpoint_all_its_columns(spec: EndpointSpec) -> None:
    plain = [Field(f.name, f.type, f.label, scale=f.scale) for f in spec.catalogue if not f.feature]

    plan = plan_columns(spec, SObject(spec.sobject, spec.sobject, tuple(plain)))

    assert names(plan.read) == [field.name for field in plain]
    assert names(plan.table) == [field.name for field in spec.catalogue]
    assert plan.missing == tuple(field.name for field in spec.catalogue if field.feature)
    assert [column.name for column in plan.table] == [column_name(field.name) for field in spec.catalogue]
