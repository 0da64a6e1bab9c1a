"""The rows of a default org tell stories that hold together: deals, quotes, orders, leads, campaigns, people."""

from collections import Counter, defaultdict
from datetime import UTC, datetime

import pytest

from sf_assets.devorg.seed.all_objects import seed_rows
from sf_assets.devorg.seed.deal_stages import BY_NAME

BASE = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
TODAY = "2026-03-04"


@pytest.fixture(scope="module")
def org():
    return seed_rows(7, BASE, {})


def by_id(rows):
    return {row["Id"]: row for row in rows}


def group_by(rows, name):
    groups = defaultdict(list)
    for row in rows:
        groups[row[name]].append(row)
    return groups


def test_what_follows_from_a_stage_follows_from_it(org):
    for deal in org["Opportunity"]:
        stage = BY_NAME[deal["StageName"]]
        assert deal | stage.columns() == deal
        if deal["Amount"] is not None:
            assert deal["ExpectedRevenue"] == pytest.approx(deal["Amount"] * stage.probability / 100, abs=0.006)


def test_closed_deals_lie_in_the_past_and_most_open_ones_in_the_future(org):
    closed_deals = [deal for deal in org["Opportunity"] if deal["IsClosed"]]
    open_deals = [deal for deal in org["Opportunity"] if not deal["IsClosed"]]

    assert all(deal["CloseDate"] <= TODAY for deal in closed_deals)
    assert sum(deal["CloseDate"] > TODAY for deal in open_deals) > 0.6 * len(open_deals) > 50


def test_the_amount_of_a_deal_is_the_sum_of_its_lines(org):
    lines = group_by(org["OpportunityLineItem"], "OpportunityId")
    for deal in org["Opportunity"]:
        own = lines.get(deal["Id"], [])
        assert deal["HasOpportunityLineItem"] == bool(own)
        if own:
            assert deal["Amount"] == pytest.approx(sum(line["TotalPrice"] for line in own), abs=1e-6)
            assert {line["CurrencyIsoCode"] for line in own} == {deal["CurrencyIsoCode"]}


def test_a_line_is_sold_from_the_price_book_of_its_deal(org):
    prices, deals = by_id(org["PricebookEntry"]), by_id(org["Opportunity"])
    for line in org["OpportunityLineItem"]:
        price = prices[line["PricebookEntryId"]]
        assert price["Pricebook2Id"] == deals[line["OpportunityId"]]["Pricebook2Id"]
        assert (price["Product2Id"], price["UnitPrice"]) == (line["Product2Id"], line["ListPrice"])


def test_the_history_of_a_deal_ends_with_its_present_stage(org):
    places = {name: place for place, name in enumerate(BY_NAME)}
    deals = by_id(org["Opportunity"])
    stories = group_by(org["OpportunityHistory"], "OpportunityId")

    for deal_id, story in stories.items():
        last = story[-1]
        assert [row["CreatedDate"] for row in story] == sorted(row["CreatedDate"] for row in story)
        assert [places[row["StageName"]] for row in story] == sorted(places[row["StageName"]] for row in story)
        assert story[0]["PrevAmount"] is None
        assert story[0]["PrevCloseDate"] is None
        for before, after in zip(story, story[1:], strict=False):
            assert (after["PrevAmount"], after["PrevCloseDate"]) == (before["Amount"], before["CloseDate"])
        field_names = ("StageName", "Amount", "ExpectedRevenue", "CloseDate", "Probability", "ForecastCategory")
        assert all(deals[deal_id][name] == last[name] for name in field_names)
    assert len(stories) == len(deals)


def test_a_deal_points_at_the_history_row_of_its_last_changes(org):
    history = by_id(org["OpportunityHistory"])
    deals = [deal for deal in org["Opportunity"] if deal["LastAmountChangedHistoryId"]]

    assert len(deals) > 300
    for deal in deals:
        row = history[deal["LastAmountChangedHistoryId"]]
        assert row["OpportunityId"] == deal["Id"]
        assert row["Amount"] == deal["Amount"] != row["PrevAmount"]


def test_a_deleted_deal_took_its_children_with_it(org):
    dead = {deal["Id"] for deal in org["Opportunity"] if deal["IsDeleted"]}

    assert dead
    for child in ("OpportunityLineItem", "OpportunityHistory", "OpportunityContactRole"):
        assert all(row["IsDeleted"] == (row["OpportunityId"] in dead) for row in org[child])


def test_accepted_quotes_became_orders_with_the_same_goods(org):
    quotes, lines = by_id(org["Quote"]), by_id(org["QuoteLineItem"])
    deals = by_id(org["Opportunity"])
    orders = [order for order in org["Order"] if order["QuoteId"]]

    assert len(orders) > 40
    for order in orders:
        quote = quotes[order["QuoteId"]]
        assert quote["Status"] == "Accepted"
        assert deals[order["OpportunityId"]]["IsWon"]
        assert (order["AccountId"], order["OpportunityId"]) == (quote["AccountId"], quote["OpportunityId"])
        assert order["CreatedDate"] >= quote["CreatedDate"]
    for item in org["OrderItem"]:
        if item["QuoteLineItemId"]:
            line = lines[item["QuoteLineItemId"]]
            assert (item["Product2Id"], item["UnitPrice"]) == (line["Product2Id"], line["UnitPrice"])


@pytest.mark.parametrize(
    ("parent", "total", "child", "key"),
    [
        ("Quote", "TotalPrice", "QuoteLineItem", "QuoteId"),
        ("Order", "TotalAmount", "OrderItem", "OrderId"),
    ],
)
def test_totals_are_the_sums_of_their_lines(org, parent, total, child, key):
    sums = Counter()
    for row in org[child]:
        sums[row[key]] += row["TotalPrice"]
    for row in org[parent]:
        assert row[total] == pytest.approx(sums[row["Id"]], abs=1e-6)


