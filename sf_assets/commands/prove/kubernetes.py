"""Steps on a real cluster: the instance that Helm renders, and the resources of the pods of runs."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from sf_assets.commands.prove.steps import Exchange, ProofContext, Verdict, step
from sf_assets.errors import ConfigError

VALUES = Path("deploy/helm/values.yaml")
CHART = "dagster/dagster"
SECONDS = 120


@step("kubernetes", "the instance that Helm renders")
def rendered_instance(context: ProofContext) -> Iterator[Exchange]:
    """Render the chart with our values, and load its dagster.yaml with Dagster's own code."""
    from importlib.metadata import version

    command = ["helm", "template", "dagster", CHART, "--version", version("dagster"), "-f", str(VALUES)]
    text = _run(command)
    maps = [document for document in yaml.safe_load_all(text) if _is_instance(document)]
    answer = _load(maps[0]["data"]["dagster.yaml"]) if maps else "no config map holds dagster.yaml"
    verdict: Verdict = "as documented" if isinstance(answer, dict) else "different"
    source = "github.com/dagster-io/dagster, helm/dagster; issues 31086 and 33225"
    yield Exchange("instance of the chart", " ".join(command), answer, source, verdict)


@step("kubernetes", "resources of the pods of runs")
def pod_resources(context: ProofContext) -> Iterator[Exchange]:
    """Read the resources and the security context of pods of runs."""
    command = ["kubectl", "get", "pods", "-l", "dagster/run-id", "-o", "json"]
    pods = json.loads(_run(command)).get("items", [])
    answer = [_pod(pod) for pod in pods[:3]] or "no pod of a run: start one run and ask again"
    source = "docs/production.md, Kubernetes: the deployment's resources win"
    yield Exchange("resources of runs", " ".join(command), answer, source)


def _run(command: list[str]) -> str:
    if shutil.which(command[0]) is None:
        raise ConfigError(f"{command[0]} is not installed", remedy=f"Install {command[0]}, or leave --kubernetes out.")
    process = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)  # noqa: S603 - fixed arguments
    if process.returncode != 0:
        raise ConfigError(
            f"{' '.join(command)} failed: {process.stderr.strip()[:500]}", remedy="Correct it and try again."
        )
    return process.stdout


def _is_instance(document: Any) -> bool:
    return (
        isinstance(document, dict)
        and document.get("kind") == "ConfigMap"
        and "dagster.yaml" in document.get("data", {})
    )


def _load(text: str) -> dict[str, Any] | str:
    """Return the concurrency settings, or the error with which Dagster refuses the file."""
    from dagster import DagsterError
    from dagster._core.instance.ref import InstanceRef

    settings = yaml.safe_load(text)
    for name in ("run_launcher", "run_storage", "event_log_storage", "schedule_storage", "scheduler", "compute_logs"):
        settings.pop(name, None)  # their libraries and secrets are the cluster's
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "dagster.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
        try:
            loaded: dict[str, Any] = dict(InstanceRef.from_dir(folder).settings)
        except DagsterError as error:
            return f"{type(error).__name__}: {error}"
    return dict(loaded.get("concurrency", {}))


def _pod(pod: dict[str, Any]) -> dict[str, Any]:
    spec = pod["spec"]
    return {
        "pod security": spec.get("securityContext"),
        "containers": [
            {"resources": one.get("resources"), "security": one.get("securityContext")} for one in spec["containers"]
        ],
    }
