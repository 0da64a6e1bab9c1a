"""The practice org as a neighbour: a child process that serves it on loopback while this process works with it."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sf_assets.errors import ConfigError

PORT = 8630
START_SECONDS = 120.0
"""How long a start may take: the first one makes a key pair and all records."""
NOTE = "server.json"
"""In the org's folder: which process serves it on which port, for the others that want it."""


@contextmanager
def practice_org(home: Path, *, port: int | None = None, options: Sequence[str] = ()) -> Iterator[str]:
    """Serve the practice org of `home` and yield its URL; one that is already served is used and left running.

    Without `port` it is PORT, or a free one where another program has that. `options` go to `python -m
    sf_assets.devorg` as they are. Raises ConfigError when the org does not come up.
    """
    if url := serving(home):
        yield url
        return
    home.mkdir(parents=True, exist_ok=True)
    port = port or _usual_or_free_port()
    log = home / "server.log"
    with log.open("wb") as output, _started(command(home, port, options), output) as process:
        url = _url(port)
        _wait(process, url, log)
        note(home, port=port, pid=process.pid)
        yield url


def command(home: Path, port: int, options: Sequence[str]) -> list[str]:
    """Return the command line that serves the org of `home`."""
    return [sys.executable, "-m", "sf_assets.devorg", "--port", str(port), "--home", str(home), *options]


def note(home: Path, *, port: int, pid: int) -> None:
    """Leave word that the process `pid` serves the org of `home`."""
    home.mkdir(parents=True, exist_ok=True)
    (home / NOTE).write_text(json.dumps({"port": port, "pid": pid}), encoding="utf-8")


def serving(home: Path) -> str | None:
    """Return the URL of the process that serves the org of `home`, None when there is none."""
    try:
        told = json.loads((home / NOTE).read_text(encoding="utf-8"))
        os.kill(told["pid"], 0)
    except (OSError, ValueError):
        return None
    return _url(told["port"]) if _is_answering(_url(told["port"])) else None


def _url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def _usual_or_free_port() -> int:
    for port in (PORT, 0):
        with socket.socket() as bound:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                bound.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(bound.getsockname()[1])
    raise ConfigError("no port of 127.0.0.1 is free", remedy="End some of the programs that listen on 127.0.0.1.")


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
    give_up = time.monotonic() + START_SECONDS
    while not _is_answering(url) or process.poll() is not None:
        if process.poll() is not None or time.monotonic() > give_up:
            raise ConfigError(
                f"the practice org did not start on {url}: {_last_line(log)}",
                remedy=f"Read {log}. If the port is taken, leave --port out or name another one; if {log.parent} was"
                " made by another version of sf_assets, start anew: make clean.",
            )
        time.sleep(0.1)


def _is_answering(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/services/data", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
