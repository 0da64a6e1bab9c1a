"""`sf-assets setup salesforce`: the app, the user and the permission set that the chosen endpoints need."""

from collections.abc import Mapping, Sequence

from sf_assets.commands.setup.permissions import permission_set
from sf_assets.commands.setup.render import render
from sf_assets.commands.setup.values import SetupValues
from sf_assets.specs.model import EndpointSpec

FEATURES: Mapping[str, str] = {"Quote": "Quotes", "QuoteLineItem": "Quotes", "Order": "Orders", "OrderItem": "Orders"}
"""The feature that must be switched on in the org; without it the endpoint is an empty table and a warning."""


def salesforce_steps(specs: Sequence[EndpointSpec], values: SetupValues) -> str:
    """Return the steps, with the permission set as metadata."""
    permissions = permission_set(specs)
    return render(
        "salesforce.txt.j2",
        values=values,
        count=len(specs),
        features=sorted({FEATURES[spec.sobject] for spec in specs if spec.sobject in FEATURES}),
        permissions=permissions,
        metadata=permission_set_metadata(specs),
        alone=sorted({field.partition(".")[0] for field in permissions.fields}),
    )


def permission_set_metadata(specs: Sequence[EndpointSpec]) -> str:
    """Return the permission set as metadata: read access, and no right to change anything."""
    return render("permission_set.xml.j2", permissions=permission_set(specs)).strip()
