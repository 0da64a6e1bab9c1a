"""Public reports about hosts, proxies and connections, tried on the client; docs/field-reports.md lists them."""

import base64
import json
from urllib.parse import quote

import pytest

from sf_assets import errors
from sf_assets.salesforce.instance_url import parse_instance_url
from sf_assets.salesforce.network import proxy_for
from sf_assets.salesforce.wire import Query
from sf_assets_tests.salesforce.build import build_client
from sf_assets_tests.salesforce.conftest import ScriptedOrg
from sf_assets_tests.salesforce.test_network import SWIFT, client_of, listener

QUERY = Query("Account", "SELECT Id FROM Account", all_rows=False)
PAGE = {"totalSize": 0, "done": True, "records": []}
PARKED = b"<!doctype html><html data-adblockkey='MFww'><body><script>window.park = 'ey1';</script></body></html>"


def test_a_web_page_in_place_of_a_token_names_the_host(org):
    for _ in range(3):
        org.login(200, PARKED)

    with pytest.raises(errors.AnswerTorn, match="HTML of 101 bytes") as error_info:
        org.client().org_id()

    assert "spelling of SALESFORCE_INSTANCE_URL" in error_info.value.remedy
    assert len(org.login_calls) == 3


def test_a_maintenance_page_in_place_of_a_token_is_waited_for(org):
    org.login(200, b"<html><title>Scheduled maintenance</title></html>")

    assert org.client().org_id() == org.org_id


def test_a_host_without_the_jwt_flow_is_named(org):
    for _ in range(2):
        org.login(400, {"error": "unsupported_grant_type", "error_description": "grant type not supported"})

    with pytest.raises(errors.LoginError, match="grant type not supported") as error_info:
        org.client().org_id()

    assert "My Domain" in error_info.value.remedy


def test_a_connection_that_ends_at_its_second_request_is_opened_again(org):
    answers = [ScriptedOrg.token_answer(), PAGE, PAGE, PAGE]

    def answer(connection):
        body = json.dumps(answers.pop(0)).encode()
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        connection.recv(65536)  # the next request, which gets no answer

    with listener(answer) as port:
        client = client_of(port, org.credentials)
        results = [list(client.read(QUERY)) for _ in range(3)]

    assert [len(pages) for pages in results] == [1, 1, 1]
    assert answers == []


@pytest.mark.parametrize("password", ["p@ss:#1/?", "pässwörd", "100%", "p%23", "päss wörd"])
def test_a_password_of_any_characters_reaches_the_proxy(org, monkeypatch, password):
    requests = []

    def answer(connection):
        connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

    for name in ("https_proxy", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with listener(answer, requests) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:{quote(password, safe='')}@127.0.0.1:{port}")
        with pytest.raises(errors.ProxyRefused):
            build_client({"instance_url": org.host, "credentials": org.credentials, "retry": SWIFT}).org_id()

    words = next(line for line in requests[0].split(b"\r\n") if line.startswith(b"Proxy-Authorization"))
    assert base64.b64decode(words.split()[-1]).decode() == f"user:{password}"


@pytest.mark.parametrize("mark", "#/?")
def test_a_bare_mark_in_a_proxys_password_is_explained(mark):
    with pytest.raises(errors.ConfigError, match="user:password@") as error_info:
        proxy_for(parse_instance_url("acme.my.salesforce.com"), {"HTTPS_PROXY": f"http://user:p{mark}ss@proxy:3128"})

    assert quote(mark, safe="") in error_info.value.remedy
    assert "ss@" not in str(error_info.value)
