"""What catalog and storage raise becomes one of our errors, with a remedy; other errors pass as they are."""

import os
import sqlite3
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import polars as pl
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from pyiceberg.exceptions import CommitFailedException, ForbiddenError, ServiceUnavailableError
from sqlalchemy.exc import OperationalError

from sf_assets.errors import CommitConflict, IcebergError, IcebergReadOnly, IcebergUnreachable
from sf_assets.iceberg.catalog import with_timeout
from sf_assets.iceberg.tables import IcebergTables
from sf_assets.iceberg.translate_errors import translate_errors


def sqlite_error(name):
    error = sqlite3.OperationalError("the driver's words")
    error.sqlite_errorname = name
    return OperationalError("UPDATE", {}, error)


def aws_error(code):
    return ClientError({"Error": {"Code": code}}, "PutObject")


@pytest.mark.parametrize(
    ("foreign_error", "expected"),
    [
        (PermissionError(13, "Permission denied"), IcebergReadOnly),
        (PermissionError("Forbidden"), IcebergReadOnly),
        (OSError(30, "Read-only file system"), IcebergReadOnly),
        (
            OSError("When completing multipart upload: AWS Error ACCESS_DENIED during CreateMultipartUpload"),
            IcebergReadOnly,
        ),
        (ConnectionRefusedError(111, "refused"), IcebergUnreachable),
        (FileNotFoundError(2, "gone"), IcebergUnreachable),
        (sqlite_error("SQLITE_READONLY"), IcebergReadOnly),
        (sqlite_error("SQLITE_READONLY_DIRECTORY"), IcebergReadOnly),
        (sqlite_error("SQLITE_BUSY"), IcebergUnreachable),
        (aws_error("AccessDenied"), IcebergReadOnly),
        (aws_error("SlowDown"), IcebergUnreachable),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), IcebergUnreachable),
        (ForbiddenError("no"), IcebergReadOnly),
        (ServiceUnavailableError("later"), IcebergUnreachable),
        (CommitFailedException("stale"), CommitConflict),
    ],
)
def test_foreign_errors_stop_at_the_border(foreign_error, expected):
    with pytest.raises(IcebergError) as refusal, translate_errors("account"):
        raise foreign_error

    assert type(refusal.value) is expected
    assert refusal.value.values["table"] == "account"
    assert refusal.value.__cause__ is foreign_error


@pytest.mark.parametrize("foreign_error", [OSError(28, "No space left on device"), sqlite_error("SQLITE_FULL")])
def test_a_full_disk_asks_for_room(foreign_error):
    with pytest.raises(IcebergUnreachable) as refusal, translate_errors("account"):
        raise foreign_error

    assert "Make room" in refusal.value.remedy


def test_an_error_of_our_own_making_passes():
    with pytest.raises(ZeroDivisionError), translate_errors("account"):
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("sqlite:////tmp/c.db", "sqlite:////tmp/c.db?timeout=60"),
        ("sqlite:////tmp/c.db?timeout=5", "sqlite:////tmp/c.db?timeout=5"),
        ("postgresql://u:secret@h/db", "postgresql://u:secret@h/db"),
    ],
)
def test_sqlite_waits_a_minute_for_other_writers(uri, expected):
    assert with_timeout("salesforce", {"type": "sql", "uri": uri})["uri"] == expected


def test_the_timeout_reaches_a_catalog_that_is_configured_by_environment(monkeypatch):
    monkeypatch.setenv("PYICEBERG_CATALOG__ELSEWHERE__URI", "sqlite:////tmp/c.db")

    assert with_timeout("elsewhere", {})["uri"] == "sqlite:////tmp/c.db?timeout=60"
    assert with_timeout("nowhere", {"type": "glue"}) == {"type": "glue"}


def test_a_catalog_that_is_not_there_is_unreachable(tmp_path):
    properties = {"type": "sql", "uri": f"sqlite:///{tmp_path}/no/such/folder/catalog.db"}

    with pytest.raises(IcebergUnreachable):
        IcebergTables("salesforce", "salesforce", properties).facts("account")


def test_a_catalog_without_an_address_is_an_error_of_settings(tmp_path):
    with pytest.raises(IcebergError) as refusal:
        IcebergTables("salesforce", "salesforce", {"type": "sql"}).facts("account")

    assert not refusal.value.retryable


def test_a_read_only_catalog_is_named_and_the_merge_leaves_no_files(account, tmp_path):
    account.merge(account.frame(("1", "a", 1)), state="s1")
    files = account.files()
    properties = {
        "type": "sql",
        "uri": f"sqlite:///file:{tmp_path}/catalog.db?mode=ro&uri=true",
        "warehouse": f"file://{tmp_path}/lake",
    }
    reader = type(account)(IcebergTables("salesforce", "salesforce", properties), state="s1")

    assert reader.facts.rows == 1
    with pytest.raises(IcebergReadOnly):
        reader.merge(account.frame(("2", "b", 2)), state="s2")

    assert account.files() == files
    assert account.facts.state == "s1"


SCRIPT = """
import os, sys
import polars as pl
from pyiceberg.types import StringType
from sf_assets.errors import IcebergReadOnly
from sf_assets.iceberg.model import UNCHECKED, Chunk, TableColumn
from sf_assets.iceberg.tables import IcebergTables

folder = sys.argv[1]
properties = {"type": "sql", "uri": f"sqlite:///{folder}/catalog.db", "warehouse": f"file://{folder}/lake"}
chunks = [Chunk(pl.DataFrame({"id": ["2"]}), "s2")]
columns = [TableColumn("id", StringType())]
tables = IcebergTables("salesforce", "salesforce", properties)
tables.facts("account")
os.setuid(65534)
try:
    tables.merge(
        "account", columns=columns, keys=("id",), stamp=None, chunks=chunks, base=UNCHECKED
    )
except IcebergReadOnly as error:
    print(type(error).__name__)
"""


class Refusing(BaseHTTPRequestHandler):
    """An object store that answers every request with 403."""

    def _refuse(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        body = b'<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>no</Message></Error>'
        self.send_response(403)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _refuse  # noqa: N815 - the names that http.server looks for

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.mark.slow
def test_a_bucket_that_refuses_says_so(tmp_path):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    Thread(target=server.serve_forever, daemon=True).start()
    storage = {"endpoint": f"http://127.0.0.1:{server.server_port}", "region": "us-east-1"}
    keys = {"access-key-id": "testing", "secret-access-key": "testing"}
    properties = {f"s3.{name}": value for name, value in {**storage, **keys}.items()}
    catalog = {"type": "sql", "uri": f"sqlite:///{tmp_path}/catalog.db", "warehouse": "s3://lake/salesforce"}

    with pytest.raises(IcebergReadOnly):
        IcebergTables("salesforce", "salesforce", {**catalog, **properties}).overwrite(
            "mart", [pl.DataFrame({"a": [1]})]
        )

    server.shutdown()
    server.server_close()


@pytest.mark.slow
@pytest.mark.skipif(os.getuid() != 0, reason="only root can become nobody; others meet the read-only catalog's test")
def test_a_folder_that_may_only_be_read_says_so(account, tmp_path):
    account.stamp = None
    frame = account.frame(("1", "a", 1)).select("id")
    account.columns = account.columns[:1]
    account.merge(frame, state="s1")
    for folder in [tmp_path, *tmp_path.parents][:4]:
        if folder != Path("/tmp"):
            folder.chmod(0o755)

    run = subprocess.run([sys.executable, "-c", SCRIPT, str(tmp_path)], capture_output=True, text=True, check=False)

    assert run.stdout == "IcebergReadOnly\n", run.stderr
