"""AWS and PostgreSQL on loopback: moto's server over HTTP, which counts requests, and a cluster of Debian's binaries.

Nothing here may reach a real host: whoever ignores the endpoints that he is given meets a closed port.
"""

import io
import json
import os
import pwd
import re
import shutil
import subprocess
import tempfile
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import boto3
import polars as pl
import pytest
from moto.backends import get_backend
from moto.core.exceptions import JsonRESTError
from moto.glue.responses import GlueResponse
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from pyiceberg.types import StringType, TimestamptzType
from werkzeug.serving import WSGIRequestHandler, make_server

from sf_assets.iceberg.model import Chunk, TableColumn
from sf_assets_tests.production.glue_bounds import violations
from sf_assets_tests.production.processes import free_port
from sf_assets_tests.production.rest_catalog import RestCatalogServer, serve_catalog

KEYS = {"region": "eu-central-1", "access-key-id": "testing", "secret-access-key": "testing"}
NOWHERE = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_REGION": "eu-central-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
}
POSTGRES_BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


@dataclass
class Aws:
    """An AWS on loopback that counts requests and can refuse them.

    `requests`: (service, method) -> how many came since `forget`. `reads`: object -> how often it was read. `keys`: the
    access keys of the requests to S3. `busy`: S3 refuses this many requests. `denied`: methods that S3 refuses.
    `lost_answers`: this many updates of Glue tables are made and answered with an error. `answers`: action -> status,
    type and body, instead of moto's.
    """

    url: str
    busy: int = 0
    lost_answers: int = 0
    denied: set[str] = field(default_factory=set)
    answers: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    requests: Counter[tuple[str, str]] = field(default_factory=Counter)
    actions: Counter[str] = field(default_factory=Counter)
    reads: Counter[str] = field(default_factory=Counter)

    def forget(self) -> None:
        self.requests.clear()
        self.reads.clear()
        self.keys.clear()
        self.actions.clear()

    def count_requests(self, service: str, *methods: str) -> int:
        return sum(count for (name, method), count in self.requests.items() if name == service and method in methods)

    @property
    def catalog(self) -> dict[str, str]:
        """Properties of the Glue catalog with its files in the bucket `lake`."""
        settings = {**KEYS, "endpoint": self.url}
        services = {f"{service}.{name}": value for service in ("glue", "s3") for name, value in settings.items()}
        return {"type": "glue", "warehouse": "s3://lake/salesforce", **services}

    def client(self, service: str) -> Any:
        return boto3.client(service, endpoint_url=self.url)


def environment_of(properties: Mapping[str, str]) -> dict[str, str]:
    """Return catalog properties as pyiceberg reads them from the environment."""
    names = {name: name.replace(".", "__").replace("-", "_").upper() for name in properties}
    return {f"PYICEBERG_CATALOG__SALESFORCE__{names[name]}": value for name, value in properties.items()}


@pytest.fixture
def as_environment() -> Callable[[Mapping[str, str]], dict[str, str]]:
    """Catalog properties -> environment."""
    return environment_of


class _Silent(WSGIRequestHandler):
    def log_request(self, *_: object) -> None:
        """Say nothing."""


