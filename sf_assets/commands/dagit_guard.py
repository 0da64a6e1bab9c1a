"""Protects Dagit on this machine from web pages: an ASGI app in front of Dagit's own.

Dagit has no login, accepts GraphQL mutations by GET and checks neither `Host` nor `Origin`. Any page that is open in
the same browser could therefore launch runs. The guard lets through what the browser sends for Dagit's own pages, and
programs on this machine, which send no `Origin`.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

LOCAL_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_HOST = re.compile(r"(\[[0-9a-fA-F:]+\]|[\w.-]+)(:\d+)?")
"""One name or address with its port: no user, no path, and not two hosts."""
OWN_SITES = frozenset({"same-origin", "none"})
"""Sec-Fetch-Site of Dagit's own pages, and of an address that a person types or opens from a bookmark."""
_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f]")
"""Starlette matches a route with `$`, which also matches before a line feed at the end of a path."""
NO_FRAMES = [(b"x-frame-options", b"DENY"), (b"content-security-policy", b"frame-ancestors 'none'")]
"""No page may show Dagit in a frame and lead a click onto its buttons."""


class DagitGuard:
    """An ASGI app that refuses requests from other sites and passes on all others."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one connection: HTTP, websocket or the server's lifespan."""
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        if (reason := refusal(scope)) is None:
            return await self._app(scope, receive, _without_frames(send))
        await (_refuse_websocket(send) if scope["type"] == "websocket" else _refuse_http(send, reason))
        return None


def refusal(scope: Mapping[str, Any]) -> str | None:
    """Return why a request is refused, or None if it may pass."""
    pairs = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]]
    hosts, origins, sites, modes = (_values(pairs, name) for name in _HEADERS)
    host = " ".join(hosts)
    if not _HOST.fullmatch(host) or _name(f"//{host}") not in LOCAL_NAMES:
        return "Dagit of `sf-assets dev` answers to 127.0.0.1 and localhost only; the Host header names another host."
    if _CONTROL_CHARACTER.search(scope["path"]):
        return "The path has a control character."
    if any(origin != f"http://{host}" for origin in origins):
        return "The request comes from another site: its Origin is not Dagit's own address."
    is_safe = scope.get("method") in SAFE_METHODS
    if not OWN_SITES.issuperset(sites) and not (is_safe and modes == ["navigate"]):
        return "The request comes from another site (Sec-Fetch-Site). Links to Dagit's pages work."
    if is_safe and _has_query(scope):
        return "GraphQL is answered by POST only, so that no link and no image can launch a run."
    return None


_HEADERS = ("host", "origin", "sec-fetch-site", "sec-fetch-mode")


def _values(pairs: Sequence[tuple[str, str]], header: str) -> list[str]:
    """Return the values of a header, one for each of its lines."""
    return [value for name, value in pairs if name == header]


def _name(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:  # an IPv6 address without its closing bracket
        return None


def _has_query(scope: Mapping[str, Any]) -> bool:
    is_graphql = "graphql" in str(scope["path"]).lower()
    return is_graphql and "query" in parse_qs(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)


def _without_frames(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *NO_FRAMES]
        await send(message)

    return sent


async def _refuse_http(send: Send, reason: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": reason.encode()})


async def _refuse_websocket(send: Send) -> None:
    await send({"type": "websocket.close", "code": 1008})
