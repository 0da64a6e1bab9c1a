"""The admin API: change the org and read its state over HTTP, without a session. Real orgs have nothing like it.

A web page in the user's browser cannot use it: it asks for a loopback Host (which stops DNS rebinding), refuses
requests of another Origin, and takes `application/json` alone, which a browser sends only after a preflight.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import msgspec

from sf_assets.devorg.api.messages import Request, RequestRecord, Response
from sf_assets.devorg.org.faults import fault_from, fault_json
from sf_assets.devorg.org.org import Org
from sf_assets.devorg.org.settings import Behaviour, behaviour_from

PREFIX = "/practice/"
LOOPBACK = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d+)?")
CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
Records = Sequence[RequestRecord]
AdminHandler = Callable[[Org, Request, str, Records], Any]


def foreign_origin(request: Request) -> bool:
    """Return whether a web page of another origin sent the request."""
    origin = request.headers.get("origin")
    return origin is not None and origin != f"http://{request.headers.get('host', '')}"


def admin_response(org: Org, request: Request, *, log: Records) -> Response:
    """Return the response to a request under /practice/."""
    refusal = _refusal(request)
    if refusal is not None:
        return refusal
    for method, pattern, handler in ADMIN_ROUTES:
        match = re.fullmatch(pattern, request.path)
        if match is not None and method == request.method:
            return _handled(handler, org, request, match[1] if match.groups() else "", log)
    names = ", ".join(f"{method} {pattern}" for method, pattern, _ in ADMIN_ROUTES)
    return _error(404, f"there are {names}")


def _refusal(request: Request) -> Response | None:
    if not LOOPBACK.fullmatch(request.headers.get("host", "")):
        return _error(403, "the admin API takes requests to a loopback host only")
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_json = media_type == "application/json"
    if request.method in CHANGING and not is_json and (request.body or request.method != "DELETE"):
        return _error(415, "send JSON, with Content-Type: application/json")
    return None


def _handled(handler: AdminHandler, org: Org, request: Request, name: str, log: Records) -> Response:
    try:
        return _json(handler(org, request, name, log))
    except (KeyError, TypeError, ValueError) as error:
        return _error(400, str(error.args[0] if isinstance(error, KeyError) else error))


def _error(status: int, message: str) -> Response:
    return Response(status, msgspec.json.encode({"error": message}))


def _json(value: Any) -> Response:
    try:
        return Response(200, msgspec.json.encode(value, enc_hook=_plain))
    except UnicodeEncodeError:  # half a surrogate pair, put there by set_raw
        return Response(200, json.dumps(value, default=_plain).encode())


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, (set, frozenset)) else str(value)


def _items(body: bytes) -> list[dict[str, Any]]:
    sent = json.loads(body)  # unlike msgspec it reads half a surrogate pair
    return sent if isinstance(sent, list) else [sent]


# -- handlers -----------------------------------------------------------------------------------------------------


def _change(org: Org, request: Request, name: str, log: Records) -> Any:
    return [org.apply(operation) for operation in _items(request.body)]


def _summary(org: Org, request: Request, name: str, log: Records) -> Any:
    """Return what identifies a practice org, so that no other server is taken for one."""
    rows = sum(len(table.rows) for table in org.tables.values())
    return {"practice_org": org.org_id, "objects": len(org.tables), "rows": rows}


def _rows(org: Org, request: Request, name: str, log: Records) -> Any:
    parameters = request.parameters
    if "id" in parameters:
        return [org.row(name, parameters["id"])]
    limit = int(parameters["limit"]) if "limit" in parameters else None
    return org.rows(name, deleted=parameters.get("deleted", "1") != "0", limit=limit)


def _fields(org: Org, request: Request, name: str, log: Records) -> Any:
    return [asdict(field) for field in org.table(name).schema.fields.values()]


def _requests(org: Org, request: Request, name: str, log: Records) -> Any:
    since = int(request.parameters.get("since", "0"))
    return [asdict(record) for record in log if record.number > since]


def _faults(org: Org, request: Request, name: str, log: Records) -> Any:
    return [fault_json(fault) for fault in org.faults]


def _add_faults(org: Org, request: Request, name: str, log: Records) -> Any:
    org.faults.extend([fault_from(settings) for settings in _items(request.body)])
    return _faults(org, request, name, log)


def _clear_faults(org: Org, request: Request, name: str, log: Records) -> Any:
    org.faults.clear()
    return []


def _behaviour(org: Org, request: Request, name: str, log: Records) -> Any:
    return asdict(org.behaviour)


def _set_behaviour(org: Org, request: Request, name: str, log: Records) -> Any:
    org.behaviour = behaviour_from({**asdict(org.behaviour), **_items(request.body)[0]})
    return asdict(org.behaviour)


def _reset_behaviour(org: Org, request: Request, name: str, log: Records) -> Any:
    org.behaviour = Behaviour()
    return asdict(org.behaviour)


def _expire_sessions(org: Org, request: Request, name: str, log: Records) -> Any:
    org.expire_sessions()
    return {}


def _expire_locators(org: Org, request: Request, name: str, log: Records) -> Any:
    org.expire_locators()
    return {}


def _spend_calls(org: Org, request: Request, name: str, log: Records) -> Any:
    org.spend_calls(int(name))
    return {}


ADMIN_ROUTES: tuple[tuple[str, str, AdminHandler], ...] = (
    ("POST", r"/practice/changes", _change),
    ("GET", r"/practice/org", _summary),
    ("GET", r"/practice/truth/(\w+)", _rows),
    ("GET", r"/practice/fields/(\w+)", _fields),
    ("GET", r"/practice/requests", _requests),
    ("GET", r"/practice/faults", _faults),
    ("POST", r"/practice/faults", _add_faults),
    ("DELETE", r"/practice/faults", _clear_faults),
    ("GET", r"/practice/behaviour", _behaviour),
    ("POST", r"/practice/behaviour", _set_behaviour),
    ("DELETE", r"/practice/behaviour", _reset_behaviour),
    ("POST", r"/practice/expire-sessions", _expire_sessions),
    ("POST", r"/practice/expire-locators", _expire_locators),
    ("POST", r"/practice/spend-calls/(\d+)", _spend_calls),
)
