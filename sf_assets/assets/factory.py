"""The asset of an endpoint: from its spec to Dagster's definition and the body that all endpoints share."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import dagster as dg

from sf_assets.assets.checks import check_results, check_specs
from sf_assets.assets.config import EndpointConfig, run_config_schema
from sf_assets.assets.failures import DOCS, raise_as_failure
from sf_assets.assets.freshness import policy
from sf_assets.assets.links import STORAGE, object_links
from sf_assets.assets.naming import Naming, ResourceKeys
from sf_assets.assets.org_asset import refuse_automatic_first_copy, refuse_other_history, report_org_read
from sf_assets.assets.registration import NoRegistration, Registration
from sf_assets.assets.reporting import is_unchanged, start_line
from sf_assets.assets.resources import IcebergResource, SalesforceResource
from sf_assets.specs.model import EndpointSpec
from sf_assets.sync.progress import ProgressLog

if TYPE_CHECKING:  # Polars and pyiceberg take 0.4 s of CPU to import, and every Dagster process loads this module
    from sf_assets.sync.endpoint import Sync

KINDS = {"salesforce", "polars", "iceberg"}
Results = Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]
Siblings = Mapping[dg.AssetKey, EndpointSpec]


@dataclass(frozen=True)
class Common:
    """What all endpoints of a deployment have in common.

    `siblings`: all endpoints; a run asks the org about the selected ones at once. `condition`: keeps those with a
    cadence fresh. `namespace`: that of the tables. `fills_missing`: automation makes first copies too. `docs`: where
    docs/ can be opened in a browser.
    """

    naming: Naming
    siblings: Siblings
    condition: dg.AutomationCondition[Any]
    readers: Registration
    namespace: str
    fills_missing: bool = True
    docs: str = ""
    keys: ResourceKeys = ResourceKeys()  # noqa: RUF009 - frozen
    org_url: str = ""


def build_endpoints(
    specs: Sequence[EndpointSpec],
    *,
    naming: Naming,
    cadences: Mapping[str, str],
    condition: dg.AutomationCondition[Any],
    namespace: str,
    readers: Registration | None = None,
    fills_missing: bool = True,
    docs: str = "",
    keys: ResourceKeys = ResourceKeys(),  # noqa: B008 - frozen, so one for all is safe
    org_url: str = "",
) -> list[dg.AssetsDefinition]:
    """Build the assets of all specs. `readers` publish each table to Snowflake; see `Common` for the others."""
    common = Common(
        naming=naming,
        siblings={naming.key(spec.endpoint): spec for spec in specs},
        condition=condition,
        readers=readers or NoRegistration(),
        namespace=namespace,
        fills_missing=fills_missing,
        docs=docs,
        keys=keys,
        org_url=org_url,
    )
    return [build_endpoint(spec, common, cadence=cadences.get(spec.endpoint)) for spec in specs]


def build_endpoint(spec: EndpointSpec, common: Common, *, cadence: str | None) -> dg.AssetsDefinition:
    """Build one endpoint's asset. Without a cadence it is not automated."""
    key = common.naming.key(spec.endpoint)

    @dg.asset(
        key=key,
        deps=[common.naming.org_key],
        group_name=spec.group,
        owners=[spec.owner],
        kinds=KINDS,
        pool=common.naming.pool(spec.endpoint),  # dagster.yaml: one run a pool, so a second run of a table waits
        tags={"salesforce/object": spec.sobject, "salesforce/read": spec.how, "salesforce/cadence": cadence or "none"},
        description=description(spec, cadence),
        metadata=_metadata(spec, common),
        config_schema=run_config_schema(),
        required_resource_keys={common.keys.salesforce, common.keys.iceberg, common.keys.snowflake},
        io_manager_key=common.keys.io_manager,
        check_specs=[*check_specs(key), *common.readers.check_specs(key)],
        freshness_policy=policy(cadence) if cadence else None,
        automation_condition=common.condition if cadence else None,
    )
    def endpoint(context: dg.AssetExecutionContext) -> Results:
        salesforce, iceberg, snowflake = _resources(context, common.keys)
        with raise_as_failure(context, spec.endpoint):
            sync = _start(spec, common, context=context, salesforce=salesforce, iceberg=iceberg)
        yield dg.MaterializeResult(value=sync)
        report_org_read(context, common.naming, sync.report)
        yield from check_results(spec, sync.report)
        yield from snowflake.publish(spec.endpoint, iceberg.tables())

    return endpoint


