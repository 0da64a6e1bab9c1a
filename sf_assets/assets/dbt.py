"""The dbt project as assets that depend on the tables. Imported only where SF_ASSETS_DBT is 1: dbt costs a second."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtCliResource, dbt_assets

from sf_assets.assets.dbt_automation import FOLLOW
from sf_assets.assets.deployments import Deployment
from sf_assets.assets.fixed_resources import fix_resources
from sf_assets.assets.naming import Naming
from sf_assets.errors import ConfigError

GROUP = "marts"
SOURCE = "salesforce"
"""The name of our tables in the project."""
SOURCE_TESTS = "source:*"
"""Left out of Dagster's runs: the tables have checks of their own, and `dbt test` runs these."""
PARSED = ("manifest.json", "partial_parse.msgpack")


class Translator(DagsterDbtTranslator):
    """The names of dbt models and sources in Dagster. A source has the key of our asset: `salesforce/account`.

    The project's source `salesforce` is the org of this code location; another one keeps its name, so that a source
    `salesforce_emea` is joined to the tables of the location `emea`.
    """

    def __init__(self, naming: Naming) -> None:
        super().__init__()
        self._naming = naming

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """Return `marts/<model>` for a model, and the key of our asset for a source."""
        naming, name = self._naming, dbt_resource_props["name"]
        if dbt_resource_props["resource_type"] != "source":
            return dg.AssetKey([naming.of_org(GROUP), name])
        source = dbt_resource_props["source_name"]
        return naming.key(name) if source == SOURCE else dg.AssetKey([source, name])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """Return the one group of all models."""
        return GROUP

    def get_automation_condition(self, dbt_resource_props: Mapping[str, Any]) -> dg.AutomationCondition[Any]:
        """Return the one condition of all models."""
        return FOLLOW


def build_marts(deployment: Deployment) -> dg.Definitions:
    """Build the dbt project's assets, checks and sensor.

    Raises:
        ConfigError: dbt cannot read the project.
    """
    project, naming = deployment.dbt_project, deployment.naming
    folder = deployment.home / naming.of_org("dbt") / deployment.dbt_target
    options = ("--target", deployment.dbt_target, "--vars", json.dumps({"home": str(deployment.home)}))
    manifest = parsed(project, folder, options)

    @dbt_assets(
        manifest=manifest,
        exclude=SOURCE_TESTS,
        dagster_dbt_translator=Translator(naming),
        name=GROUP,
        pool=naming.of_org(GROUP),
    )
    def marts(context: dg.AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
        target = _run_folder(folder, context.run.run_id)
        yield from dbt.cli(["build", *options[2:]], context=context, target_path=target).stream()
        shutil.rmtree(target, ignore_errors=True)  # kept when dbt fails: its log is in it

    return dg.Definitions(
        assets=[marts],
        sensors=[_sensor(naming.of_org(GROUP), marts.keys)],
        resources=fix_resources({"dbt": _resource(project, deployment.dbt_target)}),
    )


def parsed(project: Path, folder: Path, options: Sequence[str]) -> Path:
    """Return the project's manifest in `folder`, parsed again after a change of the project.

    Several processes may do so at once: each parses in a folder of its own and moves the whole files into place.
    """
    if not (project / "dbt_project.yml").is_file():
        what = f"SF_ASSETS_DBT is 1, and {project} holds no dbt project"
        remedy = "Set SF_ASSETS_DBT_PROJECT to the folder dbt/ of a checkout."
        raise ConfigError(what, remedy=remedy, setting="SF_ASSETS_DBT_PROJECT")
    manifest = folder / PARSED[0]
    if not manifest.exists() or manifest.stat().st_mtime < _last_change(project):
        _parse(project, folder, options)
    return manifest


def _parse(project: Path, folder: Path, options: Sequence[str]) -> None:
    target = _run_folder(folder, f"parse-{os.getpid()}", seeded=False)
    folders = ("--project-dir", project, "--profiles-dir", project, "--target-path", target, "--log-path", target)
    command = [_executable(), "parse", *map(str, folders), *options]
    answer = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    if not answer.returncode:
        for name in reversed(PARSED):
            (target / name).replace(folder / name)
    shutil.rmtree(target, ignore_errors=True)
    if answer.returncode:
        what = f"dbt cannot read {project}: {answer.stdout.strip() or answer.stderr.strip()}"
        raise ConfigError(what, remedy="Correct what dbt names, or unset SF_ASSETS_DBT.", setting="SF_ASSETS_DBT")


def _run_folder(folder: Path, name: str, *, seeded: bool = True) -> Path:
    """Make a folder for one run of dbt, with the parser's state in it."""
    target = folder / name
    target.mkdir(parents=True, exist_ok=True)
    state = folder / PARSED[1]
    if seeded and state.exists():
        shutil.copy(state, target)
    return target


def _last_change(project: Path) -> float:
    files = [path for kind in ("*.yml", "*.sql", "*.md", "*.csv") for path in project.rglob(kind)]
    skipped = {"target", "logs", "dbt_packages"}
    return max(path.stat().st_mtime for path in files if not skipped.intersection(path.relative_to(project).parts))


def _resource(project: Path, target: str) -> DbtCliResource:
    folder = os.fspath(project)
    return DbtCliResource(project_dir=folder, profiles_dir=folder, target=target, dbt_executable=_executable())


def _executable() -> str:
    """Return the dbt of this Python environment, which may not be on the PATH."""
    installed = Path(sys.executable).with_name("dbt")
    return str(installed) if installed.exists() else "dbt"


def _sensor(name: str, keys: Sequence[dg.AssetKey] | Any) -> dg.AutomationConditionSensorDefinition:
    return dg.AutomationConditionSensorDefinition(
        name,
        target=dg.AssetSelection.assets(*keys),
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=60,
        description="Builds the marts of tables that have changed.",
    )
