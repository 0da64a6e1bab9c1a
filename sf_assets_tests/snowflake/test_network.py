"""A session with Snowflake connects to Snowflake and to no other host."""

import os
import re
import shutil
import subprocess
import sys

import pytest

STRACE = shutil.which("strace")
ASK = """
from sf_assets.assets.deployments import read_deployment
with read_deployment().readers.process_config_and_initialize_cm() as readers:
    print(readers.session().execute("SELECT 1"))
"""


@pytest.mark.skipif(STRACE is None, reason="no strace here: apt-get install strace")
def test_the_connector_looks_for_no_cloud_and_reports_to_nobody(snowflake, tmp_path):
    snowflake.answers = {"^SELECT 1$": [["1"]]}
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "SF_ASSETS_HOME": str(tmp_path),
        "SNOWFLAKE_ACCOUNT": snowflake.account,
        "SNOWFLAKE_HOST": f"http://127.0.0.1:{snowflake.port}",
        "SNOWFLAKE_USER": snowflake.user,
        "SNOWFLAKE_PRIVATE_KEY": snowflake.private_key,
        "SNOWFLAKE_DATABASE": "SF_RAW",
    }
    trace = tmp_path / "trace"
    strace = [STRACE, "-f", "--seccomp-bpf", "-e", "trace=connect,sendto,sendmsg", "-o", trace]

    answer = subprocess.run(
        [*strace, sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, timeout=120, check=True
    )

    assert answer.stdout.strip() == "[('1',)]"
    addresses = re.findall(r'inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)"', trace.read_text(errors="replace"))
    assert {four or six for four, six in addresses} == {"127.0.0.1"}
    assert [path for path in snowflake.paths if "telemetry" in path] == []
