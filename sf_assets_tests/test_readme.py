"""What the README enumerates is held against the code."""

import re
from pathlib import Path

from sf_assets.assets import deployments
from sf_assets.assets.config import EndpointConfig

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
ELSEWHERE = {"DAGSTER_HOME", "PYICEBERG_CATALOG__SALESFORCE__", "SNOWFLAKE_"}
"""Read by Dagster, by pyiceberg, and by what is still to come."""


def first_column(title: str) -> str:
    """The first column of a section's tables, the rows that begin with code."""
    section = README.split(f"\n## {title}\n")[1].split("\n## ")[0]
    return " ".join(line.split(" | ")[0] for line in section.splitlines() if line.startswith("| `"))


def test_the_environment_table_names_exactly_what_is_read() -> None:
    code = Path(deployments.__file__).read_text(encoding="utf-8")

    named = set(re.findall(r"[A-Z]{2,}_[A-Z_]+", first_column("Environment")))

    read = set(re.findall(r'"((?:SF_ASSETS|SALESFORCE)_[A-Z_]+)"', code))
    assert named - ELSEWHERE == read


def test_the_run_config_table_names_every_field() -> None:
    named = set(re.findall(r"`(\w+)`", first_column("Running one endpoint by hand")))

    assert named == set(EndpointConfig.model_fields)


def test_every_page_that_the_readme_links_to_is_there() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", README)

    assert [link for link in links if not (Path(__file__).parent.parent / link).exists()] == []
