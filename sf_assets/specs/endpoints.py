"""The table of the thirty endpoints, one a line. The columns of each are in `queries/<endpoint>.soql`."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from sf_assets.errors import SpecError
from sf_assets.specs.cadences import CadenceWord
from sf_assets.specs.model import EndpointRow, EndpointSpec, How
from sf_assets.specs.soql_file import SoqlQuery, read_file, read_query
from sf_assets.specs.user_endpoints import UserEndpoints, inline_endpoints, read_user_endpoints

QUERIES = Path(__file__).with_name("queries")

TAIL: How = "tail"
SNAPSHOT: How = "snapshot"
HOURLY: CadenceWord = "hourly"
SIX_HOURS: CadenceWord = "six_hours"
DAILY: CadenceWord = "daily"

CRM = ("crm_core", "team:sales")
DETAIL = ("opportunity_detail", "team:sales")
CATALOG = ("sales_catalog", "team:sales_ops")
MARKETING = ("marketing", "team:marketing")
ACTIVITY = ("activity", "team:sales")
PEOPLE = ("people_and_permissions", "team:platform")
ORG = ("asset_and_org", "team:platform")

OBJECT_KEYS = ("parent_id", "sobject_type")
FIELD_KEYS = ("parent_id", "field")
"""Keys of objects with repeated Ids: Salesforce computes rows for the right Modify All Data, without own Ids."""


def _row(
    endpoint: str,
    sobject: str,
    how: How,
    cadence: CadenceWord,
    area: tuple[str, str],
    description: str,
    keys: tuple[str, ...] = ("id",),
) -> EndpointRow:
    group, owner = area
    return EndpointRow(endpoint, sobject, how, cadence, group, owner, description, keys)


# ruff: noqa: E501  (a table is read across: one endpoint, one line)
# fmt: off
ENDPOINTS: tuple[EndpointRow, ...] = (
    #    endpoint                     sObject                    how       cadence    area       description, and keys unless id
    _row("account",                   "Account",                 TAIL,     HOURLY,    CRM,       "Companies you do business with; with person accounts, people too."),
    _row("contact",                   "Contact",                 TAIL,     HOURLY,    CRM,       "People at accounts."),
    _row("lead",                      "Lead",                    TAIL,     HOURLY,    CRM,       "Prospects; a converted lead names its account, contact and opportunity."),
    _row("opportunity",               "Opportunity",             TAIL,     HOURLY,    CRM,       "Deals in progress, won and lost, with stage, amount and close date."),
    _row("case",                      "Case",                    TAIL,     HOURLY,    CRM,       "Questions and problems that customers report."),
    _row("opportunity_line_item",     "OpportunityLineItem",     TAIL,     HOURLY,    DETAIL,    "Products of a deal, with quantity and price."),
    _row("opportunity_contact_role",  "OpportunityContactRole",  TAIL,     HOURLY,    DETAIL,    "Contacts of a deal, each with a role."),
    _row("opportunity_history",       "OpportunityHistory",      TAIL,     HOURLY,    DETAIL,    "Changes of a deal's stage, amount, probability or close date."),
    _row("product",                   "Product2",                TAIL,     SIX_HOURS, CATALOG,   "Products and services that you sell."),
    _row("pricebook",                 "Pricebook2",              TAIL,     SIX_HOURS, CATALOG,   "Price lists."),
    _row("pricebook_entry",           "PricebookEntry",          TAIL,     SIX_HOURS, CATALOG,   "Prices of products, one for each price list."),
    _row("contract",                  "Contract",                TAIL,     SIX_HOURS, CATALOG,   "Agreements with accounts, with term and status."),
    _row("quote",                     "Quote",                   TAIL,     HOURLY,    CATALOG,   "Offers for a deal; empty if the org has no quotes."),
    _row("quote_line_item",           "QuoteLineItem",           TAIL,     HOURLY,    CATALOG,   "Products of an offer, with quantity and price; empty if the org has no quotes."),
    _row("sales_order",               "Order",                   TAIL,     HOURLY,    CATALOG,   "Orders of accounts; empty if the org has no orders."),
    _row("order_item",                "OrderItem",               TAIL,     HOURLY,    CATALOG,   "Products of an order, with quantity and price; empty if the org has no orders."),
    _row("campaign",                  "Campaign",                TAIL,     SIX_HOURS, MARKETING, "Marketing campaigns, with cost and results."),
    _row("campaign_member",           "CampaignMember",          TAIL,     HOURLY,    MARKETING, "Leads and contacts in campaigns, with their response."),
    _row("task",                      "Task",                    TAIL,     HOURLY,    ACTIVITY,  "Calls, e-mails and to-dos, including archived ones."),
    _row("event",                     "Event",                   TAIL,     HOURLY,    ACTIVITY,  "Meetings in calendars, including archived ones."),
    _row("user",                      "User",                    TAIL,     SIX_HOURS, PEOPLE,    "People and integrations that can log in, or once could; users are never deleted."),
    _row("user_role",                 "UserRole",                SNAPSHOT, DAILY,     PEOPLE,    "The role hierarchy, which decides who sees the records of others."),
    _row("profile",                   "Profile",                 SNAPSHOT, DAILY,     PEOPLE,    "Profiles, one for each user, with their rights."),
    _row("permission_set",            "PermissionSet",           SNAPSHOT, DAILY,     PEOPLE,    "Sets of rights for users, including the hidden set of each profile."),
    _row("permission_set_assignment", "PermissionSetAssignment", SNAPSHOT, DAILY,     PEOPLE,    "Assignments of permission sets to users."),
    _row("field_permissions",         "FieldPermissions",        SNAPSHOT, DAILY,     PEOPLE,    "Rights of permission sets to read or edit a field.", FIELD_KEYS),
    _row("object_permissions",        "ObjectPermissions",       SNAPSHOT, DAILY,     PEOPLE,    "Rights of permission sets to read, create, edit or delete an object.", OBJECT_KEYS),
    _row("record_type",               "RecordType",              SNAPSHOT, DAILY,     PEOPLE,    "Record types, the kinds of records of an object."),
    _row("asset",                     "Asset",                   TAIL,     SIX_HOURS, ORG,       "Products that customers own or have installed."),
    _row("organization",              "Organization",            SNAPSHOT, DAILY,     ORG,       "The org itself, in one row: edition, address, defaults."),
)
# fmt: on


def endpoints(user_folder: Path | None = None) -> tuple[EndpointSpec, ...]:
    """Return the endpoints in the table's order, then those of `endpoints.toml`.

    `user_folder` may have an `endpoints.toml` and `.soql` files (docs/endpoints.md).

    Raises: SpecError with file and line if something is malformed; ConfigError if the folder does not exist.
    """
    if user_folder is None:
        return _package_endpoints()
    return _specs(read_user_endpoints(user_folder, ENDPOINTS))


def endpoints_of(values: Mapping[str, Any], *, path: Path) -> tuple[EndpointSpec, ...]:
    """Return the package's endpoints and those of a YAML file's values.

    values: `custom_objects`, each row with its `query` (SOQL text), and `overrides`. Raises: SpecError that names the
    file.
    """
    objects = [dict(row) for row in values.get("custom_objects", ())]
    texts = {row["endpoint"]: row.pop("query") for row in objects}
    rows = inline_endpoints({**values, "custom_objects": objects}, ENDPOINTS, path=path)
    return tuple(EndpointSpec.of(row, query=_query(row.endpoint, texts, path)) for row in rows)


def _query(endpoint: str, texts: Mapping[str, str], path: Path) -> SoqlQuery:
    if endpoint in texts:
        return read_query(texts[endpoint], path=f"{path} ({endpoint})")
    return read_file(QUERIES / f"{endpoint}.soql")


@cache
def _package_endpoints() -> tuple[EndpointSpec, ...]:
    return _specs(UserEndpoints(ENDPOINTS))


def _specs(user: UserEndpoints) -> tuple[EndpointSpec, ...]:
    return tuple(_spec(row, user) for row in user.rows)


def _spec(row: EndpointRow, user: UserEndpoints) -> EndpointSpec:
    """Return the row with its query. An error of a user's setting names the user's file."""
    query = read_file(user.queries.get(row.endpoint, QUERIES / f"{row.endpoint}.soql"))
    try:
        return EndpointSpec.of(row, query=query)
    except SpecError as error:
        if row.endpoint in user.queries or row in ENDPOINTS or user.table is None:
            raise
        what = str(error).partition(": ")[2]
        raise SpecError(
            f"{user.table}: [override.{row.endpoint}]: {what}", remedy=error.remedy, path=str(user.table)
        ) from None
