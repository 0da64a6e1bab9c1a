"""The asset of a history: chosen by a setting, refreshed with its table, with what it did and what it missed."""

import json
from pathlib import Path

import dagster as dg
import pytest

from sf_assets import SalesforceOrg
from sf_assets.assets.deployments import read_deployment
from sf_assets.assets.history import FOLLOW
from sf_assets.definitions import build_definitions
from sf_assets.errors import ConfigError, SpecError
from sf_assets.specs.endpoints import endpoints

pytestmark = pytest.mark.filterwarnings("ignore:InitResourceContext.dagster_run")  # Dagster's own call, in process
KEY = dg.AssetKey(["salesforce", "product_changes"])


def keys(env):
    return {spec.key.path[-1] for spec in build_definitions(read_deployment(env)).resolve_all_asset_specs()}


def test_a_setting_chooses_the_tables_with_a_history():
    asset_names = keys({"SF_ASSETS_HISTORY": "product,crm_core"})

    assert {name for name in asset_names if name.endswith("_changes")} == {
        f"{name}_changes" for name in ("product", "account", "contact", "lead", "opportunity", "case")
    }
    assert not any(name.endswith("_changes") for name in keys({}))


def test_an_unknown_name_in_the_setting_is_refused():
    with pytest.raises(ConfigError, match="SF_ASSETS_HISTORY: no endpoint or group is named 'acount'"):
        keys({"SF_ASSETS_HISTORY": "acount"})


def test_endpoints_toml_chooses_a_history(tmp_path):
    (tmp_path / "endpoints.toml").write_text("[override.product]\nhistory = true\n")

    assert "product_changes" in keys({"SF_ASSETS_SPECS": str(tmp_path)})


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ('[override.product]\nhistory = "yes"\n', "history is neither true nor false"),
        (
            '[override.product]\nhistory = true\n[[endpoint]]\nendpoint = "product_changes"\nsobject = "Change__c"\n',
            "the history of product would be called product_changes",
        ),
    ],
)
def test_a_wrong_history_is_refused(tmp_path, text, setting):
    (tmp_path / "endpoints.toml").write_text(text)
    (tmp_path / "product_changes.soql").write_text("SELECT FIELDS(STANDARD) FROM Change__c")

    with pytest.raises(SpecError, match=setting):
        endpoints(tmp_path)


@pytest.mark.filterwarnings("ignore:`parse_obj_as` is deprecated")  # Dagster's own call
@pytest.mark.parametrize(
    "attributes", [{"history": ["product"]}, {"overrides": {"product": {"history": True}}}], ids=["list", "override"]
)
def test_a_component_chooses_a_history(tmp_path, monkeypatch, attributes):
    monkeypatch.setenv("SF_ASSETS_HOME", str(tmp_path))
    org = SalesforceOrg.resolve_from_yaml(json.dumps(attributes))
    defs = org.build_defs_from_state(dg.ComponentTree.for_test().load_context, None)

    assert KEY in {spec.key for spec in defs.resolve_all_asset_specs()}


def test_a_history_follows_each_sync_of_its_table(instance, tmp_path):
    defs = build_definitions(read_deployment({"SF_ASSETS_HISTORY": "product", "SF_ASSETS_HOME": str(tmp_path)}))
    product = dg.AssetKey(["salesforce", "product"])
    selection, cursor, counts = dg.AssetSelection.assets(product, KEY), None, []
    for keys_updated in ((), (product,), (KEY,), (product,)):
        for key in keys_updated:
            instance.report_runless_asset_event(dg.AssetMaterialization(key))
        tick = dg.evaluate_automation_conditions(defs, instance=instance, asset_selection=selection, cursor=cursor)
        cursor = tick.cursor
        counts.append(tick.get_num_requested(KEY))

    assert counts == [0, 1, 0, 1]
    assert FOLLOW.get_label() == "follow_the_table"


def test_a_run_appends_the_changes_and_reports_them(runs, practice_org):
    with_history = runs.under(SF_ASSETS_HISTORY="product")
    assert with_history("product", "product_changes").success
    org = practice_org.org
    record_id = org.rows("Product2")[0]["Id"]
    org.update("Product2", record_id, {"Name": "Another name"})

    result = with_history("product", "product_changes")

    assert result.success
    metadata = result.materialized["product_changes"]
    assert metadata["rows_update"] == 1
    assert metadata["dagster/row_count"] == len(org.rows("Product2")) + 1
    assert result.checks["product_changes", "unbroken"].passed
    changes = with_history.warehouse.scan("product_changes").filter(_change="update").collect()
    assert changes.select("id", "name").rows() == [(record_id, "Another name")]


def test_a_gap_is_a_warning_of_the_check(runs, practice_org):
    with_history = runs.under(SF_ASSETS_HISTORY="product")
    with_history("product", "product_changes")
    tables = with_history.warehouse
    tables._catalog.catalog.drop_table(("salesforce", "product"))

    result = with_history("product", "product_changes")

    check = result.checks["product_changes", "unbroken"]
    assert not check.passed
    assert check.severity == dg.AssetCheckSeverity.WARN
    assert "made again" in check.description
    assert result.materialized["product_changes"].get("rows_insert") is None


def test_a_history_without_its_table_fails_with_a_remedy(runs):
    result = runs.under(SF_ASSETS_HISTORY="product")("product_changes")

    assert "Materialize product first" in str(result.failures["product_changes"].error.message)


def test_erased_columns_leave_the_history_too(tmp_path):
    from sf_assets_tests.iceberg.history.test_updates import Table

    account = Table(Path(tmp_path))
    account.merge(a="secret")
    account.update()
    account.tables.erase_columns("account", ["name"])
    account.tables.erase_columns("account_changes", ["name"])
    account.update()

    assert account.history("id", "_change") == [("a", "insert")]
    assert "name" not in account.tables.facts("account_changes").columns
