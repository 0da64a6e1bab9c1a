"""EndpointSpec -> AssetsDefinition. The body of all thirty: survey, sync, yield it, yield its checks."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import dagster as dg

from sf_assets.assets.checks import check_results, check_specs
from sf_assets.assets.config import EndpointConfig, run_config_schema
from sf_assets.assets.freshness import policy
from sf_assets.assets.naming import Naming
from sf_assets.assets.org_asset import tell_org
from sf_assets.assets.registration import NoRegistration, Registration
from sf_assets.assets.reporting import DOCS, raise_as_failure
from sf_assets.assets.resources import IcebergResource, SalesforceResource
from sf_assets.assets.selection import selected_keys
from sf_assets.specs.model import EndpointSpec
from sf_assets.sync.progress import ProgressLog

if TYPE_CHECKING:
    from sf_assets.sync.endpoint import Sync

KINDS = {"salesforce", "polars", "iceberg"}
Results = Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]
Siblings = Mapping[dg.AssetKey, EndpointSpec]


def build_endpoints(
    specs: Sequence[EndpointSpec],
    *,
    naming: Naming,
    cadences: dict[str, str],
    condition: dg.AutomationCondition[Any],
    readers: Registration | None = None,
    docs: str = "",
) -> list[dg.AssetsDefinition]:
    """Build the assets of all specs; those with a cadence are kept fresh by `condition`, `readers` are told of each.

    `docs`: the address of docs/ in a browser, if it has one.
    """
    siblings = {naming.key(spec.endpoint): spec for spec in specs}
    return [
        build_endpoint(
            spec,
            naming=naming,
            siblings=siblings,
            cadence=cadences.get(spec.endpoint),
            condition=condition,
            readers=readers or NoRegistration(),
            docs=docs,
        )
        for spec in specs
    ]


def build_endpoint(
    spec: EndpointSpec,
    *,
    naming: Naming,
    siblings: Siblings,
    cadence: str | None,
    condition: dg.AutomationCondition[Any],
    readers: Registration,
    docs: str = "",
) -> dg.AssetsDefinition:
    """Build one endpoint's asset. `siblings` are all endpoints: a run surveys those of them that it has selected."""
    key = naming.key(spec.endpoint)

    @dg.asset(
        key=key,
        deps=[naming.org_key],
        group_name=spec.group,
        owners=[spec.owner],
        kinds=KINDS,
        pool=naming.pool(spec.endpoint),  # dagster.yaml: one run a pool, so a second run over a table waits its turn
        tags={"salesforce/object": spec.sobject, "salesforce/read": spec.how, "salesforce/cadence": cadence or "none"},
        description=description(spec, cadence),
        metadata={"dagster/code_references": _code_references(spec), **_docs(docs)},
        config_schema=run_config_schema(),
        check_specs=[*check_specs(key), *readers.check_specs(key)],
        freshness_policy=policy(cadence) if cadence else None,
        automation_condition=condition if cadence else None,
    )
    def endpoint(
        context: dg.AssetExecutionContext,
        salesforce: SalesforceResource,
        iceberg: IcebergResource,
        snowflake: Registration,
    ) -> Results:
        config = EndpointConfig(**context.op_execution_context.op_config)
        with raise_as_failure(context, spec.endpoint):
            sync = _begin(spec, siblings, context=context, config=config, salesforce=salesforce, iceberg=iceberg)
        yield dg.MaterializeResult(value=sync)
        tell_org(context, naming, sync.report)
        yield from check_results(spec, sync.report)
        yield from snowflake.publish(spec.endpoint, iceberg.warehouse())

    return endpoint


def description(spec: EndpointSpec, cadence: str | None) -> str:
    """Return the description for a newcomer, as markdown: what the table holds, how it is read, and the SOQL."""
    read = "queryAll, deleted and archived rows included" if spec.has_is_deleted else "query"
    how = {
        "tail": f"changed rows by SystemModstamp, through {read}; a change replaces the row with the same key",
        "snapshot": f"the whole object through {read}, when it has changed",
    }[spec.how]
    return (
        f"{spec.description}\n\n"
        f"| | |\n|---|---|\n| Object | `{spec.sobject}` |\n| Key | {', '.join(f'`{key}`' for key in spec.keys)} |\n"
        f"| Read | {how} |\n| Cadence | {(cadence or 'when it is launched').replace('_', ' ')} |\n\n"
        f"```sql\n{spec.query.text.strip()}\n```\n"
    )


def _begin(
    spec: EndpointSpec,
    siblings: Siblings,
    *,
    context: dg.AssetExecutionContext,
    config: EndpointConfig,
    salesforce: SalesforceResource,
    iceberg: IcebergResource,
) -> "Sync":
    from sf_assets.planning.estimate import refuse_unaffordable
    from sf_assets.sync.endpoint import sync

    run, deployment = config.run_options(), salesforce.deployment_options(hashes=bool(spec.hashed))
    tables = iceberg.warehouse()
    keys = selected_keys(context)
    selected = [sibling for key, sibling in siblings.items() if key in keys]
    preflight = salesforce.survey(context.run.run_id, selected, tables)
    client = salesforce.client()
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
    if not config.spread_over_days:
        refuse_unaffordable(planned, preflight=preflight, client=client, deployment=deployment)
    return planned


def _docs(address: str) -> dict[str, dg.MetadataValue[Any]]:
    return {DOCS: dg.MetadataValue.url(address)} if address else {}


def _code_references(spec: EndpointSpec) -> dg.CodeReferencesMetadataValue:
    with warnings.catch_warnings():  # beta in Dagster: were they to go, only a link in Dagit would
        warnings.simplefilter("ignore", dg.BetaWarning)
        reference = dg.LocalFileCodeReference(file_path=spec.query.path, line_number=1, label=f"{spec.endpoint}.soql")
        return dg.CodeReferencesMetadataValue(code_references=[reference])


def _now() -> datetime:
    return datetime.now(UTC)
