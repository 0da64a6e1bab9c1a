"""The login: what is sent, how long a token serves, and what a 401 does."""

from urllib.parse import parse_qs

import jwt
import pytest

from sf_assets.errors import ApiDisabled, ConfigError, LoginError, SessionRefused
from sf_assets.salesforce.login.credentials import Credentials
from sf_assets.salesforce.login.jwt_bearer import login
from sf_assets.salesforce.wire import Query, Response

QUERY = Query("Account", "SELECT Id FROM Account", all_rows=False)
PAGE = {"totalSize": 0, "done": True, "records": []}
ENDED = [{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}]


def claims_of(request, rsa_key, audience):
    form = parse_qs(request.content.decode())
    assert form.keys() == {"grant_type", "assertion"}
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    options = {"verify_exp": False}
    return jwt.decode(
        form["assertion"][0], rsa_key.public_key(), algorithms=["RS256"], audience=audience, options=options
    )


def test_the_login_is_a_signed_assertion_of_less_than_three_minutes(org, clock, rsa_key):
    org.client().org_id()

    claims = claims_of(org.seen[0], rsa_key, "https://acme.my.salesforce.com")
    assert claims["iss"] == "sesame-consumer-key"
    assert claims["sub"] == "sesame@acme.example"
    assert 120 < claims["exp"] - clock.now().timestamp() <= 180
    assert org.seen[0].url == f"https://{org.host}/services/oauth2/token"


@pytest.mark.parametrize("username", ["etl+salesforce@acme.example", "o'brien@acme.example", "jörg@acme.example"])
def test_the_username_of_the_assertion_is_the_users_own(org, rsa_key, private_key, username):
    org.client(credentials=Credentials("sesame-consumer-key", private_key, username)).org_id()

    assert claims_of(org.seen[0], rsa_key, "https://acme.my.salesforce.com")["sub"] == username


def test_the_audience_is_settable(org, rsa_key):
    org.client(audience="https://test.salesforce.com").org_id()

    claims_of(org.seen[0], rsa_key, "https://test.salesforce.com")


def test_a_login_that_is_tried_again_brings_a_new_assertion(org, clock, rsa_key):
    org.login(503, b"", retry_after="200")

    org.client().org_id()

    first, second = (claims_of(request, rsa_key, "https://acme.my.salesforce.com") for request in org.seen)
    assert second["exp"] - first["exp"] >= 200


def test_the_org_id_comes_from_the_answers_identity(org):
    assert org.client().org_id() == org.org_id


def test_the_org_id_comes_from_the_token_where_the_answer_has_no_identity(org):
    org.login(200, org.token_answer(id=None))

    assert org.client().org_id() == org.org_id[:15]


def test_the_org_id_is_asked_for_where_neither_tells_it(org):
    org.login(200, {"access_token": "opaque"})
    org.then(
        200, {"totalSize": 1, "done": True, "records": [{"attributes": {"type": "Organization"}, "Id": org.org_id}]}
    )

    assert org.client().org_id() == org.org_id


@pytest.mark.parametrize("status", [400, 403, 404, 200])
def test_the_host_stands_for_the_org_where_nothing_tells_its_id(org, status):
    org.login(200, {"access_token": "opaque", "id": None, "instance_url": None})
    org.login(200, {"access_token": "opaque"})
    empty = {"totalSize": 0, "done": True, "records": []}
    org.always(status, empty if status == 200 else [{"errorCode": "INVALID_TYPE", "message": "no Organization"}])

    names = {org.client().org_id(), org.client().org_id()}
    elsewhere = org.client(instance_url="other.my.salesforce.com").org_id()

    assert [len(name) for name in names] == [15]
    assert elsewhere not in names


def test_an_api_that_is_off_is_no_unknown_org(org):
    org.login(200, {"access_token": "opaque"})
    org.always(403, [{"errorCode": "API_DISABLED_FOR_ORG", "message": "no API"}])

    with pytest.raises(ApiDisabled):
        org.client().org_id()


def test_one_login_serves_all_requests_until_it_is_old(org, clock):
    org.always(200, PAGE)
    client = org.client(token_seconds=600.0)

    for _ in range(5):
        list(client.read(QUERY))
    assert len(org.login_calls) == 1

    clock.seconds += 600
    list(client.read(QUERY))
    assert len(org.login_calls) == 2


def test_nothing_is_sent_before_it_is_needed(org):
    client = org.client()
    client.read(QUERY)

    assert org.seen == []
    assert client.calls == 0


def test_a_401_on_a_token_that_never_worked_is_final_at_once(org):
    org.always(401, ENDED)

    with pytest.raises(SessionRefused):
        list(org.client().read(QUERY))

    assert (len(org.login_calls), len(org.data_calls)) == (1, 1)


