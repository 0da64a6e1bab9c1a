"""Cadence words, and the condition that keeps a table fresh without ever asking twice."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.definitions.freshness import FreshnessState, FreshnessStateChange

from sf_assets.assets.freshness import (
    CADENCES,
    KEEP_FRESH,
    KEEP_FRESH_ONCE_FILLED,
    automated,
    build_sensors,
    cadences,
    policy,
)
from sf_assets.assets.naming import Naming
from sf_assets.errors import ConfigError
from sf_assets.specs.endpoints import endpoints

SPECS = endpoints()
KEY = dg.AssetKey(["salesforce", "account"])


def test_no_setting_automates_all_thirty():
    assert len(automated(SPECS, "")) == 30


def test_endpoints_are_chosen_by_name_and_by_group():
    assert automated(SPECS, "task, marketing") == {"task", "campaign", "campaign_member"}


def test_cadences_are_the_tables_until_they_are_changed():
    words = cadences(SPECS, "all=daily, activity=hourly,task=six_hours")

    assert (words["account"], words["event"], words["task"]) == ("daily", "hourly", "six_hours")
    assert cadences(SPECS, "") == {spec.endpoint: spec.cadence for spec in SPECS}


@pytest.mark.parametrize("entry", ["task", "task=", "task=weekly", "=hourly"])
def test_a_malformed_cadence_is_refused(entry):
    with pytest.raises(ConfigError, match="^SF_ASSETS_CADENCES: "):
        cadences(SPECS, entry)


@pytest.mark.parametrize(
    ("read", "text", "setting"),
    [(automated, "tasks", "SF_ASSETS_ENDPOINTS"), (cadences, "tasks=hourly", "SF_ASSETS_CADENCES")],
)
def test_a_name_that_no_endpoint_has_is_refused(read, text, setting):
    with pytest.raises(ConfigError, match=f"^{setting}: no endpoint or group is named 'tasks'"):
        read(SPECS, text)


def test_every_cadence_of_the_table_promises_more_than_it_wants():
    assert {spec.cadence for spec in SPECS} <= set(CADENCES)
    assert all(cadence.wanted < cadence.promise for cadence in CADENCES.values())


def test_each_cadence_in_use_has_one_running_sensor():
    sensors = build_sensors({"task": "hourly", "event": "hourly", "profile": "daily"}, Naming())

    assert [sensor.name for sensor in sensors] == ["salesforce_hourly", "salesforce_daily"]
    assert {sensor.default_status for sensor in sensors} == {dg.DefaultSensorStatus.RUNNING}
    assert {sensor.minimum_interval_seconds for sensor in sensors} == {60}


class Story:
    """One asset under a condition, on an instance of its own: what each tick asks for."""

    def __init__(self, instance, condition):
        self.fails = False
        self.now = datetime(2026, 3, 10, 12, 5, 30, tzinfo=UTC)
        self.instance = instance
        self.cursor = None

        @dg.asset(key=KEY, automation_condition=condition, freshness_policy=policy("hourly"))
        def account():
            if self.fails:
                raise dg.Failure("the org is closed")

        self.defs = dg.Definitions([account], sensors=build_sensors({"account": "hourly"}, Naming()))

    def tick(self, minutes=1):
        self.now += timedelta(minutes=minutes)
        result = dg.evaluate_automation_conditions(
            self.defs,
            self.instance,
            asset_selection=dg.AssetSelection.assets(KEY),
            cursor=self.cursor,
            evaluation_time=self.now,
        )
        self.cursor = result.cursor
        return result.total_requested == 1

    def run(self):
        job = self.defs.resolve_implicit_global_asset_job_def()
        job.execute_in_process(instance=self.instance, raise_on_error=False)

    def daemon_finds(self, state):
        """Store what Dagster's freshness daemon would store."""
        change = FreshnessStateChange(
            key=KEY,
            previous_state=FreshnessState.UNKNOWN,
            new_state=state,
            state_change_timestamp=self.now.timestamp(),
        )
        self.instance._report_runless_asset_event(change)


def test_an_empty_table_is_filled_in_practice_but_by_a_person_elsewhere(instance):
    assert Story(instance, KEEP_FRESH).tick()
    assert not Story(instance, KEEP_FRESH_ONCE_FILLED).tick()


def test_a_failing_endpoint_is_tried_again_once_an_hour(instance):
    story = Story(instance, KEEP_FRESH)
    story.fails = True
    assert story.tick()
    story.run()

    assert [story.tick() for _ in range(10)] == [False] * 10
    assert story.tick(minutes=60)


def test_a_table_that_was_just_filled_is_not_asked_for_again(instance):
    story = Story(instance, KEEP_FRESH)
    assert story.tick()
    story.run()

    assert [story.tick() for _ in range(5)] == [False] * 5


@pytest.mark.parametrize("state", [FreshnessState.WARN, FreshnessState.FAIL])
@pytest.mark.parametrize("condition", [KEEP_FRESH, KEEP_FRESH_ONCE_FILLED])
def test_a_table_older_than_wanted_is_asked_for_once_while_the_daemon_lags(instance, condition, state):
    story = Story(instance, condition)
    story.run()
    story.tick()
    assert not story.tick()

    story.daemon_finds(state)

    assert story.tick()
    story.run()
    assert not story.tick()


def test_a_failing_endpoint_is_tried_once_an_hour_in_production_too(instance):
    story = Story(instance, KEEP_FRESH_ONCE_FILLED)
    story.run()
    story.tick()
    story.fails = True
    story.daemon_finds(FreshnessState.FAIL)
    assert story.tick()
    story.run()

    requests = [story.tick(minutes=5) for _ in range(36)]

    assert requests.count(True) == 3


def terminate_run(story, *, seen_running):
    """Start a run that automation has not requested, and terminate it."""
    job = story.defs.resolve_implicit_global_asset_job_def()
    run = story.instance.create_run_for_job(job, asset_selection={KEY})
    story.instance.report_dagster_event(dg.DagsterEvent("PIPELINE_START", job.name, message="started"), run.run_id)
    if seen_running:
        assert not story.tick()
    story.instance.report_run_canceled(run)


@pytest.mark.parametrize("condition", [KEEP_FRESH, KEEP_FRESH_ONCE_FILLED])
def test_a_requested_run_that_is_terminated_waits_for_the_full_hour(instance, condition):
    story = Story(instance, condition)
    story.run()
    story.tick()
    story.daemon_finds(FreshnessState.FAIL)
    assert story.tick()
    terminate_run(story, seen_running=False)

    requests = [story.tick(minutes=5) for _ in range(24)]

    assert requests.count(True) == 2
    assert not any(requests[:10])


def test_a_run_that_a_person_started_and_terminated_waits_too(instance):
    story = Story(instance, KEEP_FRESH_ONCE_FILLED)
    story.run()
    story.tick()
    story.daemon_finds(FreshnessState.FAIL)
    terminate_run(story, seen_running=True)

    assert not any(story.tick(minutes=5) for _ in range(10))


def test_a_table_refreshed_each_minute_is_not_held_back_by_its_own_runs(instance):
    story = Story(instance, KEEP_FRESH)
    runs = 0
    for _ in range(20):
        if story.tick():
            story.run()
            runs += 1
            story.daemon_finds(FreshnessState.WARN)

    assert runs >= 6
