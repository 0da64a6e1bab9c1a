"""Accounts, their contacts, and leads."""

from bisect import bisect_right
from random import Random

from sf_assets.devorg.seed.row_builder import DAY_SECONDS, Row, RowBuilder, day, money, pick, stamp
from sf_assets.devorg.seed.vocabulary import (
    COUNTRY_CURRENCY,
    DEPARTMENTS,
    FIRST_NAMES,
    LAST_NAMES,
    TEXTS,
    TITLES,
    addresses,
    firms,
    long_text,
)
from sf_assets.devorg.store.ids import record_id_of

DELETED_SHARE, MERGED_SHARE, CONVERTED_SHARE = 0.02, 0.01, 0.3
LONGEST_TEXT = 32_000
MIGRATED = (0.3, 0.55)  # these contacts were loaded by one transaction: they share one second
CASE_QUEUE = record_id_of("00G", 77)
# amounts with more digits than their scale, and amounts that are written with an exponent
NASTY_AMOUNTS = (1234.56789, 0.123456789, 12345678.0, 987654321.25, 0.0001, 99999999999999.99, -250.005, 0.0)
SALUTATIONS = ("Mr.", "Ms.", "Mrs.", "Dr.", "Prof.", None, None)
SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other", None)
TIMES = ("09:00:00.000Z", "12:30:00.000Z", "23:59:59.999Z", "00:00:00.000Z", None, None)
LANGUAGES = ("en", "de", "fr", "es", "ja", "ar", "he", "el", "pt", None)


def maybe_text(rng: Random) -> str | None:
    """Return a description: often null, mostly short."""
    return pick(rng, TEXTS) if rng.random() < 0.4 else None


def is_deleted(builder: RowBuilder, share: float) -> bool:
    """Return whether the next row is deleted; never the first, which others refer to."""
    return bool(builder.rows) and builder.rng.random() < share


def fill_accounts(builder: RowBuilder, *, record_types: list[str | None]) -> None:
    """Add the accounts. Some have a parent, some are deleted, some were merged into others."""
    rng, values = builder.rng, builder.schema.fields
    industries = values["Industry"].picklist_values
    types = (*values["Type"].picklist_values, None)
    ratings = (*values["Rating"].picklist_values, None)
    names, billing = firms(), addresses("Billing", with_codes=True)
    shipping = addresses("Shipping", with_codes=True)
    for index, at in enumerate(builder.birth_times()):
        row: Row = {
            "Name": names[index % len(names)],
            "IsDeleted": is_deleted(builder, DELETED_SHARE + MERGED_SHARE),
        }
        row |= pick(rng, billing)
        row |= pick(rng, shipping)
        row |= _company_columns(rng, index)
        row |= {"Industry": pick(rng, industries), "Type": pick(rng, types), "Rating": pick(rng, ratings)}
        row["RecordTypeId"] = pick(rng, record_types)
        row["CurrencyIsoCode"] = COUNTRY_CURRENCY.get(row.get("BillingCountryCode", ""), "USD")
        builder.add(at, row | _custom_fields(rng, at))
    builder.finish()
    _relate(builder, "ParentId", share=0.12)
    merge(builder)


def _company_columns(rng: Random, index: int) -> Row:
    """Return numbers, web addresses and texts of a company."""
    chance = rng.random()
    return {
        "AccountNumber": f"AC-{index:07}" if chance < 0.9 else None,
        "Phone": f"(415) 555-{index % 10_000:04}" if chance < 0.8 else None,
        "Website": f"https://www.firm{index}.example/über-uns?x=1&y=2" if chance < 0.7 else None,
        "AnnualRevenue": float(int(chance * 9e9)) if chance < 0.6 else None,
        "NumberOfEmployees": int(chance * 20_000) if chance < 0.75 else None,
        "Description": _description(rng, index), "AccountSource": pick(rng, SOURCES), "CleanStatus": "Pending",
        "PhotoUrl": "/services/images/photo/001", "Site": "HQ" if chance < 0.1 else None,
        "DunsNumber": f"{index % 10**9:09}" if chance < 0.3 else None, "YearStarted": str(1900 + int(chance * 120)),
        "TickerSymbol": "ACME" if chance < 0.02 else None, "Ownership": "Private" if chance < 0.5 else "Public",
    }  # fmt: skip


