"""The practice org as an application: from a whole request to a whole response, without sockets.

It matches faults, dispatches to the routes and keeps the request log. `server.py` and `transport.py` carry it.
"""

import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from email.utils import format_datetime

from sf_assets.devorg.api.admin_api import PREFIX, admin_response, foreign_origin
from sf_assets.devorg.api.composite import part_urls
from sf_assets.devorg.api.messages import Request, RequestRecord, Response, split_target
from sf_assets.devorg.api.oauth import ConnectedApp, token_response
from sf_assets.devorg.api.request_checks import checked_response, too_long
from sf_assets.devorg.api.routes import data_response, fault_response, kind_of, sobject_of, versions_response
from sf_assets.devorg.api_errors import not_found, unknown_exception
from sf_assets.devorg.org.faults import Fault, FaultMatcher
from sf_assets.devorg.org.org import Org

TOKEN_PATH = "/services/oauth2/token"  # noqa: S105  # a path, not a secret
LOG_LENGTH = 100_000  # an org may run for weeks
VERSIONS_PATH = re.compile(r"/services/data/?")


@dataclass(frozen=True)
class Exchange:
    """A response, and the fault that delays, cuts or drops it, if any."""

    response: Response
    fault: Fault | None = None


class PracticeApp:
    """The application of one org; safe for many threads. `origin` is where clients reach it."""

    def __init__(self, org: Org, connected_app: ConnectedApp, *, origin: str) -> None:
        self.org = org
        self.connected_app = connected_app
        self.origin = origin
        self.log: deque[RequestRecord] = deque(maxlen=LOG_LENGTH)
        self._faults = FaultMatcher(org.faults)
        self._count = 0

    def handle(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Exchange:
        """Answer one request and log it. Header names are in lower case.

        Requests to the admin API are not logged, and no fault affects them.
        """
        path, raw_query, parameters = split_target(target)
        is_admin = path.startswith(PREFIX)
        number = 0 if is_admin else self._next_number()
        request = Request(method, path, parameters, headers, body, self.origin, number)
        if foreign_origin(request):
            return Exchange(Response(403, b"The practice org refuses web pages of another origin.", {}, "text/plain"))
        if is_admin:
            return Exchange(admin_response(self.org, request, log=tuple(self.log)))
        return self._handle_api_call(request, raw_query, target)

    def match_fault(self, request: Request, kind: str) -> Fault | None:
        """Return the fault of this request or subrequest, if any."""
        if not self.org.faults:
            return None
        with self.org.lock:
            return self._faults.match_fault(
                number=request.number, kind=kind, path=request.path, sobject=sobject_of(request), soql=request.soql
            )

    def date(self) -> str:
        """Return the org's time as a `Date` header."""
        return format_datetime(self.org.now(), usegmt=True)

    def delay(self, fault: Fault | None) -> float:
        """Return the seconds that a response takes."""
        return self.org.behaviour.latency_seconds + (fault.delay_seconds if fault else 0.0)

    def _next_number(self) -> int:
        with self.org.lock:
            self._count += 1
            return self._count

    def _handle_api_call(self, request: Request, raw_query: str, target: str) -> Exchange:
        kind = self._kind(request)
        fault = self.match_fault(request, kind)
        header_bytes = sum(len(name) + len(value) + 4 for name, value in request.headers.items())
        response = too_long(self.org, uri_bytes=len(target), header_bytes=header_bytes)
        response = response or self._respond(request, kind, fault)
        self._log(request, kind, response, raw_query=raw_query)
        return Exchange(response, fault)

    def _kind(self, request: Request) -> str:
        if request.path == TOKEN_PATH:
            return "token"
        return "versions" if VERSIONS_PATH.fullmatch(request.path) else kind_of(request)

    def _respond(self, request: Request, kind: str, fault: Fault | None) -> Response:
        if fault is not None and fault.response_status is not None:
            return fault_response(fault, fault.response_status)
        try:
            response = self._handler(request, kind)()
        except Exception as error:  # noqa: BLE001  # a client gets a response, whatever is wrong here
            return Response(500, unknown_exception(error).body())
        if fault is not None and fault.lost_rows and response.status == 200:
            return replace(response, body=fault.without_lost_rows(response.body))
        return response

    def _handler(self, request: Request, kind: str) -> Callable[[], Response]:
        if kind == "versions":
            return lambda: versions_response(self.org)
        if kind == "token":
            return lambda: self._token(request)
        return lambda: checked_response(
            self.org, request, respond=lambda: data_response(self.org, request, match_fault=self.match_fault)
        )

    def _token(self, request: Request) -> Response:
        if request.method != "POST":
            return Response(404, not_found().body())
        return token_response(self.org, request, app=self.connected_app)

    def _log(self, request: Request, kind: str, response: Response, *, raw_query: str) -> None:
        record = RequestRecord(
            number=request.number,
            at=self.org.clock(),
            method=request.method,
            path=request.path,
            query=request.soql or raw_query,
            kind=kind,
            status=response.status,
            sobject=sobject_of(request),
            user_agent=request.headers.get("user-agent", ""),
            parts=part_urls(request.body) if kind == "composite" else (),
        )
        with self.org.lock:
            self.log.append(record)