def test_a_session_that_ended_is_renewed_once_and_the_request_sent_again(org):
    org.then(200, PAGE).then(401, ENDED).then(200, PAGE)
    client = org.client()

    list(client.read(QUERY))
    list(client.read(QUERY))

    assert (len(org.login_calls), len(org.data_calls)) == (2, 3)
    assert org.data_calls[-1].headers["authorization"].endswith("sesame-token-2")


def test_a_401_after_the_new_login_is_final(org):
    org.then(200, PAGE).always(401, ENDED)
    client = org.client()
    list(client.read(QUERY))

    with pytest.raises(SessionRefused):
        list(client.read(QUERY))

    assert (len(org.login_calls), len(org.data_calls)) == (2, 3)


def test_a_token_that_lay_unused_for_minutes_is_worth_a_new_login(org, clock):
    client = org.client()
    client.org_id()
    clock.seconds += 300
    org.then(401, ENDED).then(200, PAGE)

    list(client.read(QUERY))

    assert len(org.login_calls) == 2


@pytest.mark.parametrize(
    "text", ["This session is not valid for use with the REST API", "Connected app is not attached to Agent"]
)
def test_the_two_texts_that_no_login_cures_are_final(org, text):
    org.then(200, PAGE).always(401, [{"errorCode": "INVALID_SESSION_ID", "message": text}])
    client = org.client()
    list(client.read(QUERY))

    with pytest.raises(SessionRefused, match=text):
        list(client.read(QUERY))

    assert len(org.login_calls) == 1


def test_another_instance_url_is_reported_and_not_followed(org, caplog):
    org.login(200, org.token_answer(instance_url="https://na99.salesforce.com")).then(200, PAGE)
    client = org.client()

    list(client.read(QUERY))

    assert client.login_instance_url == "https://na99.salesforce.com"
    assert "na99.salesforce.com" in caplog.text
    assert {request.url.host for request in org.seen} == {org.host}


def test_an_unusable_key_is_told_before_anything_is_sent(org):
    client = org.client(credentials=Credentials("key", "no key at all", "user@acme.example"))

    with pytest.raises(ConfigError, match="private key"):
        list(client.read(QUERY))

    assert org.seen == []


@pytest.mark.parametrize("missing", ["consumer_key", "private_key", "username"])
def test_an_empty_credential_is_a_setting_to_correct(missing):
    values = {"consumer_key": "a", "private_key": "b", "username": "c"} | {missing: " "}

    with pytest.raises(ConfigError, match=f"SALESFORCE_{missing.upper()}"):
        Credentials(**values)


def test_credentials_and_tokens_show_nothing(org, private_key):
    client = org.client()
    client.org_id()

    text = repr(org.credentials) + repr(client._session.get_token()) + repr(client)
    assert "sesame" not in text
    assert private_key[40:80] not in text


def test_the_exchange_can_be_played_without_a_client(org, clock):
    flow = login(org.credentials, audiences=["https://login.salesforce.com"], now=clock.now, monotonic=clock.monotonic)

    request = next(flow)
    answer = request.shape(access_token="abc", instance_url=f"https://{org.host}")
    with pytest.raises(StopIteration) as end:
        flow.send(Response(200, {}, b"", clock.now(), answer))

    assert (request.method, request.path) == ("POST", "/services/oauth2/token")
    assert end.value.value.access_token == "abc"


@pytest.mark.parametrize("bad", ["", "two words", "line\nbreak", "ümlaut"])
def test_a_token_that_no_header_can_hold_is_refused(org, bad):
    for _ in range(6):
        org.login(200, org.token_answer(access_token=bad))

    with pytest.raises(Exception, match="given up after 6") as error_info:
        org.client().org_id()

    assert not isinstance(error_info.value, LoginError)


REFUSED = {"error": "invalid_client_id", "error_description": "client identifier invalid"}


def test_a_refused_login_is_tried_once_with_changed_credentials(org):
    new_credentials = Credentials("new-consumer-key", org.private_key, "sesame@acme.example")
    old_credentials = []
    client = org.client(renew_credentials=lambda old: old_credentials.append(old) or new_credentials)
    org.login(400, REFUSED)

    assert client.org_id() == org.org_id
    assert old_credentials == [org.credentials]
    assert len(org.login_calls) == 2


def test_a_refused_login_is_final_when_the_credentials_are_the_same(org):
    client = org.client(renew_credentials=lambda old: None)
    org.login(400, REFUSED)

    with pytest.raises(LoginError):
        client.org_id()

    assert len(org.login_calls) == 1


def test_new_credentials_that_are_refused_too_are_not_read_again(org):
    old_credentials = []
    client = org.client(renew_credentials=lambda old: old_credentials.append(old) or org.credentials)
    org.login(400, REFUSED).login(400, REFUSED)

    with pytest.raises(LoginError):
        client.org_id()

    assert len(old_credentials) == 1
    assert len(org.login_calls) == 2
