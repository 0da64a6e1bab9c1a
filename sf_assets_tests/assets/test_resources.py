"""One object a process for its values, and no secret in any page, key or repr."""

import pytest

from sf_assets.assets.credentials import EnvironmentCredentials, digest
from sf_assets.assets.practice_credentials import PracticeCredentials
from sf_assets.assets.resources import IcebergResource, SalesforceResource
from sf_assets.devorg.credentials import new_private_key

KEY = new_private_key()


def salesforce(**values):
    credentials = EnvironmentCredentials(consumer_key="3MVG9", username="a@b.example", private_key=KEY)
    return SalesforceResource(**{"instance_url": "http://127.0.0.1:9", "credentials": credentials, **values})


def test_two_resources_of_the_same_values_share_one_client():
    assert salesforce().client() is salesforce().client()


@pytest.mark.parametrize(
    "values",
    [
        {"instance_url": "http://127.0.0.1:10"},
        {"audience": "https://test.salesforce.com"},
        {"requests_per_second": 1.0},
        {"quota_reserve": 0.3},
        {"credentials": EnvironmentCredentials(consumer_key="3MVG9", username="c@b.example", private_key=KEY)},
    ],
)
def test_another_value_is_another_client(values):
    assert salesforce().client() is not salesforce(**values).client()


def test_two_resources_of_the_same_values_share_one_warehouse(tmp_path):
    first, second = IcebergResource(local_folder=str(tmp_path)), IcebergResource(local_folder=str(tmp_path))

    assert first.tables() is second.tables()
    assert first.tables() is not IcebergResource(local_folder=str(tmp_path), namespace="other").tables()


def test_a_digest_differs_by_value_and_by_place_and_tells_nothing():
    assert digest("a", "b") != digest("b", "a") != digest("ab", "")
    assert "secret" not in digest("secret")


def test_an_identity_tells_no_secret():
    identity = salesforce().credentials.identity()

    assert KEY.splitlines()[1] not in identity
    assert "3MVG9" not in identity


def test_every_field_on_a_resources_page_has_a_description():
    for resource in (SalesforceResource, IcebergResource, EnvironmentCredentials, PracticeCredentials):
        without_description = [name for name, field in resource.model_fields.items() if not field.description]
        assert without_description in ([], ["credentials"])


def test_the_practice_orgs_file_gives_its_credentials(tmp_path):
    (tmp_path / "credentials.json").write_text('{"consumer_key": "k", "private_key": "p", "username": "u"}')

    credentials = PracticeCredentials(folder=str(tmp_path)).fetch()

    assert (credentials.consumer_key, credentials.private_key, credentials.username) == ("k", "p", "u")
