"""Whether a Bulk query job reads an object as a whole, and what that costs. Pure."""

from collections.abc import Sequence

from sf_assets.specs.model import EndpointSpec
from sf_assets.sync.bulk_csv import JSON_ONLY
from sf_assets.sync.columns import Column
from sf_assets.sync.limits import BulkLimits
from sf_assets.sync.report import BulkMode, DeploymentOptions
from sf_assets.sync.state import Walk

LIST_PAGES = 5
"""Pages in one answer of the list of result pages."""
CALLS_A_JOB = 15
"""Calls of a job besides its pages: limits, create, about eleven looks at a job of five minutes, result, delete."""


def bulk_mode(spec: EndpointSpec, deployment: DeploymentOptions) -> BulkMode:
    """Return when Bulk query jobs read the endpoint's object."""
    return deployment.bulk if spec.bulk == "default" else spec.bulk


def why_rest(
    mode: BulkMode, *, rows: int | None, columns: Sequence[Column], walk: Walk | None, limits: BulkLimits
) -> str | None:
    """Return why REST reads the object, or None for a Bulk query job.

    `rows`: of the whole object, if known. A walk goes on in the way in which it started.
    """
    if mode == "never":
        return "the setting is never"
    if only_json := [column.api_name for column in columns if column.type in JSON_ONLY]:
        return f"Bulk cannot read {', '.join(only_json)}"
    if walk is not None and walk.bulk is not None:
        return None
    if walk is not None and walk.is_begun:
        return "REST reads it already"
    if mode == "auto" and rows is None:
        return "the number of rows is not known"
    if mode == "auto" and (rows or 0) < limits.least_rows:
        return f"it has fewer than {limits.least_rows:,} rows"
    return None


def bulk_calls(rows: int, limits: BulkLimits) -> int:
    """Return the calls of a job with pages of `page_rows`. The org's own pages may be larger."""
    pages = max(1, -(-rows // limits.page_rows))
    return pages + -(-pages // LIST_PAGES) + CALLS_A_JOB
