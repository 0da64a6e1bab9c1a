"""The dbt project in Dagster: off by default and without cost, joined to the tables, asked for with their news."""

import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from sf_assets.assets.deployments import read_deployment
from sf_assets.definitions import build_definitions
from sf_assets.errors import ConfigError
from sf_assets.specs.endpoints import endpoints

EXTRA = ("dagster_dbt", "dbt", "duckdb")
KEYS = [dg.AssetKey(["salesforce", spec.endpoint]) for spec in endpoints()]


def test_without_the_setting_dbt_is_not_imported_and_there_are_no_marts():
    program = (
        "import sys; from sf_assets.definitions import defs; "
        "print(len(list(defs.resolve_all_asset_specs())), *(name for name in sys.modules if name.split('.')[0] in "
        f"{EXTRA} or name == 'sf_assets.assets.dbt'))"
    )

    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env={})

    assert process.stdout.split() == ["31"]


def test_without_the_extra_a_person_is_told_what_to_install():
    program = (
        "import sys; sys.modules['dagster_dbt'] = None\n"
        "from sf_assets.errors import ConfigError\n"
        "try:\n    import sf_assets.definitions\n"
        "except ConfigError as error:\n    print(error, error.remedy)"
    )

    env = {"SF_ASSETS_DBT": "1"}
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=env)

    assert process.stdout == "SF_ASSETS_DBT is 1, and dagster_dbt is not installed Install the extra: sf-assets[dbt].\n"


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    pytest.importorskip("dagster_dbt", reason="the extra dbt is not installed")
    return {"SF_ASSETS_DBT": "1", "SF_ASSETS_HOME": str(tmp_path_factory.mktemp("home"))}


@pytest.fixture(scope="module")
def defs(environment):
    return build_definitions(read_deployment(environment))


@pytest.fixture(scope="module")
def graph(defs):
    return defs.resolve_asset_graph()


@pytest.fixture
def instance(tmp_path):
    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path)) as ephemeral:
        yield ephemeral


def marts(graph):
    return sorted(key.path[-1] for key in graph.get_all_asset_keys() if key.path[0] == "marts")


def followers(graph, *endpoint_names):
    """The marts that hang on one of the endpoints."""
    keys = {dg.AssetKey(["salesforce", name]) for name in endpoint_names}
    return [name for name in marts(graph) if graph.get(dg.AssetKey(["marts", name])).parent_keys & keys]


def test_every_mart_hangs_on_our_tables_and_on_nothing_else(graph):
    assert marts(graph) == [
        "lead_conversion",
        "permission_audit",
        "pipeline_by_stage",
        "product_performance",
        "quote_to_order",
        "rep_activity",
        "stage_duration",
        "win_rate",
    ]
    for name in marts(graph):
        parents = graph.get(dg.AssetKey(["marts", name])).parent_keys
        assert parents <= set(KEYS)
        assert parents
    assert {*graph.external_asset_keys} == {dg.AssetKey("salesforce_org")}


def test_dbts_tests_are_checks_of_the_marts_and_the_tables_keep_their_own(graph):
    checks = {}
    for key in graph.asset_check_keys:
        checks.setdefault(key.asset_key, set()).add(key.name)

    assert all(checks[key] == {"complete", "as_specified", "current"} for key in KEYS)
    assert {name for name in marts(graph) if dg.AssetKey(["marts", name]) not in checks} == set()
    assert "not_null_win_rate_owner_id" in checks[dg.AssetKey(["marts", "win_rate"])]


def test_the_marts_have_a_running_sensor_of_their_own(defs):
    [sensor] = [sensor for sensor in defs.sensors if sensor.name == "marts"]

    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
    assert sensor.minimum_interval_seconds == 60


def test_one_dbt_at_a_time_writes_the_database(defs):
    [op] = {asset.op for asset in defs.assets or () if "marts" in str(getattr(asset, "keys", ""))}

    assert op.pool == "marts"


@pytest.fixture(scope="module")
def emea(environment, defs):
    """The location of another org over the same home; the project reads alike, so dbt is spared a second parse."""
    home = read_deployment(environment).home
    shutil.copytree(home / "dbt", home / "dbt_emea")
    return build_definitions(read_deployment({**environment, "SF_ASSETS_ORG": "emea"}))


def test_two_orgs_have_marts_of_their_own_each_on_its_own_tables(emea, graph):
    there = emea.resolve_asset_graph()

    for name in marts(graph):
        parents = graph.get(dg.AssetKey(["marts", name])).parent_keys
        assert there.get(dg.AssetKey(["marts_emea", name])).parent_keys == {
            dg.AssetKey(["salesforce_emea", key.path[-1]]) for key in parents
        }
    assert not there.get_all_asset_keys() & graph.get_all_asset_keys()


