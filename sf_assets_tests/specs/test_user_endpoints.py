"""A user's folder of own endpoints, queries and settings."""

from pathlib import Path

import pytest

from sf_assets.errors import ConfigError, SpecError
from sf_assets.specs.endpoints import ENDPOINTS, endpoints
from sf_assets.specs.model import EndpointSpec

INVOICE_ROW = '[[endpoint]]\nendpoint = "invoice"\nsobject = "Invoice__c"\n'
INVOICE_QUERY = "SELECT\n  Id,\n  IsDeleted,\n  SystemModstamp,\n  FIELDS(CUSTOM)\nFROM Invoice__c\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def write(folder: Path, toml: str = "", **queries: str) -> Path:
    if toml:
        (folder / "endpoints.toml").write_text(toml)
    for name, text in queries.items():
        (folder / f"{name}.soql").write_text(text)
    return folder


def by_name(folder: Path) -> dict[str, EndpointSpec]:
    return {spec.endpoint: spec for spec in endpoints(folder)}


def test_an_empty_folder_changes_nothing(folder: Path) -> None:
    assert endpoints(folder) == endpoints()


def test_a_31st_endpoint_is_a_row_and_a_query(folder: Path) -> None:
    write(folder, INVOICE_ROW, invoice=INVOICE_QUERY)

    *ours, invoice = endpoints(folder)

    assert tuple(ours) == endpoints()
    assert (invoice.endpoint, invoice.sobject, invoice.keys) == ("invoice", "Invoice__c", ("id",))
    assert (invoice.how, invoice.cadence, invoice.group, invoice.owner) == ("tail", "hourly", "custom", "team:data")
    assert invoice.excluded == ()
    assert "Invoice__c" in invoice.description
    assert invoice.query.custom
    assert invoice.has_is_deleted


def test_a_row_may_say_everything_itself(folder: Path) -> None:
    more = 'keys = ["number__c"]\nhow = "snapshot"\ncadence = "daily"\ngroup = "billing"\nowner = "a@b.example"\n'
    text = INVOICE_QUERY.replace("FIELDS(CUSTOM)", "Number__c,\n  Secret__c")
    write(folder, INVOICE_ROW + more + 'excluded = ["Secret__c"]\ndescription = "Bills."\n', invoice=text)

    invoice = by_name(folder)["invoice"]

    assert (invoice.keys, invoice.how, invoice.cadence) == (("number__c",), "snapshot", "daily")
    assert (invoice.group, invoice.owner, invoice.description) == ("billing", "a@b.example", "Bills.")
    assert invoice.excluded == ("Secret__c",)


def test_settings_change_only_what_they_name(folder: Path) -> None:
    write(folder, '[override.account]\nexcluded = ["Phone", "Secret__c"]\ncadence = "daily"\nowner = "team:finance"\n')

    by_endpoint, ours = by_name(folder), {spec.endpoint: spec for spec in endpoints()}

    assert by_endpoint["account"].excluded == ("Phone", "Secret__c")
    assert (by_endpoint["account"].cadence, by_endpoint["account"].owner) == ("daily", "team:finance")
    assert by_endpoint["account"].query == ours["account"].query
    assert {n: s for n, s in by_endpoint.items() if n != "account"} == {n: s for n, s in ours.items() if n != "account"}


def test_excluded_columns_of_a_row_and_its_settings_add_up(folder: Path) -> None:
    toml = INVOICE_ROW + 'excluded = ["A__c"]\n[override.invoice]\nexcluded = ["B__c", "A__c"]\n'
    write(folder, toml, invoice=INVOICE_QUERY)

    assert by_name(folder)["invoice"].excluded == ("A__c", "B__c")


def test_a_query_of_our_name_stands_instead_of_ours(folder: Path) -> None:
    text = "SELECT Id, IsDeleted, Name, SystemModstamp FROM Account WHERE Type = 'Customer'"
    write(folder, account=text)

    account = by_name(folder)["account"]

    assert account.query.columns == ("Id", "IsDeleted", "Name", "SystemModstamp")
    assert account.query.where == "Type = 'Customer'"
    assert account.query.path == str(folder / "account.soql")


