"""What Dagster's chart makes of values: its defaults merged as Helm merges, and its dagster.yaml.

The rules are those of helm/dagster/templates (configmap-instance.yaml and helpers/instance/_run-coordinator.tpl,
_concurrency.tpl) of github.com/dagster-io/dagster. No Helm is needed; `sf-assets prove --kubernetes` asks a real one.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

DEFAULTS = json.loads((Path(__file__).parent / "chart_defaults.json").read_text(encoding="utf-8"))["values"]


def merge(defaults: Any, values: Any) -> Any:
    """Merge as Helm does: maps key by key, everything else replaced."""
    if not (isinstance(defaults, Mapping) and isinstance(values, Mapping)):
        return values
    return {**defaults, **{key: merge(defaults.get(key), value) for key, value in values.items()}}


def instance(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the dagster.yaml that the chart writes, without storage and launcher."""
    whole = merge(DEFAULTS, values)
    daemon = whole["dagsterDaemon"]
    monitoring, retries = daemon["runMonitoring"], daemon["runRetries"]
    values_by_key = {
        "run_coordinator": _coordinator(daemon["runCoordinator"], whole["concurrency"]),
        "run_monitoring": {
            "enabled": monitoring["enabled"],
            "start_timeout_seconds": monitoring["startTimeoutSeconds"],
            "poll_interval_seconds": monitoring["pollIntervalSeconds"],
            "free_slots_after_run_end_seconds": monitoring.get("freeSlotsAfterRunEndSeconds", 0),
        },
        "run_retries": {
            "enabled": retries["enabled"],
            "max_retries": retries.get("maxRetries", 0),
            "retry_on_asset_or_op_failure": retries.get("retryOnAssetOrOpFailure", True),
        },
        "telemetry": {"enabled": whole["telemetry"]["enabled"]},
    }
    if whole["concurrency"]["enabled"]:
        values_by_key["concurrency"] = _concurrency(whole["concurrency"])
    if whole["retention"]["enabled"]:
        values_by_key["retention"] = {"sensor": {"purge_after_days": whole["retention"]["sensor"]["purgeAfterDays"]}}
    return values_by_key | whole["additionalInstanceConfig"]


def _coordinator(coordinator: Mapping[str, Any], concurrency: Mapping[str, Any]) -> dict[str, Any]:
    settings = coordinator["config"]["queuedRunCoordinator"]
    config: dict[str, Any] = {}
    if settings["maxConcurrentRuns"] is not None or not concurrency["enabled"]:
        config["max_concurrent_runs"] = -1 if settings["maxConcurrentRuns"] is None else settings["maxConcurrentRuns"]
    if settings["tagConcurrencyLimits"]:
        config["tag_concurrency_limits"] = settings["tagConcurrencyLimits"]
    if settings["dequeueUseThreads"]:
        config |= {"dequeue_use_threads": True, "dequeue_num_workers": settings["dequeueNumWorkers"]}
    return {"module": "dagster.core.run_coordinator", "class": coordinator["type"], "config": config}


def _concurrency(concurrency: Mapping[str, Any]) -> dict[str, Any]:
    runs, pools = concurrency["runs"], concurrency["pools"]
    return {
        "runs": {
            "max_concurrent_runs": runs["maxConcurrentRuns"],
            "tag_concurrency_limits": [dict(limit) for limit in runs["tagConcurrencyLimits"]],
        },
        "pools": {"default_limit": pools["defaultLimit"], "granularity": pools["granularity"]},
    }
