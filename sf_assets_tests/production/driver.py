"""Syncs endpoints of the environment's deployment, writes their rows: `python driver.py FILE WAY [ENDPOINT...]`.

WAY is `dagster` (a run of all assets) or `plain` (the same syncs without Dagster, in half the time).
A process of its own, as a run is one: pyiceberg reads the environment when it is imported.
"""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from sf_assets.assets.deployments import Deployment, read_deployment
from sf_assets.specs.endpoints import endpoints
from sf_assets.specs.model import EndpointSpec
from sf_assets.sync.endpoint import sync
from sf_assets.sync.preflight import preflight
from sf_assets.sync.report import RunOptions
from sf_assets.sync.write import write_sync


def by_dagster(deployment: Deployment) -> bool:
    """Run all assets in this process; return whether the run succeeded."""
    import dagster as dg

    from sf_assets.definitions import build_definitions

    with dg.DagsterInstance.ephemeral() as instance:
        job = build_definitions(deployment).resolve_implicit_global_asset_job_def()
        quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
        return job.execute_in_process(instance=instance, run_config=quiet, raise_on_error=False).success


def plainly(deployment: Deployment, specs: Sequence[EndpointSpec]) -> bool:
    """Sync the endpoints as a run does."""
    salesforce = deployment.salesforce.resolved()
    tables, client, options = deployment.iceberg.tables(), salesforce.client(), salesforce.deployment_options()
    answers = preflight(specs, tables=tables, client=client, read_deleted=True, now=now)
    for spec in specs:
        sync_result = sync(
            spec, preflight=answers, tables=tables, client=client, run=RunOptions(), deployment=options, now=now
        )  # fmt: skip
        write_sync(tables, spec.endpoint, sync_result, "run")
    return True


def now() -> datetime:
    return datetime.now(UTC)


def main(target: Path, way: str, *only: str) -> None:
    deployment = read_deployment()
    specs = [spec for spec in endpoints() if not only or spec.endpoint in only]
    is_success = by_dagster(deployment) if way == "dagster" else plainly(deployment, specs)
    warehouse = deployment.iceberg.tables()
    tables = {}
    for spec in specs:
        rows = warehouse.scan(spec.endpoint).drop("_synced_at").sort(spec.keys).collect()
        tables[spec.endpoint] = {"rows": rows.rows(), "schema": {name: str(kind) for name, kind in rows.schema.items()}}
    target.write_text(json.dumps({"success": is_success, "tables": tables}, default=str))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
