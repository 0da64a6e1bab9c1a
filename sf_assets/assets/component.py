"""The Dagster component `sf_assets.SalesforceOrg`: a YAML file becomes the assets of one Salesforce org."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import dagster as dg
from dagster.components.utils.defs_state import DefsStateConfig, DefsStateConfigArgs, ResolvedDefsStateConfig
from dagster.components.utils.translation import TranslationFn, TranslationFnResolver

from sf_assets.assets.build import build_definitions
from sf_assets.assets.component_errors import YamlSource
from sf_assets.assets.component_model import CustomObject, LoginVariables, Override, specs_values
from sf_assets.assets.component_scaffolder import SalesforceOrgScaffolder
from sf_assets.assets.credentials import CredentialsResource, EnvironmentCredentials
from sf_assets.assets.deployments import Deployment, read_deployment, secrets_manager, shared_settings
from sf_assets.assets.freshness import automated
from sf_assets.assets.naming import ResourceKeys
from sf_assets.salesforce.instance_url import parse_instance_url
from sf_assets.specs.endpoints import endpoints_of
from sf_assets.specs.model import EndpointSpec

VARIABLES = {
    "org": "SF_ASSETS_ORG",
    "instance_url": "SALESFORCE_INSTANCE_URL",
    "audience": "SALESFORCE_LOGIN_AUDIENCE",
    "catalog": "SF_ASSETS_CATALOG",
    "namespace": "SF_ASSETS_NAMESPACE",
    "requests_per_second": "SALESFORCE_REQUESTS_PER_SECOND",
    "quota_reserve": "SALESFORCE_QUOTA_RESERVE",
    "daily_calls": "SALESFORCE_DAILY_CALLS",
    "bulk": "SF_ASSETS_BULK",
    "endpoints": "SF_ASSETS_ENDPOINTS",
    "cadences": "SF_ASSETS_CADENCES",
    "history": "SF_ASSETS_HISTORY",
    "snowflake": "SF_ASSETS_SNOWFLAKE",
}
"""Attribute -> the variable with the same meaning; its reader checks the value."""


@dg.scaffold_with(SalesforceOrgScaffolder)
@dataclass
class SalesforceOrg(dg.StateBackedComponent, dg.Resolvable):
    """A Salesforce org as Iceberg tables: an asset, checks and freshness for each endpoint.

    Without `instance_url` the org is the practice org. Secrets are named and never written here. The columns that
    the org shows are this component's state: `dg utils refresh-defs-state` reads them; loading sends no request.
    """

    instance_url: Annotated[
        str, dg.Resolver.default(description="My Domain host of the org. Empty: the practice org.")
    ] = ""
    practice: Annotated[
        bool, dg.Resolver.default(description="The host is a practice org (`sf-assets practice --port`).")
    ] = False
    login: LoginVariables = field(default_factory=LoginVariables)
    org: Annotated[
        str, dg.Resolver.default(description="Short name for keys and namespace; the first org needs none.")
    ] = ""
    audience: Annotated[str, dg.Resolver.default(description="`aud` of the login, if it is not the host.")] = ""
    catalog: Annotated[str, dg.Resolver.default(description="Name of the catalog in pyiceberg's settings.")] = ""
    namespace: Annotated[str, dg.Resolver.default(description="Namespace of the tables; by default the key's.")] = ""
    endpoints: Annotated[
        list[str], dg.Resolver.default(description="Endpoints or groups that become assets. Default: all.")
    ] = field(default_factory=list)
    cadences: Annotated[
        dict[str, str], dg.Resolver.default(description="Endpoint, group or `all` -> hourly, six_hours or daily.")
    ] = field(default_factory=dict)
    history: Annotated[
        list[str], dg.Resolver.default(description="Endpoints or groups with a history of every row.")
    ] = field(default_factory=list)
    overrides: Annotated[dict[str, Override], dg.Resolver.default(description="Endpoint -> its own settings.")] = field(
        default_factory=dict
    )
    custom_objects: Annotated[
        list[CustomObject], dg.Resolver.default(description="Objects of the org as endpoints of their own.")
    ] = field(default_factory=list)
    requests_per_second: Annotated[
        float, dg.Resolver.default(description="Most requests a second, of all runs together.")
    ] = 2.0
    quota_reserve: Annotated[float, dg.Resolver.default(description="Share of the daily API calls for others.")] = 0.1
    daily_calls: Annotated[
        int, dg.Resolver.default(description="Most API calls of ours in a day (UTC). 0: no such bound.")
    ] = 0
    bulk: Annotated[
        str, dg.Resolver.default(description="auto, never or always: Bulk query jobs for whole objects.")
    ] = ""
    snowflake: Annotated[str, dg.Resolver.default(description="linked or tables, if SNOWFLAKE_ACCOUNT is set.")] = ""
    translation: Annotated[
        TranslationFn[EndpointSpec] | None,
        TranslationFnResolver(template_vars_for_translation_fn=lambda endpoint: {"endpoint": endpoint}),
    ] = None
    defs_state: ResolvedDefsStateConfig = field(
        default_factory=lambda: DefsStateConfigArgs(
            management_type=DefsStateConfigArgs.local_filesystem().management_type, refresh_if_dev=False
        )
    )

    @property
    def defs_state_config(self) -> DefsStateConfig:
        """The place of the state; one for each org."""
        return DefsStateConfig.from_args(self.defs_state, default_key=f"SalesforceOrg[{self.org or 'salesforce'}]")

    def build_defs_from_state(self, context: dg.ComponentLoadContext, state_path: Path | None) -> dg.Definitions:
        """Build the org's definitions; with a state, their column schemas too."""
        columns = json.loads(state_path.read_text(encoding="utf-8")) if state_path and state_path.exists() else {}
        source = YamlSource.of(context, self.endpoint_paths(), VARIABLES)
        with source.named_errors():
            deployment = self.deployment()
            return build_definitions(
                replace(deployment, endpoints=""),
                specs=self.specs(source.file),
                keys=ResourceKeys.of(deployment.naming),
                columns_file=state_path if columns and self._keeps_state_here else None,
                change=lambda endpoint, spec: self.get_asset_spec(
                    endpoint, _with_columns(spec, columns.get(endpoint.endpoint))
                ),
            )

    @property
    def _keeps_state_here(self) -> bool:
        """Whether the state is a file of the project, which a sync can update."""
        return self.defs_state_config.management_type == DefsStateConfigArgs.local_filesystem().management_type

    def get_asset_spec(self, endpoint: EndpointSpec, spec: dg.AssetSpec) -> dg.AssetSpec:
        """Return an endpoint's asset spec. Override it, or use `translation`, to change group, tags or owners."""
        return self.translation(spec, endpoint) if self.translation else spec

    def write_state_to_path(self, state_path: Path) -> None:
        """Describe the objects and write the columns of their tables.

        Raises: what login and describe raise.
        """
        from sf_assets.assets.described_columns import described_columns  # loads Polars and httpx

        columns = described_columns(self.deployment().salesforce.resolved(), self.specs(Path("defs.yaml")))
        state_path.parent.mkdir(parents=True, exist_ok=True)
        state_path.write_text(json.dumps(columns), encoding="utf-8")

    def specs(self, path: Path) -> tuple[EndpointSpec, ...]:
        """Return the endpoints that become assets. `path`: the file that messages name."""
        specs = endpoints_of(specs_values(self.overrides, self.custom_objects), path=path)
        names = automated(specs, ",".join(self.endpoints))
        return tuple(spec for spec in specs if spec.endpoint in names)

    def endpoint_paths(self) -> dict[str, tuple[str | int, ...]]:
        """Return the place of each endpoint's own settings among the attributes, by name."""
        rows = {each.row()["endpoint"]: ("custom_objects", i) for i, each in enumerate(self.custom_objects)}
        return {**{name: ("overrides", name) for name in self.overrides}, **rows}

    def deployment(self) -> Deployment:
        """Return the deployment that the attributes describe.

        Raises: ConfigError for a value that cannot be used.
        """
        if self.instance_url:
            parse_instance_url(self.instance_url)
        self.login.refuse_values()
        is_practice = self.practice or not self.instance_url
        values = {VARIABLES[name]: _text(getattr(self, name)) for name in VARIABLES}
        values["SF_ASSETS_DEPLOYMENT"] = "practice" if is_practice else "production"
        return read_deployment(
            {**shared_settings(), **{name: value for name, value in values.items() if value}},
            credentials=None if is_practice else self._credentials(),
        )

    def _credentials(self) -> CredentialsResource:
        if self.login.secret_id:
            return secrets_manager(self.login.secret_id)
        return EnvironmentCredentials(
            consumer_key=dg.EnvVar(self.login.consumer_key),
            username=dg.EnvVar(self.login.username),
            columns_key=dg.EnvVar(self.login.hash_key) if self.login.hash_key else "",
            private_key="" if self.login.private_key_file else dg.EnvVar(self.login.private_key),
            private_key_file=self.login.private_key_file,
        )


def _text(value: object) -> str:
    """Return an attribute as the environment would hold it."""
    if isinstance(value, Mapping):
        return ",".join(f"{key}={word}" for key, word in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ",".join(map(str, value))
    return str(value)


def _with_columns(spec: dg.AssetSpec, columns: Sequence[Mapping[str, Any]] | None) -> dg.AssetSpec:
    if not columns:
        return spec
    schema = dg.TableSchema([dg.TableColumn(c["name"], c["type"], c["description"]) for c in columns])
    return spec.merge_attributes(metadata={"dagster/column_schema": schema})
