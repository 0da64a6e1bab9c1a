"""Results of many pages: locators, their lives, and what they show of rows that change meanwhile."""

import pytest

from sf_assets.devorg import Behaviour

SM = "SystemModstamp"
ALL = "SELECT Id, Name FROM Account ORDER BY Id"


@pytest.fixture
def ids(org):
    """The Ids of 5,000 accounts."""
    return org.insert_many("Account", [{"Name": f"account {n}"} for n in range(5_000)])


@pytest.fixture
def pages(http, ask):
    """All pages of a statement; `between` is called before each further page."""

    def read(soql, *, resource="query", between=lambda: None, **headers):
        read_pages = [ask(soql, resource=resource, **headers).json()]
        while not read_pages[-1]["done"]:
            between()
            read_pages.append(http.get(read_pages[-1]["nextRecordsUrl"]).json())
        return read_pages

    return read


def names(pages, column="Id"):
    return [record[column] for page in pages for record in page["records"]]


def test_a_result_comes_in_pages_of_two_thousand_with_one_total(ids, pages):
    read = pages(ALL)

    assert [len(page["records"]) for page in read] == [2_000, 2_000, 1_000]
    assert {page["totalSize"] for page in read} == {5_000}
    assert names(read) == ids
    assert "nextRecordsUrl" not in read[-1]


def test_the_next_page_is_a_path_with_a_locator(ids, ask):
    url = ask(ALL).json()["nextRecordsUrl"]

    assert url.startswith("/services/data/v60.0/query/01g")
    assert url.endswith("-2000")


def test_the_next_page_can_be_fully_qualified_or_lead_astray(server, ids, ask):
    server.org.behave(next_url="full")
    assert ask(ALL).json()["nextRecordsUrl"].startswith(f"{server.url}/services/data/")

    server.org.behave(next_url_host="https://elsewhere.example")
    assert ask(ALL).json()["nextRecordsUrl"].startswith("https://elsewhere.example/services/data/")


@pytest.mark.parametrize(
    ("batch_size", "page_rows"), [("1000", 1_000), ("200", 200), ("5", 200), ("9999", 2_000), ("x", 2_000)]
)
def test_batch_size_is_kept_within_its_bounds(ids, ask, batch_size, page_rows):
    page = ask(ALL, **{"Sforce-Query-Options": f"batchSize={batch_size}"}).json()

    assert len(page["records"]) == page_rows


def test_pages_may_be_short_without_being_the_last(server, ids, pages):
    server.org.behave(short_pages=(7, 1_400, 999))

    read = pages(ALL)

    assert len(read) > 3
    assert names(read) == ids


def test_a_page_may_be_asked_for_twice(ids, http, ask):
    url = ask(ALL).json()["nextRecordsUrl"]

    assert http.get(url).json() == http.get(url).json()


def test_a_locator_dies_after_its_life_and_by_verb(server, ids, http, ask, clock):
    server.org.behave(session_seconds=10**9)
    first = ask(ALL).json()["nextRecordsUrl"]
    clock.advance(days=2, seconds=1)
    second = ask(ALL).json()["nextRecordsUrl"]
    assert http.get(second).status_code == 200
    server.org.expire_locators()

    for url in (first, second):
        answer = http.get(url)
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_QUERY_LOCATOR")


@pytest.mark.parametrize("tail", ["01g000000000000AAA-2000", "-1", "nonsense"])
def test_an_unknown_locator_is_refused(http, tail):
    assert http.get(f"/services/data/v60.0/query/{tail}").json()[0]["errorCode"] == "INVALID_QUERY_LOCATOR"


def test_an_offset_after_the_end_is_refused(ids, http, ask):
    url = ask(ALL).json()["nextRecordsUrl"].replace("-2000", "-5001")

    assert http.get(url).json()[0]["errorCode"] == "INVALID_QUERY_LOCATOR"


def test_a_query_that_finds_too_much_times_out_and_a_smaller_one_does_not(server, ids, ask):
    server.org.behave(timeout_rows=1_000)

    too_much, less = ask("SELECT Id FROM Account"), ask(f"SELECT Id FROM Account WHERE Id > '{ids[3_999]}'")

    assert (too_much.status_code, too_much.json()[0]["errorCode"]) == (400, "QUERY_TIMEOUT")
    assert less.json()["totalSize"] == 1_000


def test_a_crowded_second_is_read_by_stamp_and_id_in_order(ids, select):
    noon, ids_read = "2026-03-10T12:00:00Z", []
    while True:
        behind = f"({SM} > {noon} OR ({SM} = {noon} AND Id > '{ids_read[-1]}'))" if ids_read else f"{SM} >= {noon}"
        part = select(f"SELECT Id FROM Account WHERE {behind} ORDER BY {SM}, Id LIMIT 1500")
        if not part:
            break
        ids_read += [row["Id"] for row in part]

    assert ids_read == ids


