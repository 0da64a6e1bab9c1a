"""Opportunities with their lines, contact roles and history."""

from collections.abc import Mapping
from random import Random

from sf_assets.devorg.seed.accounts import is_deleted, maybe_text
from sf_assets.devorg.seed.catalog import offers
from sf_assets.devorg.seed.deal_stages import Moment, deal_moments, fiscal
from sf_assets.devorg.seed.row_builder import (
    DAY_SECONDS,
    Row,
    RowBuilder,
    day,
    maybe,
    money,
    pick,
    seconds_of,
    shares,
    stamp,
)
from sf_assets.devorg.seed.vocabulary import NEXT_STEPS

DELETED_SHARE = 0.03
KINDS = ("New Business", "Renewal", "Pilot", "Upgrade", "拡張", "Rahmenvertrag")
ODD_AMOUNTS = (0.123456789, 12345678.0, 25_000_000.5)
HISTORY_SHOWS = ("StageName", "Probability", "ForecastCategory")


def fill_deals(
    opportunities: RowBuilder,
    lines: RowBuilder,
    history: RowBuilder,
    *,
    accounts: RowBuilder,
    campaigns: RowBuilder,
    prices: RowBuilder,
    record_types: list[str | None],
) -> None:
    """Add the opportunities, lines and history rows; an amount is the sum of its lines."""
    rng, births = opportunities.rng, list(opportunities.birth_times())
    steps = _one_each(shares(rng, max(0, history.wanted - len(births)), len(births)), history.wanted)
    sold = offers(prices)
    counts = shares(rng, lines.wanted if sold else 0, len(births))
    tales: list[tuple[Row, list[Row], list[Moment]]] = []
    for index, at in enumerate(births):
        account = accounts.one(rng, at)
        items = _items(rng, _offer(rng, sold, account), counts[index], at=at) if sold else []
        amount = _amount(rng, items)
        tale = deal_moments(rng, born=at, ends=opportunities.ends, amount=amount, steps=max(1, steps[index]))
        row = _values(rng, account, items, index) | _current_columns(tale)
        row |= {"RecordTypeId": pick(rng, record_types), "CampaignId": maybe(rng, 0.3, campaigns.one_id(rng, at))}
        row["IsDeleted"] = is_deleted(opportunities, DELETED_SHARE)
        tales.append((opportunities.add(at, row, touched=tale[-1].at), items, tale[len(tale) - steps[index] :]))
    opportunities.finish()
    for row, items, tale in tales:
        _add_lines(row, items, lines)
        _add_history(row, tale, history)
    lines.finish()
    history.finish()
    _point_at_changes(opportunities, history)


def _one_each(extra: list[int], wanted: int) -> list[int]:
    """Return the number of history rows of each opportunity."""
    return [count + (index < wanted) for index, count in enumerate(extra)]


def _offer(rng: Random, sold: list[list[Row]], account: Row | None) -> list[Row]:
    """Return the entries of one price book and currency: the account's currency where possible."""
    currency = account["CurrencyIsoCode"] if account else "USD"
    fitting = [entries for entries in sold if entries[0]["CurrencyIsoCode"] == currency]
    return pick(rng, fitting or sold)


def _items(rng: Random, entries: list[Row], count: int, *, at: int) -> list[Row]:
    """Return the lines of one opportunity, without the columns that need its Id."""
    return [_item(rng, pick(rng, entries), place, at=at) for place in range(count)]


def _item(rng: Random, entry: Row, place: int, *, at: int) -> Row:
    quantity = float(1 + int(rng.random() ** 3 * 30))
    rebate = pick(rng, (1.0, 1.0, 0.9, 0.85))
    unit_price = entry["UnitPrice"] if rebate == 1.0 else money(entry["UnitPrice"] * rebate)
    return {
        "PricebookEntryId": entry["Id"], "Product2Id": entry["Product2Id"], "ProductCode": entry["ProductCode"],
        "Quantity": quantity, "UnitPrice": unit_price, "ListPrice": entry["UnitPrice"], "SortOrder": place + 1,
        "TotalPrice": round(unit_price * quantity, 8), "CurrencyIsoCode": entry["CurrencyIsoCode"],
        "ServiceDate": day(at + 60 * DAY_SECONDS) if rng.random() < 0.3 else None, "Name": entry["Name"],
        "Description": maybe(rng, 0.2, 'incl. "white glove" delivery'), "Pricebook2Id": entry["Pricebook2Id"],
    }  # fmt: skip


def _amount(rng: Random, items: list[Row]) -> float | None:
    """Return the sum of the lines; without lines a guess, or None."""
    if items:
        return round(float(sum(item["TotalPrice"] for item in items)), 8)
    chance = rng.random()
    if chance < 0.1:
        return None
    return pick(rng, ODD_AMOUNTS) if chance < 0.13 else money(500 + chance**5 * 800_000)