def test_two_orgs_do_not_wait_for_each_others_marts(emea):
    [op] = {asset.op for asset in emea.assets or () if "marts" in str(getattr(asset, "keys", ""))}

    assert op.pool == "marts_emea"
    assert "marts_emea" in {sensor.name for sensor in emea.sensors}


def test_a_source_named_after_another_org_is_joined_to_that_orgs_tables(environment):
    pytest.importorskip("dagster_dbt")
    from sf_assets.assets.dbt import Translator
    from sf_assets.assets.naming import Naming

    source = {"resource_type": "source", "source_name": "salesforce_emea", "name": "account"}

    assert Translator(Naming()).get_asset_key(source) == Naming("emea").key("account")
    assert Translator(Naming("us")).get_asset_key(source | {"source_name": "salesforce"}) == Naming("us").key("account")


def test_a_manifest_is_parsed_again_only_after_a_project_file_has_changed(environment, defs):
    home = read_deployment(environment).home
    manifest = home / "dbt/duckdb/manifest.json"
    before = manifest.stat().st_mtime_ns

    build_definitions(read_deployment(environment))

    assert manifest.stat().st_mtime_ns == before
    assert sorted(path.name for path in manifest.parent.iterdir()) == ["manifest.json", "partial_parse.msgpack"]


def test_a_folder_without_a_project_is_refused(environment, tmp_path):
    with pytest.raises(ConfigError, match="holds no dbt project") as error_info:
        build_definitions(read_deployment({**environment, "SF_ASSETS_DBT_PROJECT": str(tmp_path)}))

    assert "SF_ASSETS_DBT_PROJECT" in error_info.value.remedy


def test_a_project_that_dbt_cannot_read_is_refused_with_what_dbt_says(environment, tmp_path):
    (tmp_path / "dbt_project.yml").write_text("name: [")

    with pytest.raises(ConfigError, match="dbt cannot read"):
        build_definitions(
            read_deployment({**environment, "SF_ASSETS_DBT_PROJECT": str(tmp_path), "SF_ASSETS_HOME": str(tmp_path)})
        )
    assert list((tmp_path / "dbt/duckdb").iterdir()) == []


class Daemon:
    """Ticks over the real assets; what would run in between is reported as events."""

    def __init__(self, defs, graph, instance):
        self.defs, self.graph, self.instance = defs, graph, instance
        self.cursor, self.now = None, datetime(2026, 3, 10, 12, 0, 30, tzinfo=UTC)

    def report_syncs(self, version, *endpoint_names):
        for key in KEYS:
            if not endpoint_names or key.path[-1] in endpoint_names:
                tags = {"dagster/data_version": version}
                evaluation = dg.AssetCheckEvaluation(key, check_name="complete", passed=True)
                self.instance.report_runless_asset_event(dg.AssetMaterialization(key, tags=tags))
                self.instance.report_runless_asset_event(evaluation)

    def tick(self):
        """The marts that are asked for, each as often as it is, and built at once."""
        self.now += timedelta(minutes=1)
        keys = [dg.AssetKey(["marts", name]) for name in marts(self.graph)]
        result = dg.evaluate_automation_conditions(
            self.defs, self.instance, cursor=self.cursor, evaluation_time=self.now,
            asset_selection=dg.AssetSelection.assets(*keys),
        )  # fmt: skip
        self.cursor = result.cursor
        for key in keys:
            if result.get_num_requested(key):
                self.instance.report_runless_asset_event(dg.AssetMaterialization(key))
        return [key.path[-1] for key in keys for _ in range(result.get_num_requested(key))]


@pytest.fixture
def daemon(defs, graph, instance):
    daemon_at_rest = Daemon(defs, graph, instance)
    daemon_at_rest.report_syncs("1")
    assert daemon_at_rest.tick() == marts(graph)
    assert daemon_at_rest.tick() == []
    return daemon_at_rest


@pytest.mark.parametrize("endpoint", ["opportunity_history", "opportunity", "user", "organization", "quote", "contact"])
def test_after_all_thirty_ran_and_one_changed_only_its_marts_are_asked_for(daemon, graph, endpoint):
    daemon.report_syncs("1")
    daemon.report_syncs("2", endpoint)

    assert daemon.tick() == followers(graph, endpoint)
    assert daemon.tick() == []


def test_after_a_tick_in_which_all_changed_each_mart_is_asked_for_once(daemon, graph):
    daemon.report_syncs("2")

    assert daemon.tick() == marts(graph)
    assert [daemon.tick() for _ in range(5)] == [[]] * 5


def test_syncs_without_news_ask_for_no_mart(daemon):
    daemon.report_syncs("1")

    assert [daemon.tick() for _ in range(3)] == [[]] * 3
