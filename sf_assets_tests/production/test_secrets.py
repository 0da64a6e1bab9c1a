"""Credentials through dagster-aws's SecretsManagerResource, over HTTP."""

import json

import pytest

from sf_assets.assets.deployments import read_deployment
from sf_assets.errors import ConfigError
from sf_assets.salesforce.login.credentials import Credentials

ENVIRONMENT = {
    "SF_ASSETS_DEPLOYMENT": "production",
    "SALESFORCE_INSTANCE_URL": "acme.my.salesforce.com",
    "SALESFORCE_SECRET_ID": "salesforce/sf_assets",
}
WHOLE = {"consumer_key": "3MVG9", "private_key": "PEM", "username": "integration@acme.example"}


@pytest.fixture
def resource(aws, monkeypatch):
    """The credentials of the environment; Secrets Manager alone is where AWS says it is."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", aws.url)
    return read_deployment(ENVIRONMENT).salesforce.credentials


def test_one_call_reads_the_secret_and_no_other_right_is_used(aws, resource):
    aws.client("secretsmanager").create_secret(Name="salesforce/sf_assets", SecretString=json.dumps(WHOLE))
    aws.forget()

    assert resource.fetch() == Credentials(**WHOLE)

    assert dict(aws.actions) == {"GetSecretValue": 1}


def test_a_rotated_secret_is_read_as_it_is_now(aws, resource):
    client = aws.client("secretsmanager")
    client.create_secret(Name="salesforce/sf_assets", SecretString=json.dumps(WHOLE))
    client.put_secret_value(SecretId="salesforce/sf_assets", SecretString=json.dumps({**WHOLE, "consumer_key": "new"}))

    assert resource.fetch().consumer_key == "new"


@pytest.mark.parametrize(
    "secret_text",
    [
        {"SecretBinary": json.dumps(WHOLE).encode()},
        {"SecretString": '{"consumer_key": "3MVG9", "username": "u", "private_key": "one\ntwo"}'},
    ],
    ids=["binary", "raw line breaks"],
)
def test_what_people_store_is_read(aws, resource, secret_text):
    aws.client("secretsmanager").create_secret(Name="salesforce/sf_assets", **secret_text)

    assert resource.fetch().consumer_key == "3MVG9"


def test_a_secret_that_is_refused_is_named(aws, resource):
    with pytest.raises(ConfigError, match="ResourceNotFoundException") as error_info:
        resource.fetch()

    assert error_info.value.values["setting"] == "SALESFORCE_SECRET_ID"
