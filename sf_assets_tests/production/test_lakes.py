"""The thirty endpoints in four lakes by the same code: only the environment differs, and no other host is reached."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from sf_assets_tests.production.processes import free_ports
from sf_assets_tests.snowflake.account import key_pair, snowflake

__all__ = ["key_pair", "snowflake"]

DRIVER = Path(__file__).with_name("driver.py")
STRACE, WEED = shutil.which("strace"), shutil.which("weed")
PORTS = [f"{part}.port{kind}" for part in ("master", "filer", "volume", "s3", "admin") for kind in ("", ".grpc")]
PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")
SOME = ("account", "campaign_member", "opportunity", "task", "user", "user_role")
"""Endpoints of all types of columns, merged and replaced: enough where the catalog alone differs."""
ELSEWHERE = "import socket; socket.socket(socket.AF_INET{0}, socket.SOCK_DGRAM).connect(({1!r}, 9))"


@pytest.fixture
def trace_addresses(tmp_path):
    """Runs a command in an environment; returns the addresses that it or a child of it sent to or connected to."""

    def run(*command, environment):
        calls = tmp_path / "calls"
        strace = [STRACE, "-f", "--seccomp-bpf", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o", calls]
        whole = [*(strace if STRACE else ()), *command]
        subprocess.run(whole, env=environment, cwd=tmp_path, check=True, timeout=180, capture_output=True)
        return addresses(calls.read_text(errors="replace")) if STRACE else {"127.0.0.1"}

    return run


@pytest.fixture
def credentials(practice_org):
    """The login's settings, secrets in the environment."""
    return {f"SALESFORCE_{key.upper()}": value for key, value in practice_org.credentials.items()}


@pytest.fixture
def materialize(aws, practice_org, trace_addresses, tmp_path):
    """Sync all endpoints under an environment; returns every table and the addresses that were spoken to.

    way: through a run of Dagster's, or `plain`, by the same syncs without it. only: these endpoints (`plain` alone).
    """

    def run(name, environment, *, way="plain", only=()):
        target = tmp_path / f"{name}.json"
        settings = {
            **{key: os.environ[key] for key in PASSED_ON if key in os.environ},
            **{key: value for key, value in os.environ.items() if key.startswith("AWS_")},
            "SF_ASSETS_DEPLOYMENT": "production",
            "SF_ASSETS_HOME": str(tmp_path / name),
            "SALESFORCE_INSTANCE_URL": practice_org.url,
            "SALESFORCE_REQUESTS_PER_SECOND": "1000",
            "DAGSTER_DISABLE_TELEMETRY": "yes",
            **environment,
        }
        hosts = trace_addresses(sys.executable, DRIVER, target, way, *only, environment=settings)
        outcome = json.loads(target.read_text())
        assert outcome["success"]
        return outcome["tables"], hosts

    return run


@pytest.fixture
def secret(aws, practice_org):
    """The login's settings, kept in AWS Secrets Manager."""
    text = json.dumps(practice_org.credentials)
    aws.client("secretsmanager").create_secret(Name="salesforce/sf_assets", SecretString=text)
    return {"SALESFORCE_SECRET_ID": "salesforce/sf_assets", "AWS_ENDPOINT_URL_SECRETS_MANAGER": aws.url}


@pytest.fixture
def snowflake_settings(snowflake, aws):
    """Snowflake's settings, for an account that finds each table where Glue says it is."""
    glue = aws.client("glue")

    def newest(name):
        return glue.get_table(DatabaseName="salesforce", Name=name)["Table"]["Parameters"]["metadata_location"]

    snowflake.lake = newest
    return {
        "SF_ASSETS_SNOWFLAKE": "tables",
        "SNOWFLAKE_ACCOUNT": snowflake.account,
        "SNOWFLAKE_HOST": f"http://127.0.0.1:{snowflake.port}",
        "SNOWFLAKE_USER": snowflake.user,
        "SNOWFLAKE_PRIVATE_KEY": snowflake.private_key,
        "SNOWFLAKE_DATABASE": "RAW",
        "SNOWFLAKE_WAREHOUSE": "LOADING",
    }


def addresses(trace):
    """The hosts of a trace that anything was sent to or connected to."""
    addresses_found = re.findall(r'inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)"', trace)
    return {four or six for four, six in addresses_found}


