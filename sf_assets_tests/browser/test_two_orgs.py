"""Two YAML files of one `dg` project: the tables of two orgs, and a history, in one graph."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from sf_assets_tests.assets.test_component import Project, documented_command
from sf_assets_tests.browser.conftest import START_SECONDS, free_port, is_answering

pytestmark = pytest.mark.browser
YAML = "type: sf_assets.SalesforceOrg\n\nattributes:\n  endpoints: [account, contact, opportunity]\n"
LAYOUT_MILLISECONDS = 60_000


@pytest.fixture(scope="module")
def two_orgs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of Dagit over a project with two orgs."""
    folder = tmp_path_factory.mktemp("two_orgs")
    project, port = Project(folder), free_port()
    (Path(project.env["DAGSTER_HOME"]) / "dagster.yaml").write_text(
        "nux: {enabled: false}\ntelemetry: {enabled: false}\n"
    )
    for name, more in (("acme", "  history: [opportunity]\n"), ("emea", "  org: emea\n")):
        defs = project.yaml.parents[1] / name
        defs.mkdir()
        (defs / "defs.yaml").write_text(YAML + more)
    command = [*project.command(documented_command("dg dev")), "--port", str(port)]
    with (folder / "log").open("wb") as log:
        dagit = subprocess.Popen(
            command, cwd=project.folder, env=project.env, stdout=log, stderr=log, start_new_session=True
        )
    url, give_up = f"http://127.0.0.1:{port}", time.monotonic() + START_SECONDS
    while not is_answering(f"{url}/server_info"):
        assert dagit.poll() is None, (folder / "log").read_text()
        assert time.monotonic() < give_up, (folder / "log").read_text()
        time.sleep(0.5)
    yield url
    os.killpg(dagit.pid, signal.SIGTERM)
    dagit.wait(60)


def test_the_tables_of_two_orgs_are_in_one_graph(two_orgs: str, page: Page, pictures: Path) -> None:
    page.goto(f"{two_orgs}/locations/proj/asset-groups/crm_core/lineage", wait_until="domcontentloaded")
    expect(page.get_by_text("opportunity_changes").first).to_be_visible(timeout=LAYOUT_MILLISECONDS)
    page.wait_for_timeout(4_000)

    page.screenshot(path=pictures / "two-orgs-graph.png", clip={"x": 280, "y": 60, "width": 1320, "height": 940})

    text = page.locator("body").inner_text()
    assert "salesforce_emea" in text
    assert text.count("opportunity") > 2
