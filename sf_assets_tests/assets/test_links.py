"""Storage kind, links into Salesforce and the lineage of columns, as Dagster's own integrations show them."""

import dagster as dg
import pytest

from sf_assets.assets.deployments import read_deployment
from sf_assets.definitions import build_definitions
from sf_assets_tests.assets.test_definitions import PRODUCTION

pytestmark = pytest.mark.filterwarnings("ignore:InitResourceContext.dagster_run")  # Dagster's own call, in process


def spec_of(env, name="account"):
    specs = build_definitions(read_deployment(env)).resolve_all_asset_specs()
    return next(spec for spec in specs if spec.key.path[-1] == name)


def test_an_asset_links_to_the_object_and_its_list_in_salesforce():
    metadata = spec_of(PRODUCTION).metadata

    assert metadata["salesforce_setup"].value == (
        "https://acme.my.salesforce.com/lightning/setup/ObjectManager/Account/Details/view"
    )
    assert metadata["salesforce_list_view"].value == "https://acme.my.salesforce.com/lightning/o/Account/list"
    assert metadata["dagster/storage_kind"] == "iceberg"


def test_a_practice_org_has_no_links():
    assert not [name for name in spec_of({}).metadata if name.startswith("salesforce_")]


def test_a_run_reports_the_field_behind_each_column(runs):
    with_history = runs.under(SF_ASSETS_HISTORY="product")
    result = with_history("product", "product_changes")

    lineage = result.materialized["product"]["dagster/column_lineage"]
    assert lineage.deps_by_column["name"] == [dg.TableColumnDep(dg.AssetKey("salesforce_org"), "Product2.Name")]
    of_history = result.materialized["product_changes"]["dagster/column_lineage"]
    product = dg.AssetKey(["salesforce", "product"])
    assert of_history.deps_by_column["name"] == [dg.TableColumnDep(product, "name")]
    assert "_change" not in of_history.deps_by_column
