"""Dagit over a practice org of its own, and Chromium over Dagit. `make test-browser` runs these tests."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
START_SECONDS = 180


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


def is_answering(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture(scope="session")
def dagit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of Dagit as `make dev` serves it, over an empty home."""
    home, port = tmp_path_factory.mktemp("home"), free_port()
    shutil.copy(Path(__file__).parents[2] / "dagster.yaml", home)
    command = [sys.executable, "-m", "sf_assets.cli", "dev", "--port", str(free_port()), "--dagit-port", str(port)]
    environment = os.environ | {"DAGSTER_HOME": str(home), "SF_ASSETS_HOME": str(home)}
    with (home / "dev.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    url, give_up = f"http://127.0.0.1:{port}", time.monotonic() + START_SECONDS
    while not is_answering(f"{url}/server_info"):
        assert process.poll() is None, (home / "dev.log").read_text()
        assert time.monotonic() < give_up, (home / "dev.log").read_text()
        time.sleep(0.5)
    yield url
    process.terminate()
    process.wait(timeout=60)


@pytest.fixture
def page() -> Iterator[Page]:
    """A page of Chromium; the test is skipped where there is none."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser.new_page(viewport={"width": 1600, "height": 1000})
        browser.close()


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where pictures go: docs/images when `make pictures` asks for them, else nowhere that lasts."""
    return Path(os.environ.get("PICTURES") or tmp_path)
