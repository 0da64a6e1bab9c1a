"""docs/settings.md, compared with the code."""

import re
from pathlib import Path

from sf_assets.assets import deployments
from sf_assets.assets.config import EndpointConfig

PAGE = (Path(__file__).parent.parent / "docs/settings.md").read_text(encoding="utf-8")
ELSEWHERE = {"DAGSTER_HOME", "PYICEBERG_CATALOG__SALESFORCE__", "SNOWFLAKE_"}
"""Read by Dagster and by pyiceberg; Snowflake's settings are in docs/production.md."""


def first_column(title: str) -> str:
    """Return the first column of a section's tables, of the rows that begin with code."""
    section = PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]
    return " ".join(line.split(" | ")[0] for line in section.splitlines() if line.startswith("| `"))


def test_the_environment_table_names_exactly_what_is_read() -> None:
    code = Path(deployments.__file__).read_text(encoding="utf-8")

    names = set(re.findall(r"[A-Z]{2,}_[A-Z_]+", first_column("Environment")))

    assert names - ELSEWHERE == set(re.findall(r'"((?:SF_ASSETS|SALESFORCE)_[A-Z_]+)"', code))


def test_the_run_config_table_names_every_field() -> None:
    names = set(re.findall(r"`(\w+)`", first_column("Run config")))

    assert names == set(EndpointConfig.model_fields)
