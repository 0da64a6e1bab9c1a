"""A home in a folder with any name works: nothing is written outside it, and every reader finds the tables."""

from importlib.metadata import version
from pathlib import Path

import duckdb
import polars as pl
import pytest
from pyiceberg.types import StringType

from sf_assets.assets.credentials import EnvironmentCredentials
from sf_assets.assets.deployments import read_deployment
from sf_assets.assets.resources import sqlite_url
from sf_assets.downstream.tables import show_tables
from sf_assets.errors import ConfigError
from sf_assets.iceberg.model import Chunk, TableColumn

NAMES = [
    "C#",
    "what?",
    "50%25 off",
    "100% mine",
    "a b",
    "a=b",
    "O'Brien",
    "größe 尺寸",
    "star*",
    "br[ack]et",
    "a:b",
    "x&y;z",
]
COLUMNS = (TableColumn("id", StringType()), TableColumn("name", StringType()))


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_with_an_odd_name_holds_the_whole_deployment(tmp_path, name):
    if "?" in name and version("SQLAlchemy").startswith("2.0."):
        pytest.skip("with SQLAlchemy 2.0 a question mark is refused")
    home = tmp_path / name
    deployment = read_deployment({"SF_ASSETS_HOME": str(home)})
    tables, base = deployment.iceberg.tables(), None
    for turn in range(2):
        frame = pl.DataFrame({"id": ["1", str(turn)], "name": ["a", "b"]})
        chunks = [Chunk(frame, f"s{turn}")]
        tables.merge("account", columns=COLUMNS, keys=("id",), stamp=None, chunks=chunks, base=base)
        base = f"s{turn}"
    deployment.salesforce.open_ledger().permit(None, reserve=None)

    assert tables.scan("account").collect().height == 2
    assert len(tables._catalog.find("account").scan().to_arrow()) == 2
    with duckdb.connect() as connection:
        show_tables(connection, tables._catalog)
        assert connection.execute("select count(*) from salesforce.account").fetchone() == (2,)
    assert tables.maintenance.find_damage("account") == ()
    assert tables.remove_orphan_files("account") == ()
    strays = [path for path in tmp_path.rglob("*") if path.is_file() and home not in path.parents]
    assert strays == []
    assert {path.name for path in home.rglob("*.db")} == {"catalog.db", "ledger.db"}


def test_sqlalchemy_2_0_takes_a_path_as_it_is_and_no_question_mark():
    assert sqlite_url(Path("/lake/C# 50%/l.db"), sqlalchemy="2.0.51") == "sqlite:////lake/C# 50%/l.db"
    assert sqlite_url(Path("/lake/C#?/l.db"), sqlalchemy="2.1.9") == "sqlite:////lake/C%23%3F/l.db"
    with pytest.raises(ConfigError, match="question mark in its path: /lake/what"):
        sqlite_url(Path("/lake/what?/l.db"), sqlalchemy="2.0.51")


def test_a_tilde_and_quotes_in_a_path_are_what_a_shell_makes_of_them(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "server.key").write_text("the key")
    settings = {"SF_ASSETS_HOME": "~/home", "SF_ASSETS_SPECS": '"~/specs"', "SF_ASSETS_DBT_PROJECT": "'~/dbt'"}

    deployment = read_deployment(settings)
    login = EnvironmentCredentials(consumer_key="k", username="u", private_key_file="~/keys/server.key").fetch()

    assert (deployment.home, deployment.specs) == (tmp_path / "home", tmp_path / "specs")
    assert deployment.dbt_project == tmp_path / "dbt"
    assert login.private_key == "the key"
