"""Credentials from AWS Secrets Manager, against an imitation of it in this process."""

import json
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from sf_assets.assets.deployments import read_deployment
from sf_assets.errors import ConfigError
from sf_assets.salesforce.credentials import Credentials

ENVIRONMENT = {
    "SF_ASSETS_DEPLOYMENT": "production",
    "SALESFORCE_INSTANCE_URL": "acme.my.salesforce.com",
    "SALESFORCE_SECRET_ID": "salesforce/acme",
}
WHOLE = {"consumer_key": "3MVG9", "private_key": "PEM", "username": "integration@acme.example"}


@pytest.fixture
def secrets(monkeypatch) -> Iterator:
    """An empty Secrets Manager."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield boto3.client("secretsmanager")


@pytest.fixture
def credentials(secrets):
    """The credentials resource that the environment names."""
    return read_deployment(ENVIRONMENT).salesforce.credentials


def test_the_three_values_come_from_the_secret(secrets, credentials):
    secrets.create_secret(Name="salesforce/acme", SecretString=json.dumps(WHOLE))

    assert credentials.fetch() == Credentials(**WHOLE)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("3MVG9", "its text is not JSON"),
        ('["3MVG9"]', "its JSON lacks consumer_key, private_key, username"),
        (json.dumps(WHOLE | {"username": ""}), "its JSON lacks username"),
    ],
)
def test_a_secret_of_another_shape_is_refused_without_telling_it(secrets, credentials, text, why):
    secrets.create_secret(Name="salesforce/acme", SecretString=text)

    with pytest.raises(ConfigError, match=why) as refused:
        credentials.fetch()

    assert "3MVG9" not in str(refused.value)


def test_a_secret_that_is_not_there_is_named(credentials):
    with pytest.raises(ConfigError, match="SALESFORCE_SECRET_ID: the secret 'salesforce/acme'") as refused:
        credentials.fetch()

    assert "secretsmanager:GetSecretValue" in refused.value.remedy
