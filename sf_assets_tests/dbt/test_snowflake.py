"""The same project for Snowflake: parsed and compiled without a connection, into SQL that Snowflake's grammar takes."""

import json
from pathlib import Path

import pytest

sqlglot = pytest.importorskip("sqlglot")
pytest.importorskip("dbt.adapters.snowflake", reason="dbt-snowflake is not installed: see docs/dbt.md")

PROJECT = Path(__file__).parents[2] / "dbt"
OFFLINE = ("--no-introspect", "--no-populate-cache")


@pytest.fixture(scope="module")
def target_folder(tmp_path_factory, run_dbt):
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SNOWFLAKE_DATABASE", "LAKE")
        run_dbt("parse", home, "--target", "snowflake")
        run_dbt("compile", home, "--target", "snowflake", *OFFLINE)
    return home / "target"


def models(folder):
    return {path.stem: path.read_text() for path in (folder / "compiled/sf_assets/models/marts").glob("*.sql")}


def test_every_mart_is_compiled(target_folder):
    assert models(target_folder).keys() == {path.stem for path in (PROJECT / "models/marts").glob("*.sql")}


def test_what_is_compiled_is_snowflakes_sql(target_folder):
    for name, text in models(target_folder).items():
        [statement] = sqlglot.parse(text, dialect="snowflake")
        assert statement.find(sqlglot.exp.Select), name
        assert "::" not in text
        assert "at time zone" not in text


def test_the_tables_are_read_unquoted_from_the_lakes_database(target_folder):
    manifest = json.loads((target_folder / "manifest.json").read_text())

    names = {source["name"]: source["relation_name"] for source in manifest["sources"].values()}
    assert names["account"] == "LAKE.salesforce.account"
    assert names["case"] == "LAKE.salesforce.case"
    assert len(names) == 31
