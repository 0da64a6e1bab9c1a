"""A lake that a former version made goes on working, without a copy of what it holds.

`former_lake.tar.gz` was made by commit 3abaca9: the practice org's accounts, contacts and profiles were synced twice,
with edits in between, into a SQLite catalog (catalog.db) and an S3 bucket (s3/). `expected.json` holds the rows and
the states that it showed.
"""

import json
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import polars as pl
import pytest
from moto.server import ThreadedMotoServer

from sf_assets.iceberg.model import Chunk
from sf_assets.iceberg.tables import IcebergTables
from sf_assets.specs.endpoints import endpoints
from sf_assets.sync.columns import plan_columns, table_columns
from sf_assets.sync.state import State

pytestmark = pytest.mark.slow

ARCHIVE = Path(__file__).parent / "former_lake.tar.gz"
NAMES = ("account", "contact", "profile")
SPECS = {spec.endpoint: spec for spec in endpoints()}
LATER = datetime(2026, 3, 11, tzinfo=UTC)


class FormerLake:
    """The archive, unpacked into an S3 server and a folder."""

    def __init__(self, folder: Path, url: str) -> None:
        self.s3 = boto3.client("s3", endpoint_url=url)
        self.s3.create_bucket(Bucket="former")
        with tarfile.open(ARCHIVE) as archive:
            for member in archive:
                content = archive.extractfile(member).read()
                if member.name.startswith("s3/"):
                    self.s3.put_object(Bucket="former", Key=member.name.removeprefix("s3/"), Body=content)
                else:
                    (folder / member.name).write_bytes(content)
        expected = json.loads((folder / "expected.json").read_text())
        self.rows: dict[str, list[dict[str, Any]]] = expected["rows"]
        self.states: dict[str, str] = expected["states"]
        keys = {"access-key-id": "testing", "secret-access-key": "testing", "region": "us-east-1", "endpoint": url}
        self.properties = {
            "type": "sql",
            "uri": f"sqlite:///{folder}/catalog.db",
            "warehouse": "s3://former/lake",
            **{f"s3.{name}": value for name, value in keys.items()},
        }
        self.tables = IcebergTables("salesforce", "salesforce", self.properties)

    def keys(self) -> set[str]:
        return {item["Key"] for item in self.s3.list_objects_v2(Bucket="former")["Contents"]}


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FormerLake]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield FormerLake(tmp_path, f"http://{host}:{port}")
    server.stop()


def rows_of(frame: pl.DataFrame, key: str = "id") -> list[dict[str, Any]]:
    rows = frame.drop("_synced_at").sort(key).to_dicts()
    return json.loads(json.dumps(rows, default=str))


def test_a_former_lake_shows_the_same_rows_and_states(lake):
    for name in NAMES:
        facts = lake.tables.facts(name)
        assert facts.state == lake.states[name]
        assert facts.rows == len(lake.rows[name])
        assert rows_of(lake.tables.scan(name).collect()) == sorted(lake.rows[name], key=lambda row: row["id"])
        assert lake.tables.maintenance.find_damage(name, deep=True) == ()


def test_a_former_state_is_read_and_written_alike(lake):
    for name in NAMES:
        assert State.from_json(State.from_json(lake.states[name]).to_json()) == State.from_json(lake.states[name])


def test_a_former_lake_takes_changes_without_a_copy(lake):
    before = lake.keys()
    spec, state = SPECS["account"], lake.states["account"]
    columns = table_columns(plan_columns(spec, None).table)
    old = lake.tables.scan("account").collect().sort("id")
    new_rows = old.head(2).with_columns(
        pl.lit("Renamed").alias("name"), pl.lit(LATER).alias("system_modstamp"), pl.lit(LATER).alias("_synced_at")
    )

    result = lake.tables.merge(
        "account", columns=columns, keys=spec.keys, stamp="system_modstamp", base=state,
        chunks=[Chunk(new_rows, state.replace("}", ' }', 1))],
    )  # fmt: skip

    assert (result.updated, result.inserted, result.unchanged, result.rows) == (2, 0, 0, old.height)
    assert lake.tables.scan("account").collect().sort("id")["name"].to_list()[:2] == ["Renamed", "Renamed"]
    assert {key for key in before if key.endswith((".parquet", ".avro"))} <= lake.keys()
    data = [key for key in lake.keys() - before if key.endswith(".parquet") and "deletes" not in key]
    assert len(data) == 1


def test_a_former_lake_is_replaced_where_rows_differ_and_nowhere_else(lake):
    spec, state = SPECS["profile"], lake.states["profile"]
    columns = table_columns(plan_columns(spec, None).table)
    rows = lake.tables.scan("profile").collect()

    result = lake.tables.replace(
        "profile", columns=columns, keys=spec.keys, base=state, may_vanish=None, chunks=[Chunk(rows, state)]
    )

    assert (result.unchanged, result.commits) == (rows.height, 0)


def test_a_former_lake_is_maintained(lake):
    for name in NAMES:
        lake.tables.maintenance.maintain(name)

        assert lake.tables.facts(name).state == lake.states[name]
        assert len(rows_of(lake.tables.scan(name).collect())) == len(lake.rows[name])
