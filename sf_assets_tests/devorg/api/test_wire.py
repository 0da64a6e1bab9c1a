"""All responses: headers, sizes, quota, gzip; and the resources without queries."""

import gzip
import socket
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import httpx
import pytest

from sf_assets.devorg.api.server import serve

DATA = "/services/data/v60.0"


def test_the_date_is_the_orgs(http):
    assert http.get(f"{DATA}/limits").headers["date"] == "Tue, 10 Mar 2026 12:00:00 GMT"


def test_the_quota_header_has_two_forms_or_is_missing(org, http):
    org.spend_calls(17)
    headers = []
    for form in ("plain", "per_app", "none"):
        org.behave(limit_info=form)
        headers.append(http.get(f"{DATA}/limits").headers.get("sforce-limit-info"))

    assert headers == [
        "api-usage=18/100000",
        "api-usage=19/100000; per-app-api-usage=19/100000(appName=sf-assets)",
        None,
    ]


def test_a_spent_quota_is_403_until_calls_come_back(org, http, clock):
    org.behave(daily_limit=3, session_seconds=10**9)
    statuses = [http.get(f"{DATA}/limits").status_code for _ in range(4)]
    response = http.get(f"{DATA}/limits")
    clock.advance(hours=24)

    assert statuses == [200, 200, 200, 403]
    assert response.json() == [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}]
    assert http.get(f"{DATA}/limits").status_code == 200


def test_limits_shows_the_remaining_calls(org, http):
    org.spend_calls(41)

    assert http.get(f"{DATA}/limits").json()["DailyApiRequests"] == {"Max": 100_000, "Remaining": 99_958}


def test_record_counts_are_by_object(org, http):
    org.insert_many("Account", [{"Name": "a"}, {"Name": "b"}])

    body = http.get(f"{DATA}/limits/recordCount", params={"sObjects": "Account,Task,Nothing"}).json()

    assert body == {"sObjects": [{"count": 2, "name": "Account"}, {"count": 0, "name": "Task"}]}


def test_a_gateway_may_push_back_above_its_pace(org, http, clock):
    org.behave(requests_per_second=1.0)
    statuses = [http.get(f"{DATA}/limits").status_code for _ in range(2)]
    response = http.get(f"{DATA}/limits")
    clock.advance(seconds=1)

    assert statuses == [200, 429]
    assert response.headers["retry-after"] == "1"
    assert http.get(f"{DATA}/limits").status_code == 200


def test_versions_need_no_session(server):
    body = httpx.get(f"{server.url}/services/data/").json()

    assert {"label": "Spring '24", "url": "/services/data/v60.0", "version": "60.0"} in body


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/services/data/v60.0/nothing", 404, "NOT_FOUND"),
        ("GET", "/services/data/v99.0/query", 404, "NOT_FOUND"),
        ("GET", "/services/data/v60.5/query", 404, "NOT_FOUND"),
        ("GET", "/elsewhere", 404, "NOT_FOUND"),
        ("GET", "/services/data/v60.0/sobjects/Nothing/describe", 404, "NOT_FOUND"),
        ("POST", "/services/data/v60.0/query", 405, "METHOD_NOT_ALLOWED"),
        ("DELETE", "/services/data/v60.0/sobjects", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/services/data/v60.0/composite", 405, "METHOD_NOT_ALLOWED"),
    ],
)
def test_a_missing_resource_is_refused_as_salesforce_does(http, method, path, status, code):
    answer = http.request(method, path)

    assert (answer.status_code, answer.json()[0]["errorCode"]) == (status, code)


@pytest.mark.parametrize("status", [404, 405])
def test_an_org_may_not_serve_a_resource(org, http, ask, status):
    org.behave(unserved=frozenset({"composite", "describe", "queryAll"}), unserved_status=status)

    assert http.post(f"{DATA}/composite", json={"compositeRequest": []}).status_code == status
    assert http.get(f"{DATA}/sobjects/Account/describe").status_code == status
    assert ask("SELECT Id FROM Account", resource="queryAll").status_code == status
    assert ask("SELECT Id FROM Account").status_code == 200


