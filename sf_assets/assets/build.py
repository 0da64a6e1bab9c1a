"""Build Dagster definitions from a deployment, for `sf_assets.definitions` and for the YAML component."""

from collections.abc import Callable, Sequence
from pathlib import Path

import dagster as dg

from sf_assets.assets.deployments import Deployment
from sf_assets.assets.external_upkeep import build_external_upkeep
from sf_assets.assets.factory import build_endpoints
from sf_assets.assets.fixed_resources import fix_resources
from sf_assets.assets.freshness import (
    KEEP_FRESH,
    KEEP_FRESH_ONCE_FILLED,
    automated,
    build_sensors,
    cadences,
    with_history,
)
from sf_assets.assets.history import build_history, history_name
from sf_assets.assets.io_manager import IcebergIOManager
from sf_assets.assets.jobs import build_reconcile_job, build_upkeep
from sf_assets.assets.naming import ResourceKeys
from sf_assets.assets.org_asset import org_node
from sf_assets.assets.run_retention import build_history_sensor
from sf_assets.errors import ConfigError
from sf_assets.specs.endpoints import endpoints
from sf_assets.specs.model import EndpointSpec

SpecChange = Callable[[EndpointSpec, dg.AssetSpec], dg.AssetSpec]


def build_definitions(
    deployment: Deployment,
    *,
    specs: Sequence[EndpointSpec] | None = None,
    keys: ResourceKeys = ResourceKeys(),  # noqa: B008 - frozen, so one for all is safe
    change: SpecChange | None = None,
    columns_file: Path | None = None,
) -> dg.Definitions:
    """Build all assets, checks, sensors, jobs and resources of a deployment.

    `specs`: the endpoints, if they are not those of the deployment's folder. `keys`: names of the resources. `change`
    changes an asset's spec, such as its group or its tags. `columns_file`: a component's state; each sync updates it.
    """
    specs = endpoints(deployment.specs) if specs is None else specs
    tables = dg.Definitions(
        assets=_assets(deployment, specs, keys, change),
        asset_checks=deployment.readers.checks([deployment.naming.key(name) for name in _tables(deployment, specs)]),
        sensors=_sensors(deployment, specs),
        jobs=[build_reconcile_job(deployment.naming, [spec.endpoint for spec in specs])],
        schedules=[build_upkeep(deployment.naming, keys.iceberg)] if deployment.iceberg.upkeep == "own" else [],
        resources=_resources(deployment, keys, columns_file),
        executor=dg.in_process_executor,  # a process a step costs 26 times the CPU and logs in thirty times
    )
    parts = [*_external_upkeep(deployment, keys), *([_marts(deployment)] if deployment.dbt else [])]
    return dg.Definitions.merge(tables, *parts) if parts else tables


def _external_upkeep(deployment: Deployment, keys: ResourceKeys) -> list[dg.Definitions]:
    """Return the asset of another engine's upkeep, if a job is named."""
    if deployment.upkeep_job is None:
        return []
    asset, schedule = build_external_upkeep(deployment.naming, deployment.upkeep_job, keys.iceberg)
    return [dg.Definitions(assets=[asset], schedules=[schedule])]


def _assets(
    deployment: Deployment, specs: Sequence[EndpointSpec], keys: ResourceKeys, change: SpecChange | None
) -> list[dg.AssetsDefinition | dg.AssetSpec]:
    condition = KEEP_FRESH if deployment.fills_missing else KEEP_FRESH_ONCE_FILLED
    assets = build_endpoints(
        specs,
        naming=deployment.naming,
        cadences=_cadences(deployment, specs),
        condition=condition,
        namespace=deployment.iceberg.namespace,
        readers=deployment.readers,
        docs=deployment.docs,
        fills_missing=deployment.fills_missing,
        keys=keys,
        org_url=deployment.salesforce.instance_url,
    )
    with_changes = [spec for spec in specs if spec.endpoint in with_history(specs, deployment.history)]
    assets += [_history(deployment, spec, specs, keys) for spec in with_changes]
    if change is not None:
        assets = [_changed(asset, spec, change) for asset, spec in zip(assets, [*specs, *with_changes], strict=True)]
    return [org_node(deployment.naming), *assets]


def _history(
    deployment: Deployment, spec: EndpointSpec, specs: Sequence[EndpointSpec], keys: ResourceKeys
) -> dg.AssetsDefinition:
    cadence = _cadences(deployment, specs).get(spec.endpoint)
    return build_history(
        spec,
        naming=deployment.naming,
        cadence=cadence,
        readers=deployment.readers,
        namespace=deployment.iceberg.namespace,
        docs=deployment.docs,
        keys=keys,
    )


def _tables(deployment: Deployment, specs: Sequence[EndpointSpec]) -> list[str]:
    """Return the names of all tables: the endpoints, then the histories."""
    histories = with_history(specs, deployment.history)
    return [*(s.endpoint for s in specs), *(history_name(s.endpoint) for s in specs if s.endpoint in histories)]


def _changed(asset: dg.AssetsDefinition, endpoint: EndpointSpec, change: SpecChange) -> dg.AssetsDefinition:
    """Change the asset's spec. Raises: ConfigError if the key changes, by which its table is found."""
    (spec,) = asset.specs
    changed = change(endpoint, spec)
    if changed.key != spec.key:
        raise ConfigError(
            f"{endpoint.endpoint}: its asset key would change from {spec.key.to_user_string()} to"
            f" {changed.key.to_user_string()}",
            remedy="Leave the key as it is: the table, the pool and the checks have its name. Set `org` for a prefix.",
            endpoint=endpoint.endpoint,
        )
    return asset.map_asset_specs(lambda _: changed)


def _cadences(deployment: Deployment, specs: Sequence[EndpointSpec]) -> dict[str, str]:
    names = automated(specs, deployment.endpoints)
    words = cadences(specs, deployment.cadences)
    return {name: word for name, word in words.items() if name in names}


def _sensors(deployment: Deployment, specs: Sequence[EndpointSpec]) -> list[dg.SensorDefinition]:
    naming, days = deployment.naming, deployment.history_days
    retention = [build_history_sensor(f"{naming.source}_history", days)] if days else []
    words, histories = _cadences(deployment, specs), with_history(specs, deployment.history)
    words |= {history_name(name): word for name, word in words.items() if name in histories}
    return [*build_sensors(words, naming, is_running=deployment.has_org), *retention]


def _resources(
    deployment: Deployment, keys: ResourceKeys, columns_file: Path | None
) -> dict[str, dg.ResourceDefinition]:
    return fix_resources(
        {
            keys.salesforce: deployment.salesforce,
            keys.iceberg: deployment.iceberg,
            keys.snowflake: deployment.readers,
            keys.io_manager: IcebergIOManager(iceberg=deployment.iceberg, columns_file=str(columns_file or "")),
        }
    )


def _marts(deployment: Deployment) -> dg.Definitions:
    """Build the dbt project's assets. Raises: ConfigError if dbt is not installed."""
    try:
        from sf_assets.assets.dbt import build_marts
    except ModuleNotFoundError as error:
        what, remedy = f"SF_ASSETS_DBT is 1, and {error.name} is not installed", "Install the extra: sf-assets[dbt]."
        raise ConfigError(what, remedy=remedy, setting="SF_ASSETS_DBT") from None
    return build_marts(deployment)
