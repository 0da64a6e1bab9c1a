"""The asset of a table's history: every version that the table has held, appended after each sync of the table."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg

from sf_assets.assets.failures import DOCS, translate_errors
from sf_assets.assets.links import STORAGE, same_columns
from sf_assets.assets.naming import Naming, ResourceKeys
from sf_assets.assets.registration import Registration
from sf_assets.assets.resources import IcebergResource
from sf_assets.assets.sentences import plural
from sf_assets.specs.model import EndpointSpec
from sf_assets.specs.user_endpoints import HISTORY

if TYPE_CHECKING:  # Polars and pyiceberg take 0.4 s of CPU to import, and every Dagster process loads this module
    from sf_assets.iceberg.history.model import HistoryResult

KINDS = {"iceberg", "polars"}
OWN_COLUMNS = ("_change", "_change_number", "_snapshot_id", "_derived_from")
CHECK = "unbroken"
CHECK_MEANS = "The history followed its table from one snapshot to the next, so no version is missing."
FOLLOW = dg.AutomationCondition.eager().with_label("follow_the_table")
"""With each sync of the table, in the same run."""
Results = Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]


def history_name(endpoint: str) -> str:
    """Return the name of an endpoint's history: of its table and its asset."""
    return f"{endpoint}{HISTORY}"


def build_history(
    spec: EndpointSpec,
    *,
    naming: Naming,
    cadence: str | None,
    readers: Registration,
    namespace: str,
    docs: str = "",
    keys: ResourceKeys = ResourceKeys(),  # noqa: B008 - frozen, so one for all is safe
) -> dg.AssetsDefinition:
    """Build the asset of an endpoint's history. Without a cadence it is not automated."""
    name = history_name(spec.endpoint)
    key = naming.key(name)
    links = {DOCS: dg.MetadataValue.url(docs)} if docs else {}

    @dg.asset(
        key=key,
        deps=[naming.key(spec.endpoint)],
        group_name=spec.group,
        owners=[spec.owner],
        kinds=KINDS,
        pool=naming.pool(name),
        tags={"salesforce/object": spec.sobject, "salesforce/cadence": cadence or "none"},
        description=description(spec),
        metadata={"dagster/table_name": f"{namespace}.{name}", **STORAGE, **links},
        required_resource_keys={keys.iceberg, keys.snowflake},
        check_specs=[dg.AssetCheckSpec(CHECK, asset=key, description=CHECK_MEANS), *readers.check_specs(key)],
        automation_condition=FOLLOW if cadence else None,
    )
    def history(context: dg.AssetExecutionContext) -> Results:
        iceberg: IcebergResource = getattr(context.resources, keys.iceberg)
        snowflake: Registration = getattr(context.resources, keys.snowflake)
        with translate_errors(name):
            result = _update(spec, iceberg, run_id=context.run.run_id)
        context.log.info(sentence(result))
        lineage = same_columns(naming.key(spec.endpoint), result.columns, own=OWN_COLUMNS)
        values = metadata(result, f"{iceberg.namespace}.{name}") | {"dagster/column_lineage": lineage}
        yield dg.MaterializeResult(metadata=values)
        yield _check(result)
        yield from snowflake.publish(name, iceberg.tables())

    return history


def description(spec: EndpointSpec) -> str:
    """Return the asset's description as markdown."""
    erased = " Versions of deleted rows are erased." if spec.deleted == "remove" else ""
    return (
        f"Every version of each row that {spec.endpoint} has held.\n\nA row is appended for each change: `_change` is"
        " insert, update, delete or undelete. `_change_number` orders the changes, `_snapshot_id` is the table's"
        f" snapshot, `_synced_at` the time of the sync.{erased}"
    )


def sentence(result: "HistoryResult") -> str:
    """Return what an update did, for the log."""
    counts = ", ".join(f"{count} {kind}" for kind, count in result.changes.items()) or "no change"
    erased = f" {plural(result.erased, 'version')} erased." if result.erased else ""
    used = plural(result.snapshots, "snapshot")
    return f"{result.table}: {counts} from {used}.{erased} {' '.join(result.notes)}".strip()


def metadata(result: "HistoryResult", table: str) -> dict[str, Any]:
    """Return the metadata of a materialization."""
    values = {
        "dagster/row_count": result.rows,
        "dagster/table_name": table,
        "dagster/uri": result.uri,
        **{f"rows_{kind}": count for kind, count in result.changes.items()},
        "snapshots_used": result.snapshots,
        "versions_erased": result.erased or None,
        "bytes_written": result.bytes_written,
        "snapshot_id": None if result.snapshot_id is None else str(result.snapshot_id),
        "notes": dg.MetadataValue.md("\n".join(f"- {note}" for note in result.notes)) if result.notes else None,
    }
    return {name: value for name, value in values.items() if value is not None}


def _update(spec: EndpointSpec, iceberg: IcebergResource, *, run_id: str) -> "HistoryResult":
    from sf_assets.iceberg.commit.table_state import RUN  # only a run needs it: it loads pyiceberg
    from sf_assets.sync.deleted_rows import removes_deleted

    return iceberg.tables().histories.update(
        spec.endpoint,
        forgets_deleted=removes_deleted(spec),
        summary={RUN: run_id},
        doc=f"Every version of each row of {spec.endpoint}.",
    )


def _check(result: "HistoryResult") -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=CHECK,
        passed=not result.has_gap,
        severity=dg.AssetCheckSeverity.WARN,
        description=" ".join(result.notes) or CHECK_MEANS,
    )
