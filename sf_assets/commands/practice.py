"""The practice org as a child process: started, found again, and called over its admin API."""

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any

from sf_assets.commands.ports import is_free, require_free
from sf_assets.commands.settings import home_errors
from sf_assets.errors import ConfigError

PORT = 8630
START_SECONDS = 120.0
"""The longest start: the first one makes a key pair and all records."""
LONGEST_ANSWER = 64 * 1024**2
SERVER_FILE = "server.json"
"""In the org's folder: the process that serves it, and its port."""


@contextmanager
def practice_org(home: Path, *, port: int | None = None, options: Sequence[str] = ()) -> Iterator[str]:
    """Serve the practice org of `home` and yield its URL.

    An org that is already served is used and left running. Without `port` it is PORT, or a free one if another program
    has that. `options` go to `python -m sf_assets.devorg` as they are. Raises: ConfigError.
    """
    if url := serving(home):
        yield url
        return
    if port is not None:
        require_free(port, flag="--port", what="the practice org")
    server_port = port or _usual_or_free_port()
    log = home / "server.log"
    with _log_file(log) as output, _started(command(home, server_port, options), output) as process:
        url = _url(server_port)
        _wait(process, url, log)
        write_server_file(home, port=server_port, pid=process.pid)
        yield url


def command(home: Path, port: int, options: Sequence[str]) -> list[str]:
    """Return the command line that serves the org of `home`."""
    return [sys.executable, "-m", "sf_assets.devorg", "--port", str(port), "--home", str(home), *options]


def write_server_file(home: Path, *, port: int, pid: int) -> None:
    """Record which process serves the org of `home` on which port."""
    with home_errors(home):
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = home / f".{SERVER_FILE}-{pid}"
        draft.write_text(json.dumps({"port": port, "pid": pid}), encoding="utf-8")
        draft.replace(home / SERVER_FILE)  # a reader finds the former file or this one, and a pipe in its place goes


def serving(home: Path) -> str | None:
    """Return the URL of the process that serves the org of `home`, or None."""
    from sf_assets.assets.practice_credentials import served_url  # it loads Dagster

    url = served_url(home)
    return url if url and is_practice_org(url) else None


def is_practice_org(url: str) -> bool:
    """Return whether a practice org answers on a URL; other web servers do not count."""
    try:
        return "practice_org" in _called(f"{url}/practice/org", timeout=2)
    except (OSError, HTTPException, ValueError, TypeError, RecursionError):
        return False


def call(url: str, path: str, body: Any = None, *, method: str | None = None) -> Any:
    """Call the admin API of a practice org and return its answer. Raises: ConfigError."""
    try:
        return _called(f"{url}/practice/{path}", body, method=method)
    except urllib.error.HTTPError as error:
        with error:
            message = _refusal(error)
        raise ConfigError(f"the practice org refuses: {message}", remedy="See docs/devorg.md.") from None
    except (OSError, HTTPException, ValueError, RecursionError) as error:
        raise ConfigError(
            f"the practice org on {url} does not answer: {error}", remedy="Start it: sf-assets practice, or make dev."
        ) from None


def _refusal(error: urllib.error.HTTPError) -> str:
    """Return the admin API's message, or the status without one."""
    try:
        return str(json.loads(error.read(LONGEST_ANSWER))["error"])
    except (OSError, HTTPException, LookupError, TypeError, ValueError, RecursionError):
        return str(error)


def _called(url: str, body: Any = None, *, method: str | None = None, timeout: float = 30) -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, data=data, method=method, headers=headers)
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback: never by a proxy
    with direct.open(request, timeout=timeout) as response:
        return json.loads(response.read(LONGEST_ANSWER))


def _url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def _usual_or_free_port() -> int:
    if is_free(PORT):
        return PORT
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


def _log_file(path: Path) -> IO[bytes]:
    """Open the log of the practice org, in a folder that is the owner's alone."""
    with home_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return path.open("wb")


@contextmanager
def _started(arguments: Sequence[str], output: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(arguments, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not is_practice_org(url) or process.poll() is not None:
        if process.poll() is not None or time.monotonic() > deadline:
            raise ConfigError(
                f"the practice org did not start on {url}: {_last_line(log)}",
                remedy=f"Read {log}. If another version of sf_assets made {log.parent}, make a new one: make clean.",
            )
        time.sleep(0.1)


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it printed nothing"
