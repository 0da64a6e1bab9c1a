"""The columns that an org shows today, as a component keeps them: endpoint -> name, type and description."""

from collections.abc import Sequence

from sf_assets.assets.kept_columns import column_values
from sf_assets.assets.resources import SalesforceResource
from sf_assets.errors import SalesforceError
from sf_assets.specs.model import EndpointSpec
from sf_assets.sync.columns import plan_columns, table_columns


def described_columns(salesforce: SalesforceResource, specs: Sequence[EndpointSpec]) -> dict[str, list[dict[str, str]]]:
    """Return each table's columns; those of the catalogue for an object that is off."""
    described = salesforce.client().describe([spec.sobject for spec in specs], fresh=True)
    return {spec.endpoint: _columns(spec, described[spec.sobject], salesforce.calculated) for spec in specs}


def _columns(spec: EndpointSpec, described: object, calculated: str) -> list[dict[str, str]]:
    fields = None if isinstance(described, SalesforceError) else described
    plan = plan_columns(spec, fields, calculated=calculated)  # type: ignore[arg-type]  # checked by the resource
    return column_values(table_columns(plan.table))
