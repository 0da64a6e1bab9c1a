"""Specs -> the dbt project's `sources.yml` and staging models, as text. It reads no table and writes no file."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

from sf_assets.specs.catalogue import SYSTEM_COLUMNS
from sf_assets.specs.model import EndpointSpec
from sf_assets.sync.columns import Column, plan_columns
from sf_assets.sync.status_table import COLUMNS
from sf_assets.sync.type_map import TYPES

SOURCES = "models/sources.yml"
STAGING = "models/staging"
STATUS = "_sync_status"
FRESHNESS: Mapping[str, tuple[int, int]] = {"hourly": (3, 6), "six_hours": (9, 18), "daily": (30, 60)}
"""Cadence word -> hours after which dbt warns, and fails. The first is the age that a table never has."""
RENAMED: Mapping[str, str] = {"product_2_id": "product_id", "pricebook_2_id": "pricebook_id"}
"""Columns that Salesforce numbers, and what staging calls them."""
CURRENCY = "currency_iso_code"
NAMESPACE = "env_var('SF_ASSETS_NAMESPACE', ('salesforce_' ~ env_var('SF_ASSETS_ORG', '')).rstrip('_'))"
"""As the code location finds it: an org of its own has a namespace of its own."""

WRITTEN = "Written by `sf-assets sources`; a test compares."
_TEXT = partial(json.dumps, ensure_ascii=False)
"""A JSON string is a YAML string."""


def project_files(specs: Sequence[EndpointSpec]) -> dict[str, str]:
    """Return the generated files of the dbt project: path in it -> text."""
    staged = {f"{STAGING}/{staging_name(spec)}.sql": staging_model(spec) for spec in specs}
    return {SOURCES: sources_text(specs), f"{STAGING}/staging.yml": staging_text(specs), **staged}


def staging_name(spec: EndpointSpec) -> str:
    """Return the name of an endpoint's staging model."""
    return f"stg_salesforce__{spec.endpoint}"


def sources_text(specs: Sequence[EndpointSpec]) -> str:
    """Return `sources.yml`: every table with its columns, their types and tests, and when it is fresh."""
    return "\n".join([*_head(), *(line for spec in specs for line in _table(spec, specs)), *_status(), ""])


def staging_text(specs: Sequence[EndpointSpec]) -> str:
    """Return `staging.yml`: what each staging model is."""
    lines = [f"# {WRITTEN}", "version: 2", "", "models:"]
    for spec in specs:
        living = "Living rows of" if spec.has_is_deleted else "Rows of"
        lines += [f"  - name: {staging_name(spec)}", f"    description: {_TEXT(f'{living} {spec.sobject}.')}"]
        lines += ["    columns:", f"      - name: {_id_name(spec)}", "        description: Record ID."]
    return "\n".join([*lines, ""])


def staging_model(spec: EndpointSpec) -> str:
    """Return an endpoint's staging model.

    One rule for all: deleted rows are dropped, `id` and `name` bear the endpoint's name, numbered names lose their
    number, a missing currency is the variable `default_currency`; all other columns, custom ones too, stay as they are.
    """
    changed = _changed(spec)
    dropped = [*changed, *(["is_deleted"] if spec.has_is_deleted else [])]
    lines = [
        f"-- {WRITTEN}",
        "select",
        f"    * exclude ({', '.join(dropped)}),",
        ",\n".join(f"    {expression} as {name}" for expression, name in changed.values()),
        f"from {{{{ source('salesforce', '{spec.endpoint}') }}}}",
        *(["where not coalesce(is_deleted, false)"] if spec.has_is_deleted else []),
        "",
    ]
    return "\n".join(lines)


def _changed(spec: EndpointSpec) -> dict[str, tuple[str, str]]:
    """The columns that staging does not hand on as they are: name -> (expression, name in staging)."""
    wanted = {"id": ("id", _id_name(spec)), "name": ("name", f"{spec.endpoint}_name")}
    wanted |= {old: (old, new) for old, new in RENAMED.items()}
    wanted[CURRENCY] = (f"coalesce({CURRENCY}, '{{{{ var('default_currency') }}}}')", CURRENCY)
    names = [column.name for column in _columns(spec)]
    return {name: change for name, change in wanted.items() if name in names}


