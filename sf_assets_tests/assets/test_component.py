"""The component: one YAML file an org, two orgs in one code location, secrets by name alone."""

import json
import os
import shlex
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


def build(org_component, state=None):
    return org_component.build_defs_from_state(dg.ComponentTree.for_test().load_context, state)


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
    translated_specs = specs_of(definitions({"endpoints": ["account"], "translation": translation}))

    assert translated_specs["salesforce/account"].group_name == "sales_account"
    with pytest.raises(ConfigError, match="asset key would change"):
        definitions({"endpoints": ["account"], "translation": {"key": "other"}})


@pytest.mark.parametrize(
    ("attributes", "attribute"),
    [
        ({"org": "Not A Name"}, "org is"),
        ({"requests_per_second": 0}, "requests_per_second is"),
        ({"endpoints": ["acount"]}, "no endpoint or group is named"),
        ({"overrides": {"account": {"cadence": "weekly"}}}, "overrides.account"),
        ({"custom_objects": [{"object": "Not a name"}]}, "custom_objects, row 1"),
    ],
)
def test_a_wrong_value_names_the_file_and_the_attribute(home, attributes, attribute):
    with pytest.raises(ConfigError, match=attribute) as refusal:
        definitions(attributes)

    assert refusal.value.values["path"]


def test_secrets_are_variable_names(home, monkeypatch):
    for name in ("CRM_KEY", "CRM_USER", "CRM_PEM"):
        monkeypatch.setenv(name, "s3cr3t-value")

    production_org = component(PRODUCTION)
    deployment = production_org.deployment()

    assert "s3cr3t-value" not in repr(production_org) + repr(deployment)
    assert "CRM_PEM" in repr(deployment.salesforce)


def test_the_state_gives_columns_before_the_first_run(home, tmp_path):
    with serve(sample_org(seed=3, rows={"Account": 5})) as server:
        org_component = practice(server, home, org="")
        org_component.write_state_to_path(tmp_path / "state")

    defs = build(org_component, tmp_path / "state")

    schema = specs_of(defs)["salesforce/product"].metadata["dagster/column_schema"]
    assert {"id", "name", "system_modstamp", "_synced_at"} <= {column.name for column in schema.columns}


@pytest.mark.filterwarnings("ignore:InitResourceContext.dagster_run")  # Dagster's own call, in process
def test_a_sync_updates_the_columns_of_the_state(home, tmp_path):
    state = tmp_path / "state"
    state.write_text(json.dumps({"product": [], "account": ["kept"]}))
    with (
        serve(sample_org(seed=3, rows={"Product2": 3})) as server,
        dg.instance_for_test(temp_dir=str(home)) as instance,
    ):
        defs = build(practice(server, home, org=""), state)
        assert defs.resolve_implicit_global_asset_job_def().execute_in_process(instance=instance).success

    saved_columns = json.loads(state.read_text())
    assert {"id", "name", "system_modstamp"} <= {column["name"] for column in saved_columns["product"]}
    assert saved_columns["account"] == ["kept"]


def practice(server: Server, home: Path, *, org: str) -> SalesforceOrg:
    folder = home / (f"practice_{org}" if org else "practice")
    folder.mkdir()
    (folder / "credentials.json").write_text(json.dumps(server.credentials))
    names = {"org": org} if org else {}
    return component(
        {"instance_url": server.url, "practice": True, "endpoints": ["product"], "requests_per_second": 100, **names}
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
    for namespace, server in (("salesforce", first), ("salesforce_emea", second)):
        tables = IcebergTables("salesforce", namespace, local_catalog(home / "lake/practice"))
        assert tables.facts("product").rows == len(server.org.rows("Product2"))
        assert tables.scan("_sync_status").select("endpoint").collect()["endpoint"].to_list() == ["product"]
        assert instance.get_latest_materialization_event(dg.AssetKey(f"{namespace}_org")) is not None


class Project:
    """An empty `dg` project, and `dg` in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "proj"
        package = self.folder / "src/proj"
        (package / "defs").mkdir(parents=True)
        for name in ("__init__.py", "defs/__init__.py"):
            (package / name).touch()
        (self.folder / "pyproject.toml").write_text(
            '[project]\nname = "proj"\nversion = "0"\n[tool.dg]\ndirectory_type = "project"\n'
            '[tool.dg.project]\nroot_module = "proj"\n'
        )
        (package / "definitions.py").write_text(
            "from pathlib import Path\n\nfrom dagster import definitions, load_from_defs_folder\n\n\n"
            "@definitions\ndef defs():\n    return load_from_defs_folder(path_within_project=Path(__file__).parent)\n"
        )
        self.yaml = package / "defs/crm/defs.yaml"
        home = folder / "home"
        home.mkdir()
        self.env = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("SF_", "SALESFORCE_"))},
            "PYTHONPATH": str(self.folder / "src"),
            "DAGSTER_HOME": str(home),
            "NO_COLOR": "1",
        }

    def command(self, text: str) -> list[str]:
        """Return a command of the docs with this environment's `dg`."""
        program, *arguments = shlex.split(text)
        return [str(Path(sys.executable).with_name(program)), *arguments]

    def run(self, text: str) -> str:
        process = subprocess.run(
            self.command(text), cwd=self.folder, env=self.env, capture_output=True, text=True, check=False, timeout=600
        )
        assert process.returncode == 0, process.stdout + process.stderr
        return process.stdout

    def names_the_org(self, server: Server) -> None:
        """Point the scaffolded file at a practice org on another port, with that org's credentials."""
        practice = Path(self.env["DAGSTER_HOME"]) / "practice"
        practice.mkdir()
        (practice / "credentials.json").write_text(json.dumps(server.credentials))
        host = f"  instance_url: {server.url}\n  practice: true\n"
        self.yaml.write_text(self.yaml.read_text().replace("attributes:\n", f"attributes:\n{host}"))


def documented_command(word: str) -> str:
    """Return the command of docs/dagster.md that begins with a word."""
    lines = (Path(__file__).parents[2] / "docs/dagster.md").read_text().splitlines()
    return next(line.strip() for line in lines if line.startswith("       ") and line.strip().startswith(word))


# `dg dev` of the docs is run by sf_assets_tests/browser/test_two_orgs.py: Dagster needs a minute of CPU to start it.
@pytest.mark.heavy
def test_each_documented_command_runs_in_an_empty_project(tmp_path):
    project = Project(tmp_path)
    with serve(sample_org(seed=3, rows={"Account": 5, "Contact": 5})) as server:
        project.run(documented_command("dg scaffold"))
        project.names_the_org(server)
        project.run(documented_command("dg check"))
        definitions_list = json.loads(project.run(f"{documented_command('dg list')} --json"))
        project.run(documented_command("dg launch"))

        keys = {asset["asset_key"] for asset in definitions_list["assets"]}
        assert {f"salesforce/{spec.endpoint}" for spec in endpoints()} <= keys
        tables = IcebergTables(
            "salesforce", "salesforce", local_catalog(Path(project.env["DAGSTER_HOME"]) / "lake/practice")
        )
        assert tables.facts("account").rows == len(server.org.rows("Account"))
