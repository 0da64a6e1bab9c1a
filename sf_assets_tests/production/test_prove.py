"""`sf-assets prove` against the stand-ins: it asks, asks before a change, cleans up, and reports without secrets."""

import json
import os
import stat
from pathlib import Path

import polars as pl
import pytest
import yaml
from click.testing import CliRunner
from pyiceberg.utils.config import Config

from sf_assets.assets.deployments import read_deployment
from sf_assets.cli import main
from sf_assets.commands.prove.redact import Redaction
from sf_assets.devorg.fixtures import practice_org, practice_seed
from sf_assets_tests.production.chart import instance
from sf_assets_tests.production.recorded import aws_answer, play_salesforce, rounds
from sf_assets_tests.snowflake.account import key_pair, snowflake

__all__ = ["key_pair", "practice_org", "practice_seed", "snowflake"]
HELM_VALUES = Path(__file__).parents[2] / "deploy/helm/values.yaml"


@pytest.fixture
def environment(practice_org, snowflake, aws, as_environment, tmp_path, monkeypatch):
    """Production over the practice org, moto and the loopback account."""
    values = {
        "SF_ASSETS_DEPLOYMENT": "production",
        "SF_ASSETS_HOME": str(tmp_path),
        "SALESFORCE_INSTANCE_URL": practice_org.url,
        "SALESFORCE_REQUESTS_PER_SECOND": "1000",
        **{f"SALESFORCE_{name.upper()}": value for name, value in practice_org.credentials.items()},
        "SNOWFLAKE_ACCOUNT": snowflake.account,
        "SNOWFLAKE_HOST": f"http://127.0.0.1:{snowflake.port}",
        "SNOWFLAKE_USER": snowflake.user,
        "SNOWFLAKE_PRIVATE_KEY": snowflake.private_key,
        "SNOWFLAKE_DATABASE": "RAW",
        "AWS_ENDPOINT_URL": aws.url,
        **as_environment(aws.catalog),
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(
        "pyiceberg.catalog._ENV_CONFIG", Config()
    )  # pyiceberg reads the environment when it is imported
    return values


@pytest.fixture
def prove(environment, tmp_path):
    """Runs the command; returns the exchanges by name."""

    def run(*arguments, answers="", status=0):
        report = tmp_path / "prove.json"
        command = ["prove", *arguments, "--report", str(report)]
        result = CliRunner().invoke(main, command, input=answers, catch_exceptions=False)
        assert result.exit_code == status, result.output
        document = json.loads(report.read_text(encoding="utf-8"))
        return {exchange["name"]: exchange for exchange in document["exchanges"]}

    return run


@pytest.fixture
def tables(environment):
    """One endpoint with rows."""
    tables = read_deployment(environment).iceberg.tables()
    tables.overwrite("organization", [pl.DataFrame({"id": ["1", "2"], "n": [1, 2]})])
    return tables


def test_the_org_is_asked_and_nothing_is_written(prove, practice_org):
    exchanges = prove("--salesforce", "account", "permission_set")

    assert exchanges["columns of account"]["verdict"] == "as documented"
    assert "requirements of ViewSetup" in exchanges
    assert all(method in ("GET", "POST") for method in {request.method for request in practice_org.requests})


@pytest.mark.parametrize("entries", rounds("salesforce"))
def test_an_answer_of_an_org_can_be_pasted_into_the_tests(prove, practice_org, entries):
    for entry in entries:
        play_salesforce(practice_org.org, entry)

    exchanges = prove("--salesforce", "organization", "permission_set")

    assert [exchanges[entry["name"]] for entry in entries] == entries


@pytest.mark.parametrize("entries", rounds("aws"))
def test_an_answer_of_aws_can_be_pasted_into_the_tests(prove, aws, entries):
    for entry in entries:
        aws.answers |= aws_answer(entry)

    exchanges = prove("--aws", "--yes", "organization")

    assert [exchanges[entry["name"]] for entry in entries] == entries


def test_a_hidden_column_is_named(prove, practice_org):
    practice_org.org.hide_field("Account", "Website")

    exchange = prove("--salesforce", "account")["columns of account"]

    assert exchange["verdict"] == "different"
    assert exchange["answer"]["hidden"] == ["website"]


def test_a_probe_table_is_created_only_if_allowed(prove, aws):
    exchanges = prove("--aws", "account", answers="n\n")

    assert exchanges["a table of the catalog"]["answer"] == "skipped: not allowed"
    assert not {name for name in aws.actions if name.startswith(("Create", "Update", "Delete"))}


def test_a_probe_table_is_written_and_removed_with_its_files(prove, aws):
    exchanges = prove("--aws", "--yes", "account")

    assert exchanges["write and read a table"]["answer"] == "1 row"
    assert exchanges["remove the table"]["verdict"] == "as documented"
    tables = aws.client("glue").get_tables(DatabaseName="salesforce")["TableList"]
    assert [table["Name"] for table in tables if "probe" in table["Name"]] == []
    files = aws.client("s3").list_objects_v2(Bucket="lake", Prefix="salesforce/salesforce.db/sf_assets")
    assert [
        file["Key"] for file in files.get("Contents", []) if file["Size"]
    ] == []  # PyArrow leaves empty folder marks


def test_a_probe_that_cannot_be_removed_is_named(prove, aws):
    aws.denied.add("DELETE")

    exchange = prove("--aws", "--yes", "account")["remove the table"]

    assert "verdict" in exchange
    if exchange["verdict"] == "refused":
        assert "What remains" in exchange["answer"]


def test_snowflake_is_asked_and_changed_only_if_allowed(prove, snowflake, tables):
    snowflake.plays("the linked database runs", "the automated refresh runs", "a session has no warehouse")
    snowflake.answers |= {"LIST_NAMESPACES": [['["salesforce"]']], "^SHOW": [["account", "LOADER"]]}
    snowflake.sees_all(lambda table: tables.facts(table).metadata_location if table == "organization" else "")

    exchanges = prove("--snowflake", "organization", answers="n\nn\n")

    assert exchanges["state of the linked database"]["verdict"] == "as documented"
    assert exchanges["version of sf_assets_no_such_table"]["answer"]["code"] == 2003
    assert exchanges["content of organization"]["verdict"] == "refused"
    assert not [statement for statement in snowflake.queries if statement.startswith("ALTER")]


def test_content_is_compared_and_no_figure_is_reported(prove, snowflake, tables):
    snowflake.answers = {"^SELECT COUNT": [["2", "3"]], "SELECT SYSTEM": [["{}"]], "^SHOW": [["x"]]}
    snowflake.sees_all(lambda table: "s3://x")

    exchange = prove("--snowflake", "organization", answers="n\nn\n")["content of organization"]

    assert (exchange["answer"], exchange["verdict"]) == ("equal", "as documented")


def test_an_answer_has_the_form_of_the_stand_ins(prove, snowflake, tables):
    snowflake.plays("the automated refresh has stopped")

    exchange = prove("--snowflake", "organization", answers="n\nn\n")["refresh state of organization"]

    assert {"name", "request", "answer", "source"} <= exchange.keys()
    assert exchange["verdict"] == "different"
    assert exchange["answer"] == snowflake.answer("SELECT SYSTEM$AUTO_REFRESH_STATUS('x')")


def test_the_report_holds_no_secret_and_no_name_of_the_account(prove, environment, tmp_path, tables):
    prove("--yes", "organization")

    text = (tmp_path / "prove.json").read_text(encoding="utf-8")
    for name in ("SALESFORCE_USERNAME", "SALESFORCE_CONSUMER_KEY", "SNOWFLAKE_ACCOUNT"):
        assert environment[name].lower() not in text.lower()
    for name in ("SALESFORCE_PRIVATE_KEY", "SNOWFLAKE_PRIVATE_KEY"):
        assert environment[name].splitlines()[3] not in text
    assert "123456789012" not in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("arn:aws:sts::123456789012:assumed-role/w/i", "arn:aws:sts::<ACCOUNT_ID>:assumed-role/w/i"),
        ("https://acme--uat.sandbox.my.salesforce.com/x", "https://<MY_DOMAIN>/x"),
        ("s3://acme-lake/salesforce/a.json", "s3://<BUCKET>/salesforce/a.json"),
        ("user someone.else@corp.example failed", "user <USERNAME> failed"),
        ("row 0015j00000abcdeAAA", "row <ID>"),
        ("-----BEGIN X KEY-----\nabc\n-----END X KEY-----", "<KEY>"),
        ("ORG-ACCT.snowflakecomputing.com", "<SNOWFLAKE_HOST>"),
    ],
)
def test_names_of_an_account_are_replaced(text, expected):
    assert Redaction({}).value({"x": [text]}) == {"x": [expected]}


