"""The asset `lake_upkeep` of SF_ASSETS_UPKEEP=external: another engine's job, started and followed by Dagster Pipes.

The job runs the procedures that `sf-assets setup upkeep` prints. What it changed is measured here, by the tables'
metadata before and after it, so the engine needs no library of Dagster.
"""

import json
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from sf_assets.assets.failures import failure
from sf_assets.assets.jobs import DRY_RUN
from sf_assets.assets.naming import Naming
from sf_assets.errors import ConfigError, IcebergError, SfAssetsError, TableForeign

if TYPE_CHECKING:  # Polars and pyiceberg take 0.4 s of CPU to import, and every Dagster process loads this module
    from sf_assets.iceberg.maintenance.size import TableSize
    from sf_assets.iceberg.tables import IcebergTables

SETTING = "SF_ASSETS_UPKEEP_JOB"
CRON = "30 3,15 * * *"
"""Twice a day, 03:30 and 15:30 UTC: the job keeps a day of snapshots."""
ENGINES = {"applicationId": "EMR Serverless", "JobName": "Glue", "command": "a command"}
"""The key of a job's file that each engine needs, and the engine."""


def build_external_upkeep(
    naming: Naming, job_file: Path, iceberg: str = "iceberg"
) -> tuple[dg.AssetsDefinition, dg.ScheduleDefinition]:
    """Build the asset that runs the engine's job, and its schedule.

    `iceberg`: the key of the resource that has the tables.
    """

    @dg.asset(
        name=naming.of_org("lake_upkeep"),
        group_name=naming.source,
        kinds={"iceberg", "spark"},
        description=f"Upkeep of the tables by another engine: runs the job of `{SETTING}` and measures the tables.",
        config_schema={"dry_run": DRY_RUN},
        required_resource_keys={iceberg},
    )
    def upkeep(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        tables = getattr(context.resources, iceberg).tables()
        try:
            job, before = read_job(job_file), _sizes(tables)
            is_dry = bool(context.op_execution_context.op_config["dry_run"])
            results = {} if is_dry else run_job(context, job)
            after = before if is_dry else _sizes(tables)
        except SfAssetsError as error:
            raise failure(error, "lake_upkeep") from error
        for name, size in after.items():
            context.log_event(dg.AssetObservation(naming.key(name), metadata=_change(before.get(name), size)))
        return dg.MaterializeResult(metadata={**_totals(before, after), **results, "dry_run": is_dry})

    schedule = dg.ScheduleDefinition(
        name=naming.of_org("lake_upkeep_schedule"),
        target=upkeep,
        cron_schedule=CRON,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Upkeep of the tables by another engine, 03:30 and 15:30 UTC.",
    )
    return upkeep, schedule


def read_job(path: Path) -> dict[str, Any]:
    """Return the job of the file. Raises: ConfigError if it is not one that an engine can run."""
    try:
        job = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _unusable(path, f"cannot be read as JSON: {error}") from None
    engines = [key for key in ENGINES if isinstance(job, dict) and key in job]
    if len(engines) != 1:
        raise _unusable(path, f"must have exactly one of the keys {', '.join(ENGINES)}")
    if "<APPLICATION_ID>" in path.read_text(encoding="utf-8"):
        raise _unusable(path, "still has the placeholder <APPLICATION_ID>")
    if "command" in job and not (isinstance(job["command"], list) and job["command"]):
        raise _unusable(path, "needs a list of words as its command")
    return dict(job)


def run_job(context: dg.AssetExecutionContext, job: Mapping[str, Any]) -> Mapping[str, Any]:
    """Run the job to its end; return the engine's metadata of it. Raises: IcebergError if it fails."""
    engine = next(name for key, name in ENGINES.items() if key in job)
    try:
        return dict(_started(context, dict(job)).metadata)
    except dg.DagsterExecutionInterruptedError:
        raise
    except Exception as error:
        raise IcebergError(
            f"The upkeep by {engine} failed: {error}",
            remedy="Read the job's log in the engine. A procedure that a sync overtook succeeds when it is run again.",
            setting=SETTING,
        ) from error


def _started(context: dg.AssetExecutionContext, job: dict[str, Any]) -> dg.PipesClientCompletedInvocation:
    op = context.op_execution_context
    with warnings.catch_warnings():  # Dagster's own calls inside of Pipes
        warnings.simplefilter("ignore", dg.PreviewWarning)
        if "command" in job:
            return dg.PipesSubprocessClient().run(context=op, command=[str(word) for word in job["command"]])
        from dagster_aws.pipes import PipesEMRServerlessClient, PipesGlueClient  # boto3 takes 0.3 s of CPU to import

        if "JobName" in job:
            glue = PipesGlueClient(context_injector=dg.PipesEnvContextInjector(), message_reader=_NoMessages())
            return glue.run(context=op, start_job_run_params=job)
        job["clientToken"] = op.run_id  # EMR starts one job for a token, also if its answer was lost
        return PipesEMRServerlessClient(message_reader=_NoMessages()).run(context=op, start_job_run_params=job)


class _NoMessages(dg.PipesMessageReader):
    """A reader of no messages, for a job without Dagster's library and a run without rights on its log."""

    @contextmanager
    def read_messages(self, handler: dg.PipesMessageHandler) -> Iterator[dict[str, str]]:  # noqa: ARG002 - the interface
        """Read nothing. A program that uses Dagster's library writes to its own output."""
        yield {"stdio": "stdout"}

    def no_messages_debug_text(self) -> str:
        """Return where the job's output is."""
        return "The job's output is in its own log."


def _sizes(tables: "IcebergTables") -> dict[str, "TableSize"]:
    """Measure every table of ours."""
    sizes = {}
    for name in tables.names():
        try:
            size = tables.maintenance.measure(name)
        except TableForeign:
            continue
        if size is not None:
            sizes[name] = size
    return sizes


def _change(before: "TableSize | None", after: "TableSize") -> dict[str, int]:
    """Return a table's size for its plots, and the bytes that the upkeep saved."""
    saved = before.bytes - after.bytes if before else 0
    return {**asdict(after), "saved_bytes": saved}


def _totals(before: Mapping[str, "TableSize"], after: Mapping[str, "TableSize"]) -> dict[str, int]:
    """Return the sums over all tables, with the differences to those before the job."""
    former, present = _sum(before.values()), _sum(after.values())
    return {"tables": len(after), **present, **{f"saved_{key}": former[key] - present[key] for key in present}}


def _sum(sizes: Iterable["TableSize"]) -> dict[str, int]:
    values = [asdict(size) for size in sizes]
    return {key: sum(value[key] for value in values) for key in ("data_files", "delete_files", "snapshots", "bytes")}


def _unusable(path: Path, why: str) -> ConfigError:
    return ConfigError(
        f"{SETTING}: {path} {why}",
        remedy="Put the job's request into the file as `sf-assets setup upkeep --engine emr` prints it.",
        setting=SETTING,
    )
