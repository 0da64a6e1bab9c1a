"""The one address that requests go to: the org's host, checked once, and every answer's links against it."""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from sf_assets.errors import AnswerTorn, ConfigError, ForeignAddress

PRODUCTION = "https://login.salesforce.com"
SANDBOX = "https://test.salesforce.com"
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\]")
# Salesforce's locators are letters, digits and a hyphen; those of emulators hold base64, dots and the like
_LINK = re.compile(
    r"/services/data/v[0-9.]+/(?P<resource>query|queryAll)(/(?P<locator>[A-Za-z0-9_.~:=%+-]{1,2000}))?/?"
)
_CURSOR = re.compile(r"[A-Za-z0-9_.~:=%+&,-]{1,2000}")
_PORTS = {"https": 443, "http": 80}
_FORMS = "write acme.my.salesforce.com or https://acme.my.salesforce.com (http:// is for loopback only)"


@dataclass(frozen=True)
class Address:
    """Scheme, host and port of the org."""

    scheme: str
    host: str
    port: int | None = None

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.authority}"

    @property
    def authority(self) -> str:
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port is None else f"{name}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        return _is_loopback(self.host)

    @property
    def audience(self) -> str:
        """Whom a login names as its judge: `test` for a sandbox's host, else `login`."""
        marks = (".sandbox.", ".scratch.")
        is_sandbox = self.host.startswith("test.") or any(mark in self.host for mark in marks)
        return SANDBOX if is_sandbox else PRODUCTION

    def is_own(self, url: str) -> bool:
        """Whether `url` is a path of this host or fully qualified with this very origin; all names of this machine
        are one.
        """
        place = _place(url)
        if place == ("", None, None):
            return url.startswith("/")
        return place is not None and place == _place(self.origin)


def _place(url: str) -> tuple[str, str | None, int | None] | None:
    """Scheme, host and port of a URL, as far as it has them; None for what is none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    host = "localhost" if parts.hostname and _is_loopback(parts.hostname) else parts.hostname
    return parts.scheme, host, port or _PORTS.get(parts.scheme)


@dataclass(frozen=True)
class Link:
    """The only part of a nextRecordsUrl that is used: which resource, and its opaque locator.

    `?…` is a locator that is told in the URL's query, as some emulators do.
    """

    resource: Literal["query", "queryAll"]
    locator: str

    def path(self, *, version: str) -> str:
        """The path on the org's own host."""
        between = "" if self.locator.startswith("?") else "/"
        return f"/services/data/v{version}/{self.resource}{between}{self.locator}"


def parse_instance_url(text: str) -> Address:
    """The address that a setting names; ConfigError for anything but a bare https origin (http on loopback)."""
    parts = _split(text.strip())
    host = (parts.hostname or "").lower()
    if parts.username or parts.password or parts.path.strip("/") or parts.query or parts.fragment:
        raise _unusable(text, "it must be a host and nothing more")
    if not _HOST.fullmatch(f"[{host}]" if ":" in host else host):
        raise _unusable(text, "it names no host")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise _unusable(text, "only https leaves this machine")
    return Address(parts.scheme, host, parts.port)


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        _ = parts.port
    except ValueError as error:
        raise _unusable(text, str(error)) from None
    return parts


def _unusable(text: str, why: str) -> ConfigError:
    shown = re.sub(r"//[^/@]*@", "//…@", text).partition("?")[0]
    return ConfigError(
        f"SALESFORCE_INSTANCE_URL {shown!r} is not usable: {why}",
        remedy=f"Correct SALESFORCE_INSTANCE_URL: {_FORMS}.",
        setting="SALESFORCE_INSTANCE_URL",
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read_link(next_records_url: str, *, address: Address) -> Link:
    """The link of a nextRecordsUrl, as a path or fully qualified; a foreign host is refused, never asked."""
    if not address.is_own(next_records_url):
        host = host_of(next_records_url)
        raise ForeignAddress(f"nextRecordsUrl leads to {host}, not to {address.authority}", url=host)
    parts = urlsplit(next_records_url)
    found = _LINK.fullmatch(parts.path)
    locator = (found["locator"] or "") if found else ""
    if found and not locator and _CURSOR.fullmatch(parts.query):
        locator = f"?{parts.query}"
    if found is None or not locator.strip("."):
        raise AnswerTorn(f"nextRecordsUrl {parts.path[:200]!r} holds no query locator", url=parts.path[:200])
    return Link("queryAll" if found["resource"] == "queryAll" else "query", locator)


def host_of(url: str) -> str:
    """The host of a URL for a message: never its path, query or user part."""
    try:
        return urlsplit(url).hostname or "an address without a host"
    except ValueError:
        return "a malformed address"