def _counting(application: Any, aws: Aws) -> Any:
    def count_and_answer(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        service = {"AWSGlue": "glue", "secretsmanager": "secrets"}.get(target.split(".")[0], "s3")
        aws.requests[service, environ["REQUEST_METHOD"]] += 1
        aws.actions[target.split(".")[-1] or f"{environ['REQUEST_METHOD']} object"] += 1
        if aws.answers and (answer := aws.answers.get(_action(environ))):
            start(f"{answer[0]} Recorded", [("Content-Type", answer[1])])
            return [answer[2].encode()]
        if (service, environ["REQUEST_METHOD"]) == ("s3", "GET"):
            aws.reads[environ["PATH_INFO"]] += 1
        if service == "s3" and aws.busy > 0:
            aws.busy -= 1
            start("503 Slow Down", [("Content-Type", "application/xml")])
            return [b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"]
        if service == "s3" and environ["REQUEST_METHOD"] in aws.denied:
            start("403 Forbidden", [("Content-Type", "application/xml")])
            return [b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"]
        if service == "s3":
            aws.keys.update(re.findall(r"Credential=([^/]+)/", environ.get("HTTP_AUTHORIZATION", "")))
        if service == "glue" and (problems := _refused_by_model(target.split(".")[-1], environ)):
            start("400 Bad Request", [("Content-Type", "application/x-amz-json-1.1")])
            return [json.dumps({"__type": "ValidationException", "message": "; ".join(problems)}).encode()]
        if aws.lost_answers > 0 and target.endswith("UpdateTable"):
            aws.lost_answers -= 1
            b"".join(application(environ, lambda *_: None))
            start("500 Internal Server Error", [("Content-Type", "application/x-amz-json-1.1")])
            return [b'{"__type": "InternalServiceException", "message": "lost"}']
        return application(environ, start)

    return count_and_answer


def _action(environ: dict[str, Any]) -> str:
    """The action of a JSON, REST or query request; its body stays readable."""
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        return str(target).split(".")[-1]
    if "x-www-form-urlencoded" not in environ.get("CONTENT_TYPE", ""):
        return str(environ["PATH_INFO"]).strip("/")
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return parse_qs(body.decode())["Action"][0]


def _refused_by_model(action: str, environ: dict[str, Any]) -> list[str]:
    """What the bounds of the service model refuse; the body stays readable."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return violations(action, json.loads(body or b"{}"))


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """A served, empty AWS with the bucket `lake`; Glue refuses a stale VersionId, as the real one does."""
    for name, value in NOWHERE.items():
        monkeypatch.setenv(name, value)
    _let_glue_notice_stale_versions(monkeypatch)
    aws_server = Aws("")
    application = _counting(DomainDispatcherApplication(create_backend_app), aws_server)
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=_Silent)
    aws_server.url = f"http://127.0.0.1:{server.port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    for service in ("s3", "glue", "secretsmanager", "iam"):
        get_backend(service).reset()
    lake = {"LocationConstraint": KEYS["region"]}
    aws_server.client("s3").create_bucket(Bucket="lake", CreateBucketConfiguration=lake)
    aws_server.forget()
    yield aws_server
    server.shutdown()
    thread.join()
    server.server_close()


def _let_glue_notice_stale_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Glue refuses an update whose VersionId is not the table's; moto takes any."""
    lock, versions, genuine = threading.Lock(), defaultdict[tuple[str, str], int](lambda: 1), GlueResponse.update_table

    def update_table(self: GlueResponse) -> str:
        request = json.loads(self.body)
        table = (request["DatabaseName"], request["TableInput"]["Name"])
        with lock:
            if int(request.get("VersionId", versions[table])) < versions[table]:
                raise JsonRESTError("ConcurrentModificationException", "stale VersionId")
            answer = genuine(self)
            versions[table] += 1
        return str(answer)

    monkeypatch.setattr(GlueResponse, "update_table", update_table)


@pytest.fixture
def rest_catalog(tmp_path: Path) -> Iterator[RestCatalogServer]:
    """A served, empty REST catalog with its files in a folder."""
    catalog = RestCatalogServer(f"file://{tmp_path}/rest")
    with serve_catalog(catalog) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield catalog
        server.shutdown()
        thread.join()


@dataclass(frozen=True)
class Postgres:
    """A running cluster."""

    port: int
    folder: Path

    def url(self, database: str) -> str:
        return f"postgresql+psycopg2://sf_assets@127.0.0.1:{self.port}/{database}"

    def create(self, database: str) -> str:
        """Make a database; return its URL."""
        import psycopg2

        connection = psycopg2.connect(host="127.0.0.1", port=self.port, user="sf_assets", dbname="postgres")
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{database}"')
        connection.close()
        return self.url(database)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A cluster of this session on loopback alone, removed at the end."""
    if not POSTGRES_BINARIES:
        pytest.skip("no PostgreSQL here: apt-get install postgresql")
    pytest.importorskip("psycopg2")
    folder = Path(tempfile.mkdtemp(prefix="sf-assets-pg-"))
    user = _owner(folder)
    binaries, port = POSTGRES_BINARIES[-1], free_port()
    run = {"user": user, "check": True, "stdout": subprocess.DEVNULL, "cwd": folder}
    data = folder / "data"
    subprocess.run([binaries / "initdb", "-D", data, "-U", "sf_assets", "-A", "trust", "--no-sync"], **run)
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    control = [binaries / "pg_ctl", "-D", data, "-w", "-l", folder / "log"]
    subprocess.run([*control, "-o", options, "start"], **run)
    yield Postgres(port, folder)
    subprocess.run([*control, "-m", "immediate", "stop"], **run)
    shutil.rmtree(folder)


def _owner(folder: Path) -> int | None:
    """PostgreSQL refuses to be root."""
    if os.geteuid() != 0:
        return None
    postgres = pwd.getpwnam("postgres")
    os.chown(folder, postgres.pw_uid, postgres.pw_gid)
    return postgres.pw_uid


@pytest.fixture
def account_columns() -> tuple[TableColumn, ...]:
    """Columns of a small table."""
    stamps = (TableColumn(name, TimestamptzType()) for name in ("system_modstamp", "_synced_at"))
    return (TableColumn("id", StringType()), *stamps)


@pytest.fixture
def account_chunk() -> Callable[[int], Chunk]:
    """Number -> a chunk of the one row with this number."""
    moment = pl.lit(datetime(2026, 3, 10, tzinfo=UTC), dtype=pl.Datetime("us", "UTC"))

    def build(number: int) -> Chunk:
        row = pl.DataFrame({"id": [f"{number:018}"]}).with_columns(system_modstamp=moment, _synced_at=moment)
        return Chunk(row, f"s{number}")

    return build
