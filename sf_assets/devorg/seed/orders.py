"""Orders and assets: accepted quotes become orders, ordered goods become assets."""

from collections.abc import Iterator
from itertools import chain, cycle, islice, repeat
from random import Random

from sf_assets.devorg.seed.accounts import is_deleted, maybe_text
from sf_assets.devorg.seed.deals import contacts_by_account
from sf_assets.devorg.seed.quotes import billing
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

COPIED = ("PricebookEntryId", "Product2Id", "UnitPrice", "ListPrice", "Quantity", "TotalPrice", "CurrencyIsoCode")
CARRIERS = ("DHL", "UPS", "FedEx", "Pick-up", None)


def fill_orders(
    builder: RowBuilder,
    items: RowBuilder,
    *,
    quotes: RowBuilder,
    quote_lines: RowBuilder,
    accounts: RowBuilder,
    contracts: RowBuilder,
    prices: RowBuilder,
) -> None:
    """Add the orders, first those of accepted quotes. Totals follow from the items."""
    rng, by_id = builder.rng, {row["Id"]: row for row in accounts.rows}
    accepted = [row for row in quotes.live_rows if row["Status"] == "Accepted"]
    lines = _by_quote(quote_lines)
    counts = shares(rng, items.wanted if prices.live_rows else 0, builder.wanted)
    drafts: list[tuple[Row, list[Row]]] = []
    sources: Iterator[Row | None] = chain(accepted, repeat(None))
    for birth_times, count, quote in zip(builder.birth_times(), counts, sources, strict=False):
        at = birth_times if quote is None else _ordered_at(quote, ends=builder.ends)
        account = accounts.one(rng, at) if quote is None else by_id[quote["AccountId"]]
        goods = _order_goods(rng, lines.get(quote["Id"], []) if quote else [], prices, count)
        row = _order(rng, account, goods, at) | (_from_quote(quote) if quote else {})
        row["IsDeleted"] = quote is None and is_deleted(builder, 0.05)
        drafts.append((builder.add(at, row), goods))
    builder.finish()
    _number(builder, contracts)
    for row, goods in drafts:
        _add_items(row, goods, items)
    items.finish()
    for index, row in enumerate(items.rows):
        row["OrderItemNumber"] = f"{index + 1:010}"


def _by_quote(quote_lines: RowBuilder) -> dict[str, list[Row]]:
    result: dict[str, list[Row]] = {}
    for row in quote_lines.live_rows:
        result.setdefault(row["QuoteId"], []).append(row)
    return result


def _ordered_at(quote: Row, *, ends: int) -> int:
    """Return when an accepted quote became an order: within a week."""
    return min(ends, seconds_of(quote["LastModifiedDate"]) + 5 * DAY_SECONDS)


def _order_goods(rng: Random, lines: list[Row], prices: RowBuilder, count: int) -> list[Row]:
    """Return `count` goods of an order.

    They are the quote's lines with their Ids, or entries of the price list.
    """
    if lines:
        quoted = [{name: line[name] for name in COPIED} | {"QuoteLineItemId": line["Id"]} for line in lines]
        return list(islice(cycle(quoted), count))
    entries = (pick(rng, prices.live_rows) for _ in range(count))
    return [_from_list(entry, float(1 + int(rng.random() * 9))) for entry in entries]


def _from_list(entry: Row, quantity: float) -> Row:
    values = {"PricebookEntryId": entry["Id"], "Product2Id": entry["Product2Id"], "Quantity": quantity}
    values |= {"UnitPrice": entry["UnitPrice"], "ListPrice": entry["UnitPrice"]}
    return values | {"TotalPrice": round(entry["UnitPrice"] * quantity, 8), "CurrencyIsoCode": entry["CurrencyIsoCode"]}


def _order(rng: Random, account: Row | None, goods: list[Row], at: int) -> Row:
    """Return an order of an account; its total is the sum of its goods."""
    chance, is_active = rng.random(), rng.random() < 0.75
    address = billing(account) | billing(account, to="Shipping") if account else {}
    return address | {
        "AccountId": account["Id"] if account else None, "EffectiveDate": day(at), "Description": maybe_text(rng),
        "Status": "Activated" if is_active else "Draft", "StatusCode": "Activated" if is_active else "Draft",
        "ActivatedDate": stamp(at) if is_active else None, "Type": pick(rng, ("New", "Renewal", "Add-on", None)),
        "TotalAmount": round(sum((item["TotalPrice"] for item in goods), 0.0), 8), "Carrier__c": pick(rng, CARRIERS),
        "CurrencyIsoCode": goods[0]["CurrencyIsoCode"] if goods else "USD", "PoDate": maybe(rng, 0.2, day(at)),
        "PoNumber": f"PO/{int(chance * 10**6):06}" if chance < 0.6 else None,
        "Name": maybe(rng, 0.3, "Erste Lieferung"),
        "Pricebook2Id": None, "Shipping_Cost__c": money(chance * 90) if chance < 0.5 else None,
        "EndDate": day(at + 365 * DAY_SECONDS) if chance < 0.3 else None,
    }  # fmt: skip


