"""The Salesforce org as one node above all endpoints: what of its day's calls was used when a run last read it."""

from typing import TYPE_CHECKING, Any

import dagster as dg

from sf_assets.assets.naming import Naming

if TYPE_CHECKING:
    from sf_assets.sync.report import SyncReport

SAME_DATA = {"dagster/data_version": "INITIAL"}
"""The data version of what was never made: that the org was read makes no table look out of step with it."""
_told: set[str] = set()


def org_node(naming: Naming) -> dg.AssetSpec:
    """Return the one upstream node of all endpoints."""
    return dg.AssetSpec(
        naming.org_key,
        description="The Salesforce org that all endpoints are read from. It is not made here: its events say when a"
        " run last read it, and what of its daily API calls was used then, by all its apps.",
        kinds={"salesforce"},
        group_name="org",
    )


def tell_org(context: dg.AssetExecutionContext, naming: Naming, record: "SyncReport") -> None:
    """Tell that the org was read, once a run; outside the run's own events, which are of its tables."""
    run_id = context.run.run_id
    if run_id in _told:
        return
    _told.add(run_id)
    quota = {"quota_used": record.org.quota_used, "quota_limit": record.org.quota_limit}
    facts: dict[str, Any] = {"org_id": record.org_id, "run": dg.MetadataValue.dagster_run(run_id)}
    known = {name: value for name, value in quota.items() if value is not None}
    read = dg.AssetMaterialization(naming.org_key, metadata=facts | known, tags=SAME_DATA)
    context.instance.report_runless_asset_event(read)
