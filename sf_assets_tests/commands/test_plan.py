"""`sf-assets plan`: what it prints, and its exit status."""

import pytest

from sf_assets.cli import main
from sf_assets.devorg import Org, sample_org, serve


@pytest.fixture(scope="module")
def seed() -> Org:
    return sample_org(seed=7, rows={"Account": 2_100})


@pytest.fixture
def org(seed, tmp_path, monkeypatch):
    """A served org that the environment names."""
    with serve(seed.copy()) as server:
        values = {
            "SF_ASSETS_DEPLOYMENT": "production",
            "SF_ASSETS_HOME": str(tmp_path),
            "SALESFORCE_INSTANCE_URL": server.url,
            "SALESFORCE_REQUESTS_PER_SECOND": "1000",
            **{f"SALESFORCE_{name.upper()}": value for name, value in server.credentials.items()},
        }
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        yield server.org


def test_a_plan_is_printed_and_nothing_is_read(org, capsys):
    main(["plan", "account", "product"], standalone_mode=False)

    output = capsys.readouterr().out
    assert "first walk" in output
    assert "2 calculated columns, read again daily by 2 calls" in " ".join(output.split())
    assert "This run: 6 calls (2 of them shared)" in output


def test_a_first_copy_that_the_reserve_would_stop_is_exit_status_three(org, capsys):
    org.behave(daily_limit=1_000)
    org.spend_calls(696)

    with pytest.raises(SystemExit) as error_info:
        main(["plan", "account"], standalone_mode=False)

    assert error_info.value.code == 3
    assert "spread_over_days: false" in capsys.readouterr().out


def test_an_endpoint_that_there_is_not_is_named(org, capsys):
    with pytest.raises(SystemExit) as error_info:
        main(["plan", "acount"], standalone_mode=False)

    assert error_info.value.code == 1
    assert "no endpoint or group is named acount" in capsys.readouterr().err
