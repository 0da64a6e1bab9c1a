"""The example of docs/several-orgs.md: two orgs, two namespaces, one ledger."""

import dagster as dg
import pytest
import sqlalchemy as sa

from sf_assets.assets.deployments import read_deployment
from sf_assets.commands.setup.values import SetupValues
from sf_assets.definitions import build_definitions
from sf_assets.devorg import sample_org, serve
from sf_assets.iceberg.tables import IcebergTables
from sf_assets.salesforce.rate_limit.quota import QuotaExceeded
from sf_assets.salesforce.wire import Usage

# Dagster itself calls it, for a nested resource with an EnvVar.
pytestmark = pytest.mark.filterwarnings("ignore:InitResourceContext.dagster_run:DeprecationWarning")


@pytest.fixture
def emea():
    """A second org."""
    with serve(sample_org(seed=8, rows={"Product2": 5})) as server:
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
        return set(deployment.iceberg.tables().scan("product").collect()["id"]), failures

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

    account_rows, failures = materialize(emea, "salesforce")

    assert failures == ["TableForeign"]
    assert account_rows == ids(practice_org)


@pytest.fixture
def ledgers(tmp_path):
    """Three code locations at one ledger: an org, another org, and the first org once more."""
    hosts = {"": "acme", "emea": "acme-emea", "sales": "acme"}
    secrets = {f"SALESFORCE_{name}": "-" for name in ("CONSUMER_KEY", "PRIVATE_KEY", "USERNAME")}
    settings = {"SF_ASSETS_DEPLOYMENT": "production", "SF_ASSETS_HOME": str(tmp_path), **secrets}
    environments = {
        org: settings | {"SF_ASSETS_ORG": org, "SALESFORCE_INSTANCE_URL": f"{host}.my.salesforce.com"}
        for org, host in hosts.items()
    }
    ledgers_by_org = {
        org: read_deployment(environment).salesforce.open_ledger() for org, environment in environments.items()
    }
    yield ledgers_by_org
    for ledger in ledgers_by_org.values():
        ledger.close()


def test_orgs_have_rates_of_their_own_and_locations_share_one(ledgers):
    slots = [ledgers[""].permit(None, reserve=None).slot for _ in range(4)]

    elsewhere, here = (ledgers[org].permit(None, reserve=None) for org in ("emea", "sales"))

    assert elsewhere.wait_seconds == 0
    assert here.slot - slots[-1] == pytest.approx(slots[-1] - slots[-2], abs=0.01)
    assert here.wait_seconds > 0


def test_a_pushback_is_heard_in_every_location_of_its_org_and_in_no_other(ledgers):
    ledgers[""].pushed_back(ledgers[""].permit(None, reserve=None).slot, retry_after=None)

    rates = {org: ledger.standing().pace.rate for org, ledger in ledgers.items()}

    assert rates["emea"] == 2
    assert max(rates[""], rates["sales"]) < 1.9  # cut to 1.4; it is back after half a minute


def test_the_days_calls_are_counted_by_org_and_not_by_location(ledgers):
    ledgers[""].read(Usage(99_000, 100_000))

    refusals = {org: isinstance(ledger.permit(None, reserve=0.1), QuotaExceeded) for org, ledger in ledgers.items()}

    assert refusals == {"": True, "sales": True, "emea": False}


def test_on_aws_no_file_of_an_org_lies_in_a_tables_folder_of_another(aws, account_columns, account_chunk):
    values = SetupValues(bucket="lake", orgs="emea")
    for name, location in values.databases.items():
        aws.client("glue").create_database(DatabaseInput={"Name": name, "LocationUri": location})

    folders = []
    for number, name in enumerate(values.databases):
        warehouse = IcebergTables("salesforce", name, aws.catalog)
        warehouse.merge(
            "account", columns=account_columns, keys=("id",), stamp=None, chunks=[account_chunk(number)], base=None
        )
        folders.append(f"{warehouse.facts('account').uri}/")

    assert folders == ["s3://lake/salesforce/account/", "s3://lake/salesforce/salesforce_emea.db/account/"]
