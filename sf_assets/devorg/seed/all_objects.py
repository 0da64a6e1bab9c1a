"""The sample data: rows of all thirty objects that fit together, from a seed and a base time.

The same seed, base and counts give the same rows. Another count of one object changes the others as little as possible.
"""

from collections.abc import Mapping
from datetime import datetime
from random import Random
from typing import Any

from sf_assets.devorg.seed.accounts import convert_leads, fill_accounts, fill_contacts, fill_leads
from sf_assets.devorg.seed.activities import fill_events, fill_tasks, mark_activity
from sf_assets.devorg.seed.cases import fill_cases
from sf_assets.devorg.seed.catalog import fill_pricebooks, fill_prices, fill_products
from sf_assets.devorg.seed.deals import fill_contact_roles, fill_deals, sum_pipelines
from sf_assets.devorg.seed.marketing import fill_campaigns, fill_members, roll_up
from sf_assets.devorg.seed.orders import fill_assets, fill_orders
from sf_assets.devorg.seed.people import fill_organization, fill_profiles, fill_roles, fill_users, set_author
from sf_assets.devorg.seed.permissions import (
    active_record_types,
    fill_assignments,
    fill_field_permissions,
    fill_object_permissions,
    fill_permission_sets,
    fill_record_types,
)
from sf_assets.devorg.seed.quotes import fill_contracts, fill_quotes, sign_deals
from sf_assets.devorg.seed.row_builder import DAY_SECONDS, RowBuilder
from sf_assets.devorg.store.schema import ObjectSchema, load_objects

QUIET_SECONDS = 3_661  # nothing is stamped in the hour before the base

# object: (rows of a default org, days before the base on which its first row is born)
PLAN: Mapping[str, tuple[int, int]] = {
    "Organization": (1, 1_600), "Profile": (12, 1_599), "UserRole": (15, 1_598), "User": (60, 1_590),
    "PermissionSet": (24, 1_580), "PermissionSetAssignment": (130, 1_570), "ObjectPermissions": (600, 1_560),
    "FieldPermissions": (3_000, 1_560), "RecordType": (8, 1_580), "Pricebook2": (4, 1_400), "Product2": (60, 1_390),
    "PricebookEntry": (300, 1_380), "Campaign": (24, 1_300), "Account": (600, 1_200), "Contact": (1_500, 1_190),
    "Lead": (800, 1_190), "Opportunity": (1_200, 1_150), "OpportunityLineItem": (1_400, 1_150),
    "OpportunityHistory": (2_800, 1_150), "OpportunityContactRole": (700, 1_150), "Contract": (150, 1_140),
    "Quote": (300, 1_140), "QuoteLineItem": (600, 1_140), "Order": (220, 1_100), "OrderItem": (450, 1_100),
    "Asset": (250, 1_050), "CampaignMember": (700, 1_150), "Case": (700, 1_040), "Task": (2_500, 1_030),
    "Event": (500, 1_030),
}  # fmt: skip
AT_LEAST_ONE = frozenset({"Profile", "User"})
ONE = frozenset({"Organization"})
SET_UP_EARLY = frozenset({"Organization", "Profile", "UserRole", "User"})

Builders = Mapping[str, RowBuilder]


