"""The token endpoint: who can log in, and the texts of refusals."""

import re

import pytest

from sf_assets.devorg import Behaviour, Fault, Org, serve
from sf_assets.devorg.credentials import new_private_key


def test_a_signed_login_gives_a_session_without_an_expiry(server, log_in):
    answer = log_in()

    token = answer.json()
    assert answer.status_code == 200
    assert re.fullmatch(r"00D\w{12}!\S{90,}", token.pop("access_token"))
    assert token == {
        "scope": "api refresh_token",
        "instance_url": server.url,
        "id": f"https://login.salesforce.com/id/{server.org.org_id}/{server.org.user['Id']}",
        "token_type": "Bearer",
    }
    assert "sforce-limit-info" not in answer.headers


@pytest.mark.parametrize(
    ("claims", "error", "description"),
    [
        ({"iss": "someone else"}, "invalid_client_id", "client identifier invalid"),
        ({"aud": "https://test.salesforce.com"}, "invalid_grant", "audience is invalid"),
        ({"aud": "https://elsewhere.example"}, "invalid_grant", "audience is invalid"),
        ({"sub": "nobody@practice.example"}, "invalid_grant", "invalid assertion"),
        ({"prn": "nobody@practice.example"}, "invalid_grant", "invalid assertion"),
        ({"exp": 1}, "invalid_grant", "expired authorization code"),
        ({"exp": 4_000_000_000}, "invalid_grant", "invalid assertion"),
        ({"exp": "soon"}, "invalid_grant", "invalid assertion"),
    ],
)
def test_a_wrong_claim_is_refused_in_salesforces_words(log_in, sign, claims, error, description):
    answer = log_in(sign(**claims))

    assert answer.status_code == 400
    assert answer.json() == {"error": error, "error_description": description}


def test_a_signature_of_another_key_is_an_invalid_assertion(log_in, sign):
    answer = log_in(sign(key=new_private_key()))

    assert answer.json() == {"error": "invalid_grant", "error_description": "invalid assertion"}


@pytest.mark.parametrize("assertion", ["", "not.a.token", "eyJhbGciOiJub25lIn0.e30."])
def test_an_assertion_without_a_signature_is_refused(log_in, assertion):
    answer = log_in(assertion)

    assert answer.status_code == 400
    assert answer.json()["error"] in ("invalid_request", "invalid_grant", "invalid_client_id")


def test_other_grants_are_not_served(log_in):
    answer = log_in(grant_type="password")

    assert answer.json()["error"] == "unsupported_grant_type"


@pytest.mark.parametrize(
    ("switches", "error", "description"),
    [
        ({"app_known": False}, "invalid_client_id", "client identifier invalid"),
        ({"user_approved": False}, "invalid_grant", "user hasn't approved this consumer"),
        ({"user_admin_approved": False}, "invalid_app_access", "user is not admin approved to access this app"),
        ({"user_active": False}, "inactive_user", "user is inactive"),
        ({"user_locked": True}, "invalid_grant", "user is locked"),
        ({"org_active": False}, "inactive_org", "organization is locked or closed"),
        ({"login_rate_exceeded": True}, "invalid_grant", "login rate exceeded"),
    ],
)
def test_the_standing_of_app_user_and_org_can_be_set(server, log_in, switches, error, description):
    server.org.behave(**switches)

    answer = log_in()

    assert answer.status_code == 400
    assert answer.json() == {"error": error, "error_description": description}


def test_a_sandbox_wants_the_test_audience(server, log_in, sign):
    server.org.behave(sandbox=True)

    assert log_in().status_code == 400
    assert log_in(sign(aud="https://test.salesforce.com")).status_code == 200


def test_expiry_is_judged_by_the_orgs_clock(clock, log_in, sign):
    assertion = sign()
    clock.advance(minutes=10)

    assert log_in(assertion).json()["error_description"] == "expired authorization code"


def test_expired_sessions_are_401_until_the_next_login(server, http, log_in):
    server.org.expire_sessions()

    response = http.get("/services/data/v60.0/limits")
    http.headers["Authorization"] = f"Bearer {log_in().json()['access_token']}"

    assert response.status_code == 401
    assert response.json() == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
    assert http.get("/services/data/v60.0/limits").status_code == 200


def test_a_session_lives_from_use_to_use(server, http, clock):
    server.org.behave(session_seconds=60)
    statuses = []
    for seconds in (50, 50, 70):
        clock.advance(seconds=seconds)
        statuses.append(http.get("/services/data/v60.0/limits").status_code)

    assert statuses == [200, 200, 401]


def test_some_401_are_not_cured_by_a_login(server, http, log_in):
    server.org.behave(sessions_refused=True)
    assert log_in().status_code == 200

    response = http.get("/services/data/v60.0/limits")

    assert response.status_code == 401
    assert response.json()[0]["message"] == "This session is not valid for use with the REST API"


def test_a_malformed_header_differs_from_an_expired_session(http):
    response = http.get("/services/data/v60.0/limits", headers={"Authorization": "Basic dXNlcg=="})

    assert (response.status_code, response.json()[0]["errorCode"]) == (401, "INVALID_AUTH_HEADER")


def test_the_private_key_shows_in_no_repr(server):
    assert "PRIVATE KEY" not in repr(server.org.behaviour)
    assert "PRIVATE KEY" in server.credentials["private_key"]


@pytest.mark.parametrize("host", ["0.0.0.0", "localhost", "::1"])  # noqa: S104  # refused, that is the point
def test_no_address_but_loopback_is_served(host):
    with pytest.raises(ValueError, match="127.0.0.1 only"), serve(Org(objects={}, behaviour=Behaviour()), host=host):
        pass


@pytest.mark.parametrize(
    ("kind", "good_audiences", "bad_audiences"),
    [
        ("connected", ("generic", "own", "https"), {}),
        ("external", ("own", "https"), {"generic": "app_not_found"}),
        ("generic", ("generic",), {"own": "invalid_grant", "https": "invalid_grant"}),
    ],
)
def test_each_kind_of_app_accepts_its_own_audiences(org, server, log_in, sign, kind, good_audiences, bad_audiences):
    org.behave(app_kind=kind)
    audiences = {
        "generic": "https://login.salesforce.com",
        "own": server.url,
        "https": server.url.replace("http:", "https:"),
    }

    answers = {name: log_in(sign(aud=audience)) for name, audience in audiences.items()}

    assert [name for name, answer in answers.items() if answer.status_code == 200] == list(good_audiences)
    assert {name: answers[name].json()["error"] for name in bad_audiences} == bad_audiences


def test_a_login_is_refused_by_name_for_a_time_or_always(org, log_in):
    org.faults.append(Fault(kind="token", refusal="unknown_error", times=1))
    passing = [log_in() for _ in range(2)]
    org.behave(login_refusal="login_hours")
    final = log_in()

    assert passing[0].json() == {"error": "unknown_error", "error_description": "retry your request"}
    assert [answer.status_code for answer in passing] == [400, 200]
    assert final.json() == {"error": "invalid_grant", "error_description": "restricted login hours"}
