"""Resources that a run cannot configure: host, credentials, catalog and ledger come from the deployment alone.

Dagster lets every launcher override the values of a `ConfigurableResource`, with literals and with `{"env": NAME}`.
A run could then send the private key to any host. `fix_resources` closes that: the values stay, `EnvVar`s are still
read when a run starts, and a run config with an entry for a resource is refused before a run is made.
"""

from collections.abc import Callable, Mapping
from typing import Any

import dagster as dg
from dagster._core.definitions.definition_config_schema import (
    ConfiguredDefinitionConfigSchema,
    convert_user_facing_definition_config_schema,
)

from sf_assets.assets.run_log import redact_run_log

NOTHING = dg.Field(
    {},
    is_required=False,
    default_value={},
    description="Set by the deployment's environment variables. A run cannot change it.",
)
"""Config schema without an entry. Dagster refuses a run that gives one and names it."""


class _FixedSchema(ConfiguredDefinitionConfigSchema):
    """A resource's own values, closed for run config.

    Dagit's page of the resource reads the values from the default. Dagster has no public way to keep them there.
    """

    @property
    def default_value_as_json_str(self) -> str:
        return str(self.parent_def.get_config_field().default_value_as_json_str)


def fix_resources(resources: Mapping[str, Any]) -> dict[str, dg.ResourceDefinition]:
    """Return each resource as a definition that takes no run config; nested resources included.

    A run that has one of them redacts its log.
    """
    return {name: _fixed(resource.get_resource_definition()) for name, resource in resources.items()}


def _fixed(definition: Any) -> dg.ResourceDefinition:
    schema = _FixedSchema(
        definition, convert_user_facing_definition_config_schema(NOTHING), definition.config_schema.default_value
    )
    fixed: dg.ResourceDefinition = type(definition)(
        definition.configurable_resource_cls,
        resource_fn=_with_redacted_log(definition.resource_fn),
        config_schema=schema,
        description=definition.description,
        nested_resources=definition.nested_resources,
        nested_partial_resources=definition.nested_partial_resources,
    )
    return fixed


def _with_redacted_log(start: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def start_redacted(context: Any) -> Any:
        redact_run_log(context.log)
        return start(context)

    return start_redacted
