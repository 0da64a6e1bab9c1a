"""The catalog: products, price books, and a price for each product, book and currency."""

from itertools import islice
from itertools import product as pairs_of

from sf_assets.devorg.seed.row_builder import Row, RowBuilder, maybe, money, pick
from sf_assets.devorg.seed.vocabulary import PRODUCTS, TEXTS

# book | currencies that it has prices in; the standard book is the first
BOOKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Standard Price Book", ("USD", "EUR", "GBP", "JPY")),
    ("Europe", ("EUR", "GBP")),
    ("Partner", ("USD", "EUR")),
    ("Americas 2024 (archived)", ("USD",)),
)
YEN = 150.0
ODD_PRICE = 1234.56789


def fill_products(builder: RowBuilder) -> None:
    """Add the products; some are no longer sold, some archived, some deleted."""
    rng, values = builder.rng, builder.schema.fields
    families, units = values["Family"].picklist_values, values["QuantityUnitOfMeasure"].picklist_values
    for index, at in enumerate(builder.birth_times()):
        name, chance = PRODUCTS[index % len(PRODUCTS)], rng.random()
        is_archived = index > 5 and chance < 0.05
        builder.add(at, {
            "Name": f"{name} {index + 1}" if index >= len(PRODUCTS) else name, "ProductCode": f"P-{index + 1:04}",
            "Description": maybe(rng, 0.5, pick(rng, TEXTS)), "IsActive": not is_archived and chance < 0.9,
            "IsArchived": is_archived, "Family": pick(rng, families), "QuantityUnitOfMeasure": pick(rng, units),
            "StockKeepingUnit": maybe(rng, 0.6, f"SKU{index + 1:06}"), "CurrencyIsoCode": "USD",
            "DisplayUrl": maybe(rng, 0.3, f"https://shop.example/p/{index + 1}"), "Hazardous__c": chance > 0.9,
            "Weight_kg__c": round(chance * 500, 3) if chance < 0.7 else None, "IsDeleted": index > 5 and chance > 0.97,
        })  # fmt: skip
    builder.finish()


def fill_pricebooks(builder: RowBuilder) -> None:
    """Add the price books, the standard one first."""
    for index, at in enumerate(builder.birth_times()):
        name, _ = book(index)
        is_archived = "archived" in name
        values: Row = {"Name": name, "IsStandard": index == 0, "IsActive": not is_archived, "IsArchived": is_archived}
        builder.add(at, values | {"Description": maybe(builder.rng, 0.5, f"Prices: {name}")})
    builder.finish()


def book(index: int) -> tuple[str, tuple[str, ...]]:
    """Return name and currencies of the price book at a place."""
    return BOOKS[index] if index < len(BOOKS) else (f"Campaign book {index}", ("USD", "EUR"))


def fill_prices(builder: RowBuilder, *, products: RowBuilder, books: RowBuilder) -> None:
    """Add the entries, each product, book and currency once: fewer if there are not enough."""
    places = [(row, currency) for index, row in enumerate(books.rows) for currency in book(index)[1]]
    wanted = islice(pairs_of(products.rows, places), builder.wanted)
    for (item, (book_row, currency)), at in zip(wanted, builder.birth_times(), strict=False):
        price = ODD_PRICE if builder.rng.random() < 0.02 else 5 + builder.rng.random() ** 4 * 40_000
        builder.add(at, {
            "Name": item["Name"], "ProductCode": item["ProductCode"], "Product2Id": item["Id"],
            "Pricebook2Id": book_row["Id"], "CurrencyIsoCode": currency, "UnitPrice": _price(price, currency),
            "IsActive": item["IsActive"] and book_row["IsActive"], "IsArchived": item["IsArchived"],
            "IsDeleted": item["IsDeleted"], "UseStandardPrice": not book_row["IsStandard"] and price < 500,
        })  # fmt: skip
    builder.finish()


def _price(price: float, currency: str) -> float:
    """Return a price: yen have no cents, and a few prices have too many digits."""
    if currency == "JPY":
        return float(round(price * YEN))
    return price if price == ODD_PRICE else money(price)


def offers(prices: RowBuilder) -> list[list[Row]]:
    """Return the active entries, one list for each book and currency, without empty lists."""
    result: dict[tuple[str, str], list[Row]] = {}
    for row in prices.live_rows:
        if row["IsActive"]:
            result.setdefault((row["Pricebook2Id"], row["CurrencyIsoCode"]), []).append(row)
    return list(result.values())
