"""The pages of the docs as a whole: links, anchors, who a page is for, the map in the README."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGES = sorted((ROOT / "docs").glob("*.md"))
GENERATED = {"errors.md", "endpoints.md", "cli.md"}


def prose(path: Path) -> str:
    """Return a page without its code blocks."""
    return re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def links(path: Path) -> list[str]:
    """Return a page's links to files and to its own sections."""
    return re.findall(r"\]\((?!https?:)([^)\s]+)\)", prose(path))


def anchors(path: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.*)$", prose(path), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", [README, ROOT / "CHANGELOG.md", *PAGES], ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_its_section(page: Path) -> None:
    broken_links = []
    for link in links(page):
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            broken_links.append(link)

    assert broken_links == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_begins_with_who_it_is_for(page: Path) -> None:
    lines = [line for line in prose(page).splitlines()[1:] if line.strip() and not line.startswith("<!--")]

    assert lines[0].startswith("For "), lines[0]


def test_the_map_of_the_readme_leads_to_every_page() -> None:
    assert {f"docs/{page.name}" for page in PAGES} - set(links(README)) == set()


@pytest.mark.parametrize("page", ["contributing.md", "architecture.md", "lake.md", "reading.md"])
def test_every_module_that_a_page_names_exists(page: str) -> None:
    names = re.findall(r"`((?:[\w.]+/)*[\w]+\.(?:py|json|toml|cfg|txt))`", prose(ROOT / "docs" / page))
    roots = [ROOT, ROOT / "sf_assets", ROOT / "docs"]
    files = {path.name for folder in ("sf_assets", "sf_assets_tests") for path in (ROOT / folder).rglob("*.py")}
    files |= {"endpoints.toml", "server.json"}

    missing = [name for name in names if not any((root / name).exists() for root in roots)]

    assert [name for name in missing if "/" in name or name not in files] == []


@pytest.mark.parametrize(
    ("name", "module"), re.findall(r"`(\w+)` in\s`([\w/]+\.py)`", prose(PAGES[0].with_name("contributing.md")))
)
def test_every_name_of_the_table_what_to_change_is_in_its_module(name: str, module: str) -> None:
    source = (ROOT / "sf_assets" / module.removeprefix("sf_assets/")).read_text(encoding="utf-8")

    assert re.search(rf"^(def |class )?{name}\b", source, re.MULTILINE)
