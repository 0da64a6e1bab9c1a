"""Contracts, quotes and their lines, copied from the lines of the deal."""

from itertools import cycle, islice
from random import Random

from sf_assets.devorg.seed.accounts import is_deleted, maybe_text
from sf_assets.devorg.seed.deal_stages import STAGES
from sf_assets.devorg.seed.deals import contacts_by_account
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

EARLY = frozenset(stage.name for stage in STAGES[:4])
COPIED = ("PricebookEntryId", "Product2Id", "UnitPrice", "ListPrice", "Quantity", "TotalPrice", "CurrencyIsoCode")
PLACE_PARTS = ("Street", "City", "State", "PostalCode", "Country", "Latitude", "Longitude", "GeocodeAccuracy")


def billing(account: Row, *, to: str = "Billing") -> Row:
    """Return the account's billing address in the columns of the address `to`, without codes."""
    compound = account["BillingAddress"]
    if compound is None:
        return {}
    parts = {name: value for name, value in compound.items() if name not in ("countryCode", "stateCode")}
    return {f"{to}{part}": account[f"Billing{part}"] for part in PLACE_PARTS} | {f"{to}Address": parts}


def fill_contracts(builder: RowBuilder, *, accounts: RowBuilder, contacts: RowBuilder, books: RowBuilder) -> None:
    """Add the contracts (none without accounts), signed by a contact of the account."""
    rng, people = builder.rng, contacts_by_account(contacts)
    for index, at in enumerate(builder.birth_times()):
        account = accounts.one(rng, at)
        if account is None:
            continue
        chance, signer = rng.random(), next(iter(people.get(account["Id"], [])), None)
        starts, months = at // DAY_SECONDS + int(chance * 30), 12 * (1 + int(chance * 3))
        row = builder.add(at, billing(account) | {
            "AccountId": account["Id"], "ContractNumber": f"{index + 100:08}", "Pricebook2Id": books.one_id(rng, at),
            "StartDate": day(starts * DAY_SECONDS), "EndDate": day((starts + months * 30) * DAY_SECONDS),
            "ContractTerm": months, "CurrencyIsoCode": account["CurrencyIsoCode"],
            "IsDeleted": is_deleted(builder, 0.02),
            "CustomerSignedId": signer["Id"] if signer else None, "Description": maybe_text(rng),
            "CustomerSignedTitle": signer["Title"] if signer else None, "OwnerExpirationNotice": maybe(rng, 0.4, "30"),
            "SpecialTerms": maybe(rng, 0.2, "§ 4 (2): Zahlung binnen 30 Tagen\n§ 5: 2 % Skonto"),
        })  # fmt: skip
        row |= _contract_standing(row, is_active=chance < 0.7, at=at)
    builder.finish()


def _contract_standing(row: Row, *, is_active: bool, at: int) -> Row:
    if not is_active:
        return {"Status": "Draft", "StatusCode": "Draft"}
    signed = {"CompanySignedId": row["OwnerId"], "CompanySignedDate": row["StartDate"]}
    activated = {"ActivatedById": row["OwnerId"], "ActivatedDate": stamp(at)}
    return (
        {"Status": "Activated", "StatusCode": "Activated", "CustomerSignedDate": row["StartDate"]} | signed | activated
    )


def sign_deals(opportunities: RowBuilder, contracts: RowBuilder) -> None:
    """Set the contract of the account in each won deal."""
    by_account = {row["AccountId"]: row["Id"] for row in contracts.live_rows}
    for row in opportunities.live_rows:
        row["ContractId"] = by_account.get(row["AccountId"]) if row["IsWon"] else None


