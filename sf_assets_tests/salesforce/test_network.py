"""Proxy, certificates and timeouts: what the environment and the network may do to a request."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import certifi
import pytest

from sf_assets import errors
from sf_assets.salesforce.instance_url import parse_instance_url
from sf_assets.salesforce.network import proxy_for, tls_context
from sf_assets.salesforce.retry import RetryPolicy, Timeouts
from sf_assets.salesforce.wire import Query
from sf_assets_tests.salesforce.build import build_client

ACME = parse_instance_url("acme.my.salesforce.com")
QUERY = Query("Account", "SELECT Id FROM Account", all_rows=False)
SWIFT = RetryPolicy(total_seconds=3.0, first_pause_seconds=0.001, longest_pause_seconds=0.002)
PROXY = {"HTTPS_PROXY": "http://proxy.example:3128"}

BYPASSES = [
    ("", False),
    ("*", True),
    ("salesforce.com", True),
    (".salesforce.com", True),
    ("*.salesforce.com", True),
    ("ACME.my.salesforce.com", True),
    ("acme.my.salesforce.com:443", True),
    ("acme.my.salesforce.com:8443", False),
    ("force.com", False),
    ("fd00::/8, [::1], 10.0.0.0/8, localhost", False),
    ("fe80::1%eth0, [fd00::/8], ::1, http://, :, /, [", False),
    ("[::1],salesforce.com", True),
    ("localhost salesforce.com", True),
    ("localhost;*.salesforce.com", True),
    ("localhost|salesforce.com|", True),
    ('"localhost,salesforce.com"', True),
    ("https://acme.my.salesforce.com/", True),
]


@pytest.mark.parametrize(("bypass", "is_bypassed"), BYPASSES)
def test_no_proxy_may_hold_names_networks_and_nonsense(bypass, is_bypassed):
    assert (proxy_for(ACME, {**PROXY, "NO_PROXY": bypass}) is None) == is_bypassed


@pytest.mark.parametrize(
    ("entry", "is_bypassed"),
    [("10.1.2.3:8443", True), ("10.1.2.3:443", False), ("[fd00::5]:8443", True), ("[fd00::5]:443", False)],
)
def test_an_address_in_no_proxy_may_have_a_port(entry, is_bypassed):
    host = "[fd00::5]:8443" if "fd00" in entry else "10.1.2.3:8443"

    assert (proxy_for(parse_instance_url(host), {**PROXY, "no_proxy": entry}) is None) == is_bypassed


@pytest.mark.parametrize("entry", ["10.0.0.0/8", "10.1.2.3", "[10.1.2.3]", "10.1.2.3/32"])
def test_no_proxy_may_name_the_address_of_the_host(entry):
    assert proxy_for(parse_instance_url("10.1.2.3"), {**PROXY, "no_proxy": entry}) is None


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("http://proxy.example:3128", "proxy.example", 3128),
        ("proxy.example:3128", "proxy.example", 3128),
        ('"http://proxy.example:3128"', "proxy.example", 3128),
        ("https://proxy.example", "proxy.example", None),
        ("http://user:p%40ss@[fd00::1]:3128/", "fd00::1", 3128),
    ],
)
def test_a_proxy_may_be_written_in_each_usual_form(text, host, port):
    proxy = proxy_for(ACME, {"https_proxy": text})

    assert (proxy.hostname, proxy.port) == (host, port)


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("text", ["socks5://proxy.example:1080", "ftp://x", "http://", "http://[::1", "http://p:99999"])
def test_a_proxy_that_cannot_be_used_is_named_by_its_variable(name, text):
    with pytest.raises(errors.ConfigError, match=name):
        proxy_for(ACME, {name: text})


def test_loopback_needs_no_proxy():
    assert proxy_for(parse_instance_url("http://127.0.0.1:8630"), {"HTTPS_PROXY": "socks5://x"}) is None


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"])
def test_certificates_that_are_missing_are_named_by_their_variable(name, tmp_path):
    with pytest.raises(errors.ConfigError, match=f"{name} names .*company.pem"):
        tls_context({name: str(tmp_path / "company.pem")})


def test_certificates_that_are_not_pem_are_named_by_their_variable(tmp_path):
    (tmp_path / "company.pem").write_text("not a certificate")

    with pytest.raises(errors.ConfigError, match="SSL_CERT_FILE"):
        tls_context({"SSL_CERT_FILE": str(tmp_path / "company.pem")})


def test_without_a_variable_the_usual_certificates_are_trusted():
    assert tls_context({}).cert_store_stats()["x509_ca"] > 50


def test_a_companys_certificate_is_trusted_besides_the_usual_ones(tmp_path):
    (tmp_path / "company.pem").write_text(Path(certifi.where()).read_text().split("\n\n", 2)[1])

    alone = tls_context({"SSL_CERT_FILE": str(tmp_path / "company.pem")})
    besides = tls_context({"REQUESTS_CA_BUNDLE": str(tmp_path / "company.pem")})

    assert alone.cert_store_stats()["x509_ca"] == 1
    assert besides.cert_store_stats()["x509_ca"] > 50


Answer = Callable[[socket.socket], None]


@contextmanager
def listener(answer: Answer, requests: list[bytes] | None = None) -> Iterator[int]:
    """A server that reads one request of each connection and answers as the test says; yields its port."""

    def serve(server: socket.socket) -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=handle, args=(connection,), daemon=True).start()

    def handle(connection: socket.socket) -> None:
        with connection:
            try:
                request = b""
                while b"\r\n\r\n" not in request:
                    request += connection.recv(65536) or b"\r\n\r\n"
                if requests is not None:
                    requests.append(request)
                answer(connection)
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, args=(server,), daemon=True).start()
        yield server.getsockname()[1]


def client_of(port, credentials, **timeouts):
    settings = {
        "instance_url": f"http://127.0.0.1:{port}", "credentials": credentials, "requests_per_second": 1000.0,
        "retry": SWIFT, "timeouts": Timeouts(**timeouts),
    }  # fmt: skip
    return build_client(settings)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", errors.ProxyRefused),
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\n<html>", errors.ProxyRefused),
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", errors.HostUnreachable),
        (b"SSH-2.0-OpenSSH_9.2\r\n", errors.AnswerTorn),
    ],
)
def test_a_proxy_that_refuses_is_named(org, monkeypatch, answer, error):
    for name in ("https_proxy", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with listener(lambda connection: connection.sendall(answer)) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://sesame:sesame-password@127.0.0.1:{port}")
        client = build_client({"instance_url": org.host, "credentials": org.credentials, "retry": SWIFT})
        with pytest.raises(error) as error_info:
            client.org_id()

    assert "sesame" not in str(error_info.value)
    assert "HTTPS_PROXY" in error_info.value.remedy or error is errors.AnswerTorn


@pytest.mark.slow
def test_a_host_that_speaks_no_tls_is_unreachable(org, monkeypatch):
    monkeypatch.delenv("HTTPS_PROXY", raising=False)
    with listener(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
        settings = {"instance_url": f"https://127.0.0.1:{port}", "credentials": org.credentials, "retry": SWIFT}
        with pytest.raises(errors.SalesforceError):
            build_client({**settings, "timeouts": Timeouts(connect_seconds=0.2)}).org_id()


def drip(connection, piece, *, before=b"", times=400):
    """Send a piece again and again, faster than any silence is noticed."""
    connection.sendall(before)
    wait = threading.Event()
    for _ in range(times):
        connection.sendall(piece)
        wait.wait(0.01)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
GZIP = HEAD + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
EMPTY_BLOCK = b"\x00\x00\x00\xff\xff"
GZIP_START = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"
DRIPS = {
    "the status line": (b"", b"H"),
    "headers": (HEAD, b"X-A: 1\r\n"),
    "interim answers": (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "a body": (HEAD + b"Content-Length: 100000\r\n\r\n", b" "),
    "chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "chunk extensions": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1", b";a=b"),
    "empty gzip blocks": (GZIP + b"a\r\n" + GZIP_START + b"\r\n", b"5\r\n" + EMPTY_BLOCK + b"\r\n"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", DRIPS)
def test_one_deadline_bounds_the_whole_exchange(org, name):
    before, piece = DRIPS[name]
    with listener(lambda connection: drip(connection, piece, before=before)) as port:
        client = client_of(port, org.credentials, silence_seconds=5.0, answer_seconds=0.2)
        began = client._clock.monotonic()
        with pytest.raises(errors.SalesforceError) as error_info:
            client.org_id()

    assert isinstance(error_info.value, errors.HostUnreachable | errors.AnswerTorn)
    assert client._clock.monotonic() - began < 4.0
