"""What a person sees in Dagit: thirty assets in their groups, and a run of all that succeeds."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from sf_assets.specs.endpoints import endpoints

pytestmark = pytest.mark.browser
LAYOUT_MILLISECONDS = 60_000
RUN_MILLISECONDS = 600_000


def opened(page: Page, url: str) -> Page:
    page.goto(url, wait_until="domcontentloaded")
    page.wait_for_load_state("networkidle")
    return page


def test_the_asset_graph_shows_thirty_endpoints_in_their_groups(dagit: str, page: Page, pictures: Path) -> None:
    opened(page, f"{dagit}/asset-groups?expanded={'%2C'.join(sorted({spec.group for spec in endpoints()}))}")
    expect(page.get_by_text("account", exact=True).first).to_be_visible(timeout=LAYOUT_MILLISECONDS)
    page.wait_for_timeout(4_000)

    page.screenshot(path=pictures / "asset-graph.png")

    shown = page.locator("body").inner_text()
    assert [spec.endpoint for spec in endpoints() if spec.endpoint not in shown] == []
