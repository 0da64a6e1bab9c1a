"""Dagster's own commands work on the definitions as they are installed."""

import json
import os
import subprocess
import sys

from sf_assets.assets.deployments import read_deployment


def test_dagsters_own_command_materializes_an_endpoint_of_the_practice_org(practice_org, tmp_path):
    folder = tmp_path / "practice"
    folder.mkdir()
    (folder / "credentials.json").write_text(json.dumps(practice_org.credentials))
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    env = {"DAGSTER_HOME": str(tmp_path), "SALESFORCE_INSTANCE_URL": practice_org.url}
    command = ["-m", "dagster", "asset", "materialize", "-m", "sf_assets.definitions", "--select", "salesforce/product"]

    process = subprocess.run(
        [sys.executable, *command], env=os.environ | env, capture_output=True, text=True, check=False, timeout=120
    )

    assert process.returncode == 0, process.stderr[-2000:]
    assert read_deployment(env).iceberg.tables().facts("product").rows == len(practice_org.org.rows("Product2"))