def _description(rng: Random, index: int) -> str | None:
    """Return a description; every few hundredth account has the longest possible text."""
    if index % 400 == 3:
        return long_text(LONGEST_TEXT)
    return maybe_text(rng)


def _custom_fields(rng: Random, at: int) -> Row:
    """Return the custom fields of an account.

    The two calculated ones are set later, from its opportunities.
    """
    score, amount = rng.random(), rng.random()
    latitude, longitude = round(score * 180 - 90, 6), round(amount * 360 - 180, 6)
    has_office = score < 0.3
    return {
        "Tier__c": ("Platinum", "Gold", "Silver", "Bronze", None)[int(score * 5)],
        "Annual_Contract_Value__c": pick(rng, NASTY_AMOUNTS) if amount < 0.05 else money(amount**4 * 5_000_000),
        "Health_Score__c": round(score * 100, 1) if score < 0.9 else None,
        "Renewal_Date__c": day(at + int(amount * 1_500) * DAY_SECONDS) if amount < 0.7 else None,
        "Preferred_Time__c": pick(rng, TIMES),
        "Interests__c": (None, "Analytics", "Analytics;Security", "Training;Support;Hardware")[int(amount * 4)],
        "Office__Latitude__s": latitude if has_office else None,
        "Office__Longitude__s": longitude if has_office else None,
        "Office__c": {"latitude": latitude, "longitude": longitude} if has_office else None,
    }


def _relate(builder: RowBuilder, name: str, *, share: float) -> None:
    """Let some live rows refer to an older live row of the same object."""
    for index, row in enumerate(builder.live_rows[1:], start=1):
        if builder.rng.random() < share:
            row[name] = builder.live_rows[int(builder.rng.random() * index)]["Id"]


def merge(builder: RowBuilder) -> None:
    """Let a third of the deleted rows name the row that they were merged into."""
    for row, at in zip(builder.rows, builder.born, strict=True):
        if row["IsDeleted"] and builder.rng.random() < 0.35:
            row["MasterRecordId"] = builder.one_id(builder.rng, at)


def fill_contacts(builder: RowBuilder, *, accounts: RowBuilder) -> None:
    """Add the contacts, a quarter of them loaded within one second."""
    rng = builder.rng
    mailing, other = addresses("Mailing", with_codes=False), addresses("Other", with_codes=False)
    first, last = (int(share * builder.wanted) for share in MIGRATED)
    births = list(builder.birth_times())
    births[first:last] = births[first : first + 1] * (last - first)
    for index, at in enumerate(births):
        row = person(rng, index, host="mail.example") | pick(rng, mailing)
        row |= pick(rng, other) if rng.random() < 0.1 else {}
        row |= _contact_columns(rng, index)
        row["IsDeleted"] = is_deleted(builder, DELETED_SHARE)
        row["AccountId"] = accounts.one_id(rng, at) if rng.random() < 0.95 else None
        added = builder.add(at, row, touched=at if first <= index < last else None)
        if first <= index < last:
            added["SystemModstamp"] = added["CreatedDate"]
    builder.finish()
    _relate(builder, "ReportsToId", share=0.2)
    merge(builder)


def _contact_columns(rng: Random, index: int) -> Row:
    """Return the columns of a contact beyond name and addresses."""
    chance = rng.random()
    return {
        "Department": pick(rng, DEPARTMENTS) if chance < 0.5 else None, "LeadSource": pick(rng, SOURCES),
        "Birthdate": day(int((chance - 0.6) * 900) * 20 * DAY_SECONDS) if chance < 0.4 else None,
        "HomePhone": f"+44 20 7946 {index % 10_000:04}" if chance < 0.2 else None, "CleanStatus": "Pending",
        "AssistantName": "Robin Day" if chance < 0.1 else None, "PhotoUrl": "/services/images/photo/003",
        "Preferred_Language__c": pick(rng, LANGUAGES), "Loyalty_Points__c": float(int(chance * 20_000_000)),
        "National_Id__c": f"********{index % 10_000:04}" if chance > 0.8 else None, "ContactSource": "Import",
        "Backup_Email__c": f"backup{index}@mail.example" if chance > 0.7 else None,
        "IsEmailBounced": chance > 0.98, "EmailBouncedReason": "550 5.1.1 <unknown> user" if chance > 0.98 else None,
    }  # fmt: skip


