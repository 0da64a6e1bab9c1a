"""Sends requests at the pace of the ledger, and sends again what is worth it."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sf_assets.errors import (
    AssertionExpired,
    AssertionRefused,
    ClockWrong,
    LoginError,
    OrgBusy,
    QuotaSpent,
    SalesforceError,
)
from sf_assets.errors.redaction import get_logger
from sf_assets.salesforce.classify import ApiRefusal, classify
from sf_assets.salesforce.client_settings import Clock, RequestLimits
from sf_assets.salesforce.composite import CompositeAnswer
from sf_assets.salesforce.error_row import Retry
from sf_assets.salesforce.headers import date_of, retry_after_seconds, usage_of
from sf_assets.salesforce.instance_url import Address
from sf_assets.salesforce.login.credentials import Token
from sf_assets.salesforce.login.session import Session
from sf_assets.salesforce.rate_limit.ledger import Ledger
from sf_assets.salesforce.rate_limit.quota import QuotaExceeded, quota_spent, refused_by_org
from sf_assets.salesforce.rate_limit.throttle import Permit
from sf_assets.salesforce.retry import Attempts
from sf_assets.salesforce.traffic import TrafficCounter
from sf_assets.salesforce.wire import Request, Response, Transport, TransportError, Usage

log = get_logger(__name__)
SKEW_SECONDS = 120.0
"""Where the clocks differ by more than this, a refused login is refused because of the clock."""


@dataclass
class LastHeaders:
    """What the headers of the last answers said: the org's usage and its clock."""

    usage: Usage | None = None
    server_time: Any = None


@dataclass(frozen=True)
class _Attempt:
    """One sending of a request: its permit, its token and the answer."""

    request: Request
    permit: Permit
    token: Token | None
    answer: Response | TransportError


