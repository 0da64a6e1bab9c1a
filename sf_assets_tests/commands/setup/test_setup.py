"""`sf-assets setup`: the printed scripts are snapshots; their policies allow the least that is needed."""

import json
import re
import subprocess
from dataclasses import replace

import pytest
from click.testing import CliRunner

from sf_assets.assets.deployments import read_deployment
from sf_assets.cli import main
from sf_assets.commands.setup.policies import (
    bucket_policy,
    database_input,
    lifecycle,
    reader_policy,
    reader_trust,
    writer_policy,
    writer_trust,
)
from sf_assets.commands.setup.values import EXAMPLES, FORMS, ORIGINS, SetupValues, gap
from sf_assets_tests.snapshots import ShellSnapshot, SqlSnapshot, TextSnapshot

PLACE = ["--account-id", "123456789012", "--region", "eu-central-1", "--bucket", "acme-lake"]
EXTERNAL = ["--external-id", "0123456789abcdef0123456789abcdef"]
USERS = [
    *("--volume-user-arn", "arn:aws:iam::999999999999:user/vol0-s"),
    *("--catalog-user-arn", "arn:aws:iam::999999999999:user/api0-s"),
]
KEY = ["--kms-key", "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"]
PUBLIC = ["--public-key", "MIIBIjANBgkq"]
SCRIPTS = {
    "aws-first": ["aws", *PLACE, *EXTERNAL],
    "aws-last": ["aws", *PLACE, *EXTERNAL, *USERS],
    "aws-orgs": ["aws", *PLACE, *EXTERNAL, "--orgs", "emea,us_2"],
    "aws-eks": ["aws", *PLACE, *EXTERNAL, *USERS, "--runs-on", "pods.eks.amazonaws.com", "--cluster", "data"],
    "aws-guarded": ["aws", *PLACE, *EXTERNAL, *USERS, *KEY, "--lake-formation", "--runs-on", "ec2.amazonaws.com"],
    "snowflake-linked": ["snowflake", *PLACE, *EXTERNAL, *PUBLIC],
    "snowflake-tables": ["snowflake", "--mode", "tables", *PLACE, *EXTERNAL, *PUBLIC],
    "snowflake-linked-orgs": ["snowflake", *PLACE, *EXTERNAL, "--orgs", "emea", *PUBLIC],
    "snowflake-tables-orgs": ["snowflake", "--mode", "tables", "--orgs", "emea"],
    "snowflake-gaps": ["snowflake"],
    "salesforce-all": ["salesforce"],
    "salesforce-two": ["salesforce", "--endpoints", "account,quote"],
}
EXTENSIONS = {"aws": ShellSnapshot, "snowflake": SqlSnapshot, "salesforce": TextSnapshot}
FULL = SetupValues(account_id="123456789012", region="eu-central-1", bucket="acme-lake", external_id="x" * 32)


def script(*arguments):
    result = CliRunner().invoke(main, ["setup", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_printed_scripts_are_the_snapshots(name, snapshot):
    arguments = SCRIPTS[name]

    assert script(*arguments) == snapshot(extension_class=EXTENSIONS[arguments[0]])


@pytest.mark.parametrize("name", [name for name in SCRIPTS if name.startswith("aws")])
def test_a_shell_reads_the_aws_script(name):
    result = subprocess.run(["sh", "-n"], input=script(*SCRIPTS[name]), text=True, capture_output=True, check=False)

    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("name", [name for name in SCRIPTS if name.startswith("aws")])
def test_each_document_of_the_aws_script_is_json(name):
    documents = re.findall(r"<<'JSON'\n(.*?)\nJSON\n", script(*SCRIPTS[name]), flags=re.DOTALL)

    assert len(documents) >= 7
    assert all(json.loads(document) for document in documents)


def test_a_gap_names_its_option_and_where_its_value_comes_from():
    text = script("snowflake")

    for name in ("account_id", "region", "bucket", "external_id", "public_key"):
        assert f"--   {gap(name)}: --{name.replace('_', '-')}, from: {ORIGINS[name]}" in text


@pytest.mark.parametrize("name", ["aws-last", "aws-eks", "aws-guarded", "snowflake-linked", "snowflake-tables"])
def test_a_script_with_all_values_has_no_gap(name):
    text = script(*SCRIPTS[name])

    assert "Not filled in yet" not in text
    assert not re.search(r"<[A-Z_]+>", text)


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
        ("--volume-user-arn", "arn:aws-cn:iam::123456789012:user/x"),
        ("--secret", "a\nJSON\nrm"),
        ("--oidc-provider", "https://oidc.eks.example/id/1"),
        ("--cluster", "x; y"),
    ],
)
def test_a_value_that_cannot_be_right_is_refused(option, value):
    result = CliRunner().invoke(main, ["setup", "aws", option, value])

    assert result.exit_code == 1
    assert f"{option} {value!r} cannot be right" in result.output
    assert "What to do: Give a value like " in result.output