def test_glue_postgresql_and_rest_hold_what_sqlite_holds(
    materialize, aws, postgres, rest_catalog, snowflake, as_environment, credentials, secret, snowflake_settings
):
    on_s3 = {name: value for name, value in aws.catalog.items() if name.startswith("s3.")}
    sql = {"type": "sql", "uri": postgres.create("catalog"), "warehouse": "s3://lake/sql", **on_s3}

    local, _ = materialize("sqlite", credentials)
    glue, hosts = materialize("glue", as_environment(aws.catalog) | secret | snowflake_settings, way="dagster")
    in_postgres, also = materialize("postgres", as_environment(sql) | credentials, only=SOME)
    in_rest, and_also = materialize("rest", as_environment(rest_catalog.catalog) | credentials, only=SOME)

    assert len(local) == 30
    assert sum(len(table["rows"]) for table in local.values()) > 300
    for endpoint, table in local.items():
        assert glue[endpoint] == table, endpoint
    assert in_postgres == in_rest == {endpoint: local[endpoint] for endpoint in SOME}
    assert len(aws.client("glue").get_tables(DatabaseName="salesforce")["TableList"]) == 31
    assert len([path for path in rest_catalog.requests if path == "POST namespaces/salesforce/tables"]) == len(SOME)
    assert len(snowflake.tables) == 31
    assert aws.actions["GetSecretValue"] == 1
    assert hosts | also | and_also == {"127.0.0.1"}


@pytest.fixture
def seaweed(tmp_path):
    """SeaweedFS: a REST catalog and S3 in one process. Returns a client's catalog properties."""
    user = {"accessKey": "loader", "secretKey": "loaders-secret"}
    identity = {"name": "loader", "credentials": [user], "actions": ["Admin", "Read", "Write", "List", "Tagging"]}
    (tmp_path / "s3.json").write_text(json.dumps({"identities": [identity]}))
    ports = dict(zip([*PORTS, "s3.port.iceberg"], free_ports(len(PORTS) + 1), strict=True))
    options = {
        "dir": tmp_path, "ip": "127.0.0.1", "ip.bind": "127.0.0.1", "s3.config": tmp_path / "s3.json", **ports,
        "s3.port.lance": 0, "tableBucket": "lake", "master.telemetry": "false", "webdav": "false", "admin.ui": "false",
    }  # fmt: skip
    command = [WEED, "mini", *(f"-{name}={value}" for name, value in options.items())]
    uri = f"http://127.0.0.1:{ports['s3.port.iceberg']}"
    with (tmp_path / "weed.log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as weed:
        wait_for(f"{uri}/v1/config", seconds=60)
        yield {
            "type": "rest", "uri": uri, "warehouse": "s3://lake", "credential": "loader:loaders-secret",
            "oauth2-server-uri": f"{uri}/v1/oauth/tokens", "s3.endpoint": f"http://127.0.0.1:{ports['s3.port']}",
            "s3.region": "us-east-1", "s3.access-key-id": "loader", "s3.secret-access-key": "loaders-secret",
        }  # fmt: skip
        weed.terminate()


def wait_for(url, *, seconds):
    """Wait until another process serves the address."""
    last = time.monotonic() + seconds
    while time.monotonic() < last:
        try:
            httpx.get(url)
            return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(f"{url} was not served within {seconds} s")


@pytest.mark.skipif(WEED is None, reason="no SeaweedFS here: make rest")
def test_a_rest_catalog_that_others_wrote_holds_what_sqlite_holds(materialize, seaweed, as_environment, credentials):
    local, _ = materialize("sqlite", credentials)
    others, hosts = materialize("seaweed", as_environment(seaweed) | credentials)
    again, _ = materialize("seaweed", as_environment(seaweed) | credentials)

    assert len(local) == 30
    assert others == again == local
    assert hosts == {"127.0.0.1"}


@pytest.mark.skipif(STRACE is None, reason="no strace here: apt-get install strace")
@pytest.mark.parametrize(("family", "address"), [("", "127.0.0.2"), ("6", "::1")])
def test_whoever_spoke_to_another_address_would_be_seen(trace_addresses, family, address):
    hosts = trace_addresses(sys.executable, "-c", ELSEWHERE.format(family, address), environment={})

    assert hosts == {address}
