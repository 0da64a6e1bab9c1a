"""Two runs over one table: by the queue one waits; where the queue is passed by, the later commit is refused."""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
import yaml

from sf_assets.assets.io_manager import IcebergIOManager
from sf_assets.definitions import build_definitions
from sf_assets.salesforce.client import Client
from sf_assets.salesforce.client_settings import OrgAccess, RequestLimits
from sf_assets.salesforce.login.credentials import Credentials
from sf_assets.specs.endpoints import endpoints
from sf_assets.sync.endpoint import sync
from sf_assets.sync.preflight import preflight
from sf_assets_tests.options import sync_options

ROOT = Path(__file__).parents[2]

# Dagster itself calls it, for a nested resource with an EnvVar.
pytestmark = pytest.mark.filterwarnings("ignore:InitResourceContext.dagster_run:DeprecationWarning")


@pytest.mark.parametrize("file", ["dagster.yaml", "deploy/dagster.yaml"])
def test_each_table_has_a_pool_and_a_pool_admits_one_run(runs, file):
    pools = yaml.safe_load((ROOT / file).read_text(encoding="utf-8"))["concurrency"]["pools"]
    assets = [asset for asset in build_definitions(runs.deployment).assets if isinstance(asset, dg.AssetsDefinition)]

    assert pools == {"default_limit": 1, "granularity": "run"}
    assert len({asset.op.pool for asset in assets}) == len(assets) == 30


def sync_before_its_read(runs, server):
    """A sync of `account` that has looked at its table and has read nothing yet."""
    (account,) = (spec for spec in endpoints() if spec.endpoint == "account")
    client = Client(
        OrgAccess(server.url, Credentials(**server.credentials)), limits=RequestLimits(requests_per_second=1_000)
    )
    warehouse, now = runs.warehouse, lambda: datetime.now(UTC)
    answers = preflight([account], tables=warehouse, client=client, read_deleted=True, now=now)
    return sync(account, preflight=answers, tables=warehouse, client=client, **sync_options(), now=now)


def test_an_overtaken_run_is_refused_by_name_and_the_other_commit_stays(runs, practice_org, instance):
    late = sync_before_its_read(runs, practice_org)
    early = runs("account")
    before = runs.warehouse.facts("account")

    @dg.asset(key=["salesforce", "account"])
    def account() -> dg.MaterializeResult:
        return dg.MaterializeResult(value=late)

    manager = IcebergIOManager(iceberg=runs.deployment.iceberg)
    result = dg.materialize([account], resources={"io_manager": manager}, instance=instance, raise_on_error=False)

    (event,) = [event for event in result.all_events if event.is_step_failure]
    failure = event.step_failure_data.user_failure_data
    assert failure.metadata["error"].value == "CommitConflict"
    assert f"another run, {early.run_id}, was here" in failure.description
    assert "Run the endpoint again" in failure.description
    assert runs.warehouse.facts("account") == before
    assert runs("account").success
