"""The org's node is told of once a run, and makes no table look out of step."""

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

from sf_assets.definitions import build_definitions
from sf_assets.devorg import Fault

ORG = dg.AssetKey("salesforce_org")

# Dagster itself calls it, for a nested resource with an EnvVar.
pytestmark = pytest.mark.filterwarnings("ignore:InitResourceContext.dagster_run:DeprecationWarning")


def told_of(instance):
    return [record.event_log_entry for record in instance.fetch_materializations(ORG, limit=10).records]


def test_each_run_reports_the_read_of_the_org_and_its_used_quota_once(runs, instance):
    runs("product", "pricebook")
    again = runs("product", "pricebook")

    events = told_of(instance)
    entries = {name: entry.value for name, entry in events[0].asset_materialization.metadata.items()}
    assert len(events) == 2
    assert (entries["run"], entries["quota_limit"]) == (again.run_id, 100_000)
    assert entries["quota_used"] > 0


def test_no_table_is_out_of_step_with_the_org_by_its_being_read(runs, instance):
    runs("product")
    runs("pricebook")

    graph = build_definitions(runs.deployment).resolve_asset_graph()
    resolver = CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance))

    keys = [dg.AssetKey(["salesforce", name]) for name in ("product", "pricebook")]
    assert [resolver.get_status(key) for key in keys] == [StaleStatus.FRESH] * 2


def test_a_run_that_reads_nothing_tells_nothing_of_the_org(runs, practice_org, instance):
    practice_org.org.faults.append(Fault(kind="composite", times=None, status=403, error_code="REQUEST_LIMIT_EXCEEDED"))

    runs("product")

    assert told_of(instance) == []
