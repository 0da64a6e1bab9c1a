"""The launchpad's entries, and how each wrong one is refused."""

from datetime import UTC, datetime

import pytest

from sf_assets.assets.config import EndpointConfig
from sf_assets.assets.practice_credentials import PracticeCredentials
from sf_assets.assets.resources import SalesforceResource
from sf_assets.errors import ConfigError
from sf_assets.sync.report import DeploymentOptions, RunOptions


def salesforce(**values):
    return SalesforceResource(
        instance_url="http://127.0.0.1:1", credentials=PracticeCredentials(folder="nowhere"), **values
    )


SALESFORCE = salesforce()


def test_no_config_is_the_ordinary_sync():
    assert EndpointConfig().run_options() == RunOptions()


def test_the_deployments_settings_reach_the_sync():
    options = salesforce(read_deleted=False, calculated="exclude", quota_reserve=0.4, bulk="never").deployment_options()

    assert options == DeploymentOptions(read_deleted=False, calculated="exclude", quota_reserve=0.4, bulk="never")


def test_a_bounded_reread_takes_times_with_any_zone():
    options = EndpointConfig(since="2026-11-01T02:00:00+02:00", until="2026-11-02T00:00:00Z").run_options()

    assert options.since == datetime(2026, 11, 1, tzinfo=UTC)
    assert options.until == datetime(2026, 11, 2, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-11-01", "2026-11-01T00:00:00.000+0000", "20261101T000000Z"])
def test_a_time_may_be_a_date_or_as_salesforce_writes_it(text):
    assert EndpointConfig(since=text).run_options().since == datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("config", "entry"),
    [
        ({"since": "yesterday"}, "since"),
        ({"since": "2026-02-30"}, "since"),
        ({"since": "2026-11"}, "since"),
        ({"since": "2026-11-01Z"}, "since"),
        ({"until": "2026-11-01T00:00:00"}, "until"),
        ({"since": "2026-11-02T00:00:00Z", "until": "2026-11-01T00:00:00Z"}, "since"),
        ({"since": "2026-11-02T00:00:00Z", "until": "2026-11-02T00:00:00Z"}, "since"),
        ({"full_refresh": True, "since": "2026-11-02T00:00:00Z"}, "full_refresh"),
        ({"adopt_org": True}, "adopt_org"),
    ],
)
def test_a_wrong_entry_is_refused_by_its_name(config, entry):
    with pytest.raises(ConfigError, match=f"^Run config {entry}: ") as error_info:
        EndpointConfig(**config).run_options()

    assert "launchpad" in error_info.value.remedy
