"""Values of public reports, read by REST and by Bulk jobs; docs/field-reports.md lists them."""

from decimal import Decimal

import pytest

REPORTED = {
    "Name": "Köln\u0000 123456789.123456789",
    "Description": "â€™ ’ 9.9213206E7\r\n0012\u2028" + "Grüße 🚀 " * 3_000,
    "NumberOfEmployees": 99213206,
    "BillingLatitude": 0.1 + 0.2,
}
EXPONENTS = {"AnnualRevenue": "9.9213206E7", "NumberOfEmployees": "1.6E7"}


@pytest.mark.slow
@pytest.mark.parametrize("bulk", ["never", "always"])
def test_a_reported_value_is_stored_as_the_org_shows_it(many, bulk):
    text = many.org.insert("Account", REPORTED)
    number = many.org.insert("Account", {"Name": "numbers"})
    for name, value in EXPONENTS.items():
        many.org.set_raw("Account", number, name, value)
    many.org.set_raw("Account", text, "AnnualRevenue", "1234567890123456.78")
    many.clock.advance(hours=1)

    many.sync("account", bulk=bulk)

    rows = {row["id"]: row for row in many.table("account")}
    table_row = rows[text]
    assert table_row["name"] == REPORTED["Name"]
    assert table_row["description"] == REPORTED["Description"]
    assert table_row["annual_revenue"] == Decimal("1234567890123456.780000")
    assert table_row["billing_latitude"] == 0.1 + 0.2
    assert rows[number]["annual_revenue"] == Decimal("99213206.000000")
    assert rows[number]["number_of_employees"] == 16_000_000


@pytest.mark.parametrize("bulk", ["never", "always"])
def test_a_geolocation_column_of_ones_own_is_read_by_its_parts(many, bulk):
    for name, kind in [("Spot__c", "location"), ("Spot__Latitude__s", "double"), ("Spot__Longitude__s", "double")]:
        many.org.add_field("Account", {"name": name, "type": kind})
    row = many.org.insert("Account", {"Name": "here", "Spot__Latitude__s": 50.9375, "Spot__Longitude__s": 6.9603})
    many.clock.advance(hours=1)

    many.sync("account", bulk=bulk)

    table_row = next(account for account in many.table("account") if account["id"] == row)
    assert (table_row["spot__latitude__s"], table_row["spot__longitude__s"]) == (50.9375, 6.9603)
    assert "spot__c" not in table_row
