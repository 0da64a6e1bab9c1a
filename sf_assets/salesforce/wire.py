"""What is sent to Salesforce and what comes back, as frozen values; it sends nothing itself.

An exchange is a generator that yields a `Request` and is sent a `Reply`; the client drives it.
"""

import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import Any, Literal, Protocol, TypeVar

import msgspec

T = TypeVar("T")


@dataclass(frozen=True)
class Query:
    """One SELECT to read; `all_rows` asks queryAll, which shows deleted, merged and archived rows too."""

    sobject: str
    soql: str
    all_rows: bool


@dataclass(frozen=True)
class Page:
    """One page of a result: `records` are the bytes of its JSON array, `number` counts from 1.

    `requested_at` (aware, UTC) was taken before the request left: no row of the page was read earlier.
    """

    records: msgspec.Raw
    total_size: int
    done: bool
    number: int
    requested_at: datetime


class Result(Iterable[Page]):
    """The pages of a query, asked for while they are iterated; `total_size` is known after the first page."""

    def __init__(self, begin: Callable[[], Iterator[Page]]) -> None:
        self._begin = begin
        self.total_size: int | None = None

    def __iter__(self) -> Iterator[Page]:
        for page in self._begin():
            self.total_size = page.total_size
            yield page


@dataclass(frozen=True)
class Usage:
    """The org's API calls of the last 24 hours, by all its apps, against its limit."""

    used: int
    limit: int


@dataclass(frozen=True)
class Request:
    """One HTTP request to the org's own host; `path` carries the encoded query.

    `body` may be a function, called right before each sending: a login's assertion is short-lived.
    `shape` is the type that the body of a good answer must decode to; `about` says what is asked, for messages, at
    whose end the `soql` stands: it may be long.
    """

    path: str
    shape: Any
    kind: Literal["login", "query", "page", "describe", "composite", "inventory"]
    method: Literal["GET", "POST"] = "GET"
    body: bytes | Callable[[], bytes] | None = field(default=None, repr=False)
    content_type: str | None = None
    about: str = ""
    soql: str = ""

    @property
    def bare_path(self) -> str:
        """The path without its query, as messages name it."""
        return self.path.partition("?")[0]


@dataclass(frozen=True)
class Response:
    """A whole answer. `headers` have lower-case names; `content` is the decoded body of a good one."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    sent_at: datetime
    content: Any = field(default=None, repr=False)


@dataclass(frozen=True)
class TransportError:
    """No whole answer came: no connection, silence, or a body that broke off. `text` holds no secret."""

    kind: Literal["no connection", "time-out", "torn answer"]
    text: str


class Transport(Protocol):
    """Sends a request once, and gives back a whole reply or the fault; raises nothing."""

    def send(self, request: Request, *, body: bytes | None, access_token: str | None) -> Response | TransportError: ...

    def close(self) -> None: ...


Flow = Generator[Request, Response, T]


class Capabilities:
    """What this org or gateway turned out not to serve, by name; shared by the exchanges of one client."""

    def __init__(self) -> None:
        self._refused: dict[str, None] = {}

    def has(self, name: str) -> bool:
        return name not in self._refused

    def refuse(self, name: str) -> None:
        self._refused.setdefault(name)

    @property
    def refused(self) -> tuple[str, ...]:
        return tuple(self._refused)


# "api-usage=18/5000", or "api-usage=25/5000; per-app-api-usage=17/250(appName=…)": REST guide, "Limit Info Header"
_USAGE = re.compile(r"(?:^|[;,\s])api-usage=(\d+)/(\d+)")


def usage_of(headers: Mapping[str, str]) -> Usage | None:
    """The org's usage from `Sforce-Limit-Info`, in both of its forms; None without it, or without a limit in it."""
    found = _USAGE.search(headers.get("sforce-limit-info", ""))
    return Usage(int(found[1]), int(found[2])) if found and int(found[2]) else None


def date_of(headers: Mapping[str, str]) -> datetime | None:
    """The server's clock at its answer, from `Date`."""
    return http_date(headers.get("date", ""))


def http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def retry_after_seconds(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """`Retry-After` in seconds from now, given as seconds or as an HTTP date (by the server's own `Date` if told)."""
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    moment = http_date(text)
    return max(0.0, (moment - (date_of(headers) or now)).total_seconds()) if moment else None


def in_groups(items: list[T], size: int) -> Iterator[list[T]]:
    """The items in lists of at most `size`, in order."""
    rest = iter(items)
    while group := list(islice(rest, size)):
        yield group