@pytest.mark.parametrize("name", FORMS)
def test_the_example_of_a_wrong_value_has_the_right_form(name):
    assert re.fullmatch(FORMS[name], EXAMPLES[name].split(", ")[0])


@pytest.mark.parametrize("region", ["us-gov-west-1", "cn-north-1", "us-iso-east-1", "eusc-de-east-1"])
def test_a_region_of_another_partition_is_refused_by_name(region):
    result = CliRunner().invoke(main, ["setup", "aws", "--region", region])

    assert result.exit_code == 1
    assert f"{region!r} belongs to" in result.output


def test_a_value_of_every_form_stays_one_word_of_the_shell():
    text = script("aws", *PLACE, *EXTERNAL, *USERS, "--secret", "team=a/sf_assets+x@y")

    assert "--name team=a/sf_assets+x@y " in text or "--name 'team=a/sf_assets+x@y' " in text


def test_no_lifecycle_rule_removes_a_current_file():
    for rule in lifecycle(FULL)["Rules"]:
        assert rule.keys() - {"ID", "Status", "Filter"} <= {
            "AbortIncompleteMultipartUpload",
            "NoncurrentVersionExpiration",
            "Expiration",
        }
        assert rule.get("Expiration", {}).keys() <= {"ExpiredObjectDeleteMarker"}
        assert rule["Filter"] == {"Prefix": "salesforce/"}


def test_each_org_has_its_own_database_folder_secret_and_schema():
    values = replace(FULL, orgs="emea,us_2")
    namespaces = [read_deployment({"SF_ASSETS_ORG": org}).iceberg.namespace for org in ("", "emea", "us_2")]

    assert list(values.databases) == list(values.schemas) == namespaces
    for one_for_each in (values.databases.values(), values.secrets, values.secrets.values(), values.schemas.values()):
        assert len(set(one_for_each)) == 3


def test_the_roles_reach_every_orgs_tables_and_secret():
    catalog, secrets = (
        statement["Resource"] for statement in writer_policy(replace(FULL, orgs="emea"))["Statement"][2:]
    )

    assert [arn.split(":")[-1] for arn in catalog] == [
        *("catalog", "database/salesforce", "table/salesforce/*"),
        *("database/salesforce_emea", "table/salesforce_emea/*"),
    ]
    assert [arn.split(":")[-1] for arn in secrets] == [
        "salesforce/sf_assets-??????",
        "salesforce/sf_assets_emea-??????",
    ]


def test_the_secret_of_another_name_is_not_covered():
    pattern = writer_policy(FULL)["Statement"][3]["Resource"].replace("?", ".")
    start = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:salesforce/sf_assets"

    assert re.fullmatch(pattern, f"{start}-AbCdEf")
    assert not re.fullmatch(pattern, f"{start}-x-AbCdEf")


@pytest.mark.parametrize("policy", [reader_policy(FULL), writer_policy(FULL)], ids=["reader", "writer"])
def test_policies_name_their_actions_and_resources(policy):
    for statement in policy["Statement"]:
        actions, resources = statement["Action"], statement["Resource"]
        assert not [action for action in _as_list(actions) if "*" in action]
        assert all(re.search("acme-lake|123456789012", resource) for resource in _as_list(resources))


def test_the_reader_changes_nothing():
    actions = [action for statement in reader_policy(FULL)["Statement"] for action in _as_list(statement["Action"])]

    assert [action for action in actions if not re.search(r":(Get|List)", action)] == []


