"""The real connector through the real SnowflakeResource, against a loopback server of its wire."""

import base64

import pytest

from sf_assets import errors
from sf_assets.assets.snowflake import SnowflakeResource
from sf_assets.snowflake.session import SnowflakeSession


@pytest.fixture
def resource(snowflake):
    """The resource that reaches the loopback account."""

    def build(**settings):
        login = {"account": snowflake.account, "user": snowflake.user, "private_key": snowflake.private_key}
        way = {"protocol": "http", "host": "127.0.0.1", "port": snowflake.port, "platform_detection_timeout_seconds": 0}
        return SnowflakeResource(**{**login, "additional_snowflake_connection_args": way, **settings})

    return build


@pytest.fixture
def session(resource):
    """A session that is closed at the end."""
    session = SnowflakeSession(resource().get_connection)
    yield session
    session.close()


def test_the_key_pair_logs_in_once_and_statements_come_back_as_rows(snowflake, session):
    snowflake.answers = {"^SELECT 1$": [["1"], ["2"]], "^SELECT 2$": [[None]]}

    assert [tuple(row) for row in session.execute("SELECT 1")] == [("1",), ("2",)]
    assert session.execute("SELECT 2") == [(None,)]

    assert len(snowflake.logins) == 1
    assert snowflake.logins[0]["AUTHENTICATOR"] == "SNOWFLAKE_JWT"
    assert "PASSWORD" not in snowflake.logins[0]
    assert snowflake.queries == ["SELECT 1", "SELECT 2"]


def test_the_key_may_be_base64_in_one_line_as_setup_snowflake_prints(snowflake, resource):
    snowflake.answers = {"^SELECT 1$": [["1"]]}
    key = base64.b64encode(snowflake.private_key.encode()).decode()

    session = SnowflakeSession(resource(private_key=key).get_connection)

    assert session.execute("SELECT 1") == [("1",)]
    session.close()


def test_another_key_is_refused_with_what_to_compare(snowflake, resource, other_key):
    session = SnowflakeSession(resource(private_key=other_key).get_connection)

    with pytest.raises(errors.SnowflakeLoginRefused, match="JWT token is invalid") as error_info:
        session.execute("SELECT 1")

    assert "RSA_PUBLIC_KEY_FP" in error_info.value.remedy
    assert not error_info.value.retryable
    assert snowflake.statements == []


@pytest.mark.parametrize(
    ("code", "sqlstate", "error"),
    [
        ("002003", "42S02", errors.SnowflakeTableMissing),
        ("002043", "02000", errors.SnowflakeTableMissing),
        ("003001", "42501", errors.SnowflakeDenied),
        ("003999", "42501", errors.SnowflakeDenied),
        ("000606", "57P03", errors.SnowflakeWarehouseDown),
        ("090073", "22000", errors.SnowflakeWarehouseDown),
        ("001003", "42000", errors.SnowflakeError),
    ],
)
def test_each_refusal_becomes_the_error_that_says_what_to_do(snowflake, session, refusal, code, sqlstate, error):
    snowflake.answers = {"ALTER": refusal(code, sqlstate, "Snowflake's own words")}

    with pytest.raises(error, match="Snowflake's own words") as error_info:
        session.execute("ALTER ICEBERG TABLE X REFRESH")

    assert type(error_info.value) is error
    assert error_info.value.values["errno"] == int(code)
    assert error_info.value.values["query_id"] == "01b0-0001"
    assert error_info.value.values["statement"] == "ALTER ICEBERG TABLE X REFRESH"


def test_a_session_goes_on_after_a_refusal(snowflake, session, refusal):
    snowflake.answers = {"ALTER": refusal("003001", "42501", "no"), "SELECT": [["1"]]}
    with pytest.raises(errors.SnowflakeDenied):
        session.execute("ALTER ICEBERG TABLE X REFRESH")

    assert session.execute("SELECT 1") == [("1",)]
    assert len(snowflake.logins) == 1


def test_a_host_that_does_not_answer_is_unreachable(resource, free_port):
    way = {"protocol": "http", "host": "127.0.0.1", "port": free_port, "platform_detection_timeout_seconds": 0}
    session = SnowflakeSession(resource(additional_snowflake_connection_args=way, login_timeout=1).get_connection)

    with pytest.raises(errors.SnowflakeUnreachable) as error_info:
        session.execute("SELECT 1")

    assert error_info.value.retryable
    assert "SNOWFLAKE_ACCOUNT" in error_info.value.remedy
