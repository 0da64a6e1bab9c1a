"""The one place that drives the exchanges with Salesforce: it sends, paces, sleeps, tries again and gives up."""

import logging
import random
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from sf_assets.errors import ConfigError, LoginError, OrgBusy, QuotaSpent, SalesforceError
from sf_assets.salesforce.classify import ApiRefusal, classify
from sf_assets.salesforce.composite import CompositeAnswer
from sf_assets.salesforce.describe import Described, SObject, describe
from sf_assets.salesforce.error_table import Retry
from sf_assets.salesforce.instance_url import host_of, parse_instance_url
from sf_assets.salesforce.login.credentials import Credentials, Token
from sf_assets.salesforce.login.session import TOKEN_SECONDS, Session
from sf_assets.salesforce.org_info import org_id
from sf_assets.salesforce.paging import Stream, ask, pages
from sf_assets.salesforce.rate_limit.ledger import Ledger, MemoryLedger
from sf_assets.salesforce.rate_limit.quota import QuotaExceeded, quota_spent, refused_by_org
from sf_assets.salesforce.rate_limit.throttle import Permit
from sf_assets.salesforce.redaction import without, without_inside
from sf_assets.salesforce.retry import Attempts, RetryPolicy, Timeouts
from sf_assets.salesforce.wire import (
    Capabilities,
    Flow,
    Page,
    Query,
    Request,
    Response,
    Result,
    Transport,
    TransportError,
    Usage,
    date_of,
    retry_after_seconds,
    usage_of,
)

log = logging.getLogger(__name__)
T = TypeVar("T")


def utc_now() -> datetime:
    return datetime.now(UTC)


def _never(refused: Credentials) -> None:
    """There are no other credentials than those that were refused."""


@dataclass(frozen=True)
class _Attempt:
    """One sending of a request: under which permit and token, and what came."""

    request: Request
    permit: Permit
    token: Token | None
    answer: Response | TransportError
    secrets: tuple[str, ...] = field(repr=False)


