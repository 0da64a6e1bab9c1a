"""The door: the table of endpoints and the environment become Dagster's definitions. It loads nothing else."""

import dagster as dg

from sf_assets.assets.deployments import Deployment, read_deployment
from sf_assets.assets.factory import ORG, build_endpoints
from sf_assets.assets.freshness import KEEP_FRESH, KEEP_FRESH_ONCE_FILLED, automated, build_sensors, cadences
from sf_assets.assets.io_manager import IcebergIOManager
from sf_assets.specs.endpoints import endpoints


def build_definitions(deployment: Deployment) -> dg.Definitions:
    """Build what Dagster loads: the endpoints' assets, their sensors and the two shared resources."""
    specs = endpoints(deployment.specs)
    chosen = automated(specs, deployment.endpoints)
    words = {name: word for name, word in cadences(specs, deployment.cadences).items() if name in chosen}
    condition = KEEP_FRESH if deployment.fills_missing else KEEP_FRESH_ONCE_FILLED
    return dg.Definitions(
        assets=[ORG, *build_endpoints(specs, cadences=words, condition=condition)],
        sensors=build_sensors(words),
        resources={
            "salesforce": deployment.salesforce,
            "iceberg": deployment.iceberg,
            "io_manager": IcebergIOManager(iceberg=deployment.iceberg),
        },
        executor=dg.in_process_executor,  # a process a step costs 26 times the CPU and logs in thirty times
    )


defs = build_definitions(read_deployment())
