"""Orgs side by side in one Dagster instance: nothing that it knows by name alone is the same in two code locations."""

import re
from pathlib import Path

import dagster as dg
import pytest

from sf_assets.assets.deployments import read_deployment
from sf_assets.assets.naming import Naming
from sf_assets.definitions import build_definitions
from sf_assets.errors import ConfigError
from sf_assets.specs.endpoints import endpoints

PAGE = Path(__file__).parents[2] / "docs/several-orgs.md"
ORGS = ("", "emea", "us_2")
NAMES = [spec.endpoint for spec in endpoints()]


def deployment(org, **more):
    return read_deployment({"SF_ASSETS_ORG": org, **more})


@pytest.fixture(scope="module")
def locations():
    return {org: build_definitions(deployment(org)) for org in ORGS}


@pytest.fixture(scope="module")
def graphs(locations):
    return {org: definitions.resolve_asset_graph() for org, definitions in locations.items()}


def pools(definitions):
    return {asset.op.pool for asset in definitions.assets if isinstance(asset, dg.AssetsDefinition)}


def assert_apart(sets):
    """No two of the sets have a member in common, and none is empty."""
    assert all(sets)
    assert len(set().union(*sets)) == sum(map(len, sets))


def test_no_two_orgs_have_an_asset_key_in_common(graphs):
    assert_apart([set(graph.get_all_asset_keys()) for graph in graphs.values()])


def test_the_first_part_of_a_key_is_what_a_dbt_project_calls_the_source(graphs):
    keys = {key for key in graphs["emea"].get_all_asset_keys() if len(key.path) == 2}

    assert keys == {dg.AssetKey(["salesforce_emea", name]) for name in NAMES}


def test_every_table_of_an_org_hangs_on_that_org(graphs):
    for org, node in (("", "salesforce_org"), ("emea", "salesforce_emea_org")):
        assert {*graphs[org].external_asset_keys} == {dg.AssetKey(node)}
        assert graphs[org].get(dg.AssetKey(node)).child_keys == graphs[org].materializable_asset_keys


def test_no_two_orgs_wait_for_each_other_in_a_pool(locations):
    assert_apart([pools(definitions) for definitions in locations.values()])


@pytest.mark.parametrize(
    ("one", "other"),
    [(("emea", "account"), ("", "emea_account")), (("a", "user_role"), ("a_user", "role"))],
)
def test_names_that_read_alike_when_joined_have_two_pools(one, other):
    assert Naming(one[0]).pool(one[1]) != Naming(other[0]).pool(other[1])


def test_the_sensors_watch_their_own_orgs_tables(locations):
    sensors = {sensor.name: sensor for sensor in locations["emea"].sensors}
    watched_keys = set().union(*(sensor.asset_selection.selected_keys for sensor in sensors.values()))

    assert set(sensors) == {"salesforce_emea_hourly", "salesforce_emea_six_hours", "salesforce_emea_daily"}
    assert watched_keys == {Naming("emea").key(name) for name in NAMES}


def test_each_practice_org_has_a_folder_of_its_own():
    folders = [deployment(org, SF_ASSETS_HOME="/home").salesforce.credentials.folder for org in ORGS]

    assert folders == ["/home/practice", "/home/practice_emea", "/home/practice_us_2"]
    assert str(deployment("emea", SF_ASSETS_HOME="/home").practice) == "/home/practice_emea"


def test_an_org_has_a_namespace_of_its_own_unless_one_is_named():
    assert [deployment(org).iceberg.namespace for org in ORGS] == ["salesforce", "salesforce_emea", "salesforce_us_2"]
    assert deployment("emea", SF_ASSETS_NAMESPACE="crm").iceberg.namespace == "crm"


@pytest.mark.parametrize("org", ["EMEA", "em-ea", "e/mea", "emea_", "_emea", "e__mea", "é", " ", "emea\n", "x" * 41])
def test_a_name_that_is_no_name_everywhere_is_refused_with_what_to_do(org):
    with pytest.raises(ConfigError, match="^SF_ASSETS_ORG is ") as error_info:
        deployment(org)

    assert "lower-case letters" in error_info.value.remedy


def test_the_page_names_what_the_code_does(locations):
    result = PAGE.read_text(encoding="utf-8").split("## What the name changes")[1].split("##")[0]
    rows = [
        re.findall(r"`([^`]+)`", " ".join(line.split("|")[-3:]))
        for line in result.splitlines()
        if "`, " in line or "` |" in line
    ]

    for naming, column in ((Naming(), 0), (Naming("emea"), 1)):
        names = {row[len(row) // 2 * column] for row in rows if len(row) % 2 == 0}
        assert {
            naming.key("account").to_user_string(),
            naming.org_key.to_user_string(),
            naming.source,
            f"{naming.source}_hourly",
            naming.pool("account"),
            f"{naming.of_org('marts')}/win_rate",
            naming.of_org("marts"),
            f"{naming.of_org('practice')}/",
        } <= names