def _resources(
    context: dg.AssetExecutionContext, keys: ResourceKeys
) -> tuple[SalesforceResource, IcebergResource, Registration]:
    resources = context.resources
    return getattr(resources, keys.salesforce), getattr(resources, keys.iceberg), getattr(resources, keys.snowflake)


def description(spec: EndpointSpec, cadence: str | None) -> str:
    """Return the asset's description as markdown. Its first line is a sentence: lists in Dagit show only that."""
    read = "queryAll, deleted and archived rows included" if spec.has_is_deleted else "query"
    how = {
        "tail": f"Reads changed rows ({spec.stamp}) through {read}. A changed row replaces the row with its key.",
        "snapshot": f"Reads the whole object through {read}, when it has changed.",
    }[spec.how]
    refreshed = f"Cadence: {cadence.replace('_', ' ')}." if cadence else "A person launches it."
    return f"{spec.description}\n\n{how} {refreshed} Object {spec.sobject}, key {', '.join(spec.keys)}."


def _start(
    spec: EndpointSpec,
    common: Common,
    *,
    context: dg.AssetExecutionContext,
    salesforce: SalesforceResource,
    iceberg: IcebergResource,
) -> "Sync":
    """Ask the org about the run's endpoints once, decide what to read, and log it."""
    from sf_assets.planning.estimate import refuse_unaffordable  # only a run needs them: they load Polars and httpx
    from sf_assets.sync.endpoint import sync

    config = EndpointConfig(**context.op_execution_context.op_config)
    run, deployment = config.run_options(), salesforce.deployment_options(hashes=bool(spec.hashed))
    tables, client = iceberg.tables(), salesforce.client()
    preflight = salesforce.preflight(context.run.run_id, _selected(common.siblings, context), tables)
    planned = sync(
        spec,
        preflight=preflight,
        tables=tables,
        client=client,
        run=run,
        deployment=deployment,
        now=_now,
        watch=ProgressLog(context.log.info),
    )
    if not config.adopt_org:
        refuse_other_history(context, common.naming, preflight.org_id)
    if not common.fills_missing:
        refuse_automatic_first_copy(context, spec.endpoint, is_filled=planned.stored is not None)
    if not config.spread_over_days:
        refuse_unaffordable(planned, preflight=preflight, client=client, deployment=deployment)
    if not is_unchanged(planned.report):  # then the line after the commit says so
        context.log.info(start_line(planned))
    return planned


def _selected(siblings: Siblings, context: dg.AssetExecutionContext) -> list[EndpointSpec]:
    """Return the endpoints that this process executes.

    The run's plan names them, whether it is a selection, all assets or a re-execution from failure. A step process of
    a multiprocess executor plans its own step alone.
    """
    step = context.get_step_execution_context()
    layer, plan = step.job_def.asset_layer, step.execution_plan
    nodes = {plan_step.node_handle for plan_step in plan.steps if plan_step.key in plan.step_keys_to_execute}
    keys = {key for node in nodes for key in layer.get_selected_entity_keys_for_node(node)}
    return [spec for key, spec in siblings.items() if key in keys]


def _docs(address: str) -> dict[str, dg.MetadataValue[Any]]:
    return {DOCS: dg.MetadataValue.url(address)} if address else {}


def _metadata(spec: EndpointSpec, common: Common) -> dict[str, Any]:
    """Return what the page shows before the first run too. Dagit shows a table's name only if it is here."""
    return {
        "query": dg.MetadataValue.md(f"```sql\n{spec.query.text.strip()}\n```"),
        "dagster/table_name": f"{common.namespace}.{spec.endpoint}",
        "dagster/code_references": _code_references(spec),
        **STORAGE,
        **(object_links(common.org_url, spec.sobject) if common.org_url else {}),
        **_docs(common.docs),
    }


def _code_references(spec: EndpointSpec) -> dg.CodeReferencesMetadataValue:
    with warnings.catch_warnings():  # beta in Dagster; without them only a link in Dagit is missing
        warnings.simplefilter("ignore", dg.BetaWarning)
        reference = dg.LocalFileCodeReference(file_path=spec.query.path, line_number=1, label=f"{spec.endpoint}.soql")
        return dg.CodeReferencesMetadataValue(code_references=[reference])


def _now() -> datetime:
    return datetime.now(UTC)
