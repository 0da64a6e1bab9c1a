"""What `sf-assets marts` shows: the marts behind the tables, in one graph, all of it filled."""

import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from socket import socket
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
ROOT = Path(__file__).parents[2]
START_SECONDS = 600
LAYOUT_MILLISECONDS = 60_000
ALL_PASSED = re.compile(r"^(\d+) / \1 Passed$")
"""A mart's checks, once its run has ended."""


def free_port() -> int:
    with socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def is_served(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/server_info", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.fixture(scope="module")
def marts_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of Dagit as `make marts` leaves it: tables filled, marts built, every dbt test green."""
    pytest.importorskip("dagster_dbt", reason="the extra dbt is not installed")
    home, port = tmp_path_factory.mktemp("marts"), free_port()
    shutil.copy(ROOT / "dagster.yaml", home)
    command = [sys.executable, "-m", "sf_assets.cli", "marts", "--port", str(free_port()), "--dagit-port", str(port)]
    environment = os.environ | {"DAGSTER_HOME": str(home), "SF_ASSETS_HOME": str(home)}
    with (home / "marts.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    url, give_up = f"http://127.0.0.1:{port}", time.monotonic() + START_SECONDS
    while not is_served(url):
        assert process.poll() is None, (home / "marts.log").read_text()
        assert time.monotonic() < give_up, (home / "marts.log").read_text()
        time.sleep(0.5)
    assert "All dbt tests have passed." in (home / "marts.log").read_text()
    yield url
    process.terminate()
    process.wait(timeout=60)


def test_the_marts_graph_joins_the_tables_graph(marts_url: str, page: Page, pictures: Path) -> None:
    page.set_viewport_size({"width": 1600, "height": 2700})
    page.goto(f"{marts_url}/asset-groups?expanded={quote('global@global:marts')}", wait_until="domcontentloaded")
    expect(page.get_by_text("win_rate", exact=True).first).to_be_visible(timeout=LAYOUT_MILLISECONDS)
    marts = {path.stem for path in (ROOT / "dbt/models/marts").glob("*.sql")}
    expect(page.get_by_text(ALL_PASSED)).to_have_count(len(marts), timeout=START_SECONDS * 1_000)
    for passing in ("fetching statuses", "Loading...", "Materializing"):
        expect(page.get_by_text(passing)).to_have_count(0, timeout=START_SECONDS * 1_000)
    page.wait_for_timeout(2_000)

    page.screenshot(path=pictures / "marts-graph.png", clip={"x": 541, "y": 300, "width": 1000, "height": 2100})

    visible = page.locator("body").inner_text()
    assert {name for name in marts if name not in visible} == set()


def test_a_mart_names_the_tables_that_it_hangs_on(marts_url: str, page: Page) -> None:
    page.goto(f"{marts_url}/assets/marts/stage_duration?view=lineage", wait_until="domcontentloaded")

    for table in ("opportunity", "opportunity_history"):
        expect(page.get_by_text(re.compile(f"^{table}$")).first).to_be_visible(timeout=LAYOUT_MILLISECONDS)