class Client:
    """One org, one user: logs in when first needed, and sends everything at the pace of its ledger.

    Raises the classes of `sf_assets.errors`; what is transient was tried again before. `quota_reserve` is the share
    of the day's calls that is left to others; `renewed_credentials` is asked once after a refused login, for others
    than those that were refused; `seed` makes the jitter repeatable; `transport` is httpx's, for tests.
    """

    def __init__(
        self,
        *,
        instance_url: str,
        credentials: Credentials,
        audience: str | None = None,
        renewed_credentials: Callable[[Credentials], Credentials | None] = _never,
        requests_per_second: float = 2.0,
        api_version: str = "60.0",
        quota_reserve: float = 0.1,
        ledger: Ledger | None = None,
        timeouts: Timeouts = Timeouts(),  # noqa: B008 - frozen, so one for all is safe
        patience: RetryPolicy = RetryPolicy(),  # noqa: B008 - frozen, so one for all is safe
        token_seconds: float = TOKEN_SECONDS,
        now: Callable[[], datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        seed: int | None = None,
        transport: Any = None,
    ) -> None:
        if not requests_per_second > 0:
            raise ConfigError(f"SALESFORCE_REQUESTS_PER_SECOND is {requests_per_second}; it must be positive")
        if not 0 <= quota_reserve < 1:
            raise ConfigError(f"SALESFORCE_QUOTA_RESERVE is {quota_reserve}; it is a share, from 0 to under 1")
        self.address = parse_instance_url(instance_url)
        self.credentials, self.audience = credentials, audience or self.address.audience
        self._renewed = renewed_credentials
        self.version = api_version.removeprefix("v")
        self.ledger = ledger or MemoryLedger(requests_per_second=requests_per_second, clock=monotonic)
        self._reserve, self._patience = quota_reserve, patience
        self._timeouts, self._given_transport = timeouts, transport
        self.now, self._monotonic, self._sleep = now, monotonic, sleep
        self._random = random.Random(seed)
        self._services = Capabilities()
        self._session = Session(self._log_in, token_seconds=token_seconds, monotonic=monotonic)
        self._described: dict[str, Described] = {}
        self._sending: Transport | None = None
        self.usage: Usage | None = None
        self.server_time: datetime | None = None
        self.told_instance_url: str | None = None
        self.calls, self.sent_again, self.waited_seconds = 0, 0, 0.0

    @property
    def degraded(self) -> tuple[str, ...]:
        """What the org or a gateway does not serve, by name: "composite", "describe", "queryAll"."""
        return self._services.refused

    def org_id(self) -> str:
        """The org's Id, of 15 or 18 characters, or what stands for it where none is told; logs in when needed."""
        told = self._session.token().org_id
        return told or self.drive(org_id(self.address, version=self.version, services=self._services))

    def describe(self, sobjects: Sequence[str], *, fresh: bool = False) -> dict[str, Described]:
        """What this user sees of each sObject; the reason as an error where it is off or hidden; None where describe
        is not served. Kept for this client's life; `fresh` asks anew.
        """
        kept = {} if fresh else self._described
        missing = [name for name in dict.fromkeys(sobjects) if not isinstance(kept.get(name), SObject)]
        if missing:
            self._described |= self.drive(describe(missing, version=self.version, services=self._services))
        return {name: self._described[name] for name in sobjects}

    def ask(self, queries: Sequence[Query]) -> list[dict[str, Any] | SalesforceError]:
        """The one record of each aggregate query, without `attributes`, or its error as a value; five to a call."""
        return self.drive(ask(queries, version=self.version, services=self._services))

    def read(self, query: Query, *, reserve: float | None = None) -> Result:
        """The result of a query; nothing is sent before it is iterated. `reserve` in place of the client's own."""
        kept = self._reserve if reserve is None else reserve
        return Result(lambda: self._stream(query, reserve=kept))

    def close(self) -> None:
        """Close the connections; the next request opens new ones."""
        if self._sending is not None:
            self._sending.close()
            self._sending = None

    def _stream(self, query: Query, *, reserve: float) -> Iterator[Page]:
        log.debug("%s: reading %s", query.sobject, query.soql)
        flow: Stream = pages(query, address=self.address, version=self.version, services=self._services)
        item = next(flow, None)
        while item is not None:
            if isinstance(item, Page):
                yield item
                item = next(flow, None)
            else:
                item = self._step(flow, item, reserve=reserve)
        log.debug("%s: read", query.sobject)

    def drive(self, flow: Flow[T]) -> T:
        """What an exchange of this package ends with; this client sends what it asks for."""
        try:
            request = next(flow)
            while True:
                request = self._step(flow, request, reserve=self._reserve)
        except StopIteration as end:
            value: T = end.value
            return value

    def _step(self, flow: Any, request: Request, *, reserve: float) -> Any:
        """Send what an exchange asks for, and hand it the reply or the error; what it asks for next."""
        try:
            reply = self._answer(request, reserve=reserve)
        except SalesforceError as error:
            return flow.throw(error)
        return flow.send(reply)

    def _answer(self, request: Request, *, reserve: float) -> Response:
        """The good reply to a request, after as many tries as it is worth; else the error."""
        tries, refusal = Attempts(self._monotonic()), None
        while True:
            tries = tries.again(refusal)
            self.sent_again += tries.sent > 1
            attempt = self._attempt(request, reserve=reserve)
            judged = without_inside(classify(request, attempt.answer), attempt.secrets)
            if isinstance(judged, Response) and attempt.token is not None:
                self._session.prove(attempt.token)
            refusal = judged if isinstance(judged, ApiRefusal) else _refusal_inside(judged)
            if refusal is None or not self._tries_again(attempt, refusal, tries=tries):
                break
        if isinstance(judged, Response):
            return judged
        error = judged.error(request, after=tries.said(self._monotonic()), attempts=tries.sent)
        raise refused_by_org(error, now=self.now()) if isinstance(error, QuotaSpent) else error

    def _tries_again(self, attempt: _Attempt, refusal: ApiRefusal, *, tries: Attempts) -> bool:
        """Draw the conclusions of a refusal; True after the pause when the request is to be sent again."""
        headers = attempt.answer.headers if isinstance(attempt.answer, Response) else {}
        retry_after = retry_after_seconds(headers, now=self.now())
        if refusal.row.error is QuotaSpent:
            self.ledger.exhausted()
        if refusal.row.retry is Retry.PUSHBACK:
            self.ledger.pushed_back(attempt.permit.slot, retry_after=retry_after)
        if refusal.row.retry is Retry.LOGIN and attempt.token is not None:
            return self._session.end(attempt.token)
        now, chance = self._monotonic(), self._random.random()
        pause = tries.pause_seconds(refusal, patience=self._patience, now=now, retry_after=retry_after, chance=chance)
        if pause is None:
            return False
        path, said = attempt.request.bare_path, f"{refusal.status or ''} {refusal.code}".strip()
        log.info("%s answered %s: sending it again (%d)", path, said, tries.sent + 1)
        self._sleep(pause)
        return True

    def _attempt(self, request: Request, *, reserve: float) -> _Attempt:
        """Send once, when it is allowed."""
        is_login = request.kind == "login"
        token = None if is_login else self._session.token()
        transport = self._transport()
        permit = self._permit(None if is_login else reserve)
        body = request.body() if callable(request.body) else request.body
        access_token = token.access_token if token else None
        answer = transport.send(request, body=body, access_token=access_token)
        self.calls += 1
        if isinstance(answer, Response):
            self._note(answer)
        assertion = body.rpartition(b"assertion=")[2].decode() if is_login and body else ""
        secrets = (access_token or "", assertion, self.credentials.consumer_key, self.credentials.username)
        return _Attempt(request, permit, token, without(answer, secrets), secrets)

    def _note(self, reply: Response) -> None:
        self.server_time = date_of(reply.headers) or self.server_time
        usage = usage_of(reply.headers)
        if usage is not None:
            self.usage = usage
            self.ledger.read(usage)

    def _permit(self, reserve: float | None) -> Permit:
        """Wait for leave to send; QuotaSpent or OrgBusy when it will not come soon."""
        permit, waited_seconds = self.ledger.permit(None, reserve=reserve), 0.0
        while isinstance(permit, Permit) and (permit.wait_seconds > 0 or not permit.is_kept):
            if waited_seconds + permit.wait_seconds > self._patience.total_seconds:
                until = f"{self.now() + timedelta(seconds=permit.wait_seconds):%Y-%m-%dT%H:%M:%SZ}"
                raise OrgBusy(f"no request may be sent before {until}, after {waited_seconds:.0f} s of waiting")
            self._sleep(permit.wait_seconds)
            waited_seconds += permit.wait_seconds
            self.waited_seconds += permit.wait_seconds
            permit = self.ledger.permit(permit, reserve=None)
        if isinstance(permit, QuotaExceeded):
            raise quota_spent(permit, reserve=reserve or 0.0, now=self.now())
        return permit

    def _log_in(self) -> Token:
        """Log in; credentials that were changed since they were read are tried once when the login is refused."""
        try:
            return self._logged_in()
        except LoginError:
            renewed = self._renewed(self.credentials)
            if renewed is None:
                raise
        log.info("the credentials were changed since they were read: logging in with the new ones")
        self.credentials, self._described = renewed, {}  # another user may see other fields
        return self._logged_in()

    def _logged_in(self) -> Token:
        from sf_assets.salesforce.login.jwt_bearer import is_elsewhere, login

        flow = login(self.credentials, audience=self.audience, now=self.now, monotonic=self._monotonic)
        token = self.drive(flow)
        self.told_instance_url = token.instance_url or None
        if is_elsewhere(token.instance_url, address=self.address):
            told = host_of(token.instance_url)
            log.warning("the login names another instance, %s; requests stay with %s", told, self.address.origin)
        log.info("logged in to %s, org %s", self.address.authority, token.org_id or "not told")
        return token

    def _transport(self) -> Transport:
        if self._sending is None:
            from sf_assets.salesforce.transport import HttpTransport

            self._sending = HttpTransport(
                self.address,
                timeouts=self._timeouts,
                now=self.now,
                monotonic=self._monotonic,
                transport=self._given_transport,
            )
            weakref.finalize(self, self._sending.close)
        return self._sending


def _refusal_inside(reply: Response) -> ApiRefusal | None:
    return reply.content.transient() if isinstance(reply.content, CompositeAnswer) else None
