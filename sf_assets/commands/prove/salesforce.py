"""Steps on a real org: long descriptions, visible columns, licences, and what the permission set requires."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote_plus

import msgspec

from sf_assets.commands.prove.steps import Exchange, ProofContext, Verdict, step
from sf_assets.commands.setup.permissions import dependencies, permission_set
from sf_assets.errors import SalesforceError
from sf_assets.salesforce.client import Client
from sf_assets.salesforce.describe import Field, SObject
from sf_assets.salesforce.wire import Flow, Request

COMMENT_LIMIT = 255
"""Glue's limit of a column comment. docs.aws.amazon.com/glue/latest/webapi/API_Column.html"""


@step("salesforce", "descriptions longer than Glue's limit")
def long_descriptions(context: ProofContext) -> Iterator[Exchange]:
    """Count the fields with a description longer than a column comment."""
    for sobject in _described(context):
        lengths = [len(_description(field)) for field in sobject.fields]
        long = [length for length in lengths if length > COMMENT_LIMIT]
        if long:
            answer = {"fields": len(lengths), "longer than 255": len(long), "longest": max(long)}
            source = "sync/columns.py builds the comment; it is cut at the limit"
            yield Exchange(f"descriptions of {_public(sobject)}", "describe", answer, source)


@step("salesforce", "columns that this user sees")
def visible_columns(context: ProofContext) -> Iterator[Exchange]:
    """Compare the columns of each spec with the fields that describe shows to this user."""
    described = {sobject.name: {field.name.lower() for field in sobject.fields} for sobject in _described(context)}
    for spec in context.specs:
        visible = described.get(spec.sobject)
        names = [
            field.name.lower() for field in spec.catalogue if not field.feature and not spec.is_excluded(field.name)
        ]
        request = f"GET /sobjects/{spec.sobject}/describe"
        if visible is None:
            yield Exchange(f"columns of {spec.endpoint}", request, "the object is not visible", "", "refused")
            continue
        hidden = [name for name in names if name not in visible]
        verdict: Verdict = "different" if hidden else "as documented"
        answer = {"standard columns": len(names), "hidden": hidden}
        source = "View All Fields or field permissions of the permission set show every column"
        yield Exchange(f"columns of {spec.endpoint}", request, answer, source, verdict)


@step("salesforce", "licences of the integration user")
def licences(context: ProofContext) -> Iterator[Exchange]:
    """Ask for the licences of the user that is logged in."""
    client = _client(context)
    user = _call(client, "/services/oauth2/userinfo")
    identity = user.get("user_id", "") if isinstance(user, dict) else ""
    for name, soql in {
        "user licence": f"SELECT Profile.Name, Profile.UserLicense.Name FROM User WHERE Id = '{identity}'",
        "permission set licences": "SELECT PermissionSetLicense.DeveloperName FROM PermissionSetLicenseAssign"
        f" WHERE AssigneeId = '{identity}'",
    }.items():
        answer = _rows(_call(client, _query_path(client, soql)))
        verdict: Verdict = "open" if isinstance(answer, list) else "refused"
        yield Exchange(name, soql.replace(identity, "<ID>"), answer, "help.salesforce.com: integration_user", verdict)


@step("salesforce", "permissions that depend on others")
def permission_dependencies(context: ProofContext) -> Iterator[Exchange]:
    """Compare the dependencies that the org names with ours."""
    ours = dependencies("user_permissions", "permission")
    client, source = _client(context), "developer.salesforce.com: Tooling API, PermissionDependency"
    for name in permission_set(context.specs).user_permissions:
        soql = f"SELECT RequiredPermission FROM PermissionDependency WHERE Permission = '{name}'"
        rows = _rows(_call(client, _query_path(client, soql, resource="tooling/query")))
        verdict: Verdict = "refused"
        if isinstance(rows, list):
            required = {row.get("RequiredPermission") for row in rows}
            verdict = "as documented" if required <= ours.get(name, frozenset()) else "different"
        yield Exchange(f"requirements of {name}", soql, rows, source, verdict)


def _client(context: ProofContext) -> Client:
    return context.deployment.salesforce.resolved().client()


def _described(context: ProofContext) -> Iterator[SObject]:
    names = sorted({spec.sobject for spec in context.specs})
    answers = _client(context).describe(names)
    yield from (answer for answer in answers.values() if isinstance(answer, SObject))


def _description(field: Field) -> str:
    return f"{field.name}: {field.label}. {field.help}"


def _public(sobject: SObject) -> str:
    return "a custom object" if sobject.name.endswith("__c") else sobject.name


def _query_path(client: Client, soql: str, *, resource: str = "query") -> str:
    return f"/services/data/v{client.version}/{resource}?q={quote_plus(soql)}"


def _call(client: Client, path: str) -> Any:
    """Return the JSON of one GET, or the error as status, errorCode and message."""
    try:
        return msgspec.json.decode(client.drive(_get(path)).body)
    except SalesforceError as error:
        status, code = error.values.get("status"), error.values.get("error_code")
        text = str(error).partition(f"{code}: ")[2].rpartition(" (GET ")[0]
        return {"status": status, "errorCode": code, "message": text or str(error)}


def _get(path: str) -> Flow[Any]:
    return (yield Request(path, msgspec.Raw, "inventory", about="prove"))


def _rows(answer: dict[str, Any]) -> list[dict[str, Any]] | dict[str, Any]:
    """Return the rows of a query's answer, or the error as it is."""
    return [_without_attributes(row) for row in answer["records"]] if "records" in answer else answer


def _without_attributes(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {name: _without_attributes(inner) for name, inner in value.items() if name != "attributes"}
