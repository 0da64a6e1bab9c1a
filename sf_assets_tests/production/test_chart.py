"""deploy/helm: every value is where Dagster's chart reads it, and Dagster loads the instance that the chart writes.

The paths and types are those of the chart's own schema and templates (helm/dagster of Dagster's repository), read on
2026-11-30. The chart ignores a key that it does not know, so it must be known here.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster import DagsterInvalidConfigError
from dagster._core.instance.ref import InstanceRef

from sf_assets_tests.production.chart import instance

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
    f"{LAUNCHER}.securityContext": dict,
    f"{LAUNCHER}.runK8sConfig.podSpecConfig.securityContext": dict,
    "dagsterDaemon.runCoordinator.enabled": bool,
    "dagsterDaemon.runCoordinator.type": str,
    "dagsterDaemon.runCoordinator.config.queuedRunCoordinator": dict,
    "dagsterDaemon.runMonitoring.enabled": bool,
    "dagsterDaemon.runMonitoring.pollIntervalSeconds": int,
    "dagsterDaemon.runMonitoring.freeSlotsAfterRunEndSeconds": int,
    "dagsterDaemon.runRetries.enabled": bool,
    "dagsterDaemon.runRetries.maxRetries": int,
    "dagsterDaemon.runRetries.retryOnAssetOrOpFailure": bool,
    "concurrency.enabled": bool,
    "concurrency.runs.maxConcurrentRuns": int,
    "concurrency.runs.tagConcurrencyLimits": list,
    "concurrency.pools.defaultLimit": int,
    "concurrency.pools.granularity": str,
    "retention.enabled": bool,
    "retention.sensor.purgeAfterDays": dict,
    "migrate.enabled": bool,
    "telemetry.enabled": bool,
    **{
        f"{part}.{key}": kind
        for part in ("dagsterWebserver", "dagsterDaemon")
        for key, kind in (("podSecurityContext", dict), ("securityContext", dict), ("checkDbReadyInitContainer", bool))
    },
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


def test_all_pods_have_the_one_account_that_the_role_is_bound_to():
    assert VALUES["global"]["serviceAccountName"] == VALUES["serviceAccount"]["name"]
    assert set(VALUES["serviceAccount"]["annotations"]) == {"eks.amazonaws.com/role-arn"}


def load_instance(values: dict[str, Any], folder: Path) -> InstanceRef:
    """Load the instance of these values with Dagster's own code."""
    (folder / "dagster.yaml").write_text(yaml.safe_dump(instance(values)), encoding="utf-8")
    ref = InstanceRef.from_dir(str(folder))
    ref.run_coordinator  # noqa: B018 - it is built from the settings when it is read
    return ref


def test_dagster_loads_the_instance_that_the_chart_writes(tmp_path):
    settings = load_instance(VALUES, tmp_path).settings

    assert settings["concurrency"]["runs"]["max_concurrent_runs"] == 8
    assert settings["concurrency"]["pools"] == {"default_limit": 1, "granularity": "run"}
    assert settings["run_retries"]["retry_on_asset_or_op_failure"] is False
    assert settings["retention"]["sensor"]["purge_after_days"]["skipped"] == 2


def test_the_same_limits_as_additional_config_would_not_load(tmp_path):
    """The chart then writes max_concurrent_runs: -1 too (dagster-io/dagster #31086, #33225)."""
    limits = instance(VALUES)["concurrency"]
    values = {name: value for name, value in VALUES.items() if name != "concurrency"}

    with pytest.raises(DagsterInvalidConfigError, match="max_concurrent_runs"):
        load_instance(values | {"additionalInstanceConfig": {"concurrency": limits}}, tmp_path)


def test_the_runs_have_one_memory_figure_and_it_is_the_deployments():
    """dagster-k8s merges a deployment's resources over those of the launcher."""
    (deployment,) = VALUES["dagster-user-deployments"]["deployments"]

    assert deployment["resources"]["limits"]["memory"] == "2Gi"
    assert "resources" not in VALUES["runLauncher"]["config"]["k8sRunLauncher"]


def test_our_pods_meet_the_restricted_pod_security_standard():
    """kubernetes.io/docs/concepts/security/pod-security-standards"""
    (deployment,) = VALUES["dagster-user-deployments"]["deployments"]
    launcher = VALUES["runLauncher"]["config"]["k8sRunLauncher"]
    pods = [deployment["podSecurityContext"], launcher["runK8sConfig"]["podSpecConfig"]["securityContext"]]

    for pod in pods:
        assert pod["runAsNonRoot"]
        assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in (deployment["securityContext"], launcher["securityContext"]):
        assert container == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def test_an_upgrade_migrates_the_storage():
    assert VALUES["migrate"] == {"enabled": True}
