"""What a person sees in Dagit: a run of all thirty that succeeds, and the assets in their groups."""

import json
import time
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from sf_assets.specs.endpoints import endpoints

pytestmark = pytest.mark.browser
LAYOUT_MILLISECONDS = 60_000
RUN_SECONDS = 600
RUN = """query Run($id: ID!) { runOrError(runId: $id) { ... on Run {
    status stepStats { stepKey status materializations { assetKey { path } } } } } }"""


def asked(dagit: str, query: str, **variables: str) -> Any:
    """What Dagit's own GraphQL answers."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(f"{dagit}/graphql", body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)["data"]


def ended(dagit: str, run_id: str) -> Any:
    give_up = time.monotonic() + RUN_SECONDS
    while time.monotonic() < give_up:
        run = asked(dagit, RUN, id=run_id)["runOrError"]
        if run["status"] in ("SUCCESS", "FAILURE", "CANCELED"):
            return run
        time.sleep(2)
    raise AssertionError(f"the run {run_id} did not end within {RUN_SECONDS} seconds")


def test_the_button_materialize_all_makes_thirty_tables(dagit: str, page: Page) -> None:
    page.goto(f"{dagit}/asset-groups", wait_until="domcontentloaded")

    page.get_by_role("button", name="Materialize all").click(timeout=LAYOUT_MILLISECONDS)

    launched = page.get_by_text("Launched run")
    expect(launched).to_be_visible(timeout=LAYOUT_MILLISECONDS)
    page.get_by_text("View", exact=True).first.click()
    page.wait_for_url("**/runs/**")
    run = ended(dagit, page.url.rsplit("/", 1)[1].split("?")[0])
    made = {asset["assetKey"]["path"][-1] for step in run["stepStats"] for asset in step["materializations"]}
    assert run["status"] == "SUCCESS", [step for step in run["stepStats"] if step["status"] != "SUCCESS"]
    assert made == {spec.endpoint for spec in endpoints()}


def test_the_asset_graph_shows_every_group_with_its_endpoints(dagit: str, page: Page, pictures: Path) -> None:
    page.set_viewport_size({"width": 1600, "height": 1660})
    expanded = quote("global@global:opportunity_detail")
    page.goto(f"{dagit}/asset-groups?expanded={expanded}", wait_until="domcontentloaded")
    expect(page.get_by_text("opportunity_history").first).to_be_visible(timeout=LAYOUT_MILLISECONDS)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(3_000)  # the layout is drawn by a worker

    page.screenshot(path=pictures / "asset-graph.png", clip={"x": 541, "y": 110, "width": 1059, "height": 1550})

    shown = page.locator("body").inner_text()
    counts = Counter(spec.group for spec in endpoints() if spec.group != "opportunity_detail")
    assert [group for group, count in counts.items() if f"{group}\n{count}\n" not in shown] == []
