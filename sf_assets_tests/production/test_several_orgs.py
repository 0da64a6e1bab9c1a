"""The example of docs/several-orgs.md: two orgs, two namespaces, one ledger."""

import dagster as dg
import pytest
import sqlalchemy as sa

from sf_assets.assets.deployments import read_deployment
from sf_assets.definitions import build_definitions
from sf_assets.devorg import Org, serve

# Dagster itself calls it, for a nested resource with an EnvVar.
pytestmark = pytest.mark.filterwarnings("ignore:InitResourceContext.dagster_run:DeprecationWarning")


@pytest.fixture
def emea():
    """A second org."""
    with serve(Org(seed=8, rows={"Product2": 5})) as server:
        yield server


@pytest.fixture
def materialize(tmp_path, monkeypatch):
    """Run `product` as one org's code location does; returns the table's ids and the failures' errors."""

    def run(server, namespace):
        for name, value in server.credentials.items():
            monkeypatch.setenv(f"SALESFORCE_{name.upper()}", value)
        environment = {
            **{f"SALESFORCE_{name.upper()}": value for name, value in server.credentials.items()},
            "SF_ASSETS_DEPLOYMENT": "production",
            "SF_ASSETS_HOME": str(tmp_path),
            "SF_ASSETS_NAMESPACE": namespace,
            "SALESFORCE_INSTANCE_URL": server.url,
            "SALESFORCE_REQUESTS_PER_SECOND": "1000",
        }
        deployment = read_deployment(environment)
        with dg.DagsterInstance.ephemeral() as instance:
            job = build_definitions(deployment).resolve_implicit_global_asset_job_def()
            result = job.execute_in_process(
                instance=instance,
                asset_selection=[dg.AssetKey(["salesforce", "product"])],
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
                raise_on_error=False,
            )
        failures = [
            event.step_failure_data.user_failure_data.metadata["error"].value
            for event in result.all_events
            if event.is_step_failure
        ]
        return set(deployment.iceberg.warehouse().scan("product").collect()["id"]), failures

    return run


def ids(server):
    return {row["Id"] for row in server.org.rows("Product2", deleted=True)}


def test_two_orgs_keep_their_tables_apart_and_their_books_together(materialize, practice_org, emea, tmp_path):
    here, _ = materialize(practice_org, "salesforce")
    there, _ = materialize(emea, "salesforce_emea")

    assert here == ids(practice_org)
    assert there == ids(emea)
    with sa.create_engine(f"sqlite:///{tmp_path}/ledger.db").connect() as ledger:
        orgs = set(ledger.execute(sa.text("SELECT org FROM sf_assets_ledger")).scalars())
    assert orgs == {server.url.removeprefix("http://") for server in (practice_org, emea)}


def test_one_namespace_does_not_take_two_orgs(materialize, practice_org, emea):
    materialize(practice_org, "salesforce")

    kept, failures = materialize(emea, "salesforce")

    assert failures == ["TableForeign"]
    assert kept == ids(practice_org)