def _from_quote(quote: Row) -> Row:
    return {
        "QuoteId": quote["Id"], "OpportunityId": quote["OpportunityId"], "Pricebook2Id": quote["Pricebook2Id"],
        "BillToContactId": quote["ContactId"], "ShipToContactId": quote["ContactId"],
    }  # fmt: skip


def _number(builder: RowBuilder, contracts: RowBuilder) -> None:
    """Set order numbers by age, and the contract of the same account."""
    by_account = {row["AccountId"]: row["Id"] for row in contracts.live_rows}
    for index, row in enumerate(builder.rows):
        row["OrderNumber"] = f"{index + 100:08}"
        row["ContractId"] = by_account.get(row["AccountId"])
        row["ActivatedById"] = row["OwnerId"] if row["ActivatedDate"] else None


def _add_items(order: Row, goods: list[Row], items: RowBuilder) -> None:
    """Add the items of an order; they are deleted with it."""
    born = seconds_of(order["CreatedDate"])
    for item in goods:
        values = {"OrderId": order["Id"], "IsDeleted": order["IsDeleted"], "AvailableQuantity": item["Quantity"]}
        items.add(born, item | values | {"ServiceDate": order["EffectiveDate"], "EndDate": order["EndDate"]})


def fill_assets(
    builder: RowBuilder, *, items: RowBuilder, orders: RowBuilder, contacts: RowBuilder, products: RowBuilder
) -> None:
    """Add the assets of accounts; some are parts of another asset of the same account."""
    rng, people = builder.rng, contacts_by_account(contacts)
    owners = {row["Id"]: row["AccountId"] for row in orders.rows}
    by_id = {row["Id"]: row for row in products.rows}
    statuses = (*builder.schema.fields["Status"].picklist_values, None)
    for index, at in enumerate(builder.birth_times()):
        item = items.one(rng, at)
        account_id = owners[item["OrderId"]] if item else None
        own = people.get(account_id or "", [])
        contact_id = pick(rng, own)["Id"] if own else contacts.one_id(rng, at)
        values = _asset(rng, item, by_id[item["Product2Id"]] if item else None, index, at)
        values |= {"AccountId": account_id, "ContactId": contact_id, "Status": pick(rng, statuses)}
        builder.add(at, values | {"IsDeleted": is_deleted(builder, 0.02)})
    builder.finish()
    _assemble(builder)


def _asset(rng: Random, item: Row | None, product: Row | None, index: int, at: int) -> Row:
    name = product["Name"] if product else "Demo unit"
    return {
        "Name": f"{name} #{index + 1}", "SerialNumber": maybe(rng, 0.8, f"SN-{index:08X}"), "InstallDate": day(at),
        "Product2Id": product["Id"] if product else None, "ProductCode": product["ProductCode"] if product else None,
        "Price": item["UnitPrice"] if item else None, "Quantity": item["Quantity"] if item else 1.0,
        "PurchaseDate": day(at - 20 * DAY_SECONDS), "UsageEndDate": maybe(rng, 0.4, day(at + 900 * DAY_SECONDS)),
        "IsCompetitorProduct": rng.random() < 0.03, "Description": maybe_text(rng), "AssetLevel": 1,
        "CurrencyIsoCode": item["CurrencyIsoCode"] if item else "USD",
    }  # fmt: skip


def _assemble(builder: RowBuilder) -> None:
    """Set the root of each asset: itself, or another asset of the same account."""
    wholes: dict[str, Row] = {}
    for row in builder.rows:
        row["RootAssetId"] = row["Id"]
        whole = wholes.get(row["AccountId"])
        if row["IsDeleted"] or row["AccountId"] is None:
            continue
        if whole is not None and builder.rng.random() < 0.5:
            row |= {"ParentId": whole["Id"], "RootAssetId": whole["Id"], "AssetLevel": 2}
        else:
            wholes[row["AccountId"]] = row