def test_a_converted_lead_points_at_a_deal_its_account_and_a_contact_of_it(org):
    deals, contacts = by_id(org["Opportunity"]), by_id(org["Contact"])
    leads = [lead for lead in org["Lead"] if lead["IsConverted"]]

    assert len(leads) > 50
    for lead in leads:
        deal = deals[lead["ConvertedOpportunityId"]]
        assert lead["Status"] == "Closed - Converted"
        assert deal["AccountId"] == lead["ConvertedAccountId"]
        assert contacts[lead["ConvertedContactId"]]["AccountId"] == lead["ConvertedAccountId"]
        assert lead["CreatedDate"][:10] <= lead["ConvertedDate"] == deal["CreatedDate"][:10]


@pytest.mark.parametrize("sobject", ["Account", "Contact", "Lead", "Case"])
def test_losers_of_a_merge_are_deleted_and_name_a_living_winner(org, sobject):
    rows = by_id(org[sobject])
    losers = [row for row in org[sobject] if row["MasterRecordId"]]

    assert losers
    for row in losers:
        assert row["IsDeleted"]
        assert not rows[row["MasterRecordId"]]["IsDeleted"]


def test_roll_ups_of_campaigns_are_those_of_their_members_and_deals(org):
    members, deals = group_by(org["CampaignMember"], "CampaignId"), group_by(org["Opportunity"], "CampaignId")
    for campaign in org["Campaign"]:
        mine = [row for row in members[campaign["Id"]] if not row["IsDeleted"]]
        live_deals = [row for row in deals[campaign["Id"]] if not row["IsDeleted"]]
        assert campaign["NumberOfLeads"] + campaign["NumberOfContacts"] == len(mine)
        assert campaign["NumberOfResponses"] == sum(row["HasResponded"] for row in mine)
        assert campaign["NumberOfWonOpportunities"] == sum(row["IsWon"] for row in live_deals)
        amounts = sum(row["Amount"] or 0 for row in live_deals)
        assert campaign["AmountAllOpportunities"] == pytest.approx(amounts, abs=0.006)


def test_a_person_is_in_a_campaign_or_a_deal_once(org):
    members = Counter((row["CampaignId"], row["LeadOrContactId"]) for row in org["CampaignMember"])
    roles = Counter((row["OpportunityId"], row["ContactId"]) for row in org["OpportunityContactRole"])

    assert max(members.values()) == max(roles.values()) == 1


def test_the_pipeline_of_an_account_is_the_sum_of_its_open_deals(org):
    sums = Counter()
    for deal in org["Opportunity"]:
        if not deal["IsClosed"] and not deal["IsDeleted"]:
            sums[deal["AccountId"]] += deal["Amount"] or 0

    assert sum(account["Open_Pipeline__c"] > 0 for account in org["Account"]) > 50
    for account in org["Account"]:
        assert account["Open_Pipeline__c"] == pytest.approx(sums[account["Id"]], abs=0.006)


@pytest.mark.parametrize(("sobject", "above"), [("User", "ManagerId"), ("UserRole", "ParentRoleId")])
def test_every_parent_chain_ends(org, sobject, above):
    rows = by_id(org[sobject])
    for row in org[sobject]:
        steps = 0
        while row[above] is not None and steps < 20:
            row, steps = rows[row[above]], steps + 1
        assert row[above] is None

    assert sum(row[above] is None for row in org[sobject]) == 1


def test_each_profile_owns_a_hidden_permission_set_with_its_rights(org):
    set_by_profile = {row["ProfileId"]: row for row in org["PermissionSet"] if row["IsOwnedByProfile"]}
    permission_names = [
        name for name in org["Profile"][0] if name.startswith("Permissions") and name in org["PermissionSet"][0]
    ]

    assert set_by_profile.keys() == {profile["Id"] for profile in org["Profile"]}
    assert len(permission_names) > 380
    for profile in org["Profile"]:
        assert all(set_by_profile[profile["Id"]][name] == profile[name] for name in permission_names)


def test_every_user_is_assigned_the_set_of_his_profile_and_no_set_twice(org):
    set_by_profile = {row["ProfileId"]: row["Id"] for row in org["PermissionSet"] if row["IsOwnedByProfile"]}
    pairs = Counter((row["AssigneeId"], row["PermissionSetId"]) for row in org["PermissionSetAssignment"])

    assert max(pairs.values()) == 1
    assert all((user["Id"], set_by_profile[user["ProfileId"]]) in pairs for user in org["User"])


def test_a_task_is_archived_only_when_it_was_done_long_ago(org):
    for task in org["Task"]:
        if task["IsArchived"]:
            assert task["IsClosed"]
            assert task["ActivityDate"] < "2025-03-05"
        assert task["IsClosed"] == (task["Status"] == "Completed") == (task["CompletedDateTime"] is not None)


def test_a_name_is_made_of_its_parts(org):
    for person in (*org["Contact"], *org["Lead"], *org["User"]):
        assert person["Name"] == " ".join(filter(None, (person["FirstName"], person["LastName"])))


@pytest.mark.parametrize("sobject", ["Account", "Contact", "Lead", "Order", "Quote", "User"])
def test_a_compound_address_repeats_its_parts_and_is_null_when_they_are(org, sobject):
    prefixes = [name.removesuffix("Address") for name in org[sobject][0] if name.endswith("Address")]

    assert prefixes
    for row in org[sobject]:
        for prefix in prefixes:
            compound = row[f"{prefix}Address"] or {}
            parts = {"street": "Street", "city": "City", "country": "Country", "latitude": "Latitude"}
            assert all(compound.get(key) == row[f"{prefix}{part}"] for key, part in parts.items())
