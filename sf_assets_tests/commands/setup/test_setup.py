"""`sf-assets setup`: the printed scripts are golden files; what they allow is least privilege."""

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from sf_assets.assets.deployments import read_deployment
from sf_assets.cli import main
from sf_assets.commands.setup.aws import lifecycle, reader_policy, reader_trust, writer_policy
from sf_assets.commands.setup.salesforce import permission_set
from sf_assets.commands.setup.values import ORIGINS, Values, gap
from sf_assets.specs.endpoints import endpoints

GOLDEN = Path(__file__).parent
PLACE = ["--account-id", "123456789012", "--region", "eu-central-1", "--bucket", "acme-lake"]
EXTERNAL = ["--external-id", "0123456789abcdef0123456789abcdef"]
USERS = [
    *("--volume-user-arn", "arn:aws:iam::999999999999:user/vol0-s"),
    *("--catalog-user-arn", "arn:aws:iam::999999999999:user/api0-s"),
]
SCRIPTS = {
    "aws-first.sh": ["aws", *PLACE, *EXTERNAL],
    "aws-last.sh": ["aws", *PLACE, *EXTERNAL, *USERS],
    "snowflake-linked.sql": ["snowflake", *PLACE, *EXTERNAL, "--public-key", "MIIBIjANBgkq"],
    "snowflake-tables.sql": ["snowflake", "--mode", "tables", *PLACE, *EXTERNAL, "--public-key", "MIIBIjANBgkq"],
    "aws-orgs.sh": ["aws", *PLACE, *EXTERNAL, "--orgs", "emea,us_2"],
    "snowflake-linked-orgs.sql": ["snowflake", *PLACE, *EXTERNAL, "--orgs", "emea", "--public-key", "MIIBIjANBgkq"],
    "snowflake-tables-orgs.sql": ["snowflake", "--mode", "tables", "--orgs", "emea"],
    "snowflake-gaps.sql": ["snowflake"],
    "salesforce.txt": ["salesforce"],
    "salesforce-two.txt": ["salesforce", "--endpoints", "account,quote"],
}
FULL = Values(account_id="123456789012", region="eu-central-1", bucket="acme-lake", external_id="x" * 32)