@pytest.fixture
def helm(tmp_path, monkeypatch):
    """`helm` and `kubectl` on the path that answer what they are given."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def answer(name, text):
        (folder / f"{name}.out").write_text(text, encoding="utf-8")
        script = folder / name
        script.write_text(f"#!/bin/sh\ncat {folder}/{name}.out\n", encoding="utf-8")
        script.chmod(script.stat().st_mode | stat.S_IXUSR)

    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return answer


@pytest.mark.parametrize(("is_broken", "verdict"), [(False, "as documented"), (True, "different")])
def test_the_rendered_instance_is_loaded_by_dagster(prove, helm, is_broken, verdict):
    values = instance(yaml.safe_load(HELM_VALUES.read_text(encoding="utf-8")))
    if is_broken:
        values["run_coordinator"]["config"]["max_concurrent_runs"] = -1
    document = {"kind": "ConfigMap", "data": {"dagster.yaml": yaml.safe_dump(values)}}
    helm("helm", yaml.safe_dump(document))
    helm("kubectl", json.dumps({"items": [{"spec": {"securityContext": {}, "containers": [{"resources": {}}]}}]}))

    exchanges = prove("--kubernetes")

    assert exchanges["instance of the chart"]["verdict"] == verdict
    assert exchanges["resources of runs"]["answer"][0]["containers"][0]["resources"] == {}


def test_a_tool_that_is_missing_is_named(prove, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")

    exchange = prove("--kubernetes")["the instance that Helm renders"]

    assert exchange["answer"].endswith("helm is not installed")