def test_a_query_of_our_name_over_another_object_is_refused(folder: Path) -> None:
    write(folder, account=INVOICE_QUERY)

    with pytest.raises(SpecError, match=r"account\.soql:6: the query reads Invoice__c, its row says Account"):
        endpoints(folder)


REFUSED = [
    ("[[endpoint]\n", "not valid TOML", "line"),
    ("endpoint = 1\n", "not a list of tables", "[[endpoint]]"),
    ("[endpoints.invoice]\n", "unknown key endpoints", "endpoint, override"),
    ('[[endpoint]]\nendpoint = "invoice"\n', "[[endpoint]] 1 has no sobject", "sobject ="),
    (INVOICE_ROW + 'object = "x"\n', "[[endpoint]] 1 has an unknown key object", "endpoint, sobject, how"),
    (INVOICE_ROW + 'keys = "id"\n', "keys is not a list", "keys = ["),
    (INVOICE_ROW + "cadence = 6\n", "cadence is not a text", "cadence ="),
    (INVOICE_ROW + 'cadence = "weekly"\n', "cadence 'weekly' is unknown", "hourly, six_hours, daily"),
    (INVOICE_ROW + 'owner = "me"\n', "'me' is not an owner", "team:NAME"),
    (INVOICE_ROW + INVOICE_ROW, "an endpoint invoice already", "another name"),
    (INVOICE_ROW.replace("invoice", "account"), "an endpoint account already", "[override.account]"),
    ("override = 1\n", "override is not a table", "[override.account]"),
    ("[override]\naccount = 1\n", "override.account is not a table", "[override.account]"),
    ('[override.acount]\ncadence = "daily"\n', "unknown endpoint acount", "account, contact"),
    ('[override.account]\nsobject = "X"\n', "unknown key sobject", "calculated, refreshed, bulk, cadence, owner"),
    (INVOICE_ROW + 'bulk = "often"\n', "bulk 'often' is unknown", "default, auto, never, always"),
    ('[override.account]\nexcluded = "Phone"\n', "excluded is not a list", "excluded = ["),
]


@pytest.mark.parametrize(("toml", "what", "remedy"), REFUSED)
def test_a_table_with_another_value_is_refused_with_the_valid_choices(
    folder: Path, toml: str, what: str, remedy: str
) -> None:
    write(folder, toml, invoice=INVOICE_QUERY)

    with pytest.raises(SpecError) as error_info:
        endpoints(folder)

    assert str(folder / "endpoints.toml") in str(error_info.value)
    assert what in str(error_info.value)
    assert remedy in f"{error_info.value} {error_info.value.remedy}"


def test_a_setting_with_a_bad_word_is_refused_by_its_endpoint(folder: Path) -> None:
    write(folder, '[override.account]\ncadence = "weekly"\n')

    with pytest.raises(SpecError, match=r"endpoints\.toml: \[override\.account\]: .*cadence 'weekly'") as error_info:
        endpoints(folder)

    assert "hourly, six_hours, daily" in error_info.value.remedy


def test_a_query_without_an_endpoint_is_refused(folder: Path) -> None:
    write(folder, acount=INVOICE_QUERY)

    with pytest.raises(SpecError, match=r"'acount\.soql' belongs to no endpoint"):
        endpoints(folder)


def test_an_endpoint_without_a_query_is_refused(folder: Path) -> None:
    write(folder, INVOICE_ROW)

    with pytest.raises(SpecError, match=r"invoice\.soql: no such file"):
        endpoints(folder)


def test_a_folder_that_does_not_exist_is_refused(folder: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere") as error_info:
        endpoints(folder / "nowhere")

    assert "SF_ASSETS_SPECS" in error_info.value.remedy


def test_our_table_excludes_nothing_by_itself() -> None:
    assert not [row.endpoint for row in ENDPOINTS if row.excluded]


def test_a_wrong_override_is_blamed_on_the_users_file(folder: Path) -> None:
    write(folder, '[override.account]\nexcluded = ["Nmae"]\n')

    with pytest.raises(SpecError, match=r"endpoints\.toml: \[override\.account\]: .* excludes Nmae") as error_info:
        endpoints(folder)

    assert "queries/account.soql" not in str(error_info.value)
    assert "Write Name" in error_info.value.remedy