def _id_name(spec: EndpointSpec) -> str:
    return f"{spec.endpoint}_id"


def _columns(spec: EndpointSpec) -> tuple[Column, ...]:
    return plan_columns(spec, None).table


def _head() -> Iterator[str]:
    yield f"# {WRITTEN}"
    yield "version: 2"
    yield ""
    yield "sources:"
    yield "  - name: salesforce"
    yield "    description: Salesforce objects as Iceberg tables, deleted rows included where Salesforce shows them."
    yield f"    database: {_TEXT(_place('database', 'target.database', 'SNOWFLAKE_DATABASE'))}"
    yield f"    schema: {_TEXT(_place('schema', NAMESPACE, 'SNOWFLAKE_SCHEMA'))}"
    yield "    tables:"


def _place(what: str, here: str, setting: str) -> str:
    """Where the tables are: as a variable says, else on Snowflake as the loader's setting does, else here."""
    on_snowflake = f"env_var('{setting}', {here})"
    return f"{{{{ var('salesforce_{what}', {on_snowflake} if target.type == 'snowflake' else {here}) }}}}"


def _table(spec: EndpointSpec, specs: Sequence[EndpointSpec]) -> Iterator[str]:
    warn, fail = FRESHNESS[spec.cadence]
    yield f"      - name: {spec.endpoint}"
    yield f"        description: {_TEXT(f'{spec.description} Salesforce object {spec.sobject}.')}"
    yield "        config:"
    yield f"          loaded_at_query: {_TEXT(_loaded_at(spec))}"
    yield "          freshness:"
    yield f"            warn_after: {{count: {warn}, period: hour}}"
    yield f"            error_after: {{count: {fail}, period: hour}}"
    if len(spec.keys) > 1:
        yield "        data_tests:"
        yield f"          - unique_combination: {{arguments: {{columns: [{', '.join(spec.keys)}]}}}}"
    yield "        columns:"
    targets = _targets(spec, specs)
    for column in _columns(spec):
        yield from _column(column, spec.keys, target=targets.get(column.api_name.lower()))
    yield "          - name: _synced_at"
    yield "            description: When this version of the row was read from Salesforce."
    yield "            data_type: TIMESTAMP_LTZ(6)"


def _loaded_at(spec: EndpointSpec) -> str:
    """A table without news makes no commit, so only the status table knows as of when it is true."""
    return f"select max(true_as_of) from {{{{ source('salesforce', '{STATUS}') }}}} where endpoint = '{spec.endpoint}'"


def _column(column: Column, keys: Sequence[str], *, target: str | None) -> Iterator[str]:
    yield f"          - name: {column.name}"
    yield f"            description: {_TEXT(column.doc)}"
    yield f"            data_type: {column.snowflake}"
    if column.name in keys:
        yield f"            data_tests: [{'unique, not_null' if len(keys) == 1 else 'not_null'}]"
    elif target:
        yield "            data_tests:"
        arguments = f"arguments: {{to: \"source('salesforce', '{target}')\", field: id}}"
        yield f"              - relationships: {{{arguments}, config: {{severity: warn}}}}"


def _targets(spec: EndpointSpec, specs: Iterable[EndpointSpec]) -> dict[str, str]:
    """API name in lower case -> endpoint, of the references whose one target is an endpoint."""
    endpoints = {other.sobject: other.endpoint for other in specs if other.keys == ("id",)}
    known = spec.catalogue or SYSTEM_COLUMNS
    single = {field.name.lower(): field.reference_to[0] for field in known if len(field.reference_to) == 1}
    return {name: endpoints[sobject] for name, sobject in single.items() if sobject in endpoints}


def _status() -> Iterator[str]:
    yield f"      - name: {STATUS}"
    yield "        description: As of when each endpoint's table is true, and how its last sync ended."
    yield "        columns:"
    for column in COLUMNS:
        yield f"          - name: {column.name}"
        yield f"            description: {_TEXT(column.doc)}"
        yield f"            data_type: {TYPES[column.type].snowflake}"
