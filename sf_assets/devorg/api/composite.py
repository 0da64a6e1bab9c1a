"""POST /composite: up to 25 GETs in one call, at most five of them queries. Each has a status of its own."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from sf_assets.devorg.api.messages import Request, Response, split_target
from sf_assets.devorg.api_errors import Refusal

MOST_PARTS = 25
MOST_QUERIES = 5
Serve = Callable[[Request], Response]


def composite_response(request: Request, *, serve: Serve, is_query: Callable[[str], bool]) -> Response:
    """Answer all subrequests with `serve`; `is_query` says which paths count as queries."""
    parts = _parts(request.body)
    refusal = _too_many(parts, is_query)
    if refusal is not None:
        return Response(400, _whole([_part_json(Response(400, refusal.body()), None)]))
    return Response(200, _whole([_part_json(serve(_inner(request, part)), part["referenceId"]) for part in parts]))


def part_urls(body: bytes) -> tuple[str, ...]:
    """Return the URLs of a composite body for the log; nothing if it is malformed."""
    try:
        return tuple(str(part["url"]) for part in _parts(body))
    except Refusal:
        return ()


def _parts(body: bytes) -> list[dict[str, Any]]:
    try:
        parts = msgspec.json.decode(body)["compositeRequest"]
        if all({"method", "url", "referenceId"} <= set(part) for part in parts):
            return list(parts)
    except (msgspec.DecodeError, KeyError, TypeError):
        pass
    raise Refusal(400, "JSON_PARSER_ERROR", "A composite request is a list of method, url and referenceId")


def _too_many(parts: list[dict[str, Any]], is_query: Callable[[str], bool]) -> Refusal | None:
    if len(parts) > MOST_PARTS:
        return Refusal(400, "LIMIT_EXCEEDED", f"The request can’t contain more than {MOST_PARTS} operations.")
    if sum(is_query(split_target(part["url"])[0]) for part in parts) > MOST_QUERIES:
        message = f"The request can’t contain more than {MOST_QUERIES} query or sObject Collections operations."
        return Refusal(400, "LIMIT_EXCEEDED", message)
    return None


def _inner(request: Request, part: Mapping[str, Any]) -> Request:
    path, _, parameters = split_target(part["url"])
    headers = {name.lower(): str(value) for name, value in part.get("httpHeaders", {}).items()}
    return Request(part["method"], path, parameters, headers, b"", request.server_url, request.number)


def _part_json(response: Response, reference: str | None) -> bytes:
    facts = {"httpHeaders": dict(response.headers), "httpStatusCode": response.status, "referenceId": reference}
    body = response.body or b"null"
    if "json" not in response.content_type:
        body = msgspec.json.encode(body.decode("utf-8", "replace"))
    return b'{"body":%b,%b' % (body, msgspec.json.encode(facts)[1:])


def _whole(text: list[bytes]) -> bytes:
    return b'{"compositeResponse":[%b]}' % b",".join(text)
