"""The front desk of a served org: from a whole request to a whole answer, with faults and the log. No sockets here."""

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from sf_assets.devorg.api.admin_api import PREFIX, side_answer
from sf_assets.devorg.api.composite import part_urls
from sf_assets.devorg.api.messages import Request, RequestRecord, Response
from sf_assets.devorg.api.oauth import App, token_answer
from sf_assets.devorg.api.request_checks import passed, too_long
from sf_assets.devorg.api.routes import data_answer, fault_response, kind_of, sobject_of, versions_answer
from sf_assets.devorg.api_errors import not_found, unknown_exception
from sf_assets.devorg.org.faults import Fault, FaultMatcher
from sf_assets.devorg.org.org import Org

TOKEN_PATH = "/services/oauth2/token"  # noqa: S105  # a path, not a secret
MOST_LOGGED = 100_000  # an org may run for weeks
VERSIONS_PATH = re.compile(r"/services/data/?")


@dataclass(frozen=True)
class Served:
    """An answer, and the fault that befalls it on its way (late, cut, reset), if any."""

    answer: Response
    fault: Fault | None = None


class Desk:
    """Answers requests of one served org; safe for many threads."""

    def __init__(self, org: Org, app: App) -> None:
        self.org = org
        self.app = app
        self.log: deque[RequestRecord] = deque(maxlen=MOST_LOGGED)
        self._faults = FaultMatcher(org.faults)
        self._taken = 0

    def number(self) -> int:
        """The number of the next request, from 1."""
        with self.org.lock:
            self._taken += 1
            return self._taken

    def serve(self, asked: Request, *, raw_query: str, uri_bytes: int, header_bytes: int) -> Served:
        """Answer one request and write it to the log. The side door is neither logged nor struck by faults."""
        if asked.path.startswith(PREFIX):
            return Served(side_answer(self.org, asked, log=tuple(self.log)))
        kind = self._kind(asked)
        fault = self.match_fault(asked, kind)
        answer = self._answer(asked, kind, fault, sizes=(uri_bytes, header_bytes))
        self._note(asked, kind, answer, raw_query=raw_query)
        return Served(answer, fault)

    def match_fault(self, asked: Request, kind: str) -> Fault | None:
        """The fault that befalls this request or subrequest."""
        with self.org.lock:
            return self._faults.match_fault(
                number=asked.number, kind=kind, path=asked.path, sobject=sobject_of(asked), soql=asked.soql
            )

    def _kind(self, asked: Request) -> str:
        if asked.path == TOKEN_PATH:
            return "token"
        return "versions" if VERSIONS_PATH.fullmatch(asked.path) else kind_of(asked)

    def _answer(self, asked: Request, kind: str, fault: Fault | None, *, sizes: tuple[int, int]) -> Response:
        refused = too_long(self.org, uri_bytes=sizes[0], header_bytes=sizes[1])
        if refused is not None:
            return refused
        if fault is not None and fault.answer_status is not None:
            return fault_response(fault, fault.answer_status)
        try:
            return self._true_answer(asked, kind)()
        except Exception as error:  # noqa: BLE001  # the border: a client gets an answer, whatever is wrong here
            return Response(500, unknown_exception(error).body())

    def _true_answer(self, asked: Request, kind: str) -> Callable[[], Response]:
        if kind == "versions":
            return lambda: versions_answer(self.org)
        if kind == "token":
            return lambda: self._token(asked)
        return lambda: passed(
            self.org, asked, answer=lambda: data_answer(self.org, asked, match_fault=self.match_fault)
        )

    def _token(self, asked: Request) -> Response:
        if asked.method != "POST":
            return Response(404, not_found().body())
        return token_answer(self.org, asked, app=self.app)

    def _note(self, asked: Request, kind: str, answer: Response, *, raw_query: str) -> None:
        record = RequestRecord(
            number=asked.number,
            at=self.org.clock(),
            method=asked.method,
            path=asked.path,
            query=asked.soql or raw_query,
            kind=kind,
            status=answer.status,
            sobject=sobject_of(asked),
            user_agent=asked.headers.get("user-agent", ""),
            parts=part_urls(asked.body) if kind == "composite" else (),
        )
        with self.org.lock:
            self.log.append(record)
