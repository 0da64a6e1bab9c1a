"""`sf-assets setup upkeep`: each request is one that the service's own model takes."""

import json
import re
import subprocess

import botocore.session
import pytest
from botocore.validate import ParamValidator
from click.testing import CliRunner

from sf_assets.cli import main
from sf_assets.commands.setup.upkeep import upkeep_policy
from sf_assets.commands.setup.values import SetupValues
from sf_assets_tests.snapshots import ShellSnapshot, SqlSnapshot

PLACE = ["--account-id", "123456789012", "--region", "eu-central-1", "--bucket", "acme-lake"]
OPERATIONS = {
    "glue create-table-optimizer": ("glue", "CreateTableOptimizer"),
    "emr-serverless start-job-run": ("emr-serverless", "StartJobRun"),
    "s3tables put-table-maintenance-configuration": ("s3tables", "PutTableMaintenanceConfiguration"),
    "s3tables put-table-bucket-maintenance-configuration": ("s3tables", "PutTableBucketMaintenanceConfiguration"),
}


def printed(engine, *arguments):
    result = CliRunner().invoke(main, ["setup", "upkeep", "--engine", engine, *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


@pytest.mark.parametrize("engine", ["spark", "emr", "glue", "s3tables"])
def test_the_printed_script_is_the_snapshot(engine, snapshot):
    extension = SqlSnapshot if engine == "spark" else ShellSnapshot

    text = printed(engine, *PLACE, "--endpoints", "account", "--orgs", "emea")

    assert text == snapshot(extension_class=extension)


@pytest.mark.parametrize("engine", ["emr", "glue", "s3tables"])
def test_a_shell_reads_the_script(engine):
    result = subprocess.run(["sh", "-n"], input=printed(engine, *PLACE), text=True, capture_output=True, check=False)

    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize(("engine", "count"), [("emr", 1), ("glue", 93), ("s3tables", 63)])
def test_the_services_own_models_take_each_request(engine, count):
    requests = re.findall(
        r"aws (\S+ \S+) [^\n]*--cli-input-json file:///dev/stdin <<'JSON'\n(.*?)\nJSON\n",
        printed(engine, *PLACE),
        flags=re.DOTALL,
    )

    assert len(requests) == count
    session = botocore.session.get_session()
    for command, text in requests:
        service, operation = OPERATIONS[command]
        shape = session.get_service_model(service).operation_model(operation).input_shape
        assert ParamValidator().validate(json.loads(text), shape).generate_report() == ""


def test_each_table_gets_all_procedures_of_spark():
    text = printed("spark", "--endpoints", "account")

    for procedure in ("rewrite_data_files", "rewrite_position_delete_files", "rewrite_manifests", "expire_snapshots"):
        assert f"CALL salesforce.system.{procedure}(table => 'salesforce.salesforce.account'" in text
    assert text.count("remove_orphan_files") == 2


def test_the_engine_may_maintain_tables_and_nothing_else():
    policy = upkeep_policy(SetupValues(account_id="123456789012", region="eu-central-1", bucket="acme-lake"))

    actions = {action for statement in policy["Statement"] for action in statement["Action"]}
    assert not {action for action in actions if "*" in action or "Secret" in action or action == "glue:DeleteTable"}
