"""The org's address: checked once, and every link of an answer is checked against it."""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal
from urllib.parse import SplitResult, unquote, urlsplit

from sf_assets.errors import AnswerTorn, ConfigError, ForeignAddress
from sf_assets.salesforce.setting_text import bare

LONGEST_URL = 4_000
LONGEST_SHOWN = 60
"""Characters of a setting that a message quotes; what is longer may be a key."""
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\]")
# Salesforce's locators are letters, digits and a hyphen; those of emulators hold base64, dots and the like
_LINK = re.compile(
    r"/services/data/v[0-9.]+/(?P<resource>query|queryAll)(/(?P<locator>[A-Za-z0-9_.~:=%+-]{1,2000}))?/?"
)
_CURSOR = re.compile(r"[A-Za-z0-9_.~:=%+&,-]{1,2000}")
_PORTS = {"https": 443, "http": 80}
_FORMS = "write acme.my.salesforce.com or https://acme.my.salesforce.com (http:// is for loopback only)"
_USER_INTERFACES = re.compile(r"\.(lightning\.force\.com|(my\.)?salesforce-setup\.com|visualforce\.com)$")
_LOGIN_HOSTS = re.compile(r"(login|test)\.(salesforce\.(com|mil)|sfcrmproducts\.cn)")


@dataclass(frozen=True)
class Address:
    """Scheme, host and port of the org."""

    scheme: str
    host: str
    port: int | None = None

    @property
    def origin(self) -> str:
        """Scheme, host and port as a URL."""
        return f"{self.scheme}://{self.authority}"

    @property
    def authority(self) -> str:
        """Host and port."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port is None else f"{name}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether the org is on this machine."""
        return _is_loopback(self.host)

    @property
    def is_internal(self) -> bool:
        """Whether the host is a private address or a name without a domain."""
        try:
            return ip_address(self.host).is_private
        except ValueError:
            return "." not in self.host

    def is_own(self, url: str) -> bool:
        """Return whether `url` is a path of this host, or begins with this very origin.

        All names of this machine are one.
        """
        origin = _origin_of(url)
        if origin == ("", None, None):
            return url.startswith("/")
        return origin is not None and origin == _origin_of(self.origin)


def _origin_of(url: str) -> tuple[str, str | None, int | None] | None:
    """Return scheme, host and port of a URL, or None where it cannot be parsed."""
    try:
        parts = urlsplit(url[:LONGEST_URL])
        port = parts.port
    except ValueError:
        return None
    host = "localhost" if parts.hostname and _is_loopback(parts.hostname) else parts.hostname
    return parts.scheme, host, port or _PORTS.get(parts.scheme)


@dataclass(frozen=True)
class Link:
    """The only parts of a nextRecordsUrl that are used: the resource, and the opaque locator.

    A locator may have a `?`: some emulators put a cursor into the query of the URL.
    """

    resource: Literal["query", "queryAll"]
    locator: str

    def path(self, *, version: str) -> str:
        """Return the path on the org's own host."""
        between = "" if self.locator.startswith("?") else "/"
        return f"/services/data/v{version}/{self.resource}{between}{self.locator}"


def parse_instance_url(text: str) -> Address:
    """Return the address that a setting names.

    Raises: ConfigError for anything but a bare https origin (http on loopback).
    """
    address = parse_origin(text)
    if address is None:
        raise _unusable(text, _why_not(text))
    if _USER_INTERFACES.search(address.host):
        raise _unusable(text, "it is the host of the user interface, which serves no API; use the My Domain host")
    if _LOGIN_HOSTS.fullmatch(address.host):
        raise _unusable(text, "it is Salesforce's common login host; use the org's own My Domain host")
    return address


def parse_origin(text: str) -> Address | None:
    """Return the https origin (http on loopback) that a text names, or None."""
    parts = _split(bare(text))
    if parts is None or parts.username or parts.password or parts.path.strip("/") or parts.query or parts.fragment:
        return None
    host = (parts.hostname or "").lower().removesuffix(".")
    if not _HOST.fullmatch(f"[{host}]" if ":" in host else host) or len(host) > 253:
        return None
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        return None
    return Address(parts.scheme, host, parts.port)


def _split(text: str) -> SplitResult | None:
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        _ = parts.port
    except ValueError:
        return None
    return parts


def _why_not(text: str) -> str:
    parts = _split(bare(text))
    if parts is None:
        return "it is not a URL"
    if parts.username or parts.password or parts.path.strip("/") or parts.query or parts.fragment:
        return "it must be a host and nothing more"
    return "only https leaves this machine" if parts.scheme != "https" else "it names no host"


def _unusable(text: str, why: str) -> ConfigError:
    return ConfigError(
        f"SALESFORCE_INSTANCE_URL {_for_message(text)}is not usable: {why}",
        remedy=f"Correct SALESFORCE_INSTANCE_URL: {_FORMS}.",
        setting="SALESFORCE_INSTANCE_URL",
    )


def _for_message(text: str) -> str:
    """Return the setting for a message, or nothing where it may be a secret."""
    bare = re.sub(r"//[^/@]{0,200}@", "//…@", text[:LONGEST_URL]).partition("?")[0]
    may_be_secret = len(bare) > LONGEST_SHOWN or not any(mark in bare for mark in ".:/") or "-----" in bare
    return "" if may_be_secret else f"{bare!r} "


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read_link(next_records_url: str, *, address: Address) -> Link:
    """Return the link of a nextRecordsUrl: a path, or a URL of the org.

    Raises: ForeignAddress for another host, AnswerTorn for anything else.
    """
    if not address.is_own(next_records_url):
        host = host_of(next_records_url)
        raise ForeignAddress(f"nextRecordsUrl leads to {host}, not to {address.authority}", url=host)
    parts = urlsplit(next_records_url[:LONGEST_URL])
    match = _LINK.fullmatch(parts.path)
    locator = (match["locator"] or "") if match else ""
    if match and _CURSOR.fullmatch(parts.query):
        locator = f"{locator}?{parts.query}"
    if match is None or not locator or not {".", ".."}.isdisjoint(unquote(locator).split("/")):
        raise AnswerTorn(f"nextRecordsUrl {parts.path[:200]!r} holds no query locator", url=parts.path[:200])
    return Link("queryAll" if match["resource"] == "queryAll" else "query", locator)


def host_of(url: str) -> str:
    """Return the host of a URL for a message, with its port and `http://`.

    The path, the query and the user are never in it.
    """
    try:
        parts = urlsplit(url[:LONGEST_URL])
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "a malformed address"
    if not parts.hostname:
        return "an address without a host"
    return f"{'http://' if parts.scheme == 'http' else ''}{parts.hostname[:253]}{port}"
