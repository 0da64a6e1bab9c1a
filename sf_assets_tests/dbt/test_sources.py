"""The dbt project's generated files follow the specs, and all its sources are our assets."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from jinja2.sandbox import SandboxedEnvironment

from sf_assets.assets.deployments import read_deployment
from sf_assets.assets.freshness import CADENCES
from sf_assets.commands.marts import database
from sf_assets.downstream.sources import FRESHNESS, SOURCES, project_files, staging_model
from sf_assets.specs.endpoints import endpoints
from sf_assets.specs.naming import column_name
from sf_assets.sync.columns import plan_columns

PROJECT = Path(__file__).parents[2] / "dbt"
SPECS = {spec.endpoint: spec for spec in endpoints()}
FILES = project_files(endpoints())
SOURCE = yaml.load(FILES[SOURCES], Loader=yaml.CSafeLoader)["sources"][0]
TABLES = {table["name"]: table for table in SOURCE["tables"]}


@pytest.mark.parametrize("path", FILES)
def test_the_projects_files_are_what_the_specs_say(path):
    assert (PROJECT / path).read_text() == FILES[path], "write them anew: sf-assets sources"


def test_no_staging_model_is_left_of_an_endpoint_that_is_gone():
    model_paths = {str(path.relative_to(PROJECT)) for path in (PROJECT / "models/staging").glob("stg_*.sql")}

    assert model_paths == {path for path in FILES if path.endswith(".sql")}


def test_every_endpoint_is_a_table_of_the_source_beside_the_status():
    assert SOURCE["name"] == "salesforce"
    assert list(TABLES) == [*SPECS, "_sync_status"]


@pytest.mark.parametrize("endpoint", SPECS)
def test_the_columns_and_their_types_are_the_tables(endpoint):
    columns = {column["name"]: column["data_type"] for column in TABLES[endpoint]["columns"]}

    types = {column.name: column.snowflake for column in plan_columns(SPECS[endpoint], None).table}
    assert columns == {**types, "_synced_at": "TIMESTAMP_LTZ(6)"}


@pytest.mark.parametrize("endpoint", SPECS)
def test_every_key_is_tested(endpoint):
    columns = {column["name"]: column.get("data_tests", []) for column in TABLES[endpoint]["columns"]}

    keys = SPECS[endpoint].keys
    assert all("not_null" in columns[key] for key in keys)
    together = [test["unique_combination"]["arguments"]["columns"] for test in TABLES[endpoint].get("data_tests", [])]
    assert together == ([list(keys)] if len(keys) > 1 else [])
    assert len(keys) > 1 or "unique" in columns[keys[0]]


def test_a_reference_is_tested_when_it_has_one_target_among_the_endpoints():
    relationships = {
        (name, column["name"]): test["relationships"]
        for name, table in TABLES.items()
        for column in table["columns"]
        for test in column.get("data_tests", [])
        if isinstance(test, dict)
    }

    assert relationships["opportunity", "account_id"] == {
        "arguments": {"to": "source('salesforce', 'account')", "field": "id"},
        "config": {"severity": "warn"},
    }
    assert ("task", "who_id") not in relationships
    assert ("case", "owner_id") not in relationships
    for endpoint, column in relationships:
        fields = {column_name(field.name): field for field in SPECS[endpoint].catalogue}
        assert len(fields[column].reference_to) == 1


@pytest.mark.parametrize("org", ["", "emea"])
def test_dbt_uses_the_tables_and_marts_names_of_the_orgs_code_location(org, tmp_path):
    env = {"SF_ASSETS_ORG": org, "SF_ASSETS_HOME": str(tmp_path)}
    deployment = read_deployment(env)
    profile = yaml.safe_load((PROJECT / "profiles.yml").read_text())["sf_assets"]["outputs"]

    def render(text):
        target = SimpleNamespace(type="duckdb", database="analytics")
        template = SandboxedEnvironment().from_string(text)  # as dbt's own is
        return template.render(target=target, env_var=env.get, var=lambda name, other: other)

    assert render(SOURCE["schema"]) == deployment.iceberg.namespace
    assert render(profile["duckdb"]["path"]) == str(database(tmp_path, deployment.naming))
    assert {render(output["schema"]) for output in profile.values()} == {deployment.naming.of_org("marts")}


def test_freshness_reads_the_status_table_and_warns_about_a_late_table():
    for endpoint, spec in SPECS.items():
        config = TABLES[endpoint]["config"]
        warn, fail = FRESHNESS[spec.cadence]
        assert "_sync_status" in config["loaded_at_query"]
        assert f"'{endpoint}'" in config["loaded_at_query"]
        assert config["freshness"]["warn_after"] == {"count": warn, "period": "hour"}
        assert warn == CADENCES[spec.cadence].promise.total_seconds() / 3600 < fail


@pytest.mark.parametrize("endpoint", SPECS)
def test_no_two_columns_of_a_staging_model_have_one_name(endpoint):
    names = [column.name for column in plan_columns(SPECS[endpoint], None).table]
    model = staging_model(SPECS[endpoint])
    excluded_names = model.split("exclude (")[1].split(")")[0].split(", ")

    new_names = [line.strip(" ,").split(" as ")[1] for line in model.splitlines() if " as " in line]

    names_left = [name for name in names if name not in excluded_names]
    assert len({*names_left, *new_names}) == len(names_left) + len(new_names)


def test_staging_drops_deleted_rows_wherever_salesforce_shows_them():
    for spec in SPECS.values():
        assert ("where not coalesce(is_deleted, false)" in staging_model(spec)) == spec.has_is_deleted


def test_every_mart_has_a_description_of_itself():
    models = yaml.safe_load((PROJECT / "models/marts/marts.yml").read_text())["models"]

    marts = {path.stem for path in (PROJECT / "models/marts").glob("*.sql")}
    assert {model["name"] for model in models if model["description"]} == marts
