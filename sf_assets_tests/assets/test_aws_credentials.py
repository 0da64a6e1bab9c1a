"""Credentials from AWS Secrets Manager, against an imitation of it in this process."""

import json
import logging
import urllib.request
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from sf_assets.assets.deployments import read_deployment
from sf_assets.devorg.credentials import new_private_key
from sf_assets.errors import AssertionRefused, ConfigError
from sf_assets.salesforce.login.credentials import Credentials

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
        (json.dumps(WHOLE | {"private_key": " \n"}), "its JSON lacks private_key"),
    ],
)
def test_a_secret_of_another_shape_is_refused_without_telling_it(secrets, credentials, text, why):
    secrets.create_secret(Name="salesforce/acme", SecretString=text)

    with pytest.raises(ConfigError, match=why) as error_info:
        credentials.fetch()

    assert "3MVG9" not in str(error_info.value)


def test_a_secret_that_is_not_there_is_named(credentials):
    with pytest.raises(ConfigError, match="SALESFORCE_SECRET_ID: the secret 'salesforce/acme'") as error_info:
        credentials.fetch()

    assert "secretsmanager:GetSecretValue" in error_info.value.remedy


@pytest.fixture
def endpoint(monkeypatch) -> Iterator[str]:
    """Secrets Manager served on loopback."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    for name, value in {
        "AWS_ENDPOINT_URL": url,
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }.items():
        monkeypatch.setenv(name, value)
    urllib.request.urlopen(f"{url}/moto-api/reset", data=b"").close()
    yield url
    server.stop()


@pytest.fixture
def rotating(endpoint, practice_org, tmp_path):
    """A secret with credentials of the practice org, and a client that begins with a key of another app in it."""
    secrets_manager, home = boto3.client("secretsmanager"), {"SF_ASSETS_HOME": str(tmp_path)}
    old = {**practice_org.credentials, "private_key": new_private_key()}
    secrets_manager.create_secret(Name="salesforce/acme", SecretString=json.dumps(old))
    return secrets_manager, read_deployment(
        {**ENVIRONMENT, **home, "SALESFORCE_INSTANCE_URL": practice_org.url}
    ).salesforce


def logins(practice_org) -> int:
    return [request.kind for request in practice_org.requests].count("token")


def test_a_secret_that_was_rotated_is_read_again_when_the_login_is_refused(rotating, practice_org):
    secrets_manager, salesforce = rotating
    client = salesforce.client()
    secrets_manager.put_secret_value(
        SecretId="salesforce/acme", SecretString=json.dumps(dict(practice_org.credentials))
    )

    assert client.org_id()[:3] == "00D"
    assert logins(practice_org) == 4  # the old key with three audiences, then the new one


def test_a_secret_of_the_same_version_is_not_tried_again(rotating, practice_org):
    _, salesforce = rotating

    with pytest.raises(AssertionRefused):
        salesforce.client().org_id()

    assert logins(practice_org) == 3  # one for each audience


def test_a_secret_that_is_gone_leaves_the_refused_login_as_the_error(rotating, practice_org, caplog):
    secrets_manager, salesforce = rotating
    client = salesforce.client()
    secrets_manager.delete_secret(SecretId="salesforce/acme", ForceDeleteWithoutRecovery=True)

    with pytest.raises(AssertionRefused):
        client.org_id()

    assert "could not be read again" in caplog.text


def test_the_loudest_log_holds_nothing_of_the_secret(rotating, practice_org, caplog):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "botocore")  # dbt's adapter for Snowflake raises it on import
    _, salesforce = rotating

    credentials = salesforce.credentials.fetch()

    assert "GetSecretValue" in caplog.text
    for secret in (credentials.consumer_key, credentials.username, credentials.private_key.splitlines()[5]):
        assert secret not in caplog.text
