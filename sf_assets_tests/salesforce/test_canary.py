"""Key, token, consumer key and username appear in no log, message, value, repr or traceback."""

import logging
import traceback

import httpx
import pytest

from sf_assets.errors import SfAssetsError
from sf_assets.salesforce.wire import Query

QUERY = Query("Account", "SELECT Id FROM Account", all_rows=False)
PAGE = {"totalSize": 0, "done": True, "records": []}


def echo(status):
    """An answer that quotes everything it was sent."""

    def answer(request):
        text = f"{request.headers.get('authorization', '')} {request.content.decode()} {request.url}"
        return httpx.Response(status, json=[{"errorCode": "ECHO", "message": text}])

    return answer


def echo_login(request):
    text = request.content.decode() + " sesame@acme.example sesame-consumer-key"
    return httpx.Response(400, json={"error": "invalid_grant", "error_description": text})


FAILURES = {
    "success": ([], PAGE, 200),
    "refused login": ([echo_login] * 2, PAGE, 200),
    "login without a token": ([httpx.Response(200, json={"access_token": ["sesame-token-1"]})] * 6, PAGE, 200),
    "login redirected": ([httpx.Response(302, headers={"location": "https://evil.example/?sesame-token"})], PAGE, 200),
    "echo 400": ([], echo(400), 0),
    "echo 401": ([], echo(401), 0),
    "echo 403": ([], echo(403), 0),
    "echo 404": ([], echo(404), 0),
    "echo 500": ([], echo(500), 0),
    "torn": ([], b"<html>", 200),
    "no connection": ([], httpx.ConnectError("no route for Bearer 00D000000000001!sesame-token-1"), 0),
    "protocol": ([], httpx.LocalProtocolError("Illegal header value b'Bearer 00D000000000001!sesame-token-1'"), 0),
}


@pytest.mark.parametrize("name", FAILURES)
def test_no_secret_is_told(org, caplog, private_key, name):
    caplog.set_level(logging.DEBUG)
    logins, answer, status = FAILURES[name]
    org.logins = list(logins)
    if status:
        org.always(status, answer)
    else:
        org.last = answer
    client = org.client()

    texts = ""
    try:
        list(client.read(QUERY))
    except SfAssetsError as error:
        texts = "".join(traceback.format_exception(error)) + repr(error) + repr(error.values) + error.remedy
        chain = error
        while chain := chain.__cause__ or chain.__context__:
            assert not isinstance(chain, httpx.HTTPError), "httpx's errors hold the request, and that the token"

    assert name == "success" or texts
    for secret in ("sesame", private_key[40:80], "assertion=ey"):
        assert secret not in texts
        assert secret not in caplog.text
    assert org.token_answer()["access_token"] not in repr(vars(client))


def test_a_log_at_its_usual_level_holds_no_soql(org, caplog):
    caplog.set_level(logging.INFO)
    org.always(200, PAGE)

    list(org.client().read(QUERY))

    assert "logged in to acme.my.salesforce.com" in caplog.text
    assert "SELECT" not in caplog.text
