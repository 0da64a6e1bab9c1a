"""The tables on Glue and S3, both imitated by moto on loopback; nothing here may reach a real host."""

import json
import threading
from collections.abc import Iterator

import boto3
import httpx
import polars as pl
import pytest
from moto.core.exceptions import JsonRESTError
from moto.glue.responses import GlueResponse
from moto.server import ThreadedMotoServer
from pyiceberg.types import StringType

from sf_assets.errors import CommitConflict, IcebergUnreachable
from sf_assets.iceberg.model import UNCHECKED, Chunk, TableColumn
from sf_assets.iceberg.tables import IcebergTables
from sf_assets_tests.iceberg.conftest import COLUMNS

pytestmark = pytest.mark.slow

FAKE = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name, value in FAKE.items():
        monkeypatch.setenv(name, value)
    _let_glue_notice_stale_versions(monkeypatch)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # whoever ignores the properties meets a closed port
    httpx.post(f"{url}/moto-api/reset").raise_for_status()  # moto's memory is the process's, not the server's
    yield url
    server.stop()


def _let_glue_notice_stale_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Glue refuses an update whose VersionId is not the table's; moto takes any."""
    lock, versions, genuine = threading.Lock(), {}, GlueResponse.update_table

    def update_table(self: GlueResponse) -> str:
        request = json.loads(self.body)
        table = (request["DatabaseName"], request["TableInput"]["Name"])
        with lock:
            versions.setdefault(table, 1)
            if int(request.get("VersionId", versions[table])) < versions[table]:
                raise JsonRESTError("ConcurrentModificationException", "stale VersionId")
            answer = genuine(self)
            versions[table] += 1
        return answer

    monkeypatch.setattr(GlueResponse, "update_table", update_table)


@pytest.fixture
def on_s3(endpoint: str) -> dict[str, str]:
    boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket="lake")
    keys = {"region": "us-east-1", "access-key-id": "testing", "secret-access-key": "testing", "endpoint": endpoint}
    services = {f"{service}.{name}": value for service in ("glue", "s3") for name, value in keys.items()}
    return {"type": "glue", "warehouse": "s3://lake/salesforce", **services}


@pytest.fixture(params=["pyiceberg.io.pyarrow.PyArrowFileIO", "pyiceberg.io.fsspec.FsspecFileIO"])
def file_io(request: pytest.FixtureRequest) -> str:
    if "fsspec" in request.param:
        pytest.importorskip("s3fs")
    return request.param


def test_a_table_lives_on_glue_and_s3_as_it_does_on_a_disk(account, on_s3, file_io):
    account.tables = IcebergTables("salesforce", "salesforce", {**on_s3, "py-io-impl": file_io})
    account.merge(account.frame(("1", "a", 1), ("2", "b", 2), ("3", "c", 3)), state="s1")

    account.merge(account.frame(("2", "x", 5), ("4", "d", 5)), state="s2")
    account.replace(account.frame(("1", "a", 1), ("2", "y", 6), ("4", "d", 5)), state="s3", may_vanish=1)
    account.tables.commit_state("account", columns=account.columns, base="s3", state="s4")

    assert account.rows() == [("1", "a"), ("2", "y"), ("4", "d")]
    assert account.tables.scan("account").filter(pl.col("id") == "4").select("name").collect().item() == "d"
    assert account.facts.rows == 3
    assert account.facts.state == "s4"
    assert account.facts.uri.startswith("s3://lake/salesforce")
    assert account.tables.count_since("account", "system_modstamp", None)[0] == 3
    assert account.tables.remove_orphan_files("account") == ()


def test_a_long_comment_is_cut_to_what_glue_stores(account, on_s3):
    account.tables = IcebergTables("salesforce", "salesforce", on_s3)
    account.columns = (*COLUMNS, TableColumn("memo", StringType(), "A memo.\n" * 100))

    account.merge(account.frame(("1", "a", 1)), state="s1")

    glue = boto3.client("glue", endpoint_url=on_s3["glue.endpoint"])
    columns = glue.get_table(DatabaseName="salesforce", Name="account")["Table"]["StorageDescriptor"]["Columns"]
    comments = {column["Name"]: column.get("Comment", "") for column in columns}
    assert comments["memo"] == ("A memo. " * 100)[:254].rstrip() + "…"
    assert "\n" not in "".join(comments.values())


def test_two_writers_on_glue_lose_no_row(account, on_s3):
    account.tables = IcebergTables("salesforce", "salesforce", on_s3)
    account.merge(account.frame(("1", "a", 1)), state="s1")
    rival = type(account)(IcebergTables("salesforce", "salesforce", on_s3), state=UNCHECKED)

    def chunks():
        yield Chunk(account.frame(("1", "ours", 3), ("2", "ours", 3)), None)
        rival.merge(account.frame(("2", "theirs", 2), ("3", "theirs", 2)), state=None)
        yield Chunk(account.frame(), "s2")

    account.stream(chunks())

    assert account.rows() == [("1", "ours"), ("2", "ours"), ("3", "theirs")]
    with pytest.raises(CommitConflict):
        account.merge(account.frame(("9", "z", 9)), state="s3", base="s1")


def test_a_catalog_that_does_not_answer_is_unreachable(account, on_s3):
    properties = {**on_s3, "glue.endpoint": "http://127.0.0.1:9", "glue.max-retries": 0}

    with pytest.raises(IcebergUnreachable):
        IcebergTables("salesforce", "salesforce", properties).facts("account")
