"""The `sources.yml` and staging models of the dbt project, as text, from the specs. Nothing is read or written here."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from sf_assets.specs.catalogue import SYSTEM_COLUMNS
from sf_assets.specs.model import EndpointSpec
from sf_assets.sync.columns import Column, plan_columns
from sf_assets.sync.status_table import COLUMNS
from sf_assets.sync.type_map import TYPES

SOURCES = "models/sources.yml"
STAGING = "models/staging"
STATUS = "_sync_status"
FRESHNESS: Mapping[str, tuple[int, int]] = {"hourly": (3, 6), "six_hours": (9, 18), "daily": (30, 60)}
"""Cadence -> hours after which dbt warns and fails. A table that is kept fresh never reaches the first."""
RENAMED: Mapping[str, str] = {"product_2_id": "product_id", "pricebook_2_id": "pricebook_id"}
"""Columns with a number in Salesforce's name -> their names in staging."""
CURRENCY = "currency_iso_code"
NAMESPACE = "env_var('SF_ASSETS_NAMESPACE', ('salesforce_' ~ env_var('SF_ASSETS_ORG', '')).rstrip('_'))"
"""The namespace, as the code location finds it: a named org has its own."""

WRITTEN = "Written by `sf-assets sources`; a test compares."
Yaml = dict[str, Any]


def project_files(specs: Sequence[EndpointSpec]) -> dict[str, str]:
    """Return the generated files of the dbt project: path in it -> text."""
    staged = {f"{STAGING}/{staging_name(spec)}.sql": staging_model(spec) for spec in specs}
    return {SOURCES: sources_text(specs), f"{STAGING}/staging.yml": staging_text(specs), **staged}


def staging_name(spec: EndpointSpec) -> str:
    """Return the name of an endpoint's staging model."""
    return f"stg_salesforce__{spec.endpoint}"


def sources_text(specs: Sequence[EndpointSpec]) -> str:
    """Return `sources.yml`: every table with its columns, their types and tests, and its freshness."""
    source = {
        "name": "salesforce",
        "description": "Salesforce objects as Iceberg tables, with deleted rows where Salesforce shows them.",
        "database": _location("database", "target.database", "SNOWFLAKE_DATABASE"),
        "schema": _location("schema", NAMESPACE, "SNOWFLAKE_SCHEMA"),
        "tables": [*(_table(spec, specs) for spec in specs), _status()],
    }
    return _yaml({"version": 2, "sources": [source]})


def staging_text(specs: Sequence[EndpointSpec]) -> str:
    """Return `staging.yml`: a description of each staging model."""
    return _yaml({"version": 2, "models": [_staging(spec) for spec in specs]})


def _staging(spec: EndpointSpec) -> Yaml:
    rows = "Rows that are not deleted of" if spec.has_is_deleted else "Rows of"
    return {
        "name": staging_name(spec),
        "description": f"{rows} {spec.sobject}.",
        "columns": [{"name": _id_name(spec), "description": "Record ID."}],
    }


def staging_model(spec: EndpointSpec) -> str:
    """Return an endpoint's staging model.

    Deleted rows are dropped. `id` and `name` get the endpoint's name, and numbered names lose their number. A missing
    currency is the variable `default_currency`. All other columns, custom ones too, stay as they are.
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
    """Return the columns that staging changes: name -> (expression, name in staging)."""
    wanted = {"id": ("id", _id_name(spec)), "name": ("name", f"{spec.endpoint}_name")}
    wanted |= {old: (old, new) for old, new in RENAMED.items()}
    wanted[CURRENCY] = (f"coalesce({CURRENCY}, '{{{{ var('default_currency') }}}}')", CURRENCY)
    names = [column.name for column in _columns(spec)]
    return {name: change for name, change in wanted.items() if name in names}


def _id_name(spec: EndpointSpec) -> str:
    return f"{spec.endpoint}_id"


def _columns(spec: EndpointSpec) -> tuple[Column, ...]:
    return plan_columns(spec, None).table


def _location(part: str, here: str, setting: str) -> str:
    """Return the expression of a database or schema: a variable, or the loader's setting."""
    on_snowflake = f"env_var('{setting}', {here})"
    return f"{{{{ var('salesforce_{part}', {on_snowflake} if target.type == 'snowflake' else {here}) }}}}"


def _table(spec: EndpointSpec, specs: Sequence[EndpointSpec]) -> Yaml:
    targets = _targets(spec, specs)
    together = [{"unique_combination": {"arguments": {"columns": list(spec.keys)}}}]
    synced = "When this version of the row was read from Salesforce."
    return {
        "name": spec.endpoint,
        "description": f"{spec.description} Salesforce object {spec.sobject}.",
        "config": {"loaded_at_query": _loaded_at(spec), "freshness": _freshness(spec)},
        **({"data_tests": together} if len(spec.keys) > 1 else {}),
        "columns": [
            *(_column(column, spec.keys, target=targets.get(column.api_name.lower())) for column in _columns(spec)),
            {"name": "_synced_at", "description": synced, "data_type": "TIMESTAMP_LTZ(6)"},
        ],
    }


def _freshness(spec: EndpointSpec) -> Yaml:
    warn, fail = FRESHNESS[spec.cadence]
    return {"warn_after": {"count": warn, "period": "hour"}, "error_after": {"count": fail, "period": "hour"}}


def _loaded_at(spec: EndpointSpec) -> str:
    """Return the freshness block, which asks the status table.

    A sync without changed rows makes no commit in the endpoint's own table."""
    return f"select max(true_as_of) from {{{{ source('salesforce', '{STATUS}') }}}} where endpoint = '{spec.endpoint}'"


def _column(column: Column, keys: Sequence[str], *, target: str | None) -> Yaml:
    tests = _tests(column, keys, target)
    return {
        "name": column.name,
        "description": column.doc,
        "data_type": column.snowflake,
        **({"data_tests": tests} if tests else {}),
    }


def _tests(column: Column, keys: Sequence[str], target: str | None) -> list[Any]:
    if column.name in keys:
        return ["unique", "not_null"] if len(keys) == 1 else ["not_null"]
    arguments = {"to": f"source('salesforce', '{target}')", "field": "id"}
    return [{"relationships": {"arguments": arguments, "config": {"severity": "warn"}}}] if target else []


def _targets(spec: EndpointSpec, specs: Iterable[EndpointSpec]) -> dict[str, str]:
    """Return lower-case API name -> endpoint for references with exactly one target."""
    endpoints = {other.sobject: other.endpoint for other in specs if other.keys == ("id",)}
    fields = spec.catalogue or SYSTEM_COLUMNS
    single = {field.name.lower(): field.reference_to[0] for field in fields if len(field.reference_to) == 1}
    return {name: endpoints[sobject] for name, sobject in single.items() if sobject in endpoints}


def _status() -> Yaml:
    return {
        "name": STATUS,
        "description": "The time as of which each endpoint's table is true, and the result of its last sync.",
        "columns": [
            {"name": column.name, "description": column.doc, "data_type": TYPES[column.type].snowflake}
            for column in COLUMNS
        ],
    }


def _yaml(document: Yaml) -> str:
    """Return the document as YAML, one line for each text."""
    return f"# {WRITTEN}\n{yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=10_000)}"
