"""The practice org on a socket: HTTP/1.1 with keep-alive on 127.0.0.1, and on no other address."""

import gzip
import socket
import struct
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from sf_assets.devorg.api.app import Desk, Served
from sf_assets.devorg.api.messages import Request, RequestRecord, Response, split_target
from sf_assets.devorg.api.oauth import App
from sf_assets.devorg.credentials import CONSUMER_KEY, Credentials, process_private_key
from sf_assets.devorg.org.faults import Fault
from sf_assets.devorg.org.org import Org

HOST = "127.0.0.1"
GZIP_FROM_BYTES = 1_000
RESET = struct.pack("ii", 1, 0)  # close without lingering: the peer sees a reset


class Server:
    """A served org: where it is, what one logs in with, and what was asked of it."""

    def __init__(self, org: Org, http: "PracticeHttp", credentials: Credentials) -> None:
        self.org = org
        self.url = f"http://{HOST}:{http.server_port}"
        self.credentials: Mapping[str, str] = {
            "consumer_key": credentials.consumer_key,
            "private_key": credentials.private_key,
            "username": credentials.username,
        }
        self._desk = http.desk

    @property
    def requests(self) -> Sequence[RequestRecord]:
        """Every request so far, in the order of the answers; the side door's are not in it."""
        return tuple(self._desk.log)

    def forget_requests(self) -> None:
        """Empty the log; the numbers go on."""
        with self.org.lock:
            self._desk.log.clear()


@contextmanager
def serve(org: Org, port: int = 0, *, host: str = HOST, credentials: Credentials | None = None) -> Iterator[Server]:
    """Serve an org until the block ends. Port 0 takes a free one; any host but 127.0.0.1 is refused."""
    if host != HOST:
        raise ValueError(f"the practice org is served on {HOST} only, not on {host}")
    known = credentials or Credentials(CONSUMER_KEY, process_private_key(), str(org.user["Username"]))
    http = PracticeHttp(Desk(org, App(known.consumer_key, known.public_key())), port)
    thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield Server(org, http, known)
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


class PracticeHttp(ThreadingHTTPServer):
    """One thread a connection; they die with the process, and do not hold up the end of a test."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, desk: Desk, port: int) -> None:
        self.desk = desk
        super().__init__((HOST, port), Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no error of the org."""


class Handler(BaseHTTPRequestHandler):
    """Reads requests, hands them to the desk, writes answers."""

    protocol_version = "HTTP/1.1"
    server_version = "practice-org"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave in one piece
    server: PracticeHttp

    def do_GET(self) -> None:  # noqa: N802  # the name that http.server looks for
        self._answer()

    do_POST = do_DELETE = do_PATCH = do_PUT = do_HEAD = do_GET  # noqa: N815  # as above

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the parent's name
        """The log is `Server.requests`; nothing is printed."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The `Date` header tells the org's time."""
        return format_datetime(self.server.desk.org.now(), usegmt=True)

    def _answer(self) -> None:
        asked, raw_query = self._asked()
        served = self.server.desk.serve(
            asked, raw_query=raw_query, uri_bytes=len(self.path), header_bytes=self._header_bytes()
        )
        time.sleep(self._delay(served.fault))
        if served.fault is not None and served.fault.reset:
            self._reset()
        else:
            self._write(served)

    def _asked(self) -> tuple[Request, str]:
        path, raw_query, parameters = split_target(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        url = f"http://{HOST}:{self.server.server_port}"
        number = 0 if path.startswith("/practice/") else self.server.desk.number()
        return Request(self.command, path, parameters, headers, body, url, number), raw_query

    def _header_bytes(self) -> int:
        return sum(len(name) + len(value) + 4 for name, value in self.headers.items())

    def _delay(self, fault: Fault | None) -> float:
        return self.server.desk.org.behaviour.latency_seconds + (fault.delay_seconds if fault else 0.0)

    def _write(self, served: Served) -> None:
        body = self._packed(served.answer)
        self.send_response(served.answer.status)
        self._write_head(served.answer, length=len(body), packed=body is not served.answer.body)
        cut = served.fault is not None and served.fault.truncate
        self.close_connection = self.close_connection or cut
        if self.command != "HEAD":
            self.wfile.write(body[: len(body) // 2] if cut else body)

    def _write_head(self, answer: Response, *, length: int, packed: bool) -> None:
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.body:
            self.send_header("Content-Type", answer.content_type)
        if packed:
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def _packed(self, answer: Response) -> bytes:
        asked_for = "gzip" in self.headers.get("Accept-Encoding", "")
        if asked_for and self.server.desk.org.behaviour.gzip and len(answer.body) >= GZIP_FROM_BYTES:
            return gzip.compress(answer.body, compresslevel=1, mtime=0)
        return answer.body

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.close_connection = True
        self.connection.close()
