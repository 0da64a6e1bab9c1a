"""The doctor on AWS, over HTTP: what it says of the secret and of the bucket, and that it changes nothing."""

import json
from dataclasses import replace

import pytest

from sf_assets.assets.deployments import read_deployment
from sf_assets.assets.resources import IcebergResource
from sf_assets.commands.doctor.checks import run_checks
from sf_assets.iceberg.tables import IcebergTables
from sf_assets.specs.endpoints import endpoints

SECRET = {"consumer_key": "3MVG9", "private_key": "PEM", "username": "integration@acme.example"}
ACCOUNT = next(spec for spec in endpoints() if spec.endpoint == "account")


@pytest.fixture
def secret_id(tmp_path):
    """A name of its own: a hash key is read once a process."""
    return f"salesforce/{tmp_path.name}"


@pytest.fixture
def run_check(aws, monkeypatch, tmp_path, secret_id):
    """Runs one check in a production whose secret and lake are on this AWS."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", aws.url)
    values = {
        "SF_ASSETS_DEPLOYMENT": "production",
        "SF_ASSETS_HOME": str(tmp_path),
        "SALESFORCE_INSTANCE_URL": "http://127.0.0.1:9",
        "SALESFORCE_SECRET_ID": secret_id,
    }
    deployment = replace(read_deployment(values), iceberg=IcebergResource(properties=aws.catalog))

    def run(check, specs=(ACCOUNT,)):
        return [finding for finding in run_checks(deployment, specs) if finding.check == check]

    return run


@pytest.fixture
def store(aws, secret_id):
    """Puts values into the secret."""

    def put(**values):
        aws.client("secretsmanager").create_secret(Name=secret_id, SecretString=json.dumps(values))

    return put


def test_a_whole_secret_is_good(store, run_check):
    store(**SECRET)

    (finding,) = run_check("secret")

    assert (finding.status, finding.remedy) == ("ok", "")


def test_a_secret_that_is_not_there_is_named_with_its_remedy(run_check, secret_id):
    (finding,) = run_check("key")

    assert finding.status == "fail"
    assert secret_id in finding.message
    assert "secretsmanager:GetSecretValue" in finding.remedy


def test_a_key_that_the_secret_lacks_is_named(store, run_check):
    store(consumer_key="3MVG9", username="u")

    (finding,) = run_check("key")

    assert "lacks private_key" in finding.message


@pytest.mark.parametrize(("key", "word"), [("k" * 31, "fail"), ("k" * 32, "ok")])
def test_hashed_columns_need_a_key_in_the_secret(store, run_check, key, word):
    store(**SECRET, hash_key=key)

    assert run_check("secret", specs=(replace(ACCOUNT, hashed=("Phone",)),))[-1].status == word


def test_a_lake_that_has_no_namespace_yet_is_a_warning(run_check):
    (finding,) = run_check("storage")

    assert finding.status == "warn"
    assert "setup aws" in finding.remedy


def test_a_lake_is_found_and_nothing_is_written(aws, run_check, account_columns, account_chunk):
    warehouse = IcebergTables("salesforce", "salesforce", aws.catalog)
    chunks = [account_chunk(0)]
    warehouse.merge("account", columns=account_columns, keys=("id",), stamp=None, chunks=chunks, base=None)
    aws.forget()

    (finding,) = run_check("storage")

    assert (finding.status, finding.remedy) == ("ok", "")
    assert "s3://lake/salesforce" in finding.message
    assert "lists 1 table;" in finding.message
    assert aws.count_requests("s3", "PUT", "POST", "DELETE") == 0
    assert not {name for name in aws.actions if name.startswith(("Create", "Update", "Delete"))}


def test_a_bucket_that_is_gone_is_a_failure(aws, run_check):
    aws.client("glue").create_database(DatabaseInput={"Name": "salesforce", "LocationUri": "s3://elsewhere/salesforce"})

    (finding,) = run_check("storage")

    assert (finding.status, finding.message) == ("fail", "s3://elsewhere/salesforce does not exist")
    assert finding.remedy


def test_a_table_without_readable_metadata_is_a_failure_with_remedy(aws, run_check, account_columns, account_chunk):
    warehouse = IcebergTables("salesforce", "salesforce", aws.catalog)
    chunks = [account_chunk(0)]
    warehouse.merge("account", columns=account_columns, keys=("id",), stamp=None, chunks=chunks, base=None)
    bucket, _, name = warehouse.facts("account").metadata_location.removeprefix("s3://").partition("/")
    aws.client("s3").delete_object(Bucket=bucket, Key=name)

    (finding,) = run_check("storage")

    assert finding.status == "fail"
    assert "PYICEBERG_CATALOG__" in finding.remedy
