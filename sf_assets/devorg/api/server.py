"""The practice org on a socket: HTTP/1.1 with keep-alive on 127.0.0.1, and on no other address."""

import gzip
import socket
import struct
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from sf_assets.devorg.api.app import Exchange, PracticeApp
from sf_assets.devorg.api.messages import RequestRecord, Response
from sf_assets.devorg.api.oauth import ConnectedApp
from sf_assets.devorg.credentials import CONSUMER_KEY, Credentials, process_private_key
from sf_assets.devorg.org.org import Org

HOST = "127.0.0.1"
GZIP_FROM_BYTES = 1_000
RESET = struct.pack("ii", 1, 0)  # close without lingering: the peer sees a reset


class Server:
    """A served org: its URL, the credentials for a login, and the requests so far."""

    def __init__(self, app: PracticeApp, credentials: Credentials) -> None:
        self.app = app
        self.org = app.org
        self.url = app.origin
        self.credentials: Mapping[str, str] = {
            "consumer_key": credentials.consumer_key,
            "private_key": credentials.private_key,
            "username": credentials.username,
        }

    @property
    def requests(self) -> Sequence[RequestRecord]:
        """The requests so far, in the order of responses, without the admin API's."""
        return tuple(self.app.log)

    def forget_requests(self) -> None:
        """Empty the log. The numbers go on."""
        with self.org.lock:
            self.app.log.clear()


def default_credentials(org: Org) -> Credentials:
    """Return the credentials of an org without a home folder."""
    return Credentials(CONSUMER_KEY, process_private_key(), str(org.user["Username"]))


def connected_app(credentials: Credentials) -> ConnectedApp:
    """Return the app that these credentials log in to."""
    return ConnectedApp(credentials.consumer_key, credentials.public_key())


@contextmanager
def serve(org: Org, port: int = 0, *, host: str = HOST, credentials: Credentials | None = None) -> Iterator[Server]:
    """Serve an org until the block ends.

    Port 0 takes a free one. Any host but 127.0.0.1 is refused.
    """
    if host != HOST:
        raise ValueError(f"the practice org is served on {HOST} only, not on {host}")
    org_credentials = credentials or default_credentials(org)
    app = PracticeApp(org, connected_app(org_credentials), origin="")
    http = PracticeHttp(app, port)
    app.origin = f"http://{HOST}:{http.server_port}"
    thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield Server(app, org_credentials)
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


class PracticeHttp(ThreadingHTTPServer):
    """One thread for each connection. The threads never delay the end of a test or of the process."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, app: PracticeApp, port: int) -> None:
        self.app = app
        self._connections = set[socket.socket]()
        super().__init__((HOST, port), Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Start the thread of a connection, and keep the connection for `server_close`."""
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection that has ended."""
        self._connections.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        """Close the port and all connections.

        Otherwise a thread that waits for a client's next request would keep the org in memory.
        """
        super().server_close()
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that close their connection."""


class Handler(BaseHTTPRequestHandler):
    """The connection of one client: from bytes to the app and back."""

    protocol_version = "HTTP/1.1"
    server_version = "practice-org"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave in one piece
    server: PracticeHttp

    def do_GET(self) -> None:  # noqa: N802  # the name that http.server looks for
        self._respond()

    do_POST = do_DELETE = do_PATCH = do_PUT = do_HEAD = do_OPTIONS = do_GET  # noqa: N815  # as above

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the parent's name
        """Print nothing: the log is `Server.requests`."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return the org's time for the `Date` header."""
        return self.server.app.date()

    def _respond(self) -> None:
        app = self.server.app
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        exchange = app.handle(self.command, self.path, {n.lower(): v for n, v in self.headers.items()}, body)
        time.sleep(app.delay(exchange.fault))
        if exchange.fault is not None and exchange.fault.reset:
            self._reset()
        else:
            self._write(exchange)

    def _write(self, exchange: Exchange) -> None:
        response = exchange.response
        body = self._compressed(response)
        self.send_response(response.status)
        self._write_head(response, length=len(body), is_compressed=body is not response.body)
        is_cut = exchange.fault is not None and exchange.fault.truncate
        self.close_connection = self.close_connection or is_cut
        if self.command != "HEAD":
            self.wfile.write(body[: len(body) // 2] if is_cut else body)

    def _write_head(self, response: Response, *, length: int, is_compressed: bool) -> None:
        for name, value in response.headers.items():
            self.send_header(name, value)
        if response.body:
            self.send_header("Content-Type", response.content_type)
        if is_compressed:
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def _compressed(self, response: Response) -> bytes:
        accepts = "gzip" in self.headers.get("Accept-Encoding", "")
        if accepts and self.server.app.org.behaviour.gzip and len(response.body) >= GZIP_FROM_BYTES:
            return gzip.compress(response.body, compresslevel=1, mtime=0)
        return response.body

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.close_connection = True
        self.connection.close()
