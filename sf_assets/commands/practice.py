"""The practice org as a neighbour: a child process that serves it on loopback while this process works with it."""

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sf_assets.errors import ConfigError

PORT = 8630
START_SECONDS = 120.0
"""How long a start may take: the first one makes a key pair and all records."""


@contextmanager
def practice_org(home: Path, *, port: int = PORT, options: Sequence[str] = ()) -> Iterator[str]:
    """Serve the practice org of `home` and yield its URL; one that already answers there is used and left running.

    `options` go to `sf-assets practice` as they are. Raises ConfigError when it does not come up.
    """
    url = f"http://127.0.0.1:{port}"
    if _is_answering(url):
        yield url
        return
    home.mkdir(parents=True, exist_ok=True)
    log = home / "server.log"
    with log.open("wb") as output, _started(_command(home, port, options), output) as process:
        _wait(process, url, log)
        yield url


def _command(home: Path, port: int, options: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "sf_assets.devorg", "--port", str(port), "--home", str(home), *options]


@contextmanager
def _started(command: Sequence[str], output: object) -> "Iterator[subprocess.Popen[bytes]]":
    process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    give_up = time.monotonic() + START_SECONDS
    while not _is_answering(url):
        if process.poll() is not None or time.monotonic() > give_up:
            raise ConfigError(
                f"the practice org did not start on {url}: {_last_line(log)}",
                remedy=f"Read {log}. If the port is taken, name another one (--port 8631); if {log.parent} was made by"
                " another version of sf_assets, start anew: make clean.",
            )
        time.sleep(0.1)


def _is_answering(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/services/data", timeout=2) as answer:  # noqa: S310 - a loopback URL
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
