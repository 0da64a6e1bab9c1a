"""When marts are asked for: stories of tables with news, of failures, of red tables, tick by tick."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from sf_assets.assets.dbt_automation import FOLLOW
from sf_assets.assets.factory import KINDS
from sf_assets.assets.naming import Naming
from sf_assets.specs.endpoints import endpoints

QUIET = {"run_config": {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}}
MARTS = {
    "pipeline_by_stage": ("account", "opportunity", "organization", "record_type", "user", "user_role"),
    "stage_duration": ("opportunity", "opportunity_history"),
    "rep_activity": ("case", "event", "task", "user", "user_role"),
}
TABLES = sorted(set().union(*MARTS.values()))


class Story:
    """Tables that have a version and a blocking check, marts over them, and a daemon that ticks each minute."""

    def __init__(self, instance, marts=MARTS, *, separate_check=False):
        self.instance, self.cursor, self.now = instance, None, datetime(2026, 3, 10, 12, 0, 30, tzinfo=UTC)
        self.versions = dict.fromkeys(TABLES, 1)
        self.red, self.broken, self.shown = set(), set(), True
        tables = [self.table(spec) for spec in endpoints() if spec.endpoint in TABLES]
        self.marts = [self.mart(name, parents) for name, parents in marts.items()]
        checks = [self.later_check("account")] if separate_check else []
        self.job = dg.Definitions([*tables, *self.marts]).resolve_implicit_global_asset_job_def()
        self.defs = dg.Definitions([*tables, *self.marts], asset_checks=checks)

    def table(self, spec):
        key = Naming().key(spec.endpoint)
        blocking = dg.AssetCheckSpec("complete", asset=key, blocking=True)

        @dg.asset(key=key, kinds=KINDS, check_specs=[blocking])
        def table():
            yield dg.MaterializeResult(data_version=dg.DataVersion(str(self.versions[spec.endpoint])))
            yield dg.AssetCheckResult(check_name="complete", passed=spec.endpoint not in self.red)

        return table

    def mart(self, name, parents):
        keys = [dg.AssetKey(parent.split("/") if "/" in parent else ["salesforce", parent]) for parent in parents]

        @dg.asset(key=["marts", name], deps=keys, automation_condition=FOLLOW)
        def mart():
            if name in self.broken:
                raise dg.Failure("the model does not compile")

        return mart

    def later_check(self, endpoint):
        @dg.asset_check(asset=dg.AssetKey(["salesforce", endpoint]), name="visible_in_snowflake", blocking=True)
        def visible_in_snowflake():
            return dg.AssetCheckResult(passed=self.shown)

        return visible_in_snowflake

    def run(self, *keys):
        """Execute assets with their own checks in one run, by endpoint or key; without names all tables."""
        selection = [dg.AssetKey(key.split("/") if "/" in key else ["salesforce", key]) for key in keys or TABLES]
        self.job.execute_in_process(instance=self.instance, asset_selection=selection, raise_on_error=False, **QUIET)

    def run_check(self, endpoint):
        key = dg.AssetCheckKey(dg.AssetKey(["salesforce", endpoint]), "visible_in_snowflake")
        job = self.defs.resolve_implicit_global_asset_job_def().get_subset(asset_check_selection={key})
        job.execute_in_process(instance=self.instance, raise_on_error=False, **QUIET)

    def change(self, *names):
        """New data in tables, each brought in by a run of all of them."""
        for name in names or TABLES:
            self.versions[name] += 1
        self.run(*names)

    def tick(self, minutes=1):
        """What the daemon asks for, by name."""
        self.now += timedelta(minutes=minutes)
        result = dg.evaluate_automation_conditions(
            self.defs, self.instance, cursor=self.cursor, evaluation_time=self.now,
            asset_selection=dg.AssetSelection.assets(*(mart.key for mart in self.marts)),
        )  # fmt: skip
        self.cursor = result.cursor
        return sorted(mart.key.path[-1] for mart in self.marts if result.get_num_requested(mart.key))

    def follow(self, minutes=1):
        """A tick, and one run of what it asks for, as the daemon launches it."""
        names = self.tick(minutes)
        if names:
            self.run(*(f"marts/{name}" for name in names))
        return names


@pytest.fixture
def story(instance):
    """All tables filled, all marts built, and the daemon at rest."""
    story_at_rest = Story(instance)
    story_at_rest.run()
    assert story_at_rest.follow() == sorted(MARTS)
    assert story_at_rest.follow() == []
    return story_at_rest


@pytest.fixture
def instance(tmp_path):
    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path)) as ephemeral:
        yield ephemeral


def test_no_mart_is_built_before_all_its_tables_are_there(instance):
    story = Story(instance)
    assert story.follow() == []

    story.run("opportunity")
    assert story.follow() == []
    story.run("opportunity_history")

    assert story.follow() == ["stage_duration"]


def test_after_one_table_has_changed_its_marts_alone_are_asked_for(story):
    story.change("opportunity_history")
    assert story.follow() == ["stage_duration"]

    story.change("opportunity")
    assert story.follow() == ["pipeline_by_stage", "stage_duration"]
    assert story.follow() == []


def test_after_all_tables_have_changed_each_mart_is_asked_for_once(story):
    story.change()

    assert story.follow() == sorted(MARTS)
    assert [story.follow() for _ in range(5)] == [[]] * 5


def test_a_sync_without_news_asks_for_nothing(story):
    story.run()

    assert [story.follow() for _ in range(3)] == [[]] * 3


def test_tables_that_came_in_separate_runs_between_two_ticks_ask_once(story):
    for name in MARTS["pipeline_by_stage"]:
        story.change(name)

    assert "pipeline_by_stage" in story.follow()
    assert story.follow() == []


def test_a_change_while_the_mart_is_built_is_not_lost(story):
    story.change("task")
    names = story.tick()

    story.change("task")
    story.run(*(f"marts/{name}" for name in names))

    assert names == ["rep_activity"]
    assert story.follow() == ["rep_activity"]
    assert story.follow() == []


def test_a_mart_whose_run_failed_is_tried_again_each_quarter_of_an_hour(story):
    story.broken.add("rep_activity")
    story.change("task")
    assert story.follow() == ["rep_activity"]

    ticks = [story.follow(minutes=5) for _ in range(12)]
    assert ticks.count(["rep_activity"]) == 4
    assert ticks.count([]) == 8

    story.broken.clear()
    assert sum((story.follow(minutes=5) for _ in range(9)), []) == ["rep_activity"]


def test_a_mart_that_failed_beside_others_is_tried_alone(story):
    story.broken.add("stage_duration")
    story.change("opportunity")
    assert story.follow() == ["pipeline_by_stage", "stage_duration"]

    story.broken.clear()

    assert story.follow(minutes=15) == ["stage_duration"]


def test_a_red_table_holds_its_marts_and_no_others_until_it_is_green(story):
    story.red.add("task")
    story.change("task", "opportunity")
    assert story.follow() == ["pipeline_by_stage", "stage_duration"]
    assert [story.follow() for _ in range(3)] == [[]] * 3

    story.red.clear()
    story.run("task")  # no news, but the check is green

    assert story.follow() == ["rep_activity"]


def test_marts_built_in_the_run_of_their_tables_are_not_built_again(story):
    for name in TABLES:
        story.versions[name] += 1

    story.run(*TABLES, *(f"marts/{name}" for name in MARTS))

    assert [story.follow() for _ in range(3)] == [[]] * 3


def test_a_mart_over_a_mart_is_built_in_the_same_run_and_once(instance):
    story = Story(instance, {**MARTS, "forecast": ("marts/pipeline_by_stage", "organization")})
    story.run()
    assert "forecast" in story.follow()

    story.change("account")

    assert story.follow() == ["forecast", "pipeline_by_stage"]
    assert [story.follow() for _ in range(3)] == [[]] * 3


def test_a_check_that_is_a_step_of_its_own_is_awaited_for_each_version(instance):
    story = Story(instance, separate_check=True)
    story.run()
    assert story.follow() == ["rep_activity", "stage_duration"]
    story.run_check("account")
    assert story.follow() == ["pipeline_by_stage"]

    story.change("account")
    assert [story.follow() for _ in range(3)] == [[]] * 3  # its last result was for the version before
    story.shown = False
    story.run_check("account")
    assert [story.follow() for _ in range(3)] == [[]] * 3
    story.shown = True
    story.run_check("account")

    assert story.follow() == ["pipeline_by_stage"]
    assert story.follow() == []
