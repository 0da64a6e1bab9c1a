"""The door: the table of endpoints and the environment become Dagster's definitions. It loads nothing else."""

import gc

import dagster as dg

from sf_assets.assets.deployments import Deployment, read_deployment
from sf_assets.assets.factory import build_endpoints
from sf_assets.assets.fixed_resources import fix_resources
from sf_assets.assets.freshness import KEEP_FRESH, KEEP_FRESH_ONCE_FILLED, automated, build_sensors, cadences
from sf_assets.assets.io_manager import IcebergIOManager
from sf_assets.assets.org_asset import org_node
from sf_assets.assets.run_retention import build_history_sensor
from sf_assets.errors import ConfigError
from sf_assets.specs.endpoints import endpoints


def build_definitions(deployment: Deployment) -> dg.Definitions:
    """Build what Dagster loads: assets, checks, sensors, resources and, if switched on, marts."""
    specs, naming = endpoints(deployment.specs), deployment.naming
    chosen = automated(specs, deployment.endpoints)
    words = {name: word for name, word in cadences(specs, deployment.cadences).items() if name in chosen}
    condition = KEEP_FRESH if deployment.fills_missing else KEEP_FRESH_ONCE_FILLED
    readers, docs, days = deployment.readers, deployment.docs, deployment.history_days
    assets = build_endpoints(
        specs,
        naming=naming,
        cadences=words,
        condition=condition,
        readers=readers,
        docs=docs,
        fills_missing=deployment.fills_missing,
    )
    history = [build_history_sensor(f"{naming.source}_history", days)] if days else []
    tables = dg.Definitions(
        assets=[org_node(naming), *assets],
        asset_checks=readers.checks([naming.key(spec.endpoint) for spec in specs]),
        sensors=[*build_sensors(words, naming, is_running=deployment.has_org), *history],
        resources=fix_resources(
            {
                "salesforce": deployment.salesforce,
                "iceberg": deployment.iceberg,
                "snowflake": readers,
                "io_manager": IcebergIOManager(iceberg=deployment.iceberg),
            }
        ),
        executor=dg.in_process_executor,  # a process a step costs 26 times the CPU and logs in thirty times
    )
    return dg.Definitions.merge(tables, _marts(deployment)) if deployment.dbt else tables


def _marts(deployment: Deployment) -> dg.Definitions:
    """Build the dbt project's assets; raise ConfigError when dbt is not installed."""
    try:
        from sf_assets.assets.dbt import build_marts
    except ModuleNotFoundError as error:
        what, remedy = f"SF_ASSETS_DBT is 1, and {error.name} is not installed", "Install the extra: sf-assets[dbt]."
        raise ConfigError(what, remedy=remedy, setting="SF_ASSETS_DBT") from None
    return build_marts(deployment)


defs = build_definitions(read_deployment())
# What is loaded by now stays. To walk it again and again costs a fifth of an idle run and a third of a validation.
gc.freeze()