def test_a_key_of_ones_own_is_for_both_roles():
    values = replace(FULL, kms_key=KEY[1])

    assert reader_policy(values)["Statement"][-1]["Action"] == ["kms:Decrypt"]
    assert writer_policy(values)["Statement"][-1]["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert "put-bucket-encryption" in script(*SCRIPTS["aws-guarded"])


def test_iam_decides_on_new_tables_unless_lake_formation_is_chosen():
    (default,) = database_input(FULL, "x", "s3://x/")["CreateTableDefaultPermissions"]

    assert default["Principal"] == {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}
    assert database_input(replace(FULL, lake_formation=True), "x", "s3://x/")["CreateTableDefaultPermissions"] == []


def test_with_lake_formation_both_roles_may_ask_it_for_data():
    values = replace(FULL, lake_formation=True)

    for policy in (reader_policy(values), writer_policy(values)):
        assert policy["Statement"][-1]["Action"] == "lakeformation:GetDataAccess"


def test_only_snowflakes_users_with_the_external_id_may_be_the_reader():
    users = {"volume_user_arn": USERS[1], "catalog_user_arn": USERS[3]}
    (statement,) = reader_trust(SetupValues(account_id="123456789012", external_id="x" * 32, **users))["Statement"]

    assert statement["Principal"] == {"AWS": sorted(users.values())}
    assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": "x" * 32}}


def test_only_one_service_account_may_be_the_writer_by_irsa():
    provider = "oidc.eks.eu-central-1.amazonaws.com/id/ABC"
    (statement,) = writer_trust(replace(FULL, oidc_provider=provider))["Statement"]

    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert statement["Principal"] == {"Federated": f"arn:aws:iam::123456789012:oidc-provider/{provider}"}
    assert statement["Condition"]["StringEquals"] == {
        f"{provider}:sub": "system:serviceaccount:default:sf-assets",
        f"{provider}:aud": "sts.amazonaws.com",
    }


def test_pod_identity_tags_its_session_for_one_service_account():
    (statement,) = writer_trust(replace(FULL, runs_on="pods.eks.amazonaws.com"))["Statement"]

    assert statement["Action"] == ["sts:AssumeRole", "sts:TagSession"]
    assert statement["Condition"]["StringEquals"]["aws:RequestTag/kubernetes-service-account"] == "sf-assets"


def test_a_machine_gets_the_role_by_an_instance_profile():
    text = script(*SCRIPTS["aws-guarded"])

    assert "create-instance-profile" in text
    assert "add-role-to-instance-profile" in text


def test_requests_without_tls_are_denied():
    (statement,) = bucket_policy(FULL)["Statement"]

    assert (statement["Effect"], statement["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_the_linked_database_cannot_write():
    text = script("snowflake")

    assert "ALLOWED_WRITE_OPERATIONS = NONE" in text
    assert "ALLOW_WRITES = FALSE" in text
    assert not re.search(r"\b(OWNERSHIP|ALL PRIVILEGES|INSERT|DELETE)\b", text)


def test_the_reader_role_gets_schemas_that_are_discovered_later():
    text = script(*SCRIPTS["snowflake-linked"])
    order = [
        "SHOW SCHEMAS IN DATABASE SF_RAW",
        "GRANT USAGE ON ALL SCHEMAS",
        "GRANT USAGE ON FUTURE SCHEMAS",
        "GRANT SELECT ON FUTURE ICEBERG TABLES",
        "After the first sync",
    ]

    positions = [text.index(statement) for statement in order]
    assert positions == sorted(positions)
    assert text.count("GRANT USAGE ON ALL SCHEMAS IN DATABASE SF_RAW TO ROLE SF_READER;") == 2


@pytest.mark.parametrize("mode", ["linked", "tables"])
def test_the_loader_has_a_warehouse_in_both_modes(mode):
    text = script("snowflake", "--mode", mode)

    assert "GRANT USAGE ON WAREHOUSE SF_LOADING TO ROLE SF_LOADER" in text
    assert "-- SNOWFLAKE_WAREHOUSE=SF_LOADING" in text


def test_the_namespaces_are_listed_from_the_root_of_the_catalog():
    text = script("snowflake")

    integration = text[text.index("CREATE CATALOG INTEGRATION") : text.index("DESC CATALOG INTEGRATION")]
    assert "CATALOG_NAMESPACE" not in integration
    assert "SYSTEM$LIST_NAMESPACES_FROM_CATALOG('sf_irc')" in text


@pytest.mark.parametrize(("discovery", "patience"), [("30", "600"), ("300", "600"), ("3600", "7200")])
def test_the_patience_covers_two_discoveries(discovery, patience):
    assert f"-- SNOWFLAKE_PATIENCE_SECONDS={patience}\n" in script("snowflake", "--discovery-seconds", discovery)


@pytest.mark.parametrize("mode", ["linked", "tables"])
def test_each_statement_has_its_page(mode):
    text = script("snowflake", "--mode", mode)

    for statement in ("EXTERNAL VOLUME IF", "CATALOG INTEGRATION IF", "USER IF NOT", "DATABASE ", "SELECT SYSTEM"):
        place = text.index(statement)
        assert "docs.snowflake.com/en" in "\n".join(text[:place].splitlines()[-12:])


def _as_list(value):
    return [value] if isinstance(value, str) else value
