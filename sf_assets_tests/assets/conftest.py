"""Fixtures of the Dagster floor's tests: a served practice org, a deployment that reads it, and runs over both."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from sf_assets.assets.deployments import Deployment, read_deployment
from sf_assets.definitions import build_definitions
from sf_assets.devorg import Server
from sf_assets.devorg.fixtures import practice_org, practice_seed

__all__ = ["practice_org", "practice_seed"]

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """A Dagster instance in memory."""
    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path)) as ephemeral:
        yield ephemeral


@pytest.fixture
def environment(practice_org: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A production environment whose org is the practice org; its secrets are in this process's environment too."""
    secrets = {f"SALESFORCE_{name.upper()}": value for name, value in practice_org.credentials.items()}
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    return {
        "SF_ASSETS_DEPLOYMENT": "production",
        "SF_ASSETS_HOME": str(tmp_path / "home"),
        "SALESFORCE_INSTANCE_URL": practice_org.url,
        "SALESFORCE_REQUESTS_PER_SECOND": "1000",
        **secrets,
    }


@dataclass
class RunResult:
    """What one run left behind, by endpoint."""

    run_id: str
    success: bool
    materialized: dict[str, dict[str, Any]] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    checks: dict[tuple[str, str], dg.AssetCheckEvaluation] = field(default_factory=dict)
    failures: dict[str, dg.Failure] = field(default_factory=dict)


@dataclass(frozen=True)
class Runs:
    """Runs over the assets of a deployment, in this process, as Dagit launches them."""

    environment: Mapping[str, str]
    instance: dg.DagsterInstance
    salesforce: Mapping[str, Any] = field(default_factory=dict)
    iceberg: Mapping[str, Any] = field(default_factory=dict)

    @property
    def deployment(self) -> Deployment:
        """What the environment says, with the values of the resources that were replaced."""
        read = read_deployment(self.environment)
        salesforce, iceberg = _with(read.salesforce, self.salesforce), _with(read.iceberg, self.iceberg)
        return replace(read, salesforce=salesforce, iceberg=iceberg)

    @property
    def warehouse(self) -> Any:
        """The deployment's tables."""
        return self.deployment.iceberg.tables()

    def under(self, **environment: str) -> "Runs":
        """The same with other variables, and so with another client."""
        return replace(self, environment={**self.environment, **environment})

    def __call__(self, *endpoints: str, config: Mapping[str, Any] | None = None) -> RunResult:
        """Run the endpoints (none: all), each with this config."""
        job = build_definitions(self.deployment).resolve_implicit_global_asset_job_def()
        ops = {f"salesforce__{endpoint}": {"config": dict(config)} for endpoint in endpoints if config}
        result = job.execute_in_process(
            instance=self.instance,
            asset_selection=[dg.AssetKey(["salesforce", endpoint]) for endpoint in endpoints] or None,
            run_config={**QUIET, "ops": ops},
            raise_on_error=False,
        )
        entries = self.instance.all_logs(result.run_id)
        return run_result(
            result.run_id, result.success, [entry.dagster_event for entry in entries if entry.dagster_event]
        )


def _with(resource: Any, values: Mapping[str, Any]) -> Any:
    settings = {name: getattr(resource, name) for name in type(resource).model_fields}
    return type(resource)(**{**settings, **values}) if values else resource


def run_result(run_id: str, success: bool, events: Sequence[dg.DagsterEvent]) -> RunResult:
    """Sort a run's events by endpoint."""
    run = RunResult(run_id, success)
    for event in events:
        if event.is_step_materialization:
            _record_materialization(run, event)
        elif event.event_type_value == "ASSET_CHECK_EVALUATION":
            evaluation = event.asset_check_evaluation_data
            run.checks[evaluation.asset_key.path[-1], evaluation.check_name] = evaluation
        elif event.is_step_failure:
            run.failures[event.step_key.split("__")[-1]] = event.step_failure_data
    return run


def _record_materialization(run: RunResult, event: dg.DagsterEvent) -> None:
    materialization = event.step_materialization_data.materialization
    endpoint = event.asset_key.path[-1]
    run.materialized[endpoint] = {name: value.value for name, value in materialization.metadata.items()}
    run.versions[endpoint] = materialization.tags.get("dagster/data_version", "")


@pytest.fixture
def runs(environment: dict[str, str], instance: dg.DagsterInstance) -> Runs:
    """Runs over the thirty assets of an org and an empty lake of this test's own."""
    return Runs(environment, instance)
