"""The printed writer policy, under moto's enforcement of IAM: it suffices, and each of its rights is needed."""

import json

import httpx
import pytest

from sf_assets.commands.setup.policies import writer_policy
from sf_assets.commands.setup.values import SetupValues
from sf_assets.errors import IcebergError
from sf_assets.iceberg.tables import IcebergTables

VALUES = SetupValues(account_id="123456789012", region="eu-central-1", bucket="lake")


@pytest.fixture
def writer(aws):
    """Catalog properties of a user who has the writer policy alone, less the rights that the test takes away."""
    aws.client("glue").create_database(DatabaseInput={"Name": "salesforce", "LocationUri": "s3://lake/salesforce/"})
    iam = aws.client("iam")
    iam.create_user(UserName="writer")
    keys = iam.create_access_key(UserName="writer")["AccessKey"]

    def enforce(without=()):
        policy = writer_policy(VALUES)
        for statement in policy["Statement"]:
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            statement["Action"] = [action for action in actions if action not in without] or ["s3:None"]
            if actions[0].startswith("glue:"):
                statement["Resource"] = "*"  # moto asks Glue's rights of no resource; the ARNs are checked as text
        iam.put_user_policy(UserName="writer", PolicyName="write", PolicyDocument=json.dumps(policy))
        httpx.post(f"{aws.url}/moto-api/reset-auth", content="0", trust_env=False).raise_for_status()
        own = {"access-key-id": keys["AccessKeyId"], "secret-access-key": keys["SecretAccessKey"]}
        return aws.catalog | {f"{service}.{name}": value for service in ("glue", "s3") for name, value in own.items()}

    yield enforce
    httpx.post(f"{aws.url}/moto-api/reset-auth", content="inf", trust_env=False)


def write_twice(properties, frame, columns):
    for number in range(2):
        warehouse = IcebergTables("salesforce", "salesforce", properties)
        facts = warehouse.facts("account")
        warehouse.merge(
            "account",
            columns=columns,
            keys=("id",),
            stamp="system_modstamp",
            chunks=[frame(number)],
            base=facts.state if facts else None,
        )
    return IcebergTables("salesforce", "salesforce", properties).facts("account").rows


def test_the_writer_policy_suffices(writer, account_chunk, account_columns):
    assert write_twice(writer(), account_chunk, account_columns) == 2


@pytest.mark.parametrize(
    "right", ["s3:GetObject", "s3:PutObject", "glue:GetTable", "glue:CreateTable", "glue:UpdateTable"]
)
def test_each_right_of_the_writer_is_needed(writer, account_chunk, account_columns, right):
    properties = writer(without={right})

    with pytest.raises(IcebergError):
        write_twice(properties, account_chunk, account_columns)
