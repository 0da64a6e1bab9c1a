"""Jobs next to the assets' own: the comparison with the org, and the weekly upkeep of the tables."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import dagster as dg

from sf_assets.assets.failures import failure
from sf_assets.assets.naming import Naming
from sf_assets.assets.resources import IcebergResource
from sf_assets.assets.sentences import plural
from sf_assets.errors import SfAssetsError, TableForeign

if TYPE_CHECKING:  # Polars and pyiceberg take 0.4 s of CPU to import, and every Dagster process loads this module
    from sf_assets.iceberg.maintenance.upkeep import UpkeepResult
    from sf_assets.iceberg.tables import IcebergTables

UPKEEP_CRON = "30 3 * * 0"
"""Sunday, 03:30 UTC."""
DRY_RUN = dg.Field(bool, default_value=False, is_required=False, description="Report what is due and change nothing.")


def build_reconcile_job(naming: Naming, endpoints: Sequence[str]) -> Any:
    """Build the job that compares every table with the org now."""
    keys = [naming.key(endpoint) for endpoint in endpoints]
    config = {"ops": {key.to_python_identifier(): {"config": {"reconcile": True}} for key in keys}}
    return dg.define_asset_job(
        f"{naming.source}_reconcile",
        selection=dg.AssetSelection.assets(*keys),
        description="Compares every table with the org now: deleted rows, rows that came back into sight, calculated"
        " columns. Each sync does so once a day; this job does not wait for it.",
        config=config,
    )


def build_upkeep(naming: Naming, iceberg: str = "iceberg") -> dg.ScheduleDefinition:
    """Build the weekly schedule of the tables' upkeep.

    `iceberg`: the key of the resource that has the tables.
    """

    @dg.op(
        name=naming.of_org("lake_upkeep_tables"),
        config_schema={"dry_run": DRY_RUN},
        out=dg.Out(dg.Nothing),
        required_resource_keys={iceberg},
    )
    def upkeep(context: dg.OpExecutionContext) -> None:
        resource: IcebergResource = getattr(context.resources, iceberg)
        tables, is_dry = resource.tables(), bool(context.op_config["dry_run"])
        errors = [_maintain(context, naming, tables, name, is_dry=is_dry) for name in tables.names()]
        for error in filter(None, errors):
            raise failure(error, "lake_upkeep") from error

    @dg.job(
        name=naming.of_org("lake_upkeep"),
        description="Compacts the tables, expires snapshots and removes files that no snapshot needs.",
        executor_def=dg.in_process_executor,
    )
    def job() -> None:
        upkeep()

    return dg.ScheduleDefinition(
        job=job,
        cron_schedule=UPKEEP_CRON,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Weekly upkeep of the tables, Sunday 03:30 UTC.",
    )


def _maintain(
    context: dg.OpExecutionContext, naming: Naming, tables: "IcebergTables", name: str, *, is_dry: bool
) -> SfAssetsError | None:
    """Run the upkeep of one table and log the result; return its error, if any."""
    try:
        before = tables.maintenance.measure(name)
        result = tables.maintenance.maintain(name, dry_run=is_dry)
        after = tables.maintenance.measure(name)
    except TableForeign:
        context.log.info(f"{name}: not a table of sf_assets, left as it is.")
        return None
    except SfAssetsError as error:
        context.log.error(f"{name}: {error.with_remedy}")
        return error
    if result is not None and before is not None and after is not None:
        size = {key: value for key, value in asdict(after).items() if key != "data_files"}
        numbers = {**asdict(result), **size, "saved_bytes": before.bytes - after.bytes}
        context.log.info(f"{name}: {_sentence(result, is_dry=is_dry)}")
        context.log_event(dg.AssetObservation(naming.key(name), metadata={**numbers, "dry_run": is_dry}))
    return None


def _sentence(result: "UpkeepResult", *, is_dry: bool) -> str:
    if result.is_idle:
        return "nothing is due."
    return (
        f"{'dry run, due are: ' if is_dry else ''}{plural(result.rewritten_files, 'file')} rewritten,"
        f" {plural(result.expired_snapshots, 'snapshot')} expired,"
        f" {plural(result.orphan_files, 'orphan file')} removed."
    )
