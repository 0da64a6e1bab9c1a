"""`sf-assets endpoint add` and `diff`, against a served practice org."""

import pytest
from click.testing import CliRunner

from sf_assets.cli import main
from sf_assets.commands.endpoint_draft import default_name
from sf_assets.devorg import sample_org, serve
from sf_assets.specs.endpoints import endpoints


@pytest.fixture(scope="module")
def seed():
    return sample_org(seed=7, rows={"Account": 20})


@pytest.fixture
def org(seed, tmp_path, monkeypatch):
    """A served org that the environment names, with the working directory in a temporary folder."""
    with serve(seed.copy()) as server:
        values = {
            "SF_ASSETS_DEPLOYMENT": "production",
            "SF_ASSETS_HOME": str(tmp_path / "home"),
            "SF_ASSETS_SPECS": "",
            "SALESFORCE_INSTANCE_URL": server.url,
            "SALESFORCE_REQUESTS_PER_SECOND": "1000",
            **{f"SALESFORCE_{name.upper()}": value for name, value in server.credentials.items()},
        }
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        yield server.org


def invoke(*words):
    return CliRunner().invoke(main, ["endpoint", *words])


SYSTEM = [
    {"name": "Id", "type": "id"},
    {"name": "IsDeleted", "type": "boolean"},
    {"name": "Name", "type": "string"},
    {"name": "CreatedDate", "type": "datetime"},
    {"name": "SystemModstamp", "type": "datetime"},
]


def add_invoice(org):
    org.add_object("Invoice__c", fields=[*SYSTEM, {"name": "Number__c", "type": "string"}], key_prefix="a0V")


def test_an_object_becomes_an_endpoint_by_one_command(org, tmp_path):
    add_invoice(org)

    result = invoke("add", "Invoice__c")

    assert result.exit_code == 0, result.output
    (spec,) = [spec for spec in endpoints(tmp_path / "specs") if spec.sobject == "Invoice__c"]
    assert (spec.endpoint, spec.how, spec.group, spec.query.custom) == ("invoice", "tail", "custom", True)
    assert {"Id", "IsDeleted", "SystemModstamp"} <= set(spec.query.columns)
    assert "first walk" in result.output
    assert "export SF_ASSETS_SPECS=" in result.output
    assert "the asset salesforce/invoice, group custom" in result.output


def test_a_second_object_is_added_to_the_same_file(org, tmp_path):
    add_invoice(org)
    org.add_object("Line__c", fields=[*SYSTEM, {"name": "Amount__c", "type": "double"}], key_prefix="a0W")

    assert invoke("add", "Invoice__c").exit_code == 0
    assert invoke("add", "Line__c", "--name", "invoice_line").exit_code == 0

    assert [spec.endpoint for spec in endpoints(tmp_path / "specs")][30:] == ["invoice", "invoice_line"]


def test_a_dry_run_prints_both_files_and_writes_nothing(org, tmp_path):
    add_invoice(org)

    result = invoke("add", "Invoice__c", "--dry-run")

    assert 'sobject = "Invoice__c"' in result.output
    assert "FROM Invoice__c" in result.output
    assert not (tmp_path / "specs").exists()


@pytest.mark.parametrize(
    ("sobject", "what"),
    [
        ("Account", "Account is the endpoint account already"),
        ("Nothing__c", "the org shows no object Nothing__c"),
        ("Click__b", "Click__b is a big object"),
        ("Invoice__x", "Invoice__x is an external object"),
        ("ContentDocumentLink", "without a filter on Id or ContentDocumentId or LinkedEntityId"),
    ],
)
def test_an_object_that_cannot_be_added_is_refused_by_name(org, tmp_path, sobject, what):
    for name in ("Click__b", "Invoice__x", "ContentDocumentLink"):
        org.add_object(name)

    result = invoke("add", sobject)

    assert result.exit_code == 1
    assert what in result.output
    assert "What to do:" in result.output
    assert not (tmp_path / "specs").exists()


def test_an_existing_query_is_not_overwritten(org, tmp_path):
    add_invoice(org)
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs/invoice.soql").write_text("mine")

    result = invoke("add", "Invoice__c")

    assert result.exit_code == 1
    assert (tmp_path / "specs/invoice.soql").read_text() == "mine"


def test_the_difference_names_hidden_and_new_columns(org):
    org.hide_field("Account", "Phone")
    org.add_field("Account", {"name": "NewStandard", "type": "string"})

    result = invoke("diff", "account", "profile")

    assert result.exit_code == 0, result.output
    assert "in the spec, not in the org or hidden: Phone" in result.output
    assert "in the org, not in the spec: NewStandard" in result.output


@pytest.mark.parametrize(
    ("sobject", "name"),
    [
        ("Invoice__c", "invoice"),
        ("pkg__Invoice__c", "pkg_invoice"),
        ("InvoiceLine", "invoice_line"),
        ("Order_Line__c", "order_line"),
        ("Setting__mdt", "setting"),
    ],
)
def test_the_default_name_is_the_object_in_snake_case(sobject, name):
    assert default_name(sobject) == name
