"""What the documentation of Salesforce leaves open, asked of a real org: a question, and the exchange that answers it.

Nothing is written in the org. The answers are for people, to be reported; no code depends on them.
"""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote_plus

import msgspec

from sf_assets.errors import LoginError, SalesforceError
from sf_assets.salesforce.client import Client
from sf_assets.salesforce.login.jwt_bearer import login
from sf_assets.salesforce.wire import Flow, Request, usage_of

SETUP_OBJECTS = ("PermissionSet", "PermissionSetAssignment", "ObjectPermissions", "FieldPermissions", "UserRole")
JUNCTIONS = ("CampaignMember", "OpportunityContactRole")


def _got(path: str) -> Flow[Any]:
    return (yield Request(path, msgspec.Raw, "inventory", about="open question"))


def _get(client: Client, resource: str) -> Any:
    return client.drive(_got(f"/services/data/v{client.version}/{resource}"))


def _query(client: Client, soql: str, *, resource: str = "query") -> Any:
    return msgspec.json.decode(_get(client, f"{resource}?q={quote_plus(soql)}").body)


def _log_in(client: Client, *, audience: str | None = None, later: timedelta = timedelta()) -> str:
    credentials, clock = client.credentials, client.now
    flow = login(credentials, audience=audience or client.audience, now=lambda: clock() + later, monotonic=lambda: 0.0)
    try:
        client.drive(flow)
    except LoginError as error:
        return f"refused: {type(error).__name__}, {error}"
    return "taken"


def far_expiry(client: Client) -> str:
    return _log_in(client, later=timedelta(hours=1))


def own_audience(client: Client) -> str:
    return _log_in(client, audience=client.address.origin)


def used_locator(client: Client) -> str:
    first = _query(client, "SELECT Id FROM FieldPermissions")
    if first.get("done", True):
        return "not to be seen: no result of this org has a second page"
    path = first["nextRecordsUrl"].split("/services/data/", 1)[1].split("/", 1)[1]
    sizes = [len(msgspec.json.decode(_get(client, path).body)["records"]) for _ in range(2)]
    return f"the same page came twice, with {sizes[0]} and {sizes[1]} rows"


def counted_limits(client: Client) -> str:
    def used() -> int | None:
        usage = usage_of(_get(client, f"query?q={quote_plus('SELECT Id FROM Organization')}").headers)
        return usage.used if usage else None

    before = used()
    _get(client, "limits")
    after = used()
    return "not told" if before is None or after is None else f"{after - before - 1} calls (0: free of charge)"


def deleted_junctions(client: Client) -> str:
    told = []
    for name in JUNCTIONS:
        soql = f"SELECT COUNT(Id), MIN(SystemModstamp) FROM {name} WHERE IsDeleted = TRUE"
        count, oldest = list(_query(client, soql, resource="queryAll")["records"][0].values())[1:3]
        told.append(f"{name}: {count} deleted rows, the oldest of {oldest}")
    return "; ".join(told)


def large_numbers(client: Client) -> str:
    soql = "SELECT AnnualRevenue FROM Account WHERE AnnualRevenue >= 10000000 ORDER BY AnnualRevenue DESC LIMIT 1"
    body = _get(client, f"query?q={quote_plus(soql)}").body.decode()
    found = re.search(r'"AnnualRevenue"\s*:\s*([-0-9.eE+]+)', body)
    return re.sub(r"[1-9]", "9", found[1]) if found else "no account has such a revenue"  # the form, not the figure


def setup_objects(client: Client) -> str:
    return "; ".join(f"{name}: {_outcome(client, f'SELECT COUNT() FROM {name}')}" for name in SETUP_OBJECTS)


def standard_fields(client: Client) -> str:
    records = _query(client, "SELECT FIELDS(STANDARD) FROM PermissionSet LIMIT 1")["records"]
    shown = client.describe(["PermissionSet"])["PermissionSet"]
    described = sum(field.name.startswith("Permissions") for field in getattr(shown, "fields", ()))
    found = sum(name.startswith("Permissions") for name in (records[0] if records else {}))
    return f"{found} Permissions columns, describe has {described}"


def fractions(client: Client) -> str:
    return _outcome(client, "SELECT COUNT() FROM User WHERE SystemModstamp > 2020-01-01T00:00:00.500Z")


def refusals(client: Client) -> str:
    pace = client.ledger.standing().pace
    return f"{pace.generation} times the org has asked for fewer requests, in the life of this ledger"


def _outcome(client: Client, soql: str) -> str:
    return f"answered, totalSize {_query(client, soql)['totalSize']}"


QUESTIONS: Mapping[str, Callable[[Client], str]] = {
    "Is an assertion whose exp is an hour ahead taken?": far_expiry,
    "Is the My Domain host taken as the aud of a login?": own_audience,
    "May the locator of a page be used twice?": used_locator,
    "Does GET /limits count as a call?": counted_limits,
    "How long do deleted rows of junction objects stay in queryAll?": deleted_junctions,
    "In which form do large currency values come (digits replaced by 9)?": large_numbers,
    "What do setup objects answer to this user?": setup_objects,
    "Does FIELDS(STANDARD) on PermissionSet give every Permissions column?": standard_fields,
    "Are fractional seconds in literals taken?": fractions,
    "Has the org ever answered 429 or the like?": refusals,
}


def answers(client: Client) -> list[tuple[str, str]]:
    """Ask everything; a refusal is an answer too."""
    told = []
    for question, ask in QUESTIONS.items():
        try:
            told.append((question, ask(client)))
        except SalesforceError as error:
            told.append((question, f"refused: {type(error).__name__}, {error}"))
    return told
