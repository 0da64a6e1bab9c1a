"""The side door: change the org and look behind it over HTTP, without a session. Real orgs have nothing like it.

It asks for a loopback Host and, on POST, for JSON: so a web page in the user's browser cannot come in.
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
LOOPBACK = re.compile(r"(127\.0\.0\.1|localhost)(:\d+)?")
Records = Sequence[RequestRecord]


def side_answer(org: Org, asked: Request, *, log: Records) -> Response:
    """The answer to a request under /practice/; what is wrong with it is told in plain words."""
    if not LOOPBACK.fullmatch(asked.headers.get("host", "")):
        return _told(403, "the side door opens on loopback only")
    if asked.method == "POST" and "json" not in asked.headers.get("content-type", ""):
        return _told(415, "send JSON, with Content-Type: application/json")
    for method, pattern, answer in DOORS:
        match = re.fullmatch(pattern, asked.path)
        if match is not None and method == asked.method:
            return _tried(answer, org, asked, match[1] if match.groups() else "", log)
    return _told(404, f"there are {', '.join(f'{method} {pattern}' for method, pattern, _ in DOORS)}")


def _tried(answer: "Door", org: Org, asked: Request, name: str, log: Records) -> Response:
    try:
        return answer(org, asked, name, log)
    except (KeyError, TypeError, ValueError, msgspec.DecodeError) as error:
        return _told(400, str(error))


def _told(status: int, message: str) -> Response:
    return Response(status, msgspec.json.encode({"error": message}))


def _shown(value: Any) -> Response:
    try:
        return Response(200, msgspec.json.encode(value, enc_hook=_plain))
    except UnicodeEncodeError:  # half a surrogate pair, put there by set_raw
        return Response(200, json.dumps(value, default=_plain).encode())


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, (set, frozenset)) else str(value)


def _list(body: bytes) -> list[dict[str, Any]]:
    sent = json.loads(body)  # unlike msgspec it reads half a surrogate pair
    return sent if isinstance(sent, list) else [sent]


# -- the doors ----------------------------------------------------------------------------------------------------


def _changes(org: Org, asked: Request, name: str, log: Records) -> Response:
    return _shown([org.apply(operation) for operation in _list(asked.body)])


def _truth(org: Org, asked: Request, name: str, log: Records) -> Response:
    return _shown(org.rows(name, deleted=asked.parameters.get("deleted", "1") != "0"))


def _requests(org: Org, asked: Request, name: str, log: Records) -> Response:
    since = int(asked.parameters.get("since", "0"))
    return _shown([asdict(record) for record in log if record.number > since])


def _see_faults(org: Org, asked: Request, name: str, log: Records) -> Response:
    return _shown([fault_json(fault) for fault in org.faults])


def _add_faults(org: Org, asked: Request, name: str, log: Records) -> Response:
    org.faults.extend([fault_from(settings) for settings in _list(asked.body)])
    return _see_faults(org, asked, name, log)


def _clear_faults(org: Org, asked: Request, name: str, log: Records) -> Response:
    org.faults.clear()
    return _see_faults(org, asked, name, log)


def _see_behaviour(org: Org, asked: Request, name: str, log: Records) -> Response:
    return _shown(asdict(org.behaviour))


def _set_behaviour(org: Org, asked: Request, name: str, log: Records) -> Response:
    org.behaviour = behaviour_from({**asdict(org.behaviour), **_list(asked.body)[0]})
    return _see_behaviour(org, asked, name, log)


def _reset_behaviour(org: Org, asked: Request, name: str, log: Records) -> Response:
    org.behaviour = Behaviour()
    return _see_behaviour(org, asked, name, log)


def _expire_sessions(org: Org, asked: Request, name: str, log: Records) -> Response:
    org.expire_sessions()
    return _shown({})


def _expire_locators(org: Org, asked: Request, name: str, log: Records) -> Response:
    org.expire_locators()
    return _shown({})


def _spend_calls(org: Org, asked: Request, name: str, log: Records) -> Response:
    org.spend_calls(int(name))
    return _shown({})


Door = Callable[[Org, Request, str, Records], Response]
DOORS: tuple[tuple[str, str, Door], ...] = (
    ("POST", r"/practice/changes", _changes),
    ("GET", r"/practice/truth/(\w+)", _truth),
    ("GET", r"/practice/requests", _requests),
    ("GET", r"/practice/faults", _see_faults),
    ("POST", r"/practice/faults", _add_faults),
    ("DELETE", r"/practice/faults", _clear_faults),
    ("GET", r"/practice/behaviour", _see_behaviour),
    ("POST", r"/practice/behaviour", _set_behaviour),
    ("DELETE", r"/practice/behaviour", _reset_behaviour),
    ("POST", r"/practice/expire-sessions", _expire_sessions),
    ("POST", r"/practice/expire-locators", _expire_locators),
    ("POST", r"/practice/spend-calls/(\d+)", _spend_calls),
)
