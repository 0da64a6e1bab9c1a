"""The connection pool: proxy and certificates from the environment, and one deadline for each exchange."""

import os
import re
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import certifi
import httpcore
import httpx

from sf_assets.errors import ConfigError
from sf_assets.errors.redaction import protect
from sf_assets.salesforce.instance_url import Address
from sf_assets.salesforce.setting_text import bare

_PROXIES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
_BYPASSES = ("no_proxy", "NO_PROXY")
_BRACKETED = re.compile(r"\[([^\]]*)\](?::(\d+))?")
KEEPALIVE_SECONDS = 30.0


def tls_context(environment: Mapping[str, str] = os.environ) -> ssl.SSLContext:
    """Return the certificates to trust.

    Those of SSL_CERT_FILE and SSL_CERT_DIR; without them the system's, certifi's and those of REQUESTS_CA_BUNDLE, which
    often holds a company's CA alone. Raises: ConfigError that names the variable and the path.
    """
    names = [name for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if environment.get(name)]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if names else ssl.create_default_context()
    if not names:
        context.load_verify_locations(certifi.where())
    for name in names or [name for name in ("REQUESTS_CA_BUNDLE",) if environment.get(name)]:
        _load_certificates(context, name, environment[name])
    return context


def _load_certificates(context: ssl.SSLContext, name: str, place: str) -> None:
    path = Path(place)
    try:
        if not path.exists():
            raise FileNotFoundError("it does not exist")
        context.load_verify_locations(**{"capath" if path.is_dir() else "cafile": place})
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"{name} names {place}, which cannot be read: {error}",
            remedy=f"Set {name} to certificates in PEM form, such as those of your company's CA, or unset it.",
            setting=name,
        ) from None


def proxy_for(address: Address, environment: Mapping[str, str] = os.environ) -> SplitResult | None:
    """Return the proxy that the environment names for the org, or None.

    Raises: ConfigError that names the variable, never the proxy's password.
    """
    name = next((name for name in _PROXIES if environment.get(name, "").strip()), None)
    if name is None or address.is_loopback or _is_bypassed(address, environment):
        return None
    text = bare(environment[name])
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        is_usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_usable = False
    if not is_usable:
        raise ConfigError(
            f"{name} cannot be used as a proxy: it must be http://host:port or https://host:port (SOCKS is not"
            " supported), with user:password@ before the host if the proxy wants them",
            remedy=f"Set {name} to an HTTP proxy, or add {address.host} to NO_PROXY. In user and password write"
            " %23 for #, %2F for /, %3F for ? and %25 for %.",
            setting=name,
        )
    protect(unquote(parts.password or ""))
    return parts


def _is_bypassed(address: Address, environment: Mapping[str, str]) -> bool:
    name = next((name for name in _BYPASSES if environment.get(name, "").strip()), None)
    entries = re.split(r"[\s,;|]+", bare(environment[name]) if name else "")
    return any(_matches(entry.strip().lower(), address) for entry in entries if entry.strip())


def _matches(entry: str, address: Address) -> bool:
    """Return whether an entry of NO_PROXY means the host.

    An entry is `*`, a name, a domain, an IP address or a network."""
    if entry == "*":
        return True
    host = entry.rpartition("://")[2].rstrip("/")
    network, port = host.strip("[]"), ""
    if bracketed := _BRACKETED.fullmatch(host):
        network, port = bracketed[1], bracketed[2] or ""
    try:
        return ip_address(address.host) in ip_network(network, strict=False) and _is_port(port, address)
    except ValueError:
        pass
    name, _, port = host.rpartition(":") if host.count(":") == 1 else (host, "", "")
    name = (name or host).removeprefix("*").removeprefix(".")
    return _is_port(port, address) and bool(name) and (address.host == name or address.host.endswith(f".{name}"))


def _is_port(port: str, address: Address) -> bool:
    """Return whether the port of an entry is the host's, or the entry has none."""
    return not port or port == str(address.port or 443)


class DeadlineBackend(httpcore.NetworkBackend):
    """httpcore's network backend with a deadline for all that a thread reads and writes.

    The timeouts of httpx bound each read alone: an answer that comes a byte at a time never ends.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._backend = httpcore.SyncBackend()
        self._monotonic = monotonic
        self._local = threading.local()

    def set_deadline(self, deadline: float) -> None:
        """Bound what this thread reads and writes from now on."""
        self._local.deadline = deadline

    def seconds_left(self, timeout: float | None) -> float:
        """Return the timeout, or less near the deadline. Raises: httpcore.ReadTimeout after it."""
        left = float(getattr(self._local, "deadline", float("inf"))) - self._monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the answer was not complete in time")
        return left if timeout is None else min(timeout, left)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Open a connection."""
        stream = self._backend.connect_tcp(
            host, port, self.seconds_left(timeout), local_address=local_address, socket_options=socket_options
        )
        return _DeadlineStream(stream, self)


class _DeadlineStream(httpcore.NetworkStream):
    """A connection with the deadline of the thread that uses it."""

    def __init__(self, stream: httpcore.NetworkStream, backend: DeadlineBackend) -> None:
        self._stream, self._backend = stream, backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._backend.seconds_left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._backend.seconds_left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, self._backend.seconds_left(timeout))
        return _DeadlineStream(stream, self._backend)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class PoolTransport(httpx.BaseTransport):
    """A connection pool as httpx takes it; its exceptions are httpcore's."""

    def __init__(self, pool: httpcore.ConnectionPool) -> None:
        self._pool = pool

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; the body of the answer is read by the caller."""
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        answer = self._pool.handle_request(
            httpcore.Request(
                request.method, url, headers=request.headers.raw, content=request.stream, extensions=request.extensions
            )
        )
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer.stream))

    def close(self) -> None:
        self._pool.close()


class _Body(httpx.SyncByteStream):
    """The bytes of an answer as they arrive."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        yield from self._stream

    def close(self) -> None:
        self._stream.close()


def open_pool(address: Address, backend: DeadlineBackend) -> PoolTransport:
    """Open a pool of connections to the org, through the proxy that the environment names."""
    settings: dict[str, Any] = {
        "max_connections": 20, "keepalive_expiry": KEEPALIVE_SECONDS, "network_backend": backend,
    }  # fmt: skip
    if address.scheme == "https":
        settings["ssl_context"] = tls_context()
    proxy = proxy_for(address)
    if proxy is None:
        return PoolTransport(httpcore.ConnectionPool(**settings))
    user = (unquote(proxy.username or "").encode(), unquote(proxy.password or "").encode()) if proxy.username else None
    host = f"[{proxy.hostname}]" if ":" in (proxy.hostname or "") else proxy.hostname
    port = proxy.port or (443 if proxy.scheme == "https" else 80)
    return PoolTransport(httpcore.HTTPProxy(f"{proxy.scheme}://{host}:{port}", proxy_auth=user, **settings))
