"""Questions that Salesforce's documentation leaves open, answered by a real org. `doctor --ask-open-questions` asks.

Nothing is written in the org. No code depends on the answers: docs/production.md says what each one is for.
"""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote_plus

import msgspec

from sf_assets.errors import LoginError, SalesforceError
from sf_assets.salesforce.client import Client
from sf_assets.salesforce.headers import usage_of
from sf_assets.salesforce.login.jwt_bearer import login
from sf_assets.salesforce.wire import Flow, Request

SETUP_OBJECTS = ("PermissionSet", "PermissionSetAssignment", "ObjectPermissions", "FieldPermissions", "UserRole")
JUNCTIONS = ("CampaignMember", "OpportunityContactRole")


def far_expiry(client: Client) -> str:
    """Log in with an assertion that is valid for more than an hour."""
    return _log_in(client, later=timedelta(hours=1))


def own_audience(client: Client) -> str:
    """Log in with the My Domain origin as the audience."""
    return _log_in(client, audience=client.address.origin)


def used_locator(client: Client) -> str:
    """Request the second page of a query twice."""
    first = _query(client, "SELECT Id FROM FieldPermissions")
    if first.get("done", True):
        return "unknown: this org's result has only one page"
    path = first["nextRecordsUrl"].split("/services/data/", 1)[1].split("/", 1)[1]
    sizes = [len(msgspec.json.decode(_get(client, path).body)["records"]) for _ in range(2)]
    return f"the same page came twice, with {sizes[0]} and {sizes[1]} rows"


def limits_call(client: Client) -> str:
    """Compare the org's usage before and after GET /limits."""

    def used() -> int | None:
        usage = usage_of(_get(client, f"query?q={quote_plus('SELECT Id FROM Organization')}").headers)
        return usage.used if usage else None

    before = used()
    _get(client, "limits")
    after = used()
    return "the org does not say" if before is None or after is None else f"{after - before - 1} calls (0: free)"


def deleted_junctions(client: Client) -> str:
    """Count the deleted rows of junction objects, and return the age of the oldest."""
    answers = []
    for name in JUNCTIONS:
        soql = f"SELECT COUNT(Id), MIN(SystemModstamp) FROM {name} WHERE IsDeleted = TRUE"
        count, oldest = list(_query(client, soql, resource="queryAll")["records"][0].values())[1:3]
        answers.append(f"{name}: {count} deleted rows, the oldest of {oldest}")
    return "; ".join(answers)


def large_numbers(client: Client) -> str:
    """Return the form of a large currency value, with its digits replaced."""
    soql = "SELECT AnnualRevenue FROM Account WHERE AnnualRevenue >= 10000000 ORDER BY AnnualRevenue DESC LIMIT 1"
    body = _get(client, f"query?q={quote_plus(soql)}").body.decode()
    number = re.search(r'"AnnualRevenue"\s*:\s*([-0-9.eE+]+)', body)
    return re.sub(r"[1-9]", "9", number[1]) if number else "no account has such a revenue"


def setup_objects(client: Client) -> str:
    """Count each setup object with the rights of this user."""
    return "; ".join(f"{name}: {_outcome(client, f'SELECT COUNT() FROM {name}')}" for name in SETUP_OBJECTS)


def standard_fields(client: Client) -> str:
    """Compare FIELDS(STANDARD) of PermissionSet with its describe."""
    records = _query(client, "SELECT FIELDS(STANDARD) FROM PermissionSet LIMIT 1")["records"]
    described = client.describe(["PermissionSet"])["PermissionSet"]
    count = sum(field.name.startswith("Permissions") for field in getattr(described, "fields", ()))
    selected = sum(name.startswith("Permissions") for name in (records[0] if records else {}))
    return f"{selected} Permissions columns, describe has {count}"


def fractional_seconds(client: Client) -> str:
    """Filter with a literal that has milliseconds."""
    return _outcome(client, "SELECT COUNT() FROM User WHERE SystemModstamp > 2020-01-01T00:00:00.500Z")


def pushbacks(client: Client) -> str:
    """Return how often the org has asked for a lower rate."""
    pace = client.ledger.standing().pace
    return f"the org has asked for fewer requests {pace.generation} times since this ledger was created"


def _fetch(path: str) -> Flow[Any]:
    return (yield Request(path, msgspec.Raw, "inventory", about="open question"))


def _get(client: Client, resource: str) -> Any:
    return client.drive(_fetch(f"/services/data/v{client.version}/{resource}"))


def _query(client: Client, soql: str, *, resource: str = "query") -> Any:
    return msgspec.json.decode(_get(client, f"{resource}?q={quote_plus(soql)}").body)


def _log_in(client: Client, *, audience: str | None = None, later: timedelta = timedelta()) -> str:
    credentials, audiences = client.credentials, [audience] if audience else client.audiences
    flow = login(credentials, audiences=audiences, now=lambda: client.now() + later, monotonic=lambda: 0.0)
    try:
        client.drive(flow)
    except LoginError as error:
        return f"refused: {type(error).__name__}, {error}"
    return "accepted"


def _outcome(client: Client, soql: str) -> str:
    return f"answered, totalSize {_query(client, soql)['totalSize']}"


QUESTIONS: Mapping[str, Callable[[Client], str]] = {
    "Is an assertion accepted with an exp that is an hour ahead?": far_expiry,
    "Is the My Domain origin accepted as the audience of a login?": own_audience,
    "May the locator of a page be used twice?": used_locator,
    "Does GET /limits count as a call?": limits_call,
    "How long do deleted rows of junction objects stay in queryAll?": deleted_junctions,
    "In which form do large currency values come (digits replaced by 9)?": large_numbers,
    "What do setup objects answer to this user?": setup_objects,
    "Does FIELDS(STANDARD) on PermissionSet give every Permissions column?": standard_fields,
    "Are fractional seconds accepted in literals?": fractional_seconds,
    "Has the org ever answered 429 or the like?": pushbacks,
}


def ask_all(client: Client) -> list[tuple[str, str]]:
    """Ask every question; a refusal is an answer too."""
    return [(question, _answer(client, ask)) for question, ask in QUESTIONS.items()]


def _answer(client: Client, ask: Callable[[Client], str]) -> str:
    try:
        return ask(client)
    except SalesforceError as error:
        return f"refused: {type(error).__name__}, {error}"
