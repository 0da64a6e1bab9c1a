"""Practice and production, and two orgs, never share a history, and a person starts each first copy in production."""

import dagster as dg
import pytest

from sf_assets.assets.deployments import read_deployment
from sf_assets.definitions import build_definitions
from sf_assets.devorg import sample_org, serve
from sf_assets.errors import ConfigError

KEY = dg.AssetKey(["salesforce", "product"])
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}

# Dagster itself calls it, for a nested resource with an EnvVar.
pytestmark = pytest.mark.filterwarnings("ignore:InitResourceContext.dagster_run:DeprecationWarning")


def automated_run(runs, instance):
    """Run `product` as a sensor of automation conditions launches it; return the failure's text or None."""
    result = build_definitions(runs.deployment).resolve_implicit_global_asset_job_def().execute_in_process(
        QUIET, instance, asset_selection=[KEY], raise_on_error=False, tags={"dagster/from_automation_condition": "true"}
    )  # fmt: skip
    failures = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    return failures[0].user_failure_data.description if failures else None


@pytest.fixture
def other_org(monkeypatch):
    """An org of its own, with the login of this process's environment."""
    with serve(sample_org(seed=8, rows={"Account": 1})) as other:
        for name, value in other.credentials.items():
            monkeypatch.setenv(f"SALESFORCE_{name.upper()}", value)
        yield other


def test_another_orgs_history_is_refused_by_name_once_a_run(runs, other_org, practice_org, monkeypatch, tmp_path):
    with monkeypatch.context() as patch:
        for name, value in practice_org.credentials.items():
            patch.setenv(f"SALESFORCE_{name.upper()}", value)
        assert runs("product").success
    real = runs.under(SALESFORCE_INSTANCE_URL=other_org.url, SF_ASSETS_HOME=str(tmp_path / "real"))

    result = real("product", "pricebook")

    texts = [failure.user_failure_data.description for failure in result.failures.values()]
    assert practice_org.org.org_id in texts[0]
    assert other_org.org.org_id in texts[0]
    assert "DAGSTER_HOME" in texts[0]
    assert "for the same reason as" in texts[1]
    assert real.warehouse.facts("product") is None


def test_automation_makes_no_first_copy_in_production(runs, instance, practice_org, tmp_path):
    assert runs("product").success
    empty_lake = runs.under(SF_ASSETS_HOME=str(tmp_path / "another-lake"))

    refusal = automated_run(empty_lake, instance)

    assert "automation has started a first copy" in refusal
    assert empty_lake.warehouse.facts("product") is None


def test_automation_goes_on_with_a_table_that_a_person_filled(runs, instance):
    assert runs("product").success

    assert automated_run(runs, instance) is None


def test_a_real_host_in_the_practice_deployment_is_refused_by_name():
    with pytest.raises(ConfigError, match="^SALESFORCE_INSTANCE_URL names a real org") as refusal:
        read_deployment({"SALESFORCE_INSTANCE_URL": "acme.my.salesforce.com"})

    assert "SF_ASSETS_DEPLOYMENT=production" in refusal.value.remedy


def test_a_run_tells_its_story_in_three_lines(runs, instance):
    run_id = runs("product").run_id

    entries = [entry for entry in instance.all_logs(run_id) if entry.dagster_event is None]
    lines = [entry.user_message for entry in entries if entry.level >= 20]
    assert len(lines) == 3
    assert lines[0] == "product: reads all rows by Id."
    assert lines[1].startswith("product: ")
    assert " in 1 page, 1 call, " in lines[1]
    assert lines[2].startswith("product: committed snapshot ")
