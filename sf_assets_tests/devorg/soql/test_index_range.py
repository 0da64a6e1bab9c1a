"""Reading by an index finds the same rows, in the same order, as looking at every row."""

from random import Random

import pytest

from sf_assets.devorg.soql.bind import plan
from sf_assets.devorg.soql.execute import select_keys
from sf_assets.devorg.soql.parser import parse_soql
from sf_assets.devorg.store.timestamps import stamp_text

STAMP, MINUTE = "SystemModstamp", "2026-03-10T12:{:02}:00Z"


@pytest.fixture
def org_with_accounts(org, clock):
    """200 accounts on 20 minutes; some deleted, some out of sight."""
    rng = Random(1)
    ids = org.insert_many("Account", [{"Name": str(n % 7)} for n in range(200)])
    for record_id in ids:
        org.restamp("Account", [record_id], stamp=clock.time.replace(minute=rng.randrange(20)))
    for record_id in rng.sample(ids, 20):
        org.delete("Account", record_id, stamp=clock.time.replace(minute=7))
    org.hide_rows("Account", rng.sample(ids, 20))
    return org


def conditions(ids, rng):
    """Pairs of a condition and a test of (Id, stamp, Name) that says the same."""
    one, two = sorted(rng.sample(ids, 2))
    low, high = sorted(rng.sample(range(20), 2))
    since, until = MINUTE.format(low), MINUTE.format(high)
    a, b = stamp_text_of(low), stamp_text_of(high)
    return [
        (f"Id > '{one}'", lambda i, s, n: i > one),
        (f"Id >= '{one}' AND Id < '{two}'", lambda i, s, n: one <= i < two),
        (f"Id < '{one}' OR Id > '{two}'", lambda i, s, n: i < one or i > two),
        (f"Id IN ('{two}', '{one}')", lambda i, s, n: i in (one, two)),
        (f"Id IN ('{two}', '{one}') AND {STAMP} >= {since}", lambda i, s, n: i in (one, two) and s >= a),
        (f"{STAMP} >= {since}", lambda i, s, n: s >= a),
        (f"{STAMP} > {since} AND {STAMP} <= {until}", lambda i, s, n: a < s <= b),
        (f"{STAMP} = {since} OR {STAMP} = {until}", lambda i, s, n: s in (a, b)),
        (f"NOT {STAMP} >= {since}", lambda i, s, n: s < a),
        (f"{STAMP} != {since}", lambda i, s, n: s != a),
        (f"{STAMP} >= {until} AND Id > '{one}' AND Name = '3'", lambda i, s, n: s >= b and i > one and n == "3"),
        (f"({STAMP} > {since} OR ({STAMP} = {since} AND Id > '{one}'))", lambda i, s, n: (s, i) > (a, one)),
        (
            f"Name != '3' AND ({STAMP} > {since} OR ({STAMP} = {since} AND Id > '{one}'))",
            lambda i, s, n: n != "3" and (s, i) > (a, one),
        ),
        (f"({STAMP} > {until} OR ({STAMP} = {since} AND Id > '{one}'))", lambda i, s, n: s > b or (s == a and i > one)),
        (f"({STAMP} > {since} OR ({STAMP} = {since} AND Id < '{one}'))", lambda i, s, n: s > a or (s == a and i < one)),
        ("Name IN ('1', '2')", lambda i, s, n: n in "12"),
    ]


def stamp_text_of(minute):
    return f"2026-03-10T12:{minute:02}:00.000+0000"


ORDERS = {
    "": lambda i, s, n: i,
    " ORDER BY Id": lambda i, s, n: i,
    " ORDER BY SystemModstamp, Id": lambda i, s, n: (s, i),
    " ORDER BY Name, Id": lambda i, s, n: (n, i),
}


@pytest.mark.parametrize("all_rows", [True, False])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("seed", range(3))
def test_an_index_changes_nothing_but_the_time(org_with_accounts, all_rows, order, seed):
    table = org_with_accounts.tables["Account"]
    rows = [(row["Id"], row[STAMP], row["Name"]) for row in org_with_accounts.rows("Account", deleted=all_rows)]
    visible_rows = sorted((row for row in rows if row[0] not in table.hidden_keys), key=lambda row: ORDERS[order](*row))

    for condition, test in conditions([row[0] for row in rows], Random(seed)):
        query = plan(parse_soql(f"SELECT Id FROM Account WHERE {condition}{order}"), org_with_accounts.visible_table)
        expected = [row[0] for row in visible_rows if test(*row)]
        assert select_keys(query, table, all_rows=all_rows) == expected, condition


@pytest.mark.parametrize("resource", ["query", "queryAll"])
@pytest.mark.parametrize("hidden", [True, False])
def test_a_probe_from_the_index_is_the_probe_of_the_rows(org_with_accounts, select, resource, hidden):
    if not hidden:
        org_with_accounts.show_rows("Account")
    for operator in (">=", ">", "<", "<=", "="):
        where = f"{STAMP} {operator} {MINUTE.format(7)}"
        fast = select(
            f"SELECT COUNT(Id) n, MAX({STAMP}) a, MIN({STAMP}) b FROM Account WHERE {where}", resource=resource
        )
        slow = select(
            f"SELECT COUNT(Id) n, MAX({STAMP}) a, MIN({STAMP}) b, MAX(Id) c FROM Account WHERE {where}",
            resource=resource,
        )
        slow[0].pop("c")
        assert fast == slow


def test_a_stamp_is_written_in_utc(clock):
    assert stamp_text(clock()) == "2026-03-10T12:00:00.000+0000"
