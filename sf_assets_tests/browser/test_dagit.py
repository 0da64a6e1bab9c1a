"""What a person sees in Dagit: the thirty assets filled by a click, and what is fresh, what is wrong and what to do."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Locator, Page, expect

from sf_assets.assets.checks import CHECKS
from sf_assets.assets.freshness import CADENCES
from sf_assets.specs.endpoints import endpoints

pytestmark = pytest.mark.browser
LAYOUT_MILLISECONDS = 60_000
LAUNCH_MILLISECONDS = 180_000  # beside automation's own first runs, on a machine that has other things to do
DRAWN_MILLISECONDS = 3_000  # a layout is drawn by a worker, a chart by an animation
LAUNCHED = "__typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }"
LAUNCH = f"""mutation ($endpoints: [AssetKeyInput!]!, $checks: [AssetCheckHandleInput!]!, $config: RunConfigData!) {{
    launchPipelineExecution(executionParams: {{mode: "default", runConfigData: $config, selector: {{
        repositoryName: "__repository__", repositoryLocationName: "sf_assets", pipelineName: "__ASSET_JOB",
        assetSelection: $endpoints, assetCheckSelection: $checks}}}}) {{ {LAUNCHED} }} }}"""
GO_ON = f"""mutation ($run: String!) {{
    launchPipelineReexecution(reexecutionParams: {{parentRunId: $run, strategy: FROM_FAILURE}}) {{ {LAUNCHED} }} }}"""

VISIBLE_TEXTS = """() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const range = document.createRange(), texts = [];
    while (walker.nextNode()) {
        range.selectNodeContents(walker.currentNode);
        const box = range.getBoundingClientRect();
        const isVisible = box.height && box.top >= 0 && box.bottom <= window.innerHeight;
        if (isVisible) texts.push(walker.currentNode.textContent.trim());
    }
    return texts.filter(Boolean).join(" ");
}"""
"""The texts that are seen without scrolling, in their order."""

SENSORS = """query { sensorsOrError(repositorySelector: {repositoryName: "__repository__",
    repositoryLocationName: "sf_assets"}) {
    ... on Sensors { results { name sensorState { status } } } } }"""


def launch(dagit: Any, *names: str, config: dict[str, Any] | None = None) -> str:
    """The id of a run over some endpoints, as the launchpad starts it."""
    keys = [{"path": ["salesforce", name]} for name in names]
    checks = [{"assetKey": key, "name": name} for key in keys for name in CHECKS]
    ops = {f"salesforce__{name}": {"config": config} for name in names if config}
    answer = dagit.ask(LAUNCH, endpoints=keys, checks=checks, config={"ops": ops} if ops else {})
    return answer["launchPipelineExecution"]["run"]["runId"]


def endpoints_of(run: Any) -> set[str]:
    return {asset["assetKey"]["path"][-1] for step in run["stepStats"] for asset in step["materializations"]}


def open_page(page: Page, url: str, *texts: str, height: int = 1_000) -> None:
    """Go to a page of Dagit and wait until each of the texts is seen."""
    page.set_viewport_size({"width": 1_600, "height": height})
    page.goto(url, wait_until="domcontentloaded")
    for text in texts:
        expect(page.get_by_text(text).first).to_be_visible(timeout=LAYOUT_MILLISECONDS)
    page.wait_for_timeout(DRAWN_MILLISECONDS)


def missing(page: Page, texts: Sequence[str]) -> list[str]:
    visible = page.locator("body").inner_text()
    return [text for text in texts if text not in visible]


def seen_within(page: Page, texts: Sequence[str], *, milliseconds: int) -> None:
    """Wait until each of the texts is seen; automation may have a run of its own under way."""
    for _ in range(milliseconds // 1_000):
        if not missing(page, texts):
            return
        page.wait_for_timeout(1_000)


def above(visible: Locator) -> float:
    box = visible.first.bounding_box()
    assert box is not None
    return box["y"]


def below(visible: Locator) -> float:
    box = visible.last.bounding_box()
    assert box is not None
    return box["y"] + box["height"]


@pytest.fixture(scope="module")
def dagit_with_tables(dagit: Any) -> Any:
    """Dagit once every table has been filled: by the button, in the first test, or else by this."""
    dagit.wait_for_run(launch(dagit, *(spec.endpoint for spec in endpoints())))
    return dagit


def test_the_button_materialize_all_makes_thirty_tables(dagit: Any, page: Page) -> None:
    page.goto(f"{dagit.url}/asset-groups", wait_until="domcontentloaded")

    page.get_by_role("button", name="Materialize all").click(timeout=LAYOUT_MILLISECONDS)

    expect(page.get_by_text("Launched run")).to_be_visible(timeout=LAUNCH_MILLISECONDS)
    page.get_by_text("View", exact=True).first.click()
    page.wait_for_url("**/runs/**")
    run = dagit.wait_for_run(page.url.rsplit("/", 1)[1].split("?")[0])
    assert run["status"] == "SUCCESS", [step for step in run["stepStats"] if step["status"] != "SUCCESS"]
    assert endpoints_of(run) == {spec.endpoint for spec in endpoints()}


def test_the_asset_graph_shows_every_group_with_its_endpoints(
    dagit_with_tables: Any, page: Page, pictures: Path
) -> None:
    group = quote("global@global:opportunity_detail")
    open_page(page, f"{dagit_with_tables.url}/asset-groups?expanded={group}", "opportunity_history", height=1_660)
    for passing in ("Loading...", "fetching statuses", "Materializing..."):
        expect(page.get_by_text(passing)).to_have_count(0, timeout=LAUNCH_MILLISECONDS)
    counts = Counter(spec.group for spec in endpoints() if spec.group != "opportunity_detail")
    texts = [f"{group}\n{count}\n" for group, count in (counts | {"org": 1}).items()]
    seen_within(page, texts, milliseconds=LAUNCH_MILLISECONDS)

    page.screenshot(path=pictures / "asset-graph.png", clip={"x": 541, "y": 110, "width": 1059, "height": 1550})

    assert missing(page, texts) == []


def test_the_first_screen_of_an_asset_answers_what_a_reader_asks(
    dagit_with_tables: Any, page: Page, pictures: Path
) -> None:
    phone = {"sobject": "Account", "name": "Phone"}
    dagit_with_tables.side_door("changes", {"op": "hide_field", **phone})
    dagit_with_tables.wait_for_run(launch(dagit_with_tables, "account"))
    dagit_with_tables.side_door("changes", {"op": "show_field", **phone})
    page.set_viewport_size({"width": 1_440, "height": 900})
    page.goto(f"{dagit_with_tables.url}/assets/salesforce/account", wait_until="domcontentloaded")
    expect(page.get_by_text("of them deleted").first).to_be_visible(timeout=LAYOUT_MILLISECONDS)
    page.wait_for_timeout(DRAWN_MILLISECONDS)

    page.screenshot(path=pictures / "asset-page.png", clip={"x": 240, "y": 0, "width": 1200, "height": 900})

    above, columns, _ = page.evaluate(VISIBLE_TEXTS).partition("Column name")
    assert columns
    assert re.search(r"As of \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC [\d,]+ rows [\d,]+ of them deleted", above)
    assert re.search(r"\d+ calls? of 100,000 a day Hidden from the integration user, or deleted: Phone\. Give ", above)
    assert [text for text in ("Row count", "Query count", "Companies you do business with") if text not in above] == []


def test_an_assets_page_says_what_it_holds_how_fresh_it_is_and_who_owns_it(dagit_with_tables: Any, page: Page) -> None:
    fails = "Fails if more than 3 hours"
    open_page(
        page,
        f"{dagit_with_tables.url}/assets/salesforce/account",
        "Row count",
        "billing_postal_code",
        fails,
        height=1_400,
    )

    column = ("billing_street", "BillingStreet: Billing Street", "Open_Pipeline__c")
    side = ("crm_core", "sales", "Iceberg", "Polars", "Salesforce", "account.soql", "salesforce_hourly", "keep_fresh")
    texts = ("Companies you do business with", "True as of")
    assert missing(page, [*column, *side, *texts]) == []
    figures = ("rows_read", "rows_inserted", "calls", "quota_used", "waited_seconds", "bytes_written", "true_as_of")
    assert missing(page, figures) == []


def test_the_figures_of_an_asset_are_plotted_over_time(dagit_with_tables: Any, page: Page, pictures: Path) -> None:
    open_page(page, f"{dagit_with_tables.url}/assets/salesforce/account", "Row count", height=1_250)

    page.get_by_text("Plots", exact=True).first.click()
    page.wait_for_timeout(DRAWN_MILLISECONDS)

    charts = page.locator("canvas")
    expect(charts.first).to_be_visible(timeout=LAYOUT_MILLISECONDS)
    page.get_by_text("Plots", exact=True).first.evaluate("element => element.scrollIntoView({block: 'start'})")
    page.wait_for_timeout(DRAWN_MILLISECONDS)
    page.screenshot(path=pictures / "asset-plots.png", clip={"x": 240, "y": 150, "width": 940, "height": 832})
    assert charts.count() >= 5


def test_a_warned_check_says_what_it_found(dagit_with_tables: Any, page: Page, pictures: Path) -> None:
    open_page(
        page,
        f"{dagit_with_tables.url}/assets/salesforce/account?view=checks",
        *CHECKS,
        "Latest execution",
        height=1_400,
    )

    end = below(page.get_by_text("rounded_columns"))
    page.screenshot(path=pictures / "asset-checks.png", clip={"x": 240, "y": 0, "width": 1360, "height": end + 16})

    assert missing(page, ["calculated_as_of", "calculated_days", "Open_Pipeline__c, Region_Label__c"]) == []


def test_a_failed_run_says_why_and_what_to_do_and_resumes_where_it_failed(
    dagit_with_tables: Any, page: Page, pictures: Path
) -> None:
    quotes = {"sobject": "Quote", "name": "SystemModstamp"}
    dagit_with_tables.side_door("changes", {"op": "hide_field", **quotes})
    run = launch(dagit_with_tables, "account", "quote")
    assert dagit_with_tables.wait_for_run(run)["status"] == "FAILURE"
    first_line = "quote: Quote does not show SystemModstamp, without which quote cannot be read. Grant the integration"

    open_page(page, f"{dagit_with_tables.url}/runs/{run}", first_line, height=1_400)
    top, end = above(page.get_by_text("Levels")), below(page.get_by_text("errors.md#fieldinvalid"))
    clip = {"x": 240, "y": top - 24, "width": 1360, "height": end - top + 40}
    page.screenshot(path=pictures / "failed-run.png", clip=clip)

    assert missing(page, ["FieldInvalid", "as_specified", "https://git.acme.example/sf_assets/docs/errors.md"]) == []
    dagit_with_tables.side_door("changes", {"op": "show_field", **quotes})
    again = dagit_with_tables.wait_for_run(
        dagit_with_tables.ask(GO_ON, run=run)["launchPipelineReexecution"]["run"]["runId"]
    )
    assert (again["status"], endpoints_of(again)) == ("SUCCESS", {"quote"})


def test_a_bounded_reread_runs_while_automation_does(dagit_with_tables: Any) -> None:
    bounds = {"since": "2020-01-01T00:00:00Z", "until": "2031-01-01T00:00:00Z"}

    run = dagit_with_tables.wait_for_run(launch(dagit_with_tables, "account", config=bounds))

    assert run["status"] == "SUCCESS"


def test_two_runs_over_a_table_take_turns(dagit_with_tables: Any) -> None:
    spans = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status startTime endTime } } }"
    runs = [launch(dagit_with_tables, "account", "contact"), launch(dagit_with_tables, "contact", "lead")]

    statuses = [dagit_with_tables.wait_for_run(run)["status"] for run in runs]

    one, other = sorted(
        (span["startTime"], span["endTime"])
        for span in (dagit_with_tables.ask(spans, id=run)["runOrError"] for run in runs)
    )
    assert statuses == ["SUCCESS", "SUCCESS"]
    assert one[1] <= other[0]


def test_the_automation_page_shows_a_running_sensor_for_each_cadence(
    dagit_with_tables: Any, page: Page, pictures: Path
) -> None:
    open_page(page, f"{dagit_with_tables.url}/automation", "Automation condition sensor", "ago")

    page.screenshot(path=pictures / "automation.png", clip={"x": 240, "y": 0, "width": 1360, "height": 425})

    cadences = {spec.cadence for spec in endpoints()}
    assert missing(page, [f"salesforce_{word}" for word in CADENCES if word in cadences]) == []
    sensors = dagit_with_tables.ask(SENSORS)["sensorsOrError"]["results"]
    assert {one["name"]: one["sensorState"]["status"] for one in sensors} == {
        f"salesforce_{word}": "RUNNING" for word in cadences
    }