def test_an_edition_without_api_says_so(org, http):
    org.behave(api_enabled=False)

    response = http.get(f"{DATA}/limits")

    assert (response.status_code, response.json()[0]["errorCode"]) == (403, "API_DISABLED_FOR_ORG")


# -- sizes --------------------------------------------------------------------------------------------------------


def long_query(http, total):
    """Return a query with a URI of this many bytes."""
    start = f"{DATA}/query?q=" + quote("SELECT Id FROM Account WHERE Name = '")
    return start + "x" * (total - len(start) - 3) + "%27"


def test_a_long_uri_is_414_and_with_headers_431(http):
    longest = http.get(long_query(http, 15_900))
    with_headers = http.get(long_query(http, 16_300))
    alone = http.get(long_query(http, 16_385))

    assert [answer.status_code for answer in (longest, with_headers, alone)] == [200, 431, 414]
    assert alone.text == "<h1>Bad Message 414</h1><pre>reason: URI Too Long</pre>"


def test_bytes_are_measured_and_not_characters(http):
    start = f"{DATA}/query?q=" + quote("SELECT Id FROM Account WHERE Name = '")

    assert http.get(start + "%C3%BC" * 2_720 + "%27").status_code == 414


# -- gzip and connections -----------------------------------------------------------------------------------------


def test_gzip_is_used_when_asked_for(org, http, ask):
    org.insert_many("Account", [{"Name": f"account {n}"} for n in range(100)])

    response = ask("SELECT Id, Name FROM Account")
    plain = ask("SELECT Id, Name FROM Account", **{"Accept-Encoding": "identity"})

    assert response.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert response.content == plain.content
    assert int(response.headers["content-length"]) == len(gzip.compress(plain.content, 1, mtime=0))
    org.behave(gzip=False)
    assert "content-encoding" not in ask("SELECT Id, Name FROM Account").headers


def test_a_connection_serves_many_requests(server):
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))) as one:
        for _ in range(3):
            one.sendall(b"GET /services/data HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            answer = one.recv(65_536)
            assert answer.startswith(b"HTTP/1.1 200 OK\r\n")


def test_many_readers_and_a_writer_do_not_tear_a_page(org, ask):
    ids = org.insert_many("Account", [{"Name": "0", "Type": "0"} for _ in range(50)])

    def write(n):
        for record_id in ids:
            org.update("Account", record_id, {"Name": str(n), "Type": str(n)})

    def read(_):
        return [(row["Name"], row["Type"]) for row in ask("SELECT Name, Type FROM Account").json()["records"]]

    with ThreadPoolExecutor(6) as pool:
        writing = pool.map(write, range(1, 5))
        torn_pairs = [pair for rows in pool.map(read, range(20)) for pair in rows if pair[0] != pair[1]]
        list(writing)

    assert torn_pairs == []


def test_the_log_shows_each_request(server, ask):
    server.forget_requests()
    ask("SELECT Id FROM Account", **{"User-Agent": "a test"})
    ask("SELECT Id FROM Nothing", resource="queryAll")

    first, second = server.requests
    assert (first.kind, first.method, first.path, first.query, first.status, first.sobject, first.user_agent) == (
        "query",
        "GET",
        f"{DATA}/query",
        "SELECT Id FROM Account",
        200,
        "Account",
        "a test",
    )
    assert (second.kind, second.status, second.sobject) == ("queryAll", 400, "Nothing")
    assert second.number == first.number + 1
    assert first.at == server.org.clock()


def test_the_end_of_the_server_ends_its_connections(org):
    with httpx.Client() as client:
        with serve(org) as server:
            client.get(f"{server.url}/services/data")
        with pytest.raises(httpx.ConnectError):
            client.get(f"{server.url}/services/data")  # the open connection would be answered
