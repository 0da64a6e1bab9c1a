"""THE TABLE: the thirty endpoints, one a line. The columns of each stand in `queries/<endpoint>.soql`."""

from functools import cache
from pathlib import Path

from sf_assets.specs.model import Cadence, EndpointRow, EndpointSpec, How
from sf_assets.specs.soql import read_file
from sf_assets.specs.user_endpoints import Additions, read_additions

QUERIES = Path(__file__).with_name("queries")

TAIL: How = "tail"
SNAPSHOT: How = "snapshot"
HOURLY: Cadence = "hourly"
SIX_HOURS: Cadence = "six_hours"
DAILY: Cadence = "daily"

CRM = ("crm_core", "team:sales")
DETAIL = ("opportunity_detail", "team:sales")
CATALOG = ("sales_catalog", "team:sales_ops")
MARKETING = ("marketing", "team:marketing")
ACTIVITY = ("activity", "team:sales")
PEOPLE = ("people_and_permissions", "team:platform")
ORG = ("asset_and_org", "team:platform")

OBJECT_KEYS = ("parent_id", "sobject_type")
FIELD_KEYS = ("parent_id", "field")
"""Rows that Salesforce computes for Modify All Data have invalid or repeated Ids."""


def _row(
    endpoint: str,
    sobject: str,
    how: How,
    cadence: Cadence,
    area: tuple[str, str],
    description: str,
    keys: tuple[str, ...] = ("id",),
) -> EndpointRow:
    group, owner = area
    return EndpointRow(endpoint, sobject, how, cadence, group, owner, description, keys)


# ruff: noqa: E501  (a table is read across: one endpoint, one line)
# fmt: off
ENDPOINTS: tuple[EndpointRow, ...] = (
    #    endpoint                     sObject                    how       cadence    area       what it holds; and its keys, unless id
    _row("account",                   "Account",                 TAIL,     HOURLY,    CRM,       "The companies, and where person accounts are on the people, that are dealt with."),
    _row("contact",                   "Contact",                 TAIL,     HOURLY,    CRM,       "The people at those accounts."),
    _row("lead",                      "Lead",                    TAIL,     HOURLY,    CRM,       "People who have shown interest; a converted lead names what it became."),
    _row("opportunity",               "Opportunity",             TAIL,     HOURLY,    CRM,       "Deals in progress, won and lost: stage, amount, close date."),
    _row("case",                      "Case",                    TAIL,     HOURLY,    CRM,       "Questions and problems that customers have brought."),
    _row("opportunity_line_item",     "OpportunityLineItem",     TAIL,     HOURLY,    DETAIL,    "The products of a deal, with quantity and price."),
    _row("opportunity_contact_role",  "OpportunityContactRole",  TAIL,     HOURLY,    DETAIL,    "Who plays which part in a deal."),
    _row("opportunity_history",       "OpportunityHistory",      TAIL,     HOURLY,    DETAIL,    "Each change of a deal's stage, amount, probability or close date."),
    _row("product",                   "Product2",                TAIL,     SIX_HOURS, CATALOG,   "What is sold."),
    _row("pricebook",                 "Pricebook2",              TAIL,     SIX_HOURS, CATALOG,   "The price lists."),
    _row("pricebook_entry",           "PricebookEntry",          TAIL,     SIX_HOURS, CATALOG,   "The price of a product on a price list."),
    _row("contract",                  "Contract",                TAIL,     SIX_HOURS, CATALOG,   "Agreements with accounts: term and status."),
    _row("quote",                     "Quote",                   TAIL,     HOURLY,    CATALOG,   "Offers made for a deal; empty where quotes are off."),
    _row("quote_line_item",           "QuoteLineItem",           TAIL,     HOURLY,    CATALOG,   "The products of an offer, with quantity and price; empty where quotes are off."),
    _row("sales_order",               "Order",                   TAIL,     HOURLY,    CATALOG,   "Orders placed by accounts; empty where orders are off."),
    _row("order_item",                "OrderItem",               TAIL,     HOURLY,    CATALOG,   "The products of an order, with quantity and price; empty where orders are off."),
    _row("campaign",                  "Campaign",                TAIL,     SIX_HOURS, MARKETING, "Marketing campaigns: cost, and what came of them."),
    _row("campaign_member",           "CampaignMember",          TAIL,     HOURLY,    MARKETING, "Which lead or contact is in which campaign, and who responded."),
    _row("task",                      "Task",                    TAIL,     HOURLY,    ACTIVITY,  "Calls, e-mails and things to do, archived ones included."),
    _row("event",                     "Event",                   TAIL,     HOURLY,    ACTIVITY,  "Meetings in calendars, archived ones included."),
    _row("user",                      "User",                    TAIL,     SIX_HOURS, PEOPLE,    "Everybody who can log in, or once could; users are never deleted."),
    _row("user_role",                 "UserRole",                SNAPSHOT, DAILY,     PEOPLE,    "The role hierarchy that decides who sees whose records."),
    _row("profile",                   "Profile",                 SNAPSHOT, DAILY,     PEOPLE,    "The one profile that each user has, with what it permits."),
    _row("permission_set",            "PermissionSet",           SNAPSHOT, DAILY,     PEOPLE,    "Sets of rights that users are given, and the hidden set behind each profile."),
    _row("permission_set_assignment", "PermissionSetAssignment", SNAPSHOT, DAILY,     PEOPLE,    "Which user holds which permission set."),
    _row("field_permissions",         "FieldPermissions",        SNAPSHOT, DAILY,     PEOPLE,    "Which permission set may read or edit which field.", FIELD_KEYS),
    _row("object_permissions",        "ObjectPermissions",       SNAPSHOT, DAILY,     PEOPLE,    "Which permission set may read, create, edit or delete which object.", OBJECT_KEYS),
    _row("record_type",               "RecordType",              SNAPSHOT, DAILY,     PEOPLE,    "The kinds of records that an object is divided into."),
    _row("asset",                     "Asset",                   TAIL,     SIX_HOURS, ORG,       "Products that customers own or have installed."),
    _row("organization",              "Organization",            SNAPSHOT, DAILY,     ORG,       "The org itself, one row: edition, address, defaults."),
)
# fmt: on


def endpoints(user_folder: Path | None = None) -> tuple[EndpointSpec, ...]:
    """Return the endpoints in the table's order, then the user's own by the order of their `endpoints.toml`.

    `user_folder` may hold an `endpoints.toml` and `.soql` files (docs/endpoints.md). Raises SpecError with file and
    line for whatever is malformed, and ConfigError where the folder does not exist.
    """
    if user_folder is None:
        return _ours()
    return _specs(read_additions(user_folder, ENDPOINTS))


@cache
def _ours() -> tuple[EndpointSpec, ...]:
    return _specs(Additions(ENDPOINTS))


def _specs(found: Additions) -> tuple[EndpointSpec, ...]:
    paths = {row.endpoint: found.queries.get(row.endpoint, QUERIES / f"{row.endpoint}.soql") for row in found.rows}
    return tuple(EndpointSpec.of(row, query=read_file(paths[row.endpoint])) for row in found.rows)
