"""Requests to Salesforce and their answers as frozen values; this module sends nothing.

A flow is a generator that yields a `Request` and is sent its `Response`; the client drives it.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, Literal, Protocol, TypeVar

import msgspec

T = TypeVar("T")
RequestKind = Literal["login", "query", "page", "describe", "composite", "inventory", "job", "results"]


@dataclass(frozen=True)
class Query:
    """One SELECT to read; `all_rows` asks queryAll, which returns deleted, merged and archived rows too."""

    sobject: str
    soql: str
    all_rows: bool


@dataclass(frozen=True)
class Page:
    """One page of a result: `records` are the bytes of its JSON array, `number` counts from 1.

    `requested_at` (aware, UTC) is a moment before the request was sent: no row of the page was read earlier.
    `repaired`: broken characters of the page (lone surrogates, bytes that are not UTF-8), which became U+FFFD.
    """

    records: msgspec.Raw
    total_size: int
    done: bool
    number: int
    requested_at: datetime
    repaired: int = 0


class Result(Iterable[Page]):
    """The pages of a query, requested while they are iterated; `total_size` is set by the first page."""

    def __init__(self, open_pages: Callable[[], Iterator[Page]]) -> None:
        self._open_pages = open_pages
        self.total_size: int | None = None

    def __iter__(self) -> Iterator[Page]:
        for page in self._open_pages():
            self.total_size = page.total_size
            yield page


@dataclass(frozen=True)
class Usage:
    """API calls of the org in the last 24 hours, by all its apps, and their limit."""

    used: int
    limit: int


@dataclass(frozen=True)
class Request:
    """One HTTP request to the org's own host; `path` holds the encoded query.

    `body` may be a function, which is called before each sending: the assertion of a login is short-lived.
    `shape` is the type that a good answer decodes to; with `bytes` its body is not JSON. `accept`: the content
    type, if it is not JSON. `about` names the request in messages, which end with `soql`.
    """

    path: str
    shape: Any
    kind: RequestKind
    method: Literal["GET", "POST", "PATCH", "DELETE"] = "GET"
    body: bytes | Callable[[], bytes] | None = field(default=None, repr=False)
    content_type: str | None = None
    about: str = ""
    soql: str = ""
    accept: str | None = None

    @property
    def bare_path(self) -> str:
        """The path without its query, for messages."""
        return self.path.partition("?")[0]


@dataclass(frozen=True)
class Response:
    """A whole answer. `headers` have lower-case names; `content` is the decoded body of a good one."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    sent_at: datetime
    content: Any = field(default=None, repr=False)
    repaired: int = 0
    """Broken characters of the body, which became U+FFFD."""


@dataclass(frozen=True)
class TransportError:
    """The reason why no whole answer arrived; `text` holds no secret."""

    kind: Literal["no connection", "certificate", "proxy", "time-out", "torn answer", "too large"]
    text: str


class Transport(Protocol):
    """Something that sends a request once; it raises nothing."""

    def send(self, request: Request, *, body: bytes | None, access_token: str | None) -> Response | TransportError: ...

    def close(self) -> None: ...


Flow = Generator[Request, Response, T]


def in_groups(items: list[T], size: int) -> Iterator[list[T]]:
    """Yield the items in lists of at most `size`, in order."""
    rest = iter(items)
    while group := list(islice(rest, size)):
        yield group
