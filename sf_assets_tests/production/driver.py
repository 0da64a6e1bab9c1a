"""Materializes all endpoints of the environment's deployment and writes every table's rows: `python driver.py FILE`.

A process of its own, as a run is one: pyiceberg reads the environment when it is imported.
"""

import json
import sys
from pathlib import Path

import dagster as dg

from sf_assets.assets.deployments import read_deployment
from sf_assets.definitions import build_definitions
from sf_assets.specs.endpoints import endpoints


def main(target: Path) -> None:
    deployment = read_deployment()
    with dg.DagsterInstance.ephemeral() as instance:
        job = build_definitions(deployment).resolve_implicit_global_asset_job_def()
        quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
        result = job.execute_in_process(instance=instance, run_config=quiet, raise_on_error=False)
    warehouse = deployment.iceberg.tables()
    tables = {}
    for spec in endpoints():
        rows = warehouse.scan(spec.endpoint).drop("_synced_at").sort(spec.keys).collect()
        tables[spec.endpoint] = {"rows": rows.rows(), "schema": {name: str(kind) for name, kind in rows.schema.items()}}
    target.write_text(json.dumps({"success": result.success, "tables": tables}, default=str))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