def _values(rng: Random, account: Row | None, items: list[Row], index: int) -> Row:
    """Return the columns of an opportunity besides its stage."""
    chance = rng.random()
    firm = account["Name"] if account else "Walk-in"
    return {
        "AccountId": account["Id"] if account else None, "Name": f"{firm} – {pick(rng, KINDS)} {index + 1}",
        "CurrencyIsoCode": items[0]["CurrencyIsoCode"] if items else account["CurrencyIsoCode"] if account else "USD",
        "Pricebook2Id": items[0]["Pricebook2Id"] if items else None, "HasOpportunityLineItem": bool(items),
        "TotalOpportunityQuantity": sum(item["Quantity"] for item in items) if items else None,
        "Type": pick(rng, ("New Customer", "Existing Customer - Upgrade", None)), "Description": maybe_text(rng),
        "LeadSource": pick(rng, ("Web", "Partner Referral", "Other", None)), "IsPrivate": chance < 0.03,
        "NextStep": pick(rng, NEXT_STEPS) if chance < 0.5 else None, "PushCount": int(chance * 4),
        "Margin__c": round(chance * 60 - 5, 2) if chance < 0.9 else None,
        "External_Key__c": f"erp/{index + 1:07}" if chance < 0.7 else None,
        "Risk_Notes__c": "Risk:\u2028late budget,\u2029new buyer" if chance < 0.05 else None,
    }  # fmt: skip


def _current_columns(tale: list[Moment]) -> Row:
    """Return the columns of an opportunity after its last moment."""
    last = tale[-1]
    closes = last.close_day * DAY_SECONDS
    moved = next((later.at for earlier, later in _steps(tale) if earlier.stage is not later.stage), None)
    return {
        **last.columns(), **last.stage.columns(), **fiscal(day(closes)),
        "LastStageChangeDate": stamp(moved) if moved else None,
        "Next_Review__c": None if last.stage.is_closed else stamp(closes - 7 * DAY_SECONDS + 9 * 3_600),
    }  # fmt: skip


def _steps(tale: list[Moment]) -> list[tuple[Moment, Moment]]:
    """Return each moment with the one before it, the latest first."""
    return list(zip(tale, tale[1:], strict=False))[::-1]


def _add_lines(opportunity: Row, items: list[Row], lines: RowBuilder) -> None:
    """Add the lines of an opportunity; they are deleted with it."""
    born = seconds_of(opportunity["CreatedDate"])
    for item in items:
        values = {name: value for name, value in item.items() if name != "Pricebook2Id"}
        values |= {"OpportunityId": opportunity["Id"], "IsDeleted": opportunity["IsDeleted"]}
        values["Name"] = f"{opportunity['Name']} {item['Name']}"
        lines.add(born, values)


def _add_history(opportunity: Row, tale: list[Moment], history: RowBuilder) -> None:
    """Add a history row for each moment, with the values of the moment before."""
    before: Moment | None = None
    for moment in tale:
        values = moment.columns() | {name: moment.stage.columns()[name] for name in HISTORY_SHOWS}
        values |= {"OpportunityId": opportunity["Id"], "CurrencyIsoCode": opportunity["CurrencyIsoCode"]}
        values |= {"PrevAmount": before.amount, "PrevCloseDate": before.columns()["CloseDate"]} if before else {}
        history.add(moment.at, values | {"IsDeleted": opportunity["IsDeleted"]}, touched=moment.at)
        before = moment


def _point_at_changes(opportunities: RowBuilder, history: RowBuilder) -> None:
    """Set the history row of each opportunity's last change of amount and of close date."""
    by_id = {row["Id"]: row for row in opportunities.rows}
    for row in history.rows:
        if row["PrevCloseDate"] is None:
            continue
        if row["PrevAmount"] != row["Amount"]:
            by_id[row["OpportunityId"]]["LastAmountChangedHistoryId"] = row["Id"]
        if row["PrevCloseDate"] != row["CloseDate"]:
            by_id[row["OpportunityId"]]["LastCloseDateChangedHistoryId"] = row["Id"]


def fill_contact_roles(builder: RowBuilder, *, opportunities: RowBuilder, contacts: RowBuilder) -> None:
    """Add the contact roles, the first of a deal as the primary one."""
    roles = builder.schema.fields["Role"].picklist_values
    people = contacts_by_account(contacts)
    counts = shares(builder.rng, builder.wanted, len(opportunities.rows))
    for opportunity, at, count in zip(opportunities.rows, opportunities.born, counts, strict=True):
        own = people.get(opportunity["AccountId"], [])
        drawn = [contacts.one(builder.rng, at) for _ in range(count * 3)]
        distinct = {row["Id"]: row for row in [*own, *drawn] if row}
        for place, contact_id in enumerate(list(distinct)[:count]):
            values = {"OpportunityId": opportunity["Id"], "ContactId": contact_id, "Role": pick(builder.rng, roles)}
            builder.add(at, values | {"IsPrimary": place == 0, "IsDeleted": opportunity["IsDeleted"]})
            if place == 0:
                opportunity["ContactId"] = contact_id
    builder.finish()


def contacts_by_account(contacts: RowBuilder) -> Mapping[str, list[Row]]:
    """Return the live contacts of each account."""
    result: dict[str, list[Row]] = {}
    for row in contacts.live_rows:
        if row["AccountId"]:
            result.setdefault(row["AccountId"], []).append(row)
    return result


def sum_pipelines(accounts: RowBuilder, opportunities: RowBuilder) -> None:
    """Set the calculated columns of accounts: sum of open deals, and a label."""
    pipeline: dict[str, float] = {}
    for row in opportunities.live_rows:
        if not row["IsClosed"] and row["AccountId"]:
            pipeline[row["AccountId"]] = pipeline.get(row["AccountId"], 0.0) + (row["Amount"] or 0.0)
    for row in accounts.rows:
        row["Open_Pipeline__c"] = money(pipeline.get(row["Id"], 0.0))
        row["Region_Label__c"] = f"{row['BillingCountry'] or '–'} · {row['Tier__c'] or 'untiered'}"
