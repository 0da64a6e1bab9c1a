"""The admin API: changes, rows, log, faults and settings over HTTP."""

import httpx
import pytest


@pytest.fixture
def admin(server):
    """A client without a session."""
    with httpx.Client(base_url=f"{server.url}/practice", verify=False) as client:
        yield client


def test_changes_are_made_and_answered_in_order(admin):
    first = {"op": "insert", "sobject": "Account", "record": {"Name": "a"}, "stamp": "2026-01-01T00:00:00Z"}

    (record_id,) = admin.post("/changes", json=[first]).json()
    more = admin.post(
        "/changes",
        json=[
            {"op": "update", "sobject": "Account", "record_id": record_id, "values": {"Type": "Customer"}},
            {"op": "insert_many", "sobject": "Account", "records": [{"Name": "b"}, {"Name": "c"}]},
        ],
    ).json()

    truth = admin.get("/truth/Account").json()
    assert [row["Name"] for row in truth] == ["a", "b", "c"]
    assert (truth[0]["Type"], truth[0]["CreatedDate"]) == ("Customer", "2026-01-01T00:00:00.000+0000")
    assert more == [None, [row["Id"] for row in truth[1:]]]


def test_the_truth_may_leave_deleted_rows_out(org, admin):
    org.delete("Account", org.insert("Account", {"Name": "a"}))

    assert len(admin.get("/truth/Account").json()) == 1
    assert admin.get("/truth/Account", params={"deleted": "0"}).json() == []


def test_a_wrong_change_is_refused_in_plain_words(admin):
    for change, message in (
        ({"op": "drop"}, "no operation 'drop'"),
        ({"op": "insert", "sobject": "Acount", "record": {}}, "no object Acount"),
        ({"op": "insert", "sobjct": "Account"}, "unexpected keyword argument 'sobjct'"),
    ):
        answer = admin.post("/changes", json=change)
        assert answer.status_code == 400
        assert message in answer.json()["error"]


def test_the_log_leaves_requests_of_the_admin_api_out(http, admin):
    http.get("/services/data/v60.0/limits")

    log = admin.get("/requests").json()

    assert [entry["kind"] for entry in log] == ["token", "limits"]
    assert [entry["kind"] for entry in admin.get("/requests", params={"since": log[0]["number"]}).json()] == ["limits"]


def test_faults_are_scripted_seen_and_cleared(ask, admin):
    rules = admin.post("/faults", json=[{"kind": "query", "status": 503, "times": None}]).json()
    statuses = [ask("SELECT Id FROM Account").status_code]
    admin.delete("/faults")
    statuses.append(ask("SELECT Id FROM Account").status_code)

    assert statuses == [503, 200]
    assert (rules[0]["status"], rules[0]["times"]) == (503, None)
    assert admin.get("/faults").json() == []


def test_behaviour_is_set_seen_and_reset(org, admin):
    admin.post("/behaviour", json={"page_rows": 200, "unserved": ["composite"], "short_pages": [1, 2]})

    assert admin.get("/behaviour").json()["unserved"] == ["composite"]
    assert (org.behaviour.page_rows, org.behaviour.short_pages) == (200, (1, 2))
    assert "unknown behaviour pages" in admin.post("/behaviour", json={"pages": 1}).json()["error"]
    admin.delete("/behaviour")
    assert org.behaviour.page_rows == 2_000


def test_sessions_locators_and_quota_can_be_ended(org, http, ask, admin):
    org.insert_many("Account", [{"Name": "a"}] * 2_001)
    url = ask("SELECT Id FROM Account").json()["nextRecordsUrl"]
    admin.post("/expire-locators", json={})
    assert http.get(url).json()[0]["errorCode"] == "INVALID_QUERY_LOCATOR"
    admin.post("/spend-calls/100000", json={})
    assert http.get(url).status_code == 403
    admin.post("/expire-sessions", json={})
    assert http.get(url).status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:1"}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "text/plain;json"}, 415),
        ({"Content-Type": "application/json-patch+json"}, 415),
        ({"Content-Type": "Application/JSON; charset=utf-8"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost:1", "Host": "localhost:1"}, 200),
    ],
)
def test_a_web_page_cannot_change_the_org(admin, headers, status):
    answer = admin.post("/changes", content="[]", headers={"Content-Type": "application/json", **headers})

    assert answer.status_code == status


def test_a_web_page_cannot_use_a_session_either(http):
    answer = http.get("/services/data/v60.0/limits", headers={"Origin": "https://evil.example"})

    assert answer.status_code == 403


def test_a_preflight_allows_nothing(admin):
    answer = admin.options("/changes", headers={"Origin": "https://evil.example"})

    assert answer.status_code == 403
    assert not any(name.startswith("access-control") for name in answer.headers)


def test_an_unknown_route_names_the_known_ones(admin):
    answer = admin.get("/nothing")

    assert answer.status_code == 404
    assert "POST /practice/changes" in answer.json()["error"]