def printed(*arguments):
    result = CliRunner().invoke(main, ["setup", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_printed_scripts_are_the_golden_files(name):
    """To renew them: python sf_assets_tests/commands/setup/test_setup.py, then read the diff."""
    assert printed(*SCRIPTS[name]) == (GOLDEN / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [name for name in SCRIPTS if name.endswith(".sh")])
def test_a_shell_reads_the_aws_script(name):
    assert subprocess.run(["sh", "-n", GOLDEN / name], capture_output=True, check=False).returncode == 0


def test_a_gap_names_its_option_and_where_its_value_comes_from():
    text = printed("snowflake")

    for name in ("account_id", "region", "bucket", "external_id", "public_key"):
        assert f"--   {gap(name)}: --{name.replace('_', '-')}, from: {ORIGINS[name]}" in text


def test_a_script_with_all_values_has_no_gap():
    for name in ("aws-last.sh", "snowflake-linked.sql", "snowflake-tables.sql"):
        assert "Not filled in yet" not in (GOLDEN / name).read_text(encoding="utf-8")
        assert not re.search(r"<[A-Z_]+>", (GOLDEN / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--bucket", "acme.lake"),
        ("--bucket", "x'; rm -rf /"),
        ("--account-id", "1234"),
        ("--region", "Frankfurt"),
        ("--orgs", "EMEA"),
        ("--orgs", "emea, us"),
        ("--volume-user-arn", "arn:aws:iam::1:root"),
    ],
)
def test_a_value_that_cannot_be_right_is_refused(option, value):
    result = CliRunner().invoke(main, ["setup", "aws", option, value])

    assert result.exit_code == 1
    assert f"{option} {value!r} cannot be right" in result.output


def test_no_lifecycle_rule_can_eat_a_live_file():
    for rule in lifecycle(FULL)["Rules"]:
        assert rule.keys() - {"ID", "Status", "Filter"} <= {
            "AbortIncompleteMultipartUpload",
            "NoncurrentVersionExpiration",
            "Expiration",
        }
        assert rule.get("Expiration", {}).keys() <= {"ExpiredObjectDeleteMarker"}
        assert rule["Filter"] == {"Prefix": "salesforce/"}


def test_each_org_has_its_own_database_folder_secret_and_schema_as_its_code_location_looks_for_them():
    values = replace(FULL, orgs="emea,us_2")
    namespaces = [read_deployment({"SF_ASSETS_ORG": org}).iceberg.namespace for org in ("", "emea", "us_2")]

    assert list(values.databases) == list(values.schemas) == namespaces
    for one_for_each in (values.databases.values(), values.secrets, values.secrets.values(), values.schemas.values()):
        assert len(set(one_for_each)) == 3


def test_the_roles_reach_every_orgs_tables_and_secret():
    (catalog, secrets) = (
        statement["Resource"] for statement in writer_policy(replace(FULL, orgs="emea"))["Statement"][2:]
    )

    assert [arn.split(":")[-1] for arn in catalog] == [
        *("catalog", "database/salesforce", "table/salesforce/*"),
        *("database/salesforce_emea", "table/salesforce_emea/*"),
    ]
    assert [arn.split(":")[-1] for arn in secrets] == ["salesforce/sf_assets-*", "salesforce/sf_assets_emea-*"]


@pytest.mark.parametrize("policy", [reader_policy(FULL), writer_policy(FULL)], ids=["reader", "writer"])
def test_policies_name_their_actions_and_resources(policy):
    for statement in policy["Statement"]:
        actions, resources = statement["Action"], statement["Resource"]
        assert not [action for action in _listed(actions) if "*" in action]
        assert all(re.search("acme-lake|123456789012", resource) for resource in _listed(resources))


def test_the_reader_changes_nothing():
    actions = [action for statement in reader_policy(FULL)["Statement"] for action in _listed(statement["Action"])]

    assert [action for action in actions if not re.search(r":(Get|List)", action)] == []


def test_only_snowflakes_users_may_be_the_reader_and_only_with_the_external_id():
    users = {"volume_user_arn": "arn:aws:iam::9:user/v", "catalog_user_arn": "arn:aws:iam::9:user/c"}
    known = {name: value.replace("::9:", "::999999999999:") for name, value in users.items()}
    (statement,) = reader_trust(Values(account_id="123456789012", external_id="x" * 32, **known))["Statement"]

    assert statement["Principal"] == {"AWS": sorted(known.values())}
    assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": "x" * 32}}


def test_the_linked_database_cannot_write():
    text = printed("snowflake")

    assert "ALLOWED_WRITE_OPERATIONS = NONE" in text
    assert "ALLOW_WRITES = FALSE" in text
    assert not re.search(r"\b(OWNERSHIP|ALL PRIVILEGES|INSERT|DELETE)\b", text)


@pytest.mark.parametrize("mode", ["linked", "tables"])
def test_each_statement_carries_its_page(mode):
    commented = printed("snowflake", "--mode", mode)

    for statement in ("EXTERNAL VOLUME IF", "CATALOG INTEGRATION IF", "USER IF NOT", "DATABASE ", "SELECT SYSTEM"):
        place = commented.index(statement)
        assert "docs.snowflake.com/en" in "\n".join(commented[:place].splitlines()[-12:])


def test_the_permission_set_reads_and_changes_nothing():
    text = permission_set([spec.sobject for spec in endpoints()])

    assert not re.search(r"<(allowCreate|allowDelete|allowEdit|modifyAllRecords)>true", text)
    assert set(re.findall(r"<name>(\w+)</name>", text)) == {"ApiEnabled", "ViewAllData", "ViewRoles", "ViewSetup"}


def test_the_permission_set_holds_no_more_than_the_chosen_endpoints_need():
    text = printed("salesforce", "--endpoints", "account")

    assert re.findall(r"<object>(\w+)</object>", text) == ["Account"]
    assert re.findall(r"<name>(\w+)</name>", text) == ["ApiEnabled"]


def _listed(value):
    return [value] if isinstance(value, str) else value


if __name__ == "__main__":
    for name, arguments in SCRIPTS.items():
        (GOLDEN / name).write_text(printed(*arguments), encoding="utf-8")
