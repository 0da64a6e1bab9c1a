"""The org down for an hour, then back, at a cadence of a minute: no storm of runs and none of requests."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.definitions.freshness import FreshnessState, FreshnessStateChange

from sf_assets.definitions import build_definitions
from sf_assets.devorg import Fault

KEYS = [dg.AssetKey(["salesforce", name]) for name in ("product", "pricebook", "profile")]
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
NOON = datetime(2026, 3, 10, 12, 0, 30, tzinfo=UTC)

# Dagster itself calls it, for a nested resource with an EnvVar.
pytestmark = pytest.mark.filterwarnings("ignore:InitResourceContext.dagster_run:DeprecationWarning")


class Automation:
    """The sensor's ticks and the runs that they request, with the clock passed in."""

    def __init__(self, runs, instance):
        self.definitions = build_definitions(runs.deployment)
        self.instance, self.cursor, self.now = instance, None, NOON

    def tick(self, minutes):
        """Let time pass, with every table late, and return the keys that the tick requests."""
        self.now += timedelta(minutes=minutes)
        for key in KEYS:
            self.instance._report_runless_asset_event(
                FreshnessStateChange(
                    key=key,
                    previous_state=FreshnessState.PASS,
                    new_state=FreshnessState.FAIL,
                    state_change_timestamp=self.now.timestamp(),
                )
            )
        result = dg.evaluate_automation_conditions(
            self.definitions, self.instance, asset_selection=dg.AssetSelection.assets(*KEYS), cursor=self.cursor,
            evaluation_time=self.now,
        )  # fmt: skip
        self.cursor = result.cursor
        return [key for key in KEYS if result.get_num_requested(key)]

    def run(self, keys):
        """Execute one run over the requested assets, as the daemon launches it."""
        job = self.definitions.resolve_implicit_global_asset_job_def()
        return job.execute_in_process(QUIET, self.instance, asset_selection=keys, raise_on_error=False)


def test_an_hour_without_the_org_makes_one_run_an_hour(runs, practice_org, instance):
    quick = type(runs)(
        {**runs.environment, "SF_ASSETS_CADENCES": "all=minutely"}, instance, {"give_up_after_seconds": 0.01}
    )
    automation = Automation(quick, instance)
    assert automation.run(KEYS).success
    automation.tick(1)
    practice_org.org.faults.append(Fault(times=None, status=503))
    before = len(practice_org.requests)

    failures = 0
    for _ in range(12):
        if keys := automation.tick(5):
            assert not automation.run(keys).success
            failures += 1

    assert failures <= 2
    assert len(practice_org.requests) - before <= 8

    practice_org.org.faults.clear()
    good_runs = [keys for keys in (automation.tick(5) for _ in range(12)) if keys and automation.run(keys).success]

    assert good_runs[0] == KEYS
    assert all(len(keys) == len(set(keys)) for keys in good_runs)
    assert len(good_runs) <= 12
