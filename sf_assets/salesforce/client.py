"""The client of one Salesforce org: login, describe, aggregate queries, results page by page."""

import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, TypeVar

from sf_assets.errors import LoginError, SalesforceError
from sf_assets.errors.redaction import get_logger
from sf_assets.salesforce.aggregates import ask
from sf_assets.salesforce.capabilities import Capabilities
from sf_assets.salesforce.client_settings import Clock, OrgAccess, RequestLimits
from sf_assets.salesforce.describe import Described, SObject, describe
from sf_assets.salesforce.instance_url import host_of, parse_instance_url
from sf_assets.salesforce.login.audience import audiences
from sf_assets.salesforce.login.credentials import Token
from sf_assets.salesforce.login.session import Session
from sf_assets.salesforce.org_info import org_id
from sf_assets.salesforce.paging import Stream, pages
from sf_assets.salesforce.rate_limit.ledger import Ledger, MemoryLedger
from sf_assets.salesforce.sender import Sender
from sf_assets.salesforce.traffic import Traffic
from sf_assets.salesforce.wire import Flow, Page, Query, Request, Response, Result, Transport, Usage

log = get_logger(__name__)
T = TypeVar("T")


class Client:
    """One user of one org; logs in at the first request and keeps the pace of its ledger.

    Methods raise the classes of `sf_assets.errors` after every attempt that is worth it. `seed` makes the jitter
    repeatable; `transport` is one of httpx's, for tests.
    """

    def __init__(
        self,
        access: OrgAccess,
        *,
        limits: RequestLimits = RequestLimits(),  # noqa: B008 - frozen, so one for all is safe
        ledger: Ledger | None = None,
        clock: Clock = Clock(),  # noqa: B008 - frozen, so one for all is safe
        seed: int | None = None,
        transport: Any = None,
    ) -> None:
        self.address = parse_instance_url(access.instance_url)
        self.version = access.api_version.strip().lower().removeprefix("v")
        self.credentials, self.audiences = access.credentials, audiences(self.address, access.audience)
        self.ledger = ledger or MemoryLedger(requests_per_second=limits.requests_per_second, clock=clock.monotonic)
        self._access, self._limits, self._clock = access, limits, clock
        self._given_transport, self._transport, self._opening = transport, None, threading.Lock()
        self._sender = Sender(
            self.address, limits=limits, clock=clock, ledger=self.ledger, open_transport=self._open_transport, seed=seed
        )
        self._session = Session(self._log_in, token_seconds=access.token_seconds, monotonic=clock.monotonic)
        self._capabilities = Capabilities(clock.monotonic)
        self._described: dict[str, Described] = {}
        self.login_instance_url: str | None = None

    _transport: Transport | None

    @property
    def missing_features(self) -> tuple[str, ...]:
        """What the org or a gateway does not serve: "composite", "describe", "queryAll", "aggregates"."""
        return self._capabilities.missing

    def missing_features_of(self, sobject: str) -> tuple[str, ...]:
        """Return what the org or a gateway does not serve for this object."""
        return self._capabilities.missing_of(sobject)

    @property
    def calls(self) -> int:
        """Requests sent, logins and repetitions included."""
        return self._sender.traffic.total.calls

    @property
    def sent_again(self) -> int:
        """Repetitions among the calls."""
        return self._sender.traffic.total.repeated_calls

    @property
    def waited_seconds(self) -> float:
        """Seconds of waiting for permits."""
        return self._sender.traffic.total.waited_seconds

    @property
    def usage(self) -> Usage | None:
        """The org's API calls as of the last answer, or None."""
        return self._sender.headers.usage

    @property
    def server_time(self) -> datetime | None:
        """The org's clock at the last answer, or None."""
        moment: datetime | None = self._sender.headers.server_time
        return moment

    def counting(self) -> AbstractContextManager[Traffic]:
        """Count what this thread sends within a block."""
        return self._sender.traffic.counting()

    def requests_per_second(self) -> float:
        """Return the rate that the ledger allows now."""
        return self.ledger.standing().pace.rate

    def now(self) -> datetime:
        """Return the time of this machine's clock."""
        return self._clock.now()

    def org_id(self) -> str:
        """Return the org's Id (15 or 18 characters); log in if needed.

        An org that names none has a stand-in, which is made of its host."""
        own = self._session.get_token().org_id
        return own or self.drive(org_id(self.address, version=self.version, capabilities=self._capabilities))

    def describe(self, sobjects: Sequence[str], *, fresh: bool = False) -> dict[str, Described]:
        """Describe each sObject; keep the answers for this client's life unless `fresh`."""
        cache = {} if fresh else self._described
        missing = [name for name in dict.fromkeys(sobjects) if not isinstance(cache.get(name), SObject)]
        if missing:
            flow = describe(missing, version=self.version, capabilities=self._capabilities)
            self._described |= self.drive(flow)
        return {name: self._described[name] for name in sobjects}

    def ask(self, queries: Sequence[Query]) -> list[dict[str, Any] | SalesforceError]:
        """Return the record of each aggregate query, or its error; five to a call."""
        return self.drive(ask(queries, version=self.version, capabilities=self._capabilities))

    def read(self, query: Query, *, reserve: float | None = None) -> Result:
        """Return the result of a query; nothing is sent before it is iterated.

        `reserve` replaces the client's own share of calls that is left to others.
        """
        share = self._limits.quota_reserve if reserve is None else reserve
        return Result(lambda: self._stream(query, reserve=share))

    def close(self) -> None:
        """Close the connections; the next request opens new ones."""
        with self._opening:
            if self._transport is not None:
                self._transport.close()
                self._transport = None

    def wait(self, seconds: float) -> None:
        """Wait on this client's clock."""
        self._clock.sleep(seconds)

    def drive(self, flow: Flow[T], *, reserve: float | None = None) -> T:
        """Send the requests of a flow; return its result. `reserve` as in `read`."""
        share = self._limits.quota_reserve if reserve is None else reserve
        try:
            request = next(flow)
            while True:
                request = self._step(flow, request, reserve=share)
        except StopIteration as end:
            value: T = end.value
            return value

    def _stream(self, query: Query, *, reserve: float) -> Iterator[Page]:
        log.debug("%s: reading %s", query.sobject, query.soql)
        flow: Stream = pages(query, address=self.address, version=self.version, capabilities=self._capabilities)
        item = next(flow, None)
        while item is not None:
            if isinstance(item, Page):
                yield item
                item = next(flow, None)
            else:
                item = self._step(flow, item, reserve=reserve)
        log.debug("%s: read", query.sobject)

    def _step(self, flow: Any, request: Request, *, reserve: float) -> Any:
        """Send a flow's request, hand it the outcome, and return its next item."""
        try:
            response = self._answer(request, reserve=reserve)
        except SalesforceError as error:
            return flow.throw(error)
        return flow.send(response)

    def _answer(self, request: Request, *, reserve: float) -> Response:
        if request.kind == "login":
            return self._sender.answer(request, session=None, reserve=None)
        return self._sender.answer(request, session=self._session, reserve=reserve)

    def _log_in(self) -> Token:
        """Log in; after a refusal, once more with credentials that have changed."""
        try:
            return self._log_in_once()
        except LoginError:
            renewed = self._access.renew_credentials(self.credentials)
            if renewed is None:
                raise
        log.info("the credentials were changed since they were read: logging in with the new ones")
        self.credentials, self._described = renewed, {}  # another user may see other fields
        return self._log_in_once()

    def _log_in_once(self) -> Token:
        from sf_assets.salesforce.login.jwt_bearer import is_elsewhere, login  # cryptography costs 50 ms to import

        clock = self._clock
        token = self.drive(login(self.credentials, audiences=self.audiences, now=clock.now, monotonic=clock.monotonic))
        others = (audience for audience in self.audiences if audience != token.audience)
        self.audiences, self.login_instance_url = (token.audience, *others), token.instance_url or None
        if is_elsewhere(token.instance_url, address=self.address):
            host = host_of(token.instance_url)
            log.warning("the login names another instance, %s; requests stay with %s", host, self.address.origin)
        log.info("logged in to %s, org %s", self.address.authority, token.org_id or "without an Id")
        return token

    def _open_transport(self) -> Transport:
        with self._opening:
            if self._transport is None:
                from sf_assets.salesforce.transport import HttpTransport  # httpx costs 90 ms to import

                self._transport = HttpTransport(
                    self.address, timeouts=self._limits.timeouts, clock=self._clock, transport=self._given_transport
                )
                weakref.finalize(self, self._transport.close)
            return self._transport