def person(rng: Random, index: int, *, host: str) -> Row:
    """Return name, title and addresses of a contact or a lead."""
    first, ascii_first = pick(rng, FIRST_NAMES)
    last, ascii_last = pick(rng, LAST_NAMES)
    chance = rng.random()
    has_first = chance < 0.97
    return {
        "FirstName": first if has_first else None, "LastName": last, "Name": f"{first} {last}" if has_first else last,
        "Salutation": pick(rng, SALUTATIONS), "Title": pick(rng, TITLES) if chance < 0.8 else None,
        "Email": f"{ascii_first}.{ascii_last}{index}@{host}" if chance < 0.9 else None,
        "Phone": f"+49 30 {index % 10**7:07}" if chance < 0.6 else None,
        "MobilePhone": f"+1-202-555-{index % 10_000:04}" if chance < 0.4 else None, "Description": maybe_text(rng),
        "HasOptedOutOfEmail": chance > 0.95, "DoNotCall": chance > 0.97,
    }  # fmt: skip


def fill_leads(builder: RowBuilder) -> None:
    """Add the leads. `convert_leads` converts some of them later."""
    rng, pool, names = builder.rng, addresses("", with_codes=False), firms()
    industries = (*builder.schema.fields["Industry"].picklist_values, None)
    statuses = ("Open - Not Contacted", "Working - Contacted", "Working - Contacted", "Closed - Not Converted")
    for index, at in enumerate(builder.birth_times()):
        row = person(rng, index, host="lead.example") | pick(rng, pool) | lead_columns(rng, index)
        row |= {"Company": pick(rng, names), "Status": pick(rng, statuses), "Industry": pick(rng, industries)}
        row["IsDeleted"] = is_deleted(builder, DELETED_SHARE)
        if rng.random() < 0.08:
            row["OwnerId"] = CASE_QUEUE
        builder.add(at, row)
    builder.finish()
    merge(builder)


def lead_columns(rng: Random, index: int) -> Row:
    """Return the columns of a lead beyond name and address."""
    chance = rng.random()
    return {
        "LeadSource": pick(rng, SOURCES), "Rating": ("Hot", "Warm", "Cold", None)[int(chance * 4)],
        "CurrencyIsoCode": ("USD", "EUR", "GBP", "JPY")[int(chance * 4)], "IsUnreadByOwner": chance < 0.3,
        "AnnualRevenue": float(int(chance * 4e8)) if chance < 0.4 else None, "Consent_Given__c": chance < 0.7,
        "NumberOfEmployees": int(chance * 900) if chance < 0.5 else None, "Score__c": round(chance * 1_000, 1),
        "Website": f"http://lead{index}.example" if chance < 0.5 else None, "CleanStatus": "Pending",
        "Landing_Page__c": "https://practice.example/de/käufer?utm_source=x&y=ü" if chance < 0.3 else None,
        "acme__External_Ref__c": f"ref:{index:08x}" if chance < 0.8 else None, "PhotoUrl": "/services/images/photo/00Q",
    }  # fmt: skip


def convert_leads(builder: RowBuilder, *, opportunities: RowBuilder, contacts: RowBuilder) -> None:
    """Convert some live leads, each to a younger opportunity and a contact."""
    by_account = {row["AccountId"]: row["Id"] for row in reversed(contacts.live_rows) if row["AccountId"]}
    used_places: set[int] = set()
    for lead, at in zip(builder.live_rows, builder.live_born, strict=True):
        place = bisect_right(opportunities.live_born, at) + int(builder.rng.random() * 40)
        if place in used_places or place >= len(opportunities.live_rows) or builder.rng.random() > CONVERTED_SHARE:
            continue
        deal = opportunities.live_rows[place]
        if deal["AccountId"] in by_account:
            used_places.add(place)
            _convert(lead, deal, by_account[deal["AccountId"]], at=opportunities.live_born[place])


def _convert(lead: Row, opportunity: Row, contact_id: str, *, at: int) -> None:
    lead |= {
        "Status": "Closed - Converted", "IsConverted": True, "ConvertedDate": day(at), "IsUnreadByOwner": False,
        "ConvertedAccountId": opportunity["AccountId"], "ConvertedContactId": contact_id,
        "ConvertedOpportunityId": opportunity["Id"], "LastModifiedDate": stamp(at), "SystemModstamp": stamp(at),
    }  # fmt: skip
    opportunity["LeadSource"] = lead["LeadSource"]
