"""Checks of a data call before it is answered: size of the URI, session, quota, pace."""

from collections.abc import Callable

from sf_assets.devorg import api_errors
from sf_assets.devorg.api.messages import Request, Response
from sf_assets.devorg.org.org import Org

BEARER = "bearer "
OLD_SCHEME = "oauth "


def too_long(org: Org, *, uri_bytes: int, header_bytes: int) -> Response | None:
    """Return 414 or 431 for a long URI or head, or None.

    414 is for the URI alone, 431 for URI and headers together. Both are HTML pages of the edge.
    """
    if uri_bytes > org.behaviour.uri_bytes:
        return _bad_message(414, "URI Too Long")
    if uri_bytes + header_bytes > org.behaviour.uri_bytes:
        return _bad_message(431, "Request Header Fields Too Large")
    return None


def _bad_message(status: int, reason: str) -> Response:
    page = f"<h1>Bad Message {status}</h1><pre>reason: {reason}</pre>".encode()
    return Response(status, page, content_type="text/html;charset=iso-8859-1")


def checked_response(org: Org, request: Request, *, respond: Callable[[], Response]) -> Response:
    """Return the response if the call may be made. Each call with a session counts."""
    if not _within_pace(org):
        return Response(429, api_errors.too_many_requests().body(), {"Retry-After": "1"})
    with org.lock:
        refusal = _session_refusal(org, request) or _quota_refusal(org)
    if refusal is not None:
        return Response(refusal.status, refusal.body())
    response = respond()
    return Response(response.status, response.body, {**response.headers, **limit_info(org)}, response.content_type)


def _within_pace(org: Org) -> bool:
    pace = org.behaviour.requests_per_second
    with org.lock:
        return pace is None or org.usage.allows(org.clock(), per_second=pace)


def _session_refusal(org: Org, request: Request) -> api_errors.Refusal | None:
    header = request.headers.get("authorization", "")
    if org.behaviour.sessions_refused:
        return api_errors.session_useless()
    if header and not header.lower().startswith((BEARER, OLD_SCHEME)):
        return api_errors.auth_header_invalid()
    token = header.partition(" ")[2].strip()
    if not org.sessions.use(token, org.now(), life_seconds=org.behaviour.session_seconds):
        return api_errors.session_invalid()
    return None if org.behaviour.api_enabled else api_errors.api_disabled()


def _quota_refusal(org: Org) -> api_errors.Refusal | None:
    if org.usage.used(org.now()) >= org.behaviour.daily_limit:
        return api_errors.quota_spent()
    org.usage.count(org.now())
    return None


def limit_info(org: Org) -> dict[str, str]:
    """Return the header `Sforce-Limit-Info` in the form that the settings choose."""
    if org.behaviour.limit_info == "none":
        return {}
    with org.lock:
        used, most = org.usage.used(org.now()), org.behaviour.daily_limit
    message = f"api-usage={used}/{most}"
    if org.behaviour.limit_info == "per_app":
        message += f"; per-app-api-usage={used}/{most}(appName=sf-assets)"
    return {"Sforce-Limit-Info": message}
