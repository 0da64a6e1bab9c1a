"""The steps of docs/production.md, pasted: the printed script builds an AWS with which doctor is content."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from pyiceberg.utils.config import Config

from sf_assets.assets.deployments import read_deployment
from sf_assets.cli import main
from sf_assets.commands.doctor.checks import run_checks
from sf_assets.specs.endpoints import endpoints
from sf_assets_tests.production.aws_cli import run_script

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs"
TESTS = HERE.parent
PLACE = ["--account-id", "123456789012", "--region", "eu-central-1", "--bucket", "acme-lake"]
ARGUMENTS = [*PLACE, "--external-id", "0123456789abcdef0123456789abcdef"]
USERS = [
    *("--volume-user-arn", "arn:aws:iam::999999999999:user/abc0-s"),
    *("--catalog-user-arn", "arn:aws:iam::999999999999:user/def0-s"),
]
VARIANTS = {
    "ecs": [],
    "orgs": ["--orgs", "emea"],
    "ec2 with a key": [
        *("--runs-on", "ec2.amazonaws.com"),
        *("--kms-key", "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"),
    ],
}


def setup_script(*arguments):
    result = CliRunner().invoke(main, ["setup", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def settings(text, mark):
    """Return the environment that a script ends with."""
    last = text[text.index("The environment of the runs") :]
    return dict(re.findall(rf"^{mark} +([A-Z_0-9]+)=(\S+)", last, flags=re.MULTILINE))


@pytest.fixture
def shell(aws, tmp_path, monkeypatch):
    """Runs a script against the AWS of the test; the secrets' files are in its folder."""
    secret = {"consumer_key": "3MVG9", "username": "integration@acme.example", "private_key": "PEM"}
    for name in ("secret.json", "secret_emea.json"):
        (tmp_path / name).write_text(json.dumps(secret), encoding="utf-8")
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    return lambda script: run_script(script, tmp_path)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_script_runs_and_doctor_finds_secret_and_storage(aws, shell, tmp_path, monkeypatch, variant):
    script = setup_script("aws", *ARGUMENTS, *USERS, *VARIANTS[variant])

    shell(script)

    environment = settings(script, "#") | {
        "SF_ASSETS_HOME": str(tmp_path),
        "SALESFORCE_INSTANCE_URL": "http://127.0.0.1:9",
        "AWS_ENDPOINT_URL": aws.url,
        **{f"PYICEBERG_CATALOG__SALESFORCE__{service}__ENDPOINT": aws.url for service in ("GLUE", "S3")},
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("pyiceberg.catalog._ENV_CONFIG", Config())  # pyiceberg reads the environment when imported
    deployment = read_deployment(environment)
    findings = {finding.check: finding for finding in run_checks(deployment, endpoints())}
    assert findings["secret"].status == "ok"
    assert findings["storage"].status in ("ok", "warn")
    assert "s3://acme-lake/salesforce" in findings["storage"].message or "first sync" in findings["storage"].remedy


def test_the_roles_of_the_script_are_the_least_that_are_needed(aws, shell):
    shell(setup_script("aws", *ARGUMENTS, *USERS))

    iam = aws.client("iam")
    trust = iam.get_role(RoleName="sf-assets-snowflake-reader")["Role"]["AssumeRolePolicyDocument"]
    assert trust["Statement"][0]["Principal"]["AWS"] == [USERS[1], USERS[3]]
    assert iam.list_role_policies(RoleName="sf-assets-writer")["PolicyNames"] == ["tables"]


def test_the_bucket_of_the_script_is_private_and_versioned(aws, shell):
    shell(setup_script("aws", *ARGUMENTS, *USERS))

    s3 = aws.client("s3")
    access_block = s3.get_public_access_block(Bucket="acme-lake")["PublicAccessBlockConfiguration"]
    assert set(access_block.values()) == {True}
    assert s3.get_bucket_versioning(Bucket="acme-lake")["Status"] == "Enabled"
    assert len(s3.get_bucket_lifecycle_configuration(Bucket="acme-lake")["Rules"]) == 2


def test_each_org_has_a_database_and_a_secret(aws, shell):
    shell(setup_script("aws", *ARGUMENTS, *USERS, "--orgs", "emea"))

    databases = aws.client("glue").get_databases()["DatabaseList"]
    assert {database["Name"] for database in databases} == {"salesforce", "salesforce_emea"}
    assert len({database["LocationUri"] for database in databases}) == 2
    names = [secret["Name"] for secret in aws.client("secretsmanager").list_secrets()["SecretList"]]
    assert sorted(names) == ["salesforce/sf_assets", "salesforce/sf_assets_emea"]


@pytest.mark.parametrize("mode", ["linked", "tables"])
def test_the_last_lines_of_both_scripts_are_a_whole_environment(tmp_path, mode):
    key = tmp_path / "snowflake.p8"
    key.write_text("PEM", encoding="utf-8")
    environment = settings(setup_script("aws", *ARGUMENTS), "#") | settings(
        setup_script("snowflake", "--mode", mode), "--"
    )
    environment |= {"SALESFORCE_INSTANCE_URL": "acme.my.salesforce.com", "SF_ASSETS_HOME": str(tmp_path)}
    environment |= {"SNOWFLAKE_ACCOUNT": "ORG-ACCOUNT", "SNOWFLAKE_PRIVATE_KEY_FILE": str(key)}

    deployment = read_deployment(environment)

    assert deployment.readers.mode == mode
    assert deployment.readers.patience_seconds == 600


def test_the_runs_of_compose_can_get_each_setting_that_the_scripts_print():
    printed_names = {*settings(setup_script("aws", *ARGUMENTS), "#"), *settings(setup_script("snowflake"), "--")}
    text = (DOCS.parent / "deploy/dagster.yaml").read_text(encoding="utf-8")

    assert printed_names - set(re.findall(r"^ +(?:# )?- ([A-Z_0-9]+)$", text, flags=re.MULTILINE)) == set()


PASTED = [
    command.replace("\\\n", " ")
    for page in ("production.md", "engines.md", "real-org.md")
    for command in re.findall(
        r"^ +(?:\.venv/bin/)?(sf-assets setup (?:.*\\\n)*.*)$",
        (DOCS / page).read_text(encoding="utf-8"),
        flags=re.MULTILINE,
    )
]


@pytest.mark.parametrize("command", PASTED)
def test_each_setup_command_of_the_docs_prints_a_script(command, tmp_path):
    subprocess.run(
        ["sh", "-c", "openssl genrsa 2048 2>/dev/null | openssl pkcs8 -topk8 -nocrypt -out snowflake.p8"],
        cwd=tmp_path,
        check=True,
    )
    words = subprocess.run(
        ["sh", "-c", command.replace("…", "").partition(" > ")[0].replace("sf-assets", "printf '%s\\n'", 1)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()

    arguments = [word for word in words[1:] if word]
    if "--account-id" in arguments and not arguments[arguments.index("--account-id") + 1].isdigit():
        arguments = arguments[: arguments.index("--account-id")]  # its values are left to the reader

    assert setup_script(*arguments)


def test_the_tests_that_the_page_names_exist():
    text = "\n".join(path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py"))
    names = re.findall(r"`(test_\w+)`", (DOCS / "production.md").read_text(encoding="utf-8"))

    assert len(names) > 15
    assert [name for name in names if f"def {name}(" not in text] == []