class Sender:
    """The sending of one client's requests: permits, attempts, pauses, errors."""

    def __init__(
        self,
        address: Address,
        *,
        limits: RequestLimits,
        clock: Clock,
        ledger: Ledger,
        open_transport: Callable[[], Transport],
        seed: int | None = None,
    ) -> None:
        self.address, self.ledger = address, ledger
        self.traffic, self.headers = TrafficCounter(), LastHeaders()
        self._limits, self._clock = limits, clock
        self._open_transport = open_transport
        self._random = random.Random(seed)

    def answer(self, request: Request, *, session: Session | None, reserve: float | None) -> Response:
        """Return the good answer to a request.

        `session` None: without a token; `reserve` None: costs no quota. Raises: the error of the last attempt.
        """
        attempts, refusal = Attempts(self._clock.monotonic()), None
        while True:
            attempts = attempts.add(refusal)
            self.traffic.add(repeated_calls=int(attempts.sent > 1))
            attempt = self._send_once(request, session=session, reserve=reserve)
            outcome = classify(request, attempt.answer)
            if isinstance(outcome, Response) and session is not None and attempt.token is not None:
                session.mark_proven(attempt.token)
            refusal = outcome if isinstance(outcome, ApiRefusal) else _refusal_inside(outcome)
            if refusal is None or not self._prepare_next(attempt, refusal, session=session, attempts=attempts):
                break
        if isinstance(outcome, Response):
            return outcome
        raise self._error(attempt, outcome, attempts)

    def _prepare_next(
        self, attempt: _Attempt, refusal: ApiRefusal, *, session: Session | None, attempts: Attempts
    ) -> bool:
        """Prepare the next sending after a refusal; return whether there is one.

        The ledger learns of the refusal, a refused token is dropped, and a pause is made."""
        headers = attempt.answer.headers if isinstance(attempt.answer, Response) else {}
        retry_after = retry_after_seconds(headers, now=self._clock.now())
        if refusal.row.error is QuotaSpent:
            self.ledger.exhausted()
        if refusal.row.retry is Retry.PUSHBACK:
            self.ledger.pushed_back(attempt.permit.slot, retry_after=retry_after)
        if refusal.row.retry is Retry.LOGIN:
            return session is not None and attempt.token is not None and session.end(attempt.token)
        return self._pause(attempt.request, refusal, attempts=attempts, retry_after=retry_after)

    def _pause(self, request: Request, refusal: ApiRefusal, *, attempts: Attempts, retry_after: float | None) -> bool:
        now, chance = self._clock.monotonic(), self._random.random()
        pause = attempts.pause_seconds(
            refusal, policy=self._limits.retry, now=now, retry_after=retry_after, chance=chance
        )
        if pause is None:
            return False
        answer = f"{refusal.status or ''} {refusal.code}".strip()
        log.info("%s answered %s: sending it again (%d)", request.bare_path, answer, attempts.sent + 1)
        self._clock.sleep(pause)
        return True

    def _send_once(self, request: Request, *, session: Session | None, reserve: float | None) -> _Attempt:
        token = session.get_token() if session else None
        transport = self._open_transport()
        permit = self._wait_for_permit(reserve)
        body = request.body() if callable(request.body) else request.body
        began = self._clock.monotonic()
        answer = transport.send(request, body=body, access_token=token.access_token if token else None)
        self.traffic.add(calls=1, sending_seconds=self._clock.monotonic() - began)
        if isinstance(answer, Response):
            self._read_headers(answer)
        return _Attempt(request, permit, token, answer)

    def _read_headers(self, response: Response) -> None:
        self.headers.server_time = date_of(response.headers) or self.headers.server_time
        usage = usage_of(response.headers)
        if usage is not None:
            self.headers.usage = usage
            self.ledger.read(usage)

    def _wait_for_permit(self, reserve: float | None) -> Permit:
        """Wait for a permit. Raises: QuotaSpent, or OrgBusy if the wait is too long."""
        permit, waited_seconds = self.ledger.permit(None, reserve=reserve), 0.0
        while isinstance(permit, Permit) and (permit.wait_seconds > 0 or not permit.is_kept):
            if waited_seconds + permit.wait_seconds > self._limits.retry.total_seconds:
                until = f"{self._clock.now() + timedelta(seconds=permit.wait_seconds):%Y-%m-%dT%H:%M:%SZ}"
                raise OrgBusy(f"no request may be sent before {until}, after {waited_seconds:.0f} s of waiting")
            self._clock.sleep(permit.wait_seconds)
            waited_seconds += permit.wait_seconds
            self.traffic.add(waited_seconds=permit.wait_seconds)
            permit = self.ledger.permit(permit, reserve=None)
        if isinstance(permit, QuotaExceeded):
            raise quota_spent(permit, reserve=reserve or 0.0, now=self._clock.now())
        return permit

    def _error(self, attempt: _Attempt, refusal: ApiRefusal, attempts: Attempts) -> SalesforceError:
        after = attempts.summary(self._clock.monotonic())
        error = refusal.error(attempt.request, after=after, attempts=attempts.sent)
        if isinstance(error, QuotaSpent):
            return refused_by_org(error, now=self._clock.now())
        if isinstance(error, AssertionExpired | AssertionRefused) or type(error) is LoginError:
            return _with_skew(error, attempt.answer)
        return error


def _with_skew(error: SalesforceError, answer: Response | TransportError) -> SalesforceError:
    """Return ClockWrong where the answer's `Date` shows that this machine's clock is off."""
    server_time = date_of(answer.headers) if isinstance(answer, Response) else None
    if server_time is None or not isinstance(answer, Response):
        return error
    skew = (answer.sent_at - server_time).total_seconds()
    if abs(skew) < SKEW_SECONDS:
        return error
    direction = "ahead of" if skew > 0 else "behind"
    what = f"this machine's clock is {_duration(abs(skew))} {direction} the org's, so the login was refused: {error}"
    values = {**error.values, "skew_seconds": round(skew)}
    return ClockWrong(what, remedy=None, **values)


def _duration(seconds: float) -> str:
    days, rest = divmod(int(seconds), 86_400)
    hours, minutes = rest // 3600, rest % 3600 // 60
    parts = ((days, "d"), (hours, "h"), (minutes, "min"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number)


def _refusal_inside(response: Response) -> ApiRefusal | None:
    return response.content.transient_refusal() if isinstance(response.content, CompositeAnswer) else None
