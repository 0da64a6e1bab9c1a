"""The checks of an account, against the loopback server."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from sf_assets.assets.snowflake import SnowflakeResource
from sf_assets.snowflake.account_checks import TableContent, check_table
from sf_assets.snowflake.session import SnowflakeSession
from sf_assets.snowflake.statements import SnowflakeTarget
from sf_assets.snowflake.visibility import Committed, Version

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
PLACE = SnowflakeTarget("linked", database="SF_RAW", schema="salesforce")
NOW = "s3://lake/2.json"
COMMITTED = Committed((Version("s3://lake/1.json", NOON), Version(NOW, NOON.replace(hour=13))), NOON.replace(hour=13))


@pytest.fixture
def lines(snowflake):
    """Examines the loopback account; returns the lines by what they asked."""
    snowflake.answers = {
        "CURRENT_ROLE": [["LOADER", "SF_LOADER", "AWS_EU_CENTRAL_1"]],
        "LINK_STATUS": [['{"executionState": "RUNNING", "failureDetails": []}']],
        "COUNT": [["40", "12.500000"]],
    }
    snowflake.sees_all(lambda table: NOW)
    way = {"protocol": "http", "host": "127.0.0.1", "port": snowflake.port, "platform_detection_timeout_seconds": 0}

    def run(**settings):
        login = {"account": snowflake.account, "user": snowflake.user, "private_key": snowflake.private_key, **settings}
        session = SnowflakeSession(SnowflakeResource(**login, additional_snowflake_connection_args=way).get_connection)
        content = TableContent(40, "annual_revenue", Decimal("12.5"))
        checks = check_table(session, PLACE, table="account", committed=COMMITTED, content=content)
        session.close()
        return checks

    return run


def test_a_good_account_has_four_good_lines(snowflake, lines):
    checks = lines()

    assert [line.status == "ok" for line in checks] == [True] * 4
    assert snowflake.queries == [
        "SELECT CURRENT_USER(), CURRENT_ROLE(), CURRENT_REGION()",
        "SELECT SYSTEM$CATALOG_LINK_STATUS('SF_RAW')",
        'SELECT SYSTEM$GET_ICEBERG_TABLE_INFORMATION(\'"SF_RAW"."salesforce"."account"\')',
        'SELECT COUNT(*), SUM("annual_revenue") FROM "SF_RAW"."salesforce"."account"',
    ]


def test_a_refused_login_is_the_only_line(lines, other_key):
    (line,) = lines(private_key=other_key)

    assert "RSA_PUBLIC_KEY_FP" in line.remedy


def test_each_check_that_is_not_ok_says_what_to_do(snowflake, lines):
    snowflake.plays(
        "the linked database could not add a table",
        "a session has no warehouse",
        "the automated refresh has stopped",
    )
    snowflake.sees_all(lambda table: "s3://lake/1.json")

    _, link, version, content = lines()

    assert "salesforce.task: no access" in link.result
    assert "RESUME DISCOVERY" in link.remedy
    assert "late since 2026-03-10 13:00" in version.result
    assert "STOPPED: can't establish a direct lineage" in version.result
    assert "SNOWFLAKE_WAREHOUSE" in content.remedy


def test_a_session_without_a_warehouse_is_only_a_warning(snowflake, lines):
    snowflake.plays("a session has no warehouse")

    assert [check.status for check in lines()] == ["ok", "ok", "ok", "warn"]


def test_a_stopped_refresh_has_the_documented_statements(snowflake, lines):
    snowflake.plays("the automated refresh has stopped")
    snowflake.sees_all(lambda table: "s3://lake/1.json")

    remedy = lines()[2].remedy

    alter = 'ALTER ICEBERG TABLE "SF_RAW"."salesforce"."account"'
    statements = [f"{alter} SET AUTO_REFRESH = FALSE", f"{alter} REFRESH", f"{alter} SET AUTO_REFRESH = TRUE"]
    positions = [remedy.index(statement) for statement in [*statements, "SELECT SYSTEM$AUTO_REFRESH_STATUS("]]
    assert positions == sorted(positions)


@pytest.mark.parametrize("answer", ["no JSON at all", "[]", "null", ""])
def test_an_unknown_link_status_is_a_failed_check(snowflake, lines, answer):
    snowflake.answers["LINK_STATUS"] = [[answer]]

    link = lines()[1]

    assert (link.status, bool(link.remedy)) == ("fail", True)


@pytest.mark.parametrize("answer", [["39", "12.500000"], ["40", "12.000000"]])
def test_another_count_or_sum_is_not_good(snowflake, lines, answer):
    snowflake.answers["COUNT"] = [answer]

    assert lines()[-1].status == "fail"
