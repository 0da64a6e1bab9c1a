"""The border to httpx: sends one request to the org's origin, and returns the whole answer or why there is none."""

import io
import logging
import ssl
import zlib
from collections.abc import Iterator
from typing import cast

import httpcore
import httpx

from sf_assets.salesforce.client_settings import Clock
from sf_assets.salesforce.instance_url import Address
from sf_assets.salesforce.limits import MOST_BYTES, MOST_ERROR_BYTES
from sf_assets.salesforce.network import DeadlineBackend, open_pool
from sf_assets.salesforce.retry import Timeouts
from sf_assets.salesforce.wire import Request, Response, TransportError

LONGEST_REASON = 500
_NO_CONNECTION = (
    httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError, httpx.UnsupportedProtocol, httpx.PoolTimeout,
    httpcore.ProxyError, httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.UnsupportedProtocol,
    httpcore.PoolTimeout,
)  # fmt: skip
_FINAL_OF_PROXY = ("403", "407")
_GZIP_MEMBER = b"\x1f\x8b"
_WINDOW_BITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}


class _TooLarge(Exception):
    """The answer has more decoded bytes than its bound."""


class _Undecodable(Exception):
    """The answer has an encoding that was not asked for, or it breaks off."""


class HttpTransport:
    """A pool of connections to one origin.

    No redirect is followed. An answer counts when it was read to its end."""

    def __init__(
        self,
        address: Address,
        *,
        timeouts: Timeouts,
        clock: Clock,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._clock, self._answer_seconds = clock, timeouts.answer_seconds
        for name in ("httpx", "httpcore"):
            logging.getLogger(name).setLevel(logging.WARNING)  # their lines hold the SOQL and headers
        self._backend = DeadlineBackend(clock.monotonic)
        self._client = httpx.Client(
            base_url=address.origin,
            follow_redirects=False,
            trust_env=False,
            timeout=httpx.Timeout(timeouts.silence_seconds, connect=timeouts.connect_seconds),
            headers={"User-Agent": "sf-assets", "Accept": "application/json", "Accept-Encoding": "gzip"},
            transport=transport or open_pool(address, self._backend),
        )

    def send(self, request: Request, *, body: bytes | None, access_token: str | None) -> Response | TransportError:
        """Send once."""
        headers = {"Content-Type": request.content_type} if request.content_type else {}
        if request.accept is not None:
            headers["Accept"] = request.accept
        if access_token is not None:
            headers["Authorization"] = f"Bearer {access_token}"
        sent_at, deadline = self._clock.now(), self._clock.monotonic() + self._answer_seconds
        self._backend.set_deadline(deadline)
        try:
            with self._client.stream(request.method, request.path, content=body, headers=headers) as answer:
                whole = self._read(answer, deadline=deadline, kind=request.kind)
                return Response(answer.status_code, dict(answer.headers), whole, sent_at)
        except Exception as error:  # noqa: BLE001 - the one border to httpx, httpcore, h11 and ssl
            return self._error(error)

    def _read(self, answer: httpx.Response, *, deadline: float, kind: str) -> bytes:
        """Return the decoded body; of a refusal its beginning."""
        is_good = answer.status_code == 200
        most = MOST_BYTES[kind] if is_good else MOST_ERROR_BYTES
        whole = io.BytesIO()  # its value is not copied; the pieces of a list would be
        for piece in _decoded_pieces(answer, most=most):
            whole.write(piece)
            if whole.tell() > most:
                if is_good:
                    raise _TooLarge(f"more than {most:,} bytes")
                break
            if self._clock.monotonic() > deadline:
                raise httpx.ReadTimeout(f"the answer was not complete after {self._answer_seconds:.0f} s")
        return whole.getvalue()[:most]

    def _error(self, error: Exception) -> TransportError:
        """Return the text of an exception.

        The exception itself holds the request, and the request holds the token."""
        text = f"{type(error).__name__}: {error}"[:LONGEST_REASON] if str(error) else type(error).__name__
        if isinstance(error, _TooLarge):
            return TransportError("too large", text)
        if isinstance(error, httpx.ProxyError | httpcore.ProxyError) and str(error).startswith(_FINAL_OF_PROXY):
            return TransportError("proxy", f"the proxy answered {str(error)[:LONGEST_REASON]}")
        if _is_certificate(error):
            return TransportError("certificate", text)
        if isinstance(error, _NO_CONNECTION):
            return TransportError("no connection", text)
        if isinstance(error, httpx.TimeoutException | httpcore.TimeoutException):
            return TransportError("time-out", text)
        return TransportError("torn answer", text)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _is_certificate(error: BaseException | None) -> bool:
    """Return whether a certificate that is not trusted is among the causes."""
    for _ in range(5):
        if error is None:
            return False
        if isinstance(error, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _decoded_pieces(answer: httpx.Response, *, most: int) -> Iterator[bytes]:
    """Yield the decoded body in pieces of at most `most` + 1 bytes.

    httpx decodes whole pieces, and a piece of 64 kB may hold 64 MB.
    """
    encoding = answer.headers.get("content-encoding", "").strip().lower()
    pieces = iter(cast("httpx.SyncByteStream", answer.stream))
    if encoding in ("", "identity"):
        yield from pieces
        return
    if encoding not in _WINDOW_BITS:
        raise _Undecodable(f"Content-Encoding {encoding[:50]!r} was not asked for")
    yield from _unzipped(pieces, _WINDOW_BITS[encoding], most=most)


def _unzipped(pieces: Iterator[bytes], window_bits: int, *, most: int) -> Iterator[bytes]:
    unzip, has_bytes = zlib.decompressobj(window_bits), False
    for piece in pieces:
        rest = piece
        while rest:
            has_bytes = True
            if unzip.eof and not rest.startswith(_GZIP_MEMBER):
                return  # padding
            unzip = zlib.decompressobj(window_bits) if unzip.eof else unzip
            yield unzip.decompress(rest, most + 1)
            rest = unzip.unconsumed_tail or (unzip.unused_data if unzip.eof else b"")
    if has_bytes and not unzip.eof:
        raise _Undecodable("the compressed body breaks off")
