"""The asset `lake_upkeep` runs the program that `setup upkeep --engine emr` prints, on a local Spark."""

import json
import re
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner

from sf_assets.assets.external_upkeep import build_external_upkeep
from sf_assets.assets.naming import Naming
from sf_assets.assets.resources import IcebergResource
from sf_assets.cli import main
from sf_assets_tests.iceberg.conftest import Account, open_tables
from sf_assets_tests.spark.conftest import PYTHON

pytestmark = pytest.mark.spark
PLACE = ["--account-id", "123456789012", "--region", "eu-central-1", "--bucket", "acme-lake", "--endpoints", "account"]
CATALOG = "spark.sql.catalog.salesforce"


def script(engine: str) -> str:
    command = ["setup", "upkeep", "--engine", engine, *PLACE]
    return CliRunner().invoke(main, command, catch_exceptions=False).output


def spark_submit(folder: Path, jars: Path) -> list[str]:
    """Return the command that a file of SF_ASSETS_UPKEEP_JOB has for a Spark of one's own."""
    program = re.search(r"<<'PY'\n(.*?)\nPY\n", script("emr"), flags=re.DOTALL)
    assert program is not None
    (folder / "upkeep.py").write_text(program[1])
    (folder / "upkeep.sql").write_text(script("spark"))
    paths = [str(path) for path in sorted(jars.glob("*.jar"))]
    settings = {
        "spark.jars": ",".join(paths),
        "spark.driver.extraClassPath": ":".join(paths),
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "1",
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        CATALOG: "org.apache.iceberg.spark.SparkCatalog",
        f"{CATALOG}.catalog-impl": "org.apache.iceberg.jdbc.JdbcCatalog",
        f"{CATALOG}.uri": f"jdbc:sqlite:{folder}/catalog.db",
        f"{CATALOG}.warehouse": f"file://{folder}/lake",
        f"{CATALOG}.cache-enabled": "false",
    }
    words = [word for name, value in settings.items() for word in ("--conf", f"{name}={value}")]
    submit = PYTHON.with_name("spark-submit")
    return [str(submit), "--master", "local[1]", *words, str(folder / "upkeep.py"), str(folder / "upkeep.sql")]


def test_the_asset_lets_a_local_spark_run_the_printed_program(
    tmp_path: Path, jars: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    monkeypatch.setenv("PYSPARK_PYTHON", str(PYTHON))
    tables = open_tables(tmp_path)
    for name in ("account", "_sync_status"):
        account = Account(tables, name=name)
        for turn in range(6):
            account.merge(account.frame((f"{turn}", "a", turn), ("shared", f"v{turn}", turn)), state=f"s{turn}")
    job = tmp_path / "upkeep.json"
    job.write_text(json.dumps({"command": spark_submit(tmp_path, jars)}))
    asset, _ = build_external_upkeep(Naming(), job)
    properties = {"type": "sql", "uri": f"sqlite:///{tmp_path}/catalog.db", "warehouse": f"file://{tmp_path}/lake"}

    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [asset], resources={"iceberg": IcebergResource(properties=properties)}, instance=instance
        )

    (materialization,) = result.asset_materializations_for_node("lake_upkeep")
    values = {name: entry.value for name, entry in materialization.metadata.items()}
    assert (values["tables"], values["data_files"], values["delete_files"]) == (2, 2, 0)
    assert values["saved_data_files"] == 10
    expected = [*((f"{n}", "a") for n in range(6)), ("shared", "v5")]
    assert Account(tables).rows() == expected
    assert Account(tables).facts.state == "s5"
