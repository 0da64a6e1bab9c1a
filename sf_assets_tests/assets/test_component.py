"""The component: one YAML file an org, two orgs in one code location, secrets by name alone."""

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import dagster as dg
import pytest

from sf_assets import SalesforceOrg
from sf_assets.assets.component_scaffolder import TEXT
from sf_assets.assets.resources import local_catalog
from sf_assets.devorg import sample_org, serve
from sf_assets.devorg.api.server import Server
from sf_assets.errors import ConfigError
from sf_assets.iceberg.tables import IcebergTables
from sf_assets.specs.endpoints import endpoints

pytestmark = pytest.mark.filterwarnings("ignore:`parse_obj_as` is deprecated")  # Dagster's own call
PRODUCTION = {
    "instance_url": "acme.my.salesforce.com",
    "login": {"consumer_key": "CRM_KEY", "username": "CRM_USER", "private_key": "CRM_PEM"},
}


def component(attributes):
    return SalesforceOrg.resolve_from_yaml(json.dumps(attributes))


def build(built, state=None):
    return built.build_defs_from_state(dg.ComponentTree.for_test().load_context, state)


def definitions(attributes):
    return build(component(attributes))


def specs_of(defs):
    return {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("SF_ASSETS_HOME", str(tmp_path))
    return tmp_path


def test_the_scaffolded_file_gives_thirty_assets(home):
    text = TEXT.format(name="crm").partition("attributes:")[2]

    defs = build(SalesforceOrg.resolve_from_yaml(text))

    assert {f"salesforce/{spec.endpoint}" for spec in endpoints()} < set(specs_of(defs))


def test_endpoints_are_chosen_by_name_and_group(home):
    keys = specs_of(definitions({"endpoints": ["crm_core", "task"]}))

    assert {key.partition("/")[2] for key in keys if "/" in key} == {
        "account", "contact", "lead", "opportunity", "case", "task",
    }  # fmt: skip


def test_bulk_jobs_are_set_for_the_org_and_for_one_endpoint(home):
    org = component({"bulk": "never", "overrides": {"account": {"bulk": "always"}}})

    modes = {spec.endpoint: spec.bulk for spec in org.specs(Path("x.yaml"))}

    assert org.deployment().salesforce.bulk == "never"
    assert (modes["account"], modes["contact"]) == ("always", "default")


def test_a_custom_object_becomes_an_endpoint(home):
    invoice = {"object": "Invoice__c", "cadence": "daily", "excluded": ["Secret__c"]}

    spec = next(
        spec for spec in component({"custom_objects": [invoice]}).specs(Path("x.yaml")) if spec.endpoint == "invoice"
    )

    assert (spec.sobject, spec.cadence, spec.excluded) == ("Invoice__c", "daily", ("Secret__c",))
    assert spec.query.standard
    assert spec.query.custom


def test_translation_changes_the_group_and_not_the_key(home):
    translation = {"group_name": "sales_{{ endpoint.endpoint }}"}
    moved = specs_of(definitions({"endpoints": ["account"], "translation": translation}))

    assert moved["salesforce/account"].group_name == "sales_account"
    with pytest.raises(ConfigError, match="asset key would change"):
        definitions({"endpoints": ["account"], "translation": {"key": "other"}})


@pytest.mark.parametrize(
    ("attributes", "named"),
    [
        ({"org": "Not A Name"}, "org is"),
        ({"requests_per_second": 0}, "requests_per_second is"),
        ({"endpoints": ["acount"]}, "no endpoint or group is named"),
        ({"overrides": {"account": {"cadence": "weekly"}}}, "overrides.account"),
        ({"custom_objects": [{"object": "Not a name"}]}, "custom_objects, row 1"),
    ],
)
def test_a_wrong_value_names_the_file_and_the_attribute(home, attributes, named):
    with pytest.raises(ConfigError, match=named) as refusal:
        definitions(attributes)

    assert refusal.value.values["path"]


def test_secrets_are_variable_names(home, monkeypatch):
    for name in ("CRM_KEY", "CRM_USER", "CRM_PEM"):
        monkeypatch.setenv(name, "s3cr3t-value")

    built = component(PRODUCTION)
    deployment = built.deployment()

    assert "s3cr3t-value" not in repr(built) + repr(deployment)
    assert "CRM_PEM" in repr(deployment.salesforce)


def test_the_state_gives_columns_before_the_first_run(home, tmp_path):
    with serve(sample_org(seed=3, rows={"Account": 5})) as served:
        built = practice(served, home, org="")
        built.write_state_to_path(tmp_path / "state")

    defs = build(built, tmp_path / "state")

    schema = specs_of(defs)["salesforce/product"].metadata["dagster/column_schema"]
    assert {"id", "name", "system_modstamp", "_synced_at"} <= {column.name for column in schema.columns}


def practice(served: Server, home: Path, *, org: str) -> SalesforceOrg:
    folder = home / (f"practice_{org}" if org else "practice")
    folder.mkdir()
    (folder / "credentials.json").write_text(json.dumps(served.credentials))
    names = {"org": org} if org else {}
    return component(
        {"instance_url": served.url, "practice": True, "endpoints": ["product"], "requests_per_second": 100, **names}
    )


@pytest.mark.filterwarnings("ignore:InitResourceContext.dagster_run")  # Dagster's own call, in process
def test_two_orgs_of_one_code_location_sync_in_one_run(home):
    with ExitStack() as stack:
        first = stack.enter_context(serve(sample_org(seed=1, rows={"Product2": 4})))
        second = stack.enter_context(serve(sample_org(seed=2, rows={"Product2": 6})))
        orgs = [practice(first, home, org=""), practice(second, home, org="emea")]
        defs = dg.Definitions.merge(*(build(org) for org in orgs))
        instance = stack.enter_context(dg.instance_for_test(temp_dir=str(home)))

        result = defs.resolve_implicit_global_asset_job_def().execute_in_process(instance=instance)

    assert result.success
    for namespace, served in (("salesforce", first), ("salesforce_emea", second)):
        tables = IcebergTables("salesforce", namespace, local_catalog(home / "lake/practice"))
        assert tables.facts("product").rows == len(served.org.rows("Product2"))
        assert tables.scan("_sync_status").select("endpoint").collect()["endpoint"].to_list() == ["product"]
        assert instance.get_latest_materialization_event(dg.AssetKey(f"{namespace}_org")) is not None


@pytest.mark.slow
def test_dg_scaffolds_checks_and_lists_the_component(tmp_path):
    project, dg_command = tmp_path / "proj", [str(Path(sys.executable).with_name("dg"))]
    (project / "src/proj/defs").mkdir(parents=True)
    (project / "src/proj/__init__.py").touch()
    (project / "src/proj/defs/__init__.py").touch()
    (project / "pyproject.toml").write_text(
        '[project]\nname = "proj"\nversion = "0"\n[tool.dg]\ndirectory_type = "project"\n'
        '[tool.dg.project]\nroot_module = "proj"\n'
    )
    (project / "src/proj/definitions.py").write_text(
        "from pathlib import Path\n\nfrom dagster import definitions, load_from_defs_folder\n\n\n"
        "@definitions\ndef defs():\n    return load_from_defs_folder(path_within_project=Path(__file__).parent)\n"
    )
    env = {**os.environ, "PYTHONPATH": str(project / "src"), "DAGSTER_HOME": str(tmp_path), "NO_COLOR": "1"}

    def run(*arguments):
        done = subprocess.run(
            [*dg_command, *arguments], cwd=project, env=env, capture_output=True, text=True, check=False, timeout=300
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("scaffold", "defs", "sf_assets.SalesforceOrg", "crm")
    run("check", "yaml")
    listed = json.loads(run("list", "defs", "--json"))

    keys = {asset["asset_key"] for asset in listed["assets"]}
    assert {f"salesforce/{spec.endpoint}" for spec in endpoints()} <= keys
