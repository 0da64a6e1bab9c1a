"""The border to httpx: sends one request to the org's origin and gives back a whole reply or a fault, never a retry."""

import logging
import zlib
from collections.abc import Callable
from datetime import datetime

import httpx

from sf_assets.salesforce.instance_url import Address
from sf_assets.salesforce.retry import Timeouts
from sf_assets.salesforce.wire import Request, Response, TransportError


class HttpTransport:
    """One pool of connections to one origin. No redirect is followed; an answer counts when it was read to its end."""

    def __init__(
        self,
        address: Address,
        *,
        timeouts: Timeouts,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._now, self._monotonic, self._answer_seconds = now, monotonic, timeouts.answer_seconds
        logging.getLogger("httpx").setLevel(logging.WARNING)  # its line for each request holds the SOQL
        self._client = httpx.Client(
            base_url=address.origin,
            follow_redirects=False,
            trust_env=not address.is_loopback,
            timeout=httpx.Timeout(timeouts.silence_seconds, connect=timeouts.connect_seconds),
            headers={"User-Agent": "sf-assets", "Accept": "application/json", "Accept-Encoding": "gzip"},
            transport=transport,
        )

    def send(self, request: Request, *, body: bytes | None, access_token: str | None) -> Response | TransportError:
        """Send once."""
        headers = {"Content-Type": request.content_type} if request.content_type else {}
        if access_token is not None:
            headers["Authorization"] = f"Bearer {access_token}"
        sent_at, began = self._now(), self._monotonic()
        try:
            with self._client.stream(request.method, request.path, content=body, headers=headers) as answer:
                whole = self._read(answer, began=began)
                if whole is None:
                    return TransportError("time-out", f"the answer was not complete after {self._answer_seconds:.0f} s")
                return Response(answer.status_code, dict(answer.headers), whole, sent_at)
        except (httpx.RequestError, zlib.error) as error:
            return _fault(error)

    def _read(self, answer: httpx.Response, *, began: float) -> bytes | None:
        pieces = []
        for piece in answer.iter_bytes():
            pieces.append(piece)
            if self._monotonic() - began > self._answer_seconds:
                return None
        return b"".join(pieces)

    def close(self) -> None:
        self._client.close()


def _fault(error: Exception) -> TransportError:
    """What an exception of httpx says, without the exception: it holds the request, and that the token."""
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError | httpx.UnsupportedProtocol):
        return TransportError("no connection", text)
    if isinstance(error, httpx.TimeoutException):
        return TransportError("time-out", text)
    return TransportError("torn answer", text)