def seed_rows(seed: int, base: datetime, counts: Mapping[str, int]) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of each object by API name, in the order of their Ids.

    `counts` are rows by sObject where they differ from the default; children are fewer if they lack parents. Each row
    has every field of the schema, with values as the API prints them. Rows share address objects: do not change them in
    place. All stamps are more than an hour before `base` (aware).

    Raises:
        KeyError: An sObject is unknown.
    """
    schemas = load_objects()
    unknown = counts.keys() - schemas.keys()
    if unknown:
        raise KeyError(f"no such sObject: {', '.join(sorted(unknown))}")
    builders = _builders(schemas, seed=seed, base=int(base.timestamp()), counts=counts)
    _add_setup(builders, schemas)
    _add_customers(builders)
    _add_sales(builders)
    _add_service(builders)
    return {name: builders[name].rows for name in schemas}


def _builders(schemas: Mapping[str, ObjectSchema], *, seed: int, base: int, counts: Mapping[str, int]) -> Builders:
    """Return an empty builder for each object, each with its own random numbers."""
    builders: dict[str, RowBuilder] = {}
    for name, (rows, days) in PLAN.items():
        builders[name] = RowBuilder(
            schemas[name],
            rng=Random(f"{seed}/{name}"),
            wanted=_wanted(name, counts.get(name, rows)),
            begins=base - days * DAY_SECONDS,
            ends=base - QUIET_SECONDS,
            authors=None if name in SET_UP_EARLY else builders["User"],
        )
    return builders


def _wanted(name: str, count: int) -> int:
    return 1 if name in ONE else max(count, int(name in AT_LEAST_ONE))


def _add_setup(builders: Builders, schemas: Mapping[str, ObjectSchema]) -> None:
    """Add the org, its people and their rights."""
    fill_organization(builders["Organization"])
    fill_profiles(builders["Profile"])
    fill_roles(builders["UserRole"])
    fill_users(builders["User"], profiles=builders["Profile"], roles=builders["UserRole"])
    for name in ("Organization", "Profile", "UserRole"):
        set_author(builders[name], builders["User"])
    sets = builders["PermissionSet"]
    fill_permission_sets(sets, profiles=builders["Profile"])
    fill_assignments(builders["PermissionSetAssignment"], sets=sets, users=builders["User"])
    fill_object_permissions(builders["ObjectPermissions"], sets=sets, schemas=schemas)
    fill_field_permissions(builders["FieldPermissions"], sets=sets, schemas=schemas)
    fill_record_types(builders["RecordType"])


def _add_customers(builders: Builders) -> None:
    """Add the catalog, campaigns, accounts, contacts and leads."""
    fill_pricebooks(builders["Pricebook2"])
    fill_products(builders["Product2"])
    fill_prices(builders["PricebookEntry"], products=builders["Product2"], books=builders["Pricebook2"])
    fill_campaigns(builders["Campaign"])
    fill_accounts(builders["Account"], record_types=active_record_types(builders["RecordType"], "Account"))
    fill_contacts(builders["Contact"], accounts=builders["Account"])
    fill_leads(builders["Lead"])


def _add_sales(builders: Builders) -> None:
    """Add deals with their lines and roles, quotes, orders and assets."""
    accounts, contacts, deals = builders["Account"], builders["Contact"], builders["Opportunity"]
    deal_lines, quotes, quote_lines = builders["OpportunityLineItem"], builders["Quote"], builders["QuoteLineItem"]
    fill_deals(
        deals,
        deal_lines,
        builders["OpportunityHistory"],
        accounts=accounts,
        campaigns=builders["Campaign"],
        prices=builders["PricebookEntry"],
        record_types=active_record_types(builders["RecordType"], "Opportunity"),
    )
    fill_contact_roles(builders["OpportunityContactRole"], opportunities=deals, contacts=contacts)
    convert_leads(builders["Lead"], opportunities=deals, contacts=contacts)
    sum_pipelines(accounts, deals)
    fill_contracts(builders["Contract"], accounts=accounts, contacts=contacts, books=builders["Pricebook2"])
    sign_deals(deals, builders["Contract"])
    fill_quotes(quotes, quote_lines, opportunities=deals, deal_lines=deal_lines, accounts=accounts)
    fill_orders(
        builders["Order"],
        builders["OrderItem"],
        quotes=quotes,
        quote_lines=quote_lines,
        accounts=accounts,
        contracts=builders["Contract"],
        prices=builders["PricebookEntry"],
    )
    goods = {"items": builders["OrderItem"], "orders": builders["Order"], "products": builders["Product2"]}
    fill_assets(builders["Asset"], contacts=contacts, **goods)


def _add_service(builders: Builders) -> None:
    """Add campaign members, cases and activities, and the columns that follow from them."""
    accounts, contacts, leads, deals = (builders[name] for name in ("Account", "Contact", "Lead", "Opportunity"))
    members = builders["CampaignMember"]
    fill_members(members, campaigns=builders["Campaign"], leads=leads, contacts=contacts, accounts=accounts)
    roll_up(builders["Campaign"], members=members, leads=leads, opportunities=deals)
    case_types = active_record_types(builders["RecordType"], "Case")
    fill_cases(
        builders["Case"], accounts=accounts, contacts=contacts, assets=builders["Asset"], record_types=case_types
    )
    people, subjects = (
        (contacts, contacts, leads),
        (accounts, deals, deals, builders["Case"], builders["Contract"], builders["Order"]),
    )
    fill_tasks(builders["Task"], people=people, subjects=(*subjects, builders["Quote"], builders["Campaign"]))
    fill_events(builders["Event"], people=people, subjects=subjects)
    touched = (accounts, contacts, leads, deals, builders["Campaign"], builders["Contract"])
    mark_activity(builders["Task"], builders["Event"], touched=touched, opportunities=deals)
