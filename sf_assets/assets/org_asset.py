"""The Salesforce org as one node above all endpoints, and the org that a Dagster instance has the history of."""

from typing import TYPE_CHECKING, Any

import dagster as dg

from sf_assets.assets.naming import Naming
from sf_assets.errors import ConfigError

if TYPE_CHECKING:  # it loads pyiceberg, and every Dagster process loads this module
    from sf_assets.sync.report import SyncReport

ORG_ID = "org_id"
"""Metadata of the node's events."""
AUTOMATION_TAG = "dagster/from_automation_condition"
"""Tag of the runs that a sensor of automation conditions requests."""
SAME_DATA = {"dagster/data_version": "INITIAL"}
"""The data version of an asset that was never made, so that reading the org makes no table look outdated."""
_reported: set[tuple[str, dg.AssetKey]] = set()
"""Run and org."""
_history_errors: dict[tuple[str, str], ConfigError | None] = {}


def org_node(naming: Naming) -> dg.AssetSpec:
    """Return the one upstream node of all endpoints."""
    return dg.AssetSpec(
        naming.org_key,
        description="The Salesforce org that all endpoints are read from. Dagster does not materialize it: its events"
        " show when a run last read the org, and how many of its daily API calls all apps had used then.",
        kinds={"salesforce"},
        group_name="org",
    )


def report_org_read(context: dg.AssetExecutionContext, naming: Naming, report: "SyncReport") -> None:
    """Report that the org was read, once a run. The event is not the run's own: those are of its tables."""
    run_id = context.run.run_id
    if (run_id, naming.org_key) in _reported:
        return
    _reported.add((run_id, naming.org_key))
    quota = {"quota_used": report.org.quota_used, "quota_limit": report.org.quota_limit}
    facts: dict[str, Any] = {ORG_ID: report.org_id, "run": dg.MetadataValue.dagster_run(run_id)}
    present = {name: value for name, value in quota.items() if value is not None}
    event = dg.AssetMaterialization(naming.org_key, metadata=facts | present, tags=SAME_DATA)
    context.instance.report_runless_asset_event(event)


def refuse_other_history(context: dg.AssetExecutionContext, naming: Naming, org_id: str) -> None:
    """Raise ConfigError if this Dagster instance has the history of another org.

    The endpoints of a run share one error object, and so one message.
    """
    key = (context.run.run_id, naming.source)
    if key not in _history_errors:
        _history_errors[key] = _history_error(context.instance, naming, org_id)
    if (error := _history_errors[key]) is not None:
        raise error.with_traceback(None)


def require_same_org(instance: dg.DagsterInstance, naming: Naming, org_id: str) -> None:
    """Raise ConfigError if a Dagster instance has the history of another org."""
    if (error := _history_error(instance, naming, org_id)) is not None:
        raise error


def _history_error(instance: dg.DagsterInstance, naming: Naming, org_id: str) -> ConfigError | None:
    event = instance.get_latest_materialization_event(naming.org_key)
    materialization = event.asset_materialization if event else None
    value = materialization.metadata.get(ORG_ID) if materialization else None
    former = str(value.value) if value else org_id
    if former[:15] == org_id[:15]:
        return None
    return ConfigError(
        f"this Dagster instance has the history of org {former} under {naming.source}/*, and this run reads {org_id}",
        remedy="Give each org and deployment a DAGSTER_HOME (or Dagster database) of its own, or a name of its own"
        " (SF_ASSETS_ORG). If the org is a refreshed sandbox, run with adopt_org: true and full_refresh: true.",
        setting="DAGSTER_HOME",
    )


def refuse_automatic_first_copy(context: dg.AssetExecutionContext, endpoint: str, *, is_filled: bool) -> None:
    """Raise ConfigError if automation is about to make the first copy of a table."""
    if is_filled or AUTOMATION_TAG not in context.run.tags:
        return
    raise ConfigError(
        f"{endpoint}: automation has started a first copy, because Dagster remembers a table that is not there",
        remedy="Look at its cost with `sf-assets plan`, then materialize it yourself, in Dagit or on the command line."
        " Automation keeps the table fresh from then on.",
        setting="SF_ASSETS_DEPLOYMENT",
    )
