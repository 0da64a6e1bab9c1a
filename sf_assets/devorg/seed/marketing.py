"""Campaigns, their members (leads and contacts), and the roll-ups that follow."""

from collections import Counter
from collections.abc import Iterator
from random import Random

from sf_assets.devorg.seed.accounts import is_deleted, maybe_text
from sf_assets.devorg.seed.row_builder import DAY_SECONDS, Row, RowBuilder, day, maybe, money, pick, shares

# member's column | the same column of a contact
CONTACT_PLACES = {
    "Street": "MailingStreet", "City": "MailingCity", "State": "MailingState", "PostalCode": "MailingPostalCode",
    "Country": "MailingCountry",
}  # fmt: skip
LEAD_PLACES = {name: name for name in CONTACT_PLACES}
SHARED = (
    "Salutation", "Name", "FirstName", "LastName", "Title", "Email", "Phone", "Fax", "MobilePhone", "Description",
    "DoNotCall", "HasOptedOutOfEmail", "HasOptedOutOfFax", "LeadSource",
)  # fmt: skip
TOPICS = (
    "Spring Webinar",
    "Hannover Messe",
    "Newsletter",
    "Kundentag 🎉",
    "新製品発表",
    "Black Friday",
    "Referral Drive",
)
MIXES = ("Social;Search", "Print", "Print;Radio;Trade Fair", None)


def fill_campaigns(builder: RowBuilder) -> None:
    """Add the campaigns; some have a parent. `roll_up` sets their roll-ups."""
    rng, types = builder.rng, builder.schema.fields["Type"].picklist_values
    for index, at in enumerate(builder.birth_times()):
        starts, chance = at // DAY_SECONDS + 14, rng.random()
        is_over = (starts + 30) * DAY_SECONDS < builder.ends
        builder.add(at, {
            "Name": f"{pick(rng, TOPICS)} {day(at)[:4]}/{index + 1}", "Type": pick(rng, types), "IsActive": not is_over,
            "Status": "Completed" if is_over else "In Progress", "StartDate": day(starts * DAY_SECONDS),
            "EndDate": day((starts + 30) * DAY_SECONDS), "ExpectedRevenue": float(int(chance * 9e7)),
            "BudgetedCost": float(int(chance * 50_000)), "ActualCost": maybe(rng, 0.7, float(int(chance * 60_000))),
            "ExpectedResponse": round(chance * 10, 2), "NumberSent": float(int(chance * 20_000)),
            "Description": maybe_text(rng), "CurrencyIsoCode": "EUR", "Channel_Mix__c": pick(rng, MIXES),
            "IsDeleted": is_deleted(builder, 0.03),
        })  # fmt: skip
    builder.finish()
    for index, row in enumerate(builder.live_rows[1:], start=1):
        row["ParentId"] = builder.live_rows[int(rng.random() * index)]["Id"] if rng.random() < 0.2 else None


def fill_members(
    builder: RowBuilder, *, campaigns: RowBuilder, leads: RowBuilder, contacts: RowBuilder, accounts: RowBuilder
) -> None:
    """Add the members, each person once in a campaign: fewer if there are not enough."""
    rng, firms = builder.rng, {row["Id"]: row["Name"] for row in accounts.rows}
    for campaign, at, count in zip(
        campaigns.rows, campaigns.born, shares(rng, builder.wanted, len(campaigns.rows)), strict=True
    ):
        for born, person in _invitations(builder, at, count, leads=leads, contacts=contacts):
            member = _member(rng, person, born, firms=firms)
            builder.add(born, member | {"CampaignId": campaign["Id"], "IsDeleted": campaign["IsDeleted"]})
    builder.finish()


def _invitations(
    builder: RowBuilder, at: int, count: int, *, leads: RowBuilder, contacts: RowBuilder
) -> Iterator[tuple[int, Row]]:
    """Yield distinct people, each with the moment of the invitation."""
    person_ids: set[str] = set()
    for _ in range(count * 4):
        born = at + int((builder.ends - at) * builder.rng.random() ** 2)
        person = (leads if builder.rng.random() < 0.5 else contacts).one(builder.rng, born)
        if person is not None and person["Id"] not in person_ids and len(person_ids) < count:
            person_ids.add(person["Id"])
            yield born, person


def _member(rng: Random, person: Row, at: int, *, firms: dict[str, str]) -> Row:
    """Return a member, with the columns that come from the lead or contact."""
    is_lead = "Company" in person
    has_responded = rng.random() < 0.35
    places = LEAD_PLACES if is_lead else CONTACT_PLACES
    values = {name: person[name] for name in SHARED} | {name: person[source] for name, source in places.items()}
    values |= {"LeadId" if is_lead else "ContactId": person["Id"], "LeadOrContactId": person["Id"]}
    return values | {
        "Type": "Lead" if is_lead else "Contact", "LeadOrContactOwnerId": person["OwnerId"],
        "CompanyOrAccount": person["Company"] if is_lead else firms.get(person["AccountId"]),
        "Status": "Responded" if has_responded else "Sent", "HasResponded": has_responded,
        "FirstRespondedDate": day(at) if has_responded else None,
    }  # fmt: skip


def roll_up(campaigns: RowBuilder, *, members: RowBuilder, leads: RowBuilder, opportunities: RowBuilder) -> None:
    """Set the counts and sums of each campaign from its live members and deals."""
    converted = {row["Id"] for row in leads.rows if row["IsConverted"]}
    counts: Counter[tuple[str, str]] = Counter()
    for member in members.live_rows:
        campaign_id = member["CampaignId"]
        counts[campaign_id, "NumberOfLeads" if member["LeadId"] else "NumberOfContacts"] += 1
        counts[campaign_id, "NumberOfResponses"] += member["HasResponded"]
        counts[campaign_id, "NumberOfConvertedLeads"] += member["LeadId"] in converted
    sums: Counter[tuple[str, str]] = Counter()
    for deal in opportunities.live_rows:
        for word, counted in (("Opportunities", True), ("WonOpportunities", deal["IsWon"])):
            counts[deal["CampaignId"], f"NumberOf{word}"] += counted
            sums[deal["CampaignId"], word] += (deal["Amount"] or 0) if counted else 0
    for row in campaigns.rows:
        _set_roll_ups(row, counts, sums)


def _set_roll_ups(row: Row, counts: Counter[tuple[str, str]], sums: Counter[tuple[str, str]]) -> None:
    names = ("Leads", "ConvertedLeads", "Contacts", "Responses", "Opportunities", "WonOpportunities")
    row |= {f"NumberOf{name}": counts[row["Id"], f"NumberOf{name}"] for name in names}
    row["AmountAllOpportunities"] = money(sums[row["Id"], "Opportunities"])
    row["AmountWonOpportunities"] = money(sums[row["Id"], "WonOpportunities"])
    invited = row["NumberOfLeads"] + row["NumberOfContacts"]
    row["Response_Rate__c"] = round(100 * row["NumberOfResponses"] / invited, 2) if invited else None
