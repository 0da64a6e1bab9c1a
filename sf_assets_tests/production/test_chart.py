"""deploy/helm: every value stands where Dagster's chart reads it, and Dagster takes the instance that the chart makes.

The paths and types are those of the chart's own schema and templates (helm/dagster of Dagster's repository), read on
2026-11-24. A key that the chart does not know is ignored by it without a word, so it must be known here.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster._core.instance.ref import InstanceRef

HELM = Path(__file__).parents[2] / "deploy/helm"
FILES = sorted(HELM.glob("*.yaml"))
VALUES = yaml.safe_load((HELM / "values.yaml").read_text(encoding="utf-8"))
DEPLOYMENT = "dagster-user-deployments.deployments[]"
LAUNCHER = "runLauncher.config.k8sRunLauncher"
KNOWN: dict[str, type] = {
    "postgresql.enabled": bool,
    "postgresql.postgresqlHost": str,
    "postgresql.postgresqlUsername": str,
    "postgresql.postgresqlDatabase": str,
    "postgresql.postgresqlScheme": str,
    "global.postgresqlSecretName": str,
    "global.serviceAccountName": str,
    "generatePostgresqlPasswordSecret": bool,
    "dagster-user-deployments.enabled": bool,
    f"{DEPLOYMENT}.name": str,
    f"{DEPLOYMENT}.image.repository": str,
    f"{DEPLOYMENT}.image.tag": str,
    f"{DEPLOYMENT}.image.pullPolicy": str,
    f"{DEPLOYMENT}.dagsterApiGrpcArgs": list,
    f"{DEPLOYMENT}.port": int,
    f"{DEPLOYMENT}.includeConfigInLaunchedRuns.enabled": bool,
    f"{DEPLOYMENT}.env": list,
    f"{DEPLOYMENT}.envConfigMaps": list,
    f"{DEPLOYMENT}.envSecrets": list,
    f"{DEPLOYMENT}.annotations": dict,
    f"{DEPLOYMENT}.podSecurityContext": dict,
    f"{DEPLOYMENT}.securityContext": dict,
    f"{DEPLOYMENT}.resources": dict,
    "serviceAccount.create": bool,
    "serviceAccount.name": str,
    "serviceAccount.annotations": dict,
    "runLauncher.type": str,
    f"{LAUNCHER}.envConfigMaps": list,
    f"{LAUNCHER}.envSecrets": list,
    f"{LAUNCHER}.resources": dict,
    f"{LAUNCHER}.securityContext": dict,
    "dagsterDaemon.runCoordinator.enabled": bool,
    "dagsterDaemon.runCoordinator.type": str,
    "dagsterDaemon.runCoordinator.config.queuedRunCoordinator": dict,
    "dagsterDaemon.runMonitoring.enabled": bool,
    "dagsterDaemon.runMonitoring.pollIntervalSeconds": int,
    "dagsterDaemon.runMonitoring.freeSlotsAfterRunEndSeconds": int,
    "dagsterDaemon.runRetries.enabled": bool,
    "dagsterDaemon.runRetries.maxRetries": int,
    "dagsterDaemon.runRetries.retryOnAssetOrOpFailure": bool,
    "additionalInstanceConfig": dict,
    "telemetry.enabled": bool,
}


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Path -> value, down to a path that is known or a value that holds no others."""
    if path not in KNOWN and isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from leaves(inner, f"{path}.{name}".lstrip("."))
    elif path not in KNOWN and isinstance(value, list):
        for inner in value:
            yield from leaves(inner, f"{path}[]")
    else:
        yield path, value


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_chart_knows_every_value_and_its_type(file):
    values = dict(leaves(yaml.safe_load(file.read_text(encoding="utf-8"))))

    assert sorted(set(values) - set(KNOWN)) == []
    assert [path for path, value in values.items() if type(value) is not KNOWN[path]] == []


def test_code_servers_runs_and_daemon_have_the_one_account_that_the_role_is_bound_to():
    assert VALUES["global"]["serviceAccountName"] == VALUES["serviceAccount"]["name"]
    assert set(VALUES["serviceAccount"]["annotations"]) == {"eks.amazonaws.com/role-arn"}


def test_dagster_takes_the_instance_that_the_chart_writes_from_the_values(tmp_path):
    daemon = VALUES["dagsterDaemon"]
    monitoring, retries = daemon["runMonitoring"], daemon["runRetries"]
    instance = {
        "run_coordinator": {
            "module": "dagster._core.run_coordinator",
            "class": daemon["runCoordinator"]["type"],
            "config": daemon["runCoordinator"]["config"]["queuedRunCoordinator"],
        },
        "run_monitoring": {
            "enabled": monitoring["enabled"],
            "poll_interval_seconds": monitoring["pollIntervalSeconds"],
            "free_slots_after_run_end_seconds": monitoring["freeSlotsAfterRunEndSeconds"],
        },
        "run_retries": {
            "enabled": retries["enabled"],
            "max_retries": retries["maxRetries"],
            "retry_on_asset_or_op_failure": retries["retryOnAssetOrOpFailure"],
        },
        "telemetry": VALUES["telemetry"],
        **VALUES["additionalInstanceConfig"],
    }
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(instance))

    taken = InstanceRef.from_dir(str(tmp_path))

    assert taken.settings["concurrency"] == VALUES["additionalInstanceConfig"]["concurrency"]
