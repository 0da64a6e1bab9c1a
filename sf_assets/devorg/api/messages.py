"""Requests, responses, and the records of the request log."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qsl, unquote, urlsplit

JSON = "application/json;charset=UTF-8"


@dataclass(frozen=True)
class Request:
    """One request, or a subrequest of a composite one. `server_url` is the origin of the server."""

    method: str
    path: str
    parameters: Mapping[str, str]
    headers: Mapping[str, str]  # names lower-cased
    body: bytes
    server_url: str
    number: int = 0

    @property
    def soql(self) -> str:
        return self.parameters.get("q", "")


@dataclass(frozen=True)
class Response:
    """A whole response; `body` is not compressed."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = JSON


@dataclass(frozen=True)
class RequestRecord:
    """One entry of the request log.

    `query` is the SOQL, or else the raw query string; `parts` are the URLs of subrequests.
    """

    number: int
    at: datetime
    method: str
    path: str
    query: str
    kind: str
    status: int
    sobject: str | None
    user_agent: str
    parts: tuple[str, ...] = ()


def split_target(target: str) -> tuple[str, str, dict[str, str]]:
    """Return path, raw query string and parameters of a request target."""
    parts = urlsplit(target)
    return unquote(parts.path), parts.query, dict(parse_qsl(parts.query, keep_blank_values=True))
