"""The thirty endpoints in three lakes by the same code: only the environment differs."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

DRIVER = Path(__file__).with_name("driver.py")
STRACE = shutil.which("strace")
PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")


@pytest.fixture
def materialize(aws, practice_org, tmp_path):
    """Run all endpoints under an environment; returns every table and the addresses that were connected to."""

    def run(name, environment):
        target, calls = tmp_path / f"{name}.json", tmp_path / f"{name}.strace"
        told = {
            **{key: os.environ[key] for key in PASSED_ON if key in os.environ},
            **{key: value for key, value in os.environ.items() if key.startswith("AWS_")},
            **{f"SALESFORCE_{key.upper()}": value for key, value in practice_org.credentials.items()},
            "SF_ASSETS_DEPLOYMENT": "production",
            "SF_ASSETS_HOME": str(tmp_path / name),
            "SALESFORCE_INSTANCE_URL": practice_org.url,
            "SALESFORCE_REQUESTS_PER_SECOND": "1000",
            "DAGSTER_DISABLE_TELEMETRY": "yes",
            **environment,
        }
        traced = [STRACE, "-f", "--seccomp-bpf", "-e", "trace=connect,sendto,sendmsg", "-o", calls] if STRACE else []
        command = [*traced, sys.executable, DRIVER, target]
        subprocess.run(command, env=told, cwd=tmp_path, check=True, timeout=120, capture_output=True)
        outcome = json.loads(target.read_text())
        assert outcome["success"]
        return outcome["tables"], addresses(calls.read_text(errors="replace")) if STRACE else set()

    return run


def addresses(trace):
    """The hosts of a trace that anything was sent to or connected to."""
    found = re.findall(r'inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)"', trace)
    return {four or six for four, six in found}


def test_glue_and_postgresql_over_s3_hold_what_sqlite_holds_and_nothing_leaves_this_machine(
    materialize, aws, postgres, as_environment
):
    on_s3 = {name: value for name, value in aws.catalog.items() if name.startswith("s3.")}
    sql = {"type": "sql", "uri": postgres.create("catalog"), "warehouse": "s3://lake/sql", **on_s3}

    local, _ = materialize("sqlite", {})
    glue, spoken_to = materialize("glue", as_environment(aws.catalog))
    in_postgres, also = materialize("postgres", as_environment(sql))

    assert len(local) == 30
    assert sum(len(table["rows"]) for table in local.values()) > 300
    for endpoint, table in local.items():
        assert glue[endpoint] == table, endpoint
        assert in_postgres[endpoint] == table, endpoint
    assert len(aws.client("glue").get_tables(DatabaseName="salesforce")["TableList"]) == 31
    assert not STRACE or spoken_to | also <= {"127.0.0.1"}
    assert not STRACE or spoken_to