def fill_quotes(
    builder: RowBuilder, lines: RowBuilder, *, opportunities: RowBuilder, deal_lines: RowBuilder, accounts: RowBuilder
) -> None:
    """Add the quotes of advanced deals, with lines; a deal syncs with its last quote."""
    items = _by_deal(deal_lines)
    quoted = [row for row in opportunities.live_rows if row["Id"] in items and row["AccountId"]]
    ripe = [row for row in quoted if row["StageName"] not in EARLY] or quoted
    counts = shares(builder.rng, builder.wanted, len(ripe))
    line_counts = iter(shares(builder.rng, lines.wanted, sum(counts)))
    by_id = {row["Id"]: row for row in accounts.rows}
    drafts: list[tuple[Row, list[Row]]] = []
    for opportunity, count in zip(ripe, counts, strict=True):
        for place in range(count):
            copied = list(islice(cycle(items[opportunity["Id"]]), next(line_counts)))
            is_last = place == count - 1
            row = _quote(builder.rng, opportunity, by_id[opportunity["AccountId"]], copied, is_last=is_last)
            drafts.append((builder.add(_quoted_at(builder, opportunity), row), copied))
    builder.finish()
    for index, row in enumerate(builder.rows):
        row["QuoteNumber"] = f"{index + 1:08}"
    for row, copied in drafts:
        _add_quote_lines(row, copied, lines)
    lines.finish()
    _set_synced_quotes(builder, opportunities)


def _by_deal(deal_lines: RowBuilder) -> dict[str, list[Row]]:
    result: dict[str, list[Row]] = {}
    for row in deal_lines.live_rows:
        result.setdefault(row["OpportunityId"], []).append(row)
    return result


def _quoted_at(builder: RowBuilder, opportunity: Row) -> int:
    """Return when the quote was made: after the deal began, before its last change."""
    born = seconds_of(opportunity["CreatedDate"])
    changed = seconds_of(opportunity["LastModifiedDate"])
    return born + int((changed - born) * builder.rng.random())


def _quote(rng: Random, opportunity: Row, account: Row, items: list[Row], *, is_last: bool) -> Row:
    """Return a quote with totals from its lines.

    The last one of a won deal is accepted.
    """
    total = round(sum((item["TotalPrice"] for item in items), 0.0), 8)
    tax, freight = (money(total * 0.19), 49.9) if rng.random() < 0.5 else (None, None)
    contact = opportunity["ContactId"]
    return {
        **billing(account), **billing(account, to="Shipping"), "BillingName": account["Name"],
        "OpportunityId": opportunity["Id"], "AccountId": account["Id"], "ContactId": contact, "Tax": tax,
        "Name": f"Quote: {opportunity['Name']}"[:200], "Pricebook2Id": opportunity["Pricebook2Id"], "Discount": 0.0,
        "CurrencyIsoCode": opportunity["CurrencyIsoCode"], "Status": _status(rng, opportunity, is_last=is_last),
        "IsSyncing": is_last, "LineItemCount": len(items), "Subtotal": total, "TotalPrice": total,
        "ShippingHandling": freight, "GrandTotal": round(total + (tax or 0.0) + (freight or 0.0), 8),
        "ExpirationDate": maybe(rng, 0.8, opportunity["CloseDate"]), "Description": maybe_text(rng),
        "CanCreateQuoteLineItems": not opportunity["IsClosed"], "Phone": account["Phone"],
        "QuoteToName": account["Name"],
    }  # fmt: skip


def _status(rng: Random, opportunity: Row, *, is_last: bool) -> str:
    if not is_last:
        return pick(rng, ("Rejected", "Denied", "Presented"))
    if opportunity["IsClosed"]:
        return "Accepted" if opportunity["IsWon"] else "Rejected"
    return pick(rng, ("Draft", "Needs Review", "In Review", "Approved", "Presented"))


def _add_quote_lines(quote: Row, items: list[Row], lines: RowBuilder) -> None:
    """Add a quote line for each line of the deal."""
    born = seconds_of(quote["CreatedDate"])
    for place, item in enumerate(items, start=1):
        values = {name: item[name] for name in COPIED} | {"Subtotal": item["TotalPrice"], "SortOrder": place}
        values |= {"QuoteId": quote["Id"], "OpportunityLineItemId": item["Id"], "LineNumber": f"{place:08}"}
        lines.add(born, values | {"ServiceDate": item["ServiceDate"], "Discount": 0.0})


def _set_synced_quotes(quotes: RowBuilder, opportunities: RowBuilder) -> None:
    """Set the quote that each deal syncs with."""
    syncing = {row["OpportunityId"]: row["Id"] for row in quotes.rows if row["IsSyncing"]}
    for row in opportunities.rows:
        row["SyncedQuoteId"] = syncing.get(row["Id"])
