"""Build a client from settings by name."""

from dataclasses import fields
from typing import Any

from sf_assets.salesforce.client import Client
from sf_assets.salesforce.client_settings import OrgAccess, RequestLimits


def build_client(settings: dict[str, Any], **more: Any) -> Client:
    """Build a client; each setting goes to the group that has it."""
    groups, rest = [], dict(settings)
    for kind in (OrgAccess, RequestLimits):
        names = {field.name for field in fields(kind)} & rest.keys()
        groups.append(kind(**{name: rest.pop(name) for name in names}))
    return Client(groups[0], limits=groups[1], **rest, **more)
