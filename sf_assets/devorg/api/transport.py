"""The practice org inside the client's process: an httpx transport that calls the app without a socket.

A request costs a fraction of the CPU time of one over HTTP, so a test can play thousands of histories.
"""

import time
from collections.abc import Callable

import httpx

from sf_assets.devorg.api.app import Exchange, PracticeApp
from sf_assets.devorg.api.server import Server, connected_app, default_credentials
from sf_assets.devorg.credentials import Credentials
from sf_assets.devorg.org.faults import Fault
from sf_assets.devorg.org.org import Org

ORIGIN = "http://127.0.0.1:8630"
"""The URL of an org that no socket serves; the client only needs one that it accepts."""


class PracticeTransport(httpx.BaseTransport):
    """Passes each request of an httpx client to the app. `sleep` waits for the delays of faults and of latency."""

    def __init__(self, app: PracticeApp, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._app = app
        self._sleep = sleep

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request.

        Raises:
            httpx.ReadError: A fault resets the connection.
            httpx.RemoteProtocolError: A fault cuts the response.
        """
        target = request.url.raw_path.decode("ascii")
        headers = {name.lower(): value for name, value in request.headers.items()}
        exchange = self._app.handle(request.method, target, headers, request.read())
        if seconds := self._app.delay(exchange.fault):
            self._sleep(seconds)
        if exchange.fault is not None:
            _raise_fault(exchange.fault, exchange.response.body, request)
        return self._response(exchange, request)

    def _response(self, exchange: Exchange, request: httpx.Request) -> httpx.Response:
        response = exchange.response
        headers = {"Date": self._app.date(), **response.headers, "Content-Length": str(len(response.body))}
        if response.body:
            headers["Content-Type"] = response.content_type
        body = b"" if request.method == "HEAD" else response.body
        return httpx.Response(response.status, headers=headers, content=body, request=request)


def _raise_fault(fault: Fault, body: bytes, request: httpx.Request) -> None:
    if fault.reset:
        raise httpx.ReadError("[Errno 104] Connection reset by peer", request=request)
    if fault.truncate:
        sizes = f"received {len(body) // 2} bytes, expected {len(body)}"
        raise httpx.RemoteProtocolError(
            f"peer closed connection without sending complete message body ({sizes})", request=request
        )


def in_process(
    org: Org, *, credentials: Credentials | None = None, sleep: Callable[[float], None] = time.sleep
) -> tuple[Server, PracticeTransport]:
    """Return an org that is reached through a transport alone, as `serve` does for sockets."""
    org_credentials = credentials or default_credentials(org)
    app = PracticeApp(org, connected_app(org_credentials), origin=ORIGIN)
    return Server(app, org_credentials), PracticeTransport(app, sleep=sleep)