# -- what happens between two pages -------------------------------------------------------------------------------


def change(org, ids):
    """What may happen while a result is being read."""
    org.update("Account", ids[4_500], {"Name": "changed"})
    org.delete("Account", ids[4_501])
    org.purge("Account", ids[4_502])
    org.hide_rows("Account", [ids[4_503]])
    org.insert("Account", {"Name": "new"})


def once(act):
    calls = iter([act])
    return lambda: next(calls, lambda: None)()


def test_live_rows_are_those_found_first_with_the_values_of_now(org, ids, pages):
    read = pages(ALL, between=once(lambda: change(org, ids)))

    assert names(read) == [record_id for record_id in ids if record_id not in ids[4_501:4_504]]
    assert "changed" in names(read, "Name")
    assert read[-1]["totalSize"] == 5_000


def test_query_all_still_shows_a_row_that_is_deleted_meanwhile(org, ids, pages):
    soql = "SELECT Id, IsDeleted FROM Account ORDER BY Id"

    read = pages(soql, resource="queryAll", between=once(lambda: org.delete("Account", ids[4_500])))

    assert names(read) == ids
    assert names(read, "IsDeleted").index(True) == 4_500
    assert "/query/" in read[0]["nextRecordsUrl"]


def test_frozen_rows_are_what_they_were(server, org, ids, pages):
    server.org.behave(locator_rows="frozen")

    read = pages(ALL, between=once(lambda: change(org, ids)))

    assert names(read) == ids
    assert "changed" not in names(read, "Name")


def test_a_locator_that_asks_again_with_an_offset_skips_a_row(server, org, ids, pages):
    server.org.behave(locator_rows="offset")

    def swap():
        org.purge("Account", ids[0])
        org.insert("Account", {"Name": "new"})

    read = pages(ALL, between=once(swap))

    assert read[0]["totalSize"] == len(names(read))
    assert ids[2_000] not in names(read)


def test_a_hook_may_change_the_org_before_a_page_is_served(org, ids, pages):
    events = []

    def touch(page):
        events.append((page.sobject, page.offset))
        if page.offset == 2_000:
            org.update("Account", ids[3_000], {"Name": "in between"})

    org.on_page.append(touch)
    read = pages(ALL)

    assert events == [("Account", 0), ("Account", 2_000), ("Account", 4_000)]
    assert names(read, "Name")[3_000] == "in between"


def test_a_hook_that_fails_is_a_500_with_its_reason(org, ask):
    def fail(page):
        raise LookupError("no such luck")

    org.on_page.append(fail)

    answer = ask("SELECT Id FROM Account")

    assert (answer.status_code, answer.json()[0]["errorCode"]) == (500, "UNKNOWN_EXCEPTION")
    assert "LookupError: no such luck" in answer.json()[0]["message"]


# -- rows that are not for everyone -------------------------------------------------------------------------------


def test_deleted_and_archived_rows_show_in_query_all_only(org, select):
    tasks = org.insert_many("Task", [{"Subject": "a"}, {"Subject": "b", "IsArchived": True}, {"Subject": "c"}])
    org.delete("Task", tasks[2])

    assert [row["Subject"] for row in select("SELECT Subject FROM Task ORDER BY Id")] == ["a"]
    assert [row["Subject"] for row in select("SELECT Subject FROM Task ORDER BY Id", resource="queryAll")] == [
        "a",
        "b",
        "c",
    ]


def test_rows_out_of_sight_are_missing_without_an_error(org, ids, select):
    org.hide_rows("Account", ids[10:])

    assert select("SELECT COUNT(Id) n FROM Account", resource="queryAll") == [{"n": 10}]
    assert len(select("SELECT Id FROM Account")) == 10
    assert len(org.rows("Account")) == 5_000
    org.show_rows("Account")
    assert select("SELECT COUNT(Id) n FROM Account") == [{"n": 5_000}]


def test_repeated_ids_are_rows_of_their_own(org, select):
    org.insert_many("Profile", [{"Id": "000000000000000AAA", "Name": name} for name in "cab"])

    assert [row["Name"] for row in select("SELECT Name FROM Profile ORDER BY Id")] == ["c", "a", "b"]
    assert select("SELECT Id FROM Profile WHERE Id > '000000000000000AAA'") == []
    assert len(select("SELECT Id FROM Profile WHERE Id = '000000000000000AAA'")) == 3


def test_the_behaviour_is_a_value(org):
    assert org.behaviour == Behaviour()
    org.behave(page_rows=10)
    assert org.behaviour == Behaviour(page_rows=10)
