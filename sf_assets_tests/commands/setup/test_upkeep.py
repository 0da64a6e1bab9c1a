"""`sf-assets setup upkeep`: each request is one that the service's own model takes."""

import json
import re
import shlex
import subprocess
import sys

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


def script(engine, *arguments):
    result = CliRunner().invoke(main, ["setup", "upkeep", "--engine", engine, *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


@pytest.mark.parametrize("engine", ["spark", "emr", "glue", "s3tables"])
def test_the_printed_script_is_the_snapshot(engine, snapshot):
    extension = SqlSnapshot if engine == "spark" else ShellSnapshot

    text = script(engine, *PLACE, "--endpoints", "account", "--orgs", "emea")

    assert text == snapshot(extension_class=extension)


@pytest.mark.parametrize("engine", ["emr", "glue", "s3tables"])
def test_a_shell_reads_the_script(engine):
    result = subprocess.run(["sh", "-n"], input=script(engine, *PLACE), text=True, capture_output=True, check=False)

    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize(("engine", "count"), [("emr", 1), ("glue", 93), ("s3tables", 63)])
def test_the_services_own_models_take_each_request(engine, count):
    requests = re.findall(
        r"aws (\S+ \S+) [^\n]*--cli-input-json file:///dev/stdin <<'JSON'\n(.*?)\nJSON\n",
        script(engine, *PLACE),
        flags=re.DOTALL,
    )

    assert len(requests) == count
    session = botocore.session.get_session()
    for command, text in requests:
        service, operation = OPERATIONS[command]
        shape = session.get_service_model(service).operation_model(operation).input_shape
        assert ParamValidator().validate(json.loads(text), shape).generate_report() == ""


def test_each_table_gets_all_procedures_of_spark():
    text = script("spark", "--endpoints", "account")

    for procedure in ("rewrite_data_files", "rewrite_position_delete_files", "rewrite_manifests", "expire_snapshots"):
        assert f"CALL salesforce.system.{procedure}(table => 'salesforce.salesforce.account'" in text
    assert text.count("remove_orphan_files") == 2


def days_by_table(*arguments):
    """Return table -> days for which Spark keeps its snapshots."""
    text = script("spark", "--endpoints", "account,contact", *arguments)
    return dict(re.findall(r"expire_snapshots\(table => 'salesforce\.salesforce\.(\w+)', .*<(\d+)_DAYS?_AGO>", text))


def test_snapshots_stay_for_a_day_and_for_five_with_a_history(monkeypatch):
    monkeypatch.setenv("SF_ASSETS_HISTORY", "contact")

    assert days_by_table("--history", "") == {"account": "1", "contact": "1", "_sync_status": "1"}
    assert days_by_table() == {"account": "1", "contact": "5", "contact_changes": "1", "_sync_status": "1"}
    assert days_by_table("--keep-days", "9") == dict.fromkeys(
        ("account", "contact", "contact_changes", "_sync_status"), "9"
    )


def test_optimizers_keep_a_day_and_expire_twice_a_day():
    text = script("glue", "--endpoints", "account", "--history", "account", *PLACE)

    days = re.findall(
        r'"TableName": "(\w+)",\n  "Type": "retention".*?Days": (\d),.*?Hours": (\d+)', text, flags=re.DOTALL
    )
    assert days == [("account", "5", "12"), ("account_changes", "1", "12"), ("_sync_status", "1", "12")]


@pytest.fixture
def program(tmp_path):
    """Runs the program of EMR Serverless with a Spark that refuses statements about contact."""
    (tmp_path / "pyspark").mkdir()
    (tmp_path / "pyspark/__init__.py").touch()
    (tmp_path / "pyspark/sql.py").write_text(SPARK)

    def run(*arguments):
        text = script("emr", *PLACE, *arguments)
        command = re.search(r"^sf-assets setup (upkeep .*) > upkeep.sql$", text, flags=re.MULTILINE)[1]
        sql = CliRunner().invoke(main, ["setup", *shlex.split(command)], catch_exceptions=False).output
        (tmp_path / "upkeep.sql").write_text(sql)
        (tmp_path / "upkeep.py").write_text(re.search(r"<<'PY'\n(.*?)\nPY\n", text, flags=re.DOTALL)[1])
        command = [sys.executable, "-W", "ignore", "upkeep.py", "upkeep.sql"]
        return subprocess.run(command, cwd=tmp_path, text=True, capture_output=True, check=False)

    return run


SPARK = """\
class SparkSession:
    def getOrCreate(self): return self
    def text(self, path, wholetext): return Rows(open(path).read())
    def sql(self, statement):
        if "contact" in statement: raise RuntimeError("no such table")
        print(statement)
        return self
    def show(self, truncate): pass

class Rows:
    def __init__(self, text): self.text = text
    def first(self): return [self.text]

SparkSession.builder = SparkSession.read = SparkSession()
"""


def test_the_program_runs_all_statements_and_names_those_that_fail(program):
    process = program("--endpoints", "account,contact", "--orgs", "emea")

    assert process.returncode == 1
    assert len(process.stdout.splitlines()) == 4 * 5  # two tables in two orgs
    assert len(process.stderr.splitlines()) == 2 * 5
    assert "DAY" not in process.stdout
    assert all(line.endswith(": no such table") for line in process.stderr.splitlines())
    assert program("--endpoints", "account").returncode == 0


def test_the_engine_may_maintain_tables_and_nothing_else():
    policy = upkeep_policy(SetupValues(account_id="123456789012", region="eu-central-1", bucket="acme-lake"))

    actions = {action for statement in policy["Statement"] for action in statement["Action"]}
    assert not {action for action in actions if "*" in action or "Secret" in action or action == "glue:DeleteTable"}
