"""Dagit over a practice org of its own, and Chromium over Dagit. `make test-browser` and `make soak` run it."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
START_SECONDS = 300
RUN_SECONDS = 600
DOCS = "https://git.acme.example/sf_assets/docs"
RUN = """query Run($id: ID!) { runOrError(runId: $id) { ... on Run {
    status stepStats { stepKey status materializations { assetKey { path } } } } } }"""


@dataclass(frozen=True)
class Served:
    """Dagit at `url` over `home`, and the practice org at `org_url` that its assets read."""

    url: str
    org_url: str
    home: Path

    def ask(self, query: str, **variables: Any) -> Any:
        """Return the answer of Dagit's own GraphQL."""
        return post(f"{self.url}/graphql", {"query": query, "variables": variables})["data"]

    def wait_for_run(self, run_id: str) -> Any:
        """Wait until the run has ended, and return it."""
        give_up = time.monotonic() + RUN_SECONDS
        while time.monotonic() < give_up:
            run = self.ask(RUN, id=run_id)["runOrError"]
            if run["status"] in ("SUCCESS", "FAILURE", "CANCELED"):
                return run
            time.sleep(2)
        raise AssertionError(f"the run {run_id} did not end within {RUN_SECONDS} seconds")

    def side_door(self, door: str, *changes: Any) -> Any:
        """Do something to the practice org: `changes`, `faults`, `behaviour`."""
        return post(f"{self.org_url}/practice/{door}", list(changes))

    def read_side_door(self, door: str) -> Any:
        """Return what the practice org says of itself: `requests`, `faults`."""
        with urllib.request.urlopen(f"{self.org_url}/practice/{door}", timeout=120) as answer:
            return json.load(answer)

    def clear_faults(self) -> None:
        """Let the practice org answer well again."""
        request = urllib.request.Request(f"{self.org_url}/practice/faults", method="DELETE")
        urllib.request.urlopen(request, timeout=120).close()


def post(url: str, value: Any) -> Any:
    request = urllib.request.Request(url, json.dumps(value).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.load(answer)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def is_answering(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@contextmanager
def serve_dagit(home: Path, **environment: str) -> Iterator[Served]:
    """Serve Dagit as `make dev` does, over `home` and with these variables more, until the block ends."""
    port, org_port = free_port(), free_port()
    shutil.copy(Path(__file__).parents[2] / "dagster.yaml", home)
    command = [sys.executable, "-m", "sf_assets.cli", "dev", "--port", str(org_port), "--dagit-port", str(port)]
    ours = {"DAGSTER_HOME": str(home), "SF_ASSETS_HOME": str(home), "SF_ASSETS_DOCS_URL": DOCS}
    variables = os.environ | ours | environment
    log = home / "dev.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=variables, stdout=output, stderr=subprocess.STDOUT)
    try:
        give_up = time.monotonic() + START_SECONDS
        while not is_answering(f"http://127.0.0.1:{port}/server_info"):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < give_up, log.read_text()
            time.sleep(0.5)
        yield Served(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{org_port}", home)
    finally:
        process.terminate()
        process.wait(timeout=60)


@pytest.fixture(scope="session")
def serving() -> Callable[..., AbstractContextManager[Served]]:
    """Serves Dagit over a home, as often as it is called."""
    return serve_dagit


@pytest.fixture(scope="session")
def dagit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Dagit as `make dev` serves it, over a home that was empty; the tests of the pages share it."""
    with serve_dagit(tmp_path_factory.mktemp("home")) as one:
        yield one


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium; the test is skipped where there is none."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Page]:
    """A page of Chromium."""
    open_page = browser.new_page(viewport={"width": 1600, "height": 1000})
    yield open_page
    open_page.close()


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where pictures go: docs/images when `make pictures` asks for them, else nowhere that lasts."""
    return Path(os.environ.get("PICTURES") or tmp_path)
