"""`sf-assets sources`: what it writes into a dbt project, one's own or ours, and what it leaves alone."""

import pytest

from sf_assets.commands.sources import write_sources
from sf_assets.errors import ConfigError
from sf_assets.specs.endpoints import endpoints

INVOICE = """
[[endpoint]]
endpoint = "invoice"
sobject = "Invoice__c"
description = "Bills sent to accounts."
"""
COLUMNS = ("Id", "IsDeleted", "Name", "CurrencyIsoCode", "SystemModstamp", "FIELDS(CUSTOM)")
SOQL = "SELECT\n  " + ",\n  ".join(COLUMNS) + "\nFROM Invoice__c\n"


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "analytics"
    folder.mkdir()
    (folder / "dbt_project.yml").write_text("name: analytics\n")
    return folder


def test_a_second_time_nothing_is_written(project):
    assert len(write_sources(project, endpoints())) == 32

    assert write_sources(project, endpoints()) == []


def test_an_endpoint_of_ones_own_is_a_source_and_has_a_staging_model(project, tmp_path):
    (tmp_path / "endpoints.toml").write_text(INVOICE)
    (tmp_path / "invoice.soql").write_text(SOQL)

    write_sources(project, endpoints(tmp_path))

    assert "  - name: invoice\n" in (project / "models/sources.yml").read_text()
    model = (project / "models/staging/stg_salesforce__invoice.sql").read_text()
    assert "* exclude (id, name, currency_iso_code, is_deleted)" in model
    assert "id as invoice_id,\n    name as invoice_name," in model


def test_a_removed_endpoints_model_is_removed_and_a_handwritten_one_stays(project):
    write_sources(project, endpoints())
    own = project / "models/staging/stg_erp__invoice.sql"
    own.write_text("select 1 as invoice_id")

    paths = write_sources(project, [spec for spec in endpoints() if spec.endpoint != "asset"])

    assert sorted(paths) == [
        "models/sources.yml",
        "models/staging/staging.yml",
        "models/staging/stg_salesforce__asset.sql",
    ]
    assert not (project / "models/staging/stg_salesforce__asset.sql").exists()
    assert own.exists()


def test_a_folder_that_is_no_dbt_project_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"has no dbt_project\.yml"):
        write_sources(tmp_path, endpoints())
