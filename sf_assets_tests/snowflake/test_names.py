"""Names and literals."""

import pytest

from sf_assets.errors import ConfigError
from sf_assets.snowflake.names import identifier, literal
from sf_assets.snowflake.statements import SnowflakeTarget, count_and_sum, create_table, refresh, table_information

LINKED = SnowflakeTarget("linked", database="SF_RAW", schema="salesforce")
TABLES = SnowflakeTarget("tables", database="raw", schema="Salesforce")


@pytest.mark.parametrize(
    ("text", "name"),
    [("raw", '"RAW"'), ("RAW_1$", '"RAW_1$"'), ('"my-db"', '"my-db"'), ('"a""b"', '"a""b"')],
)
def test_an_identifier_means_what_it_would_mean_in_sql(text, name):
    assert identifier(text) == name


@pytest.mark.parametrize("text", ["", "1raw", "a.b", "a b", 'x"; DROP DATABASE RAW; --', '"a"b"'])
def test_a_text_that_is_not_an_identifier_is_refused(text):
    with pytest.raises(ConfigError, match="is not a Snowflake identifier"):
        identifier(text)


@pytest.mark.parametrize(("text", "sql"), [("it's", "'it''s'"), ("a\\'b", "'a\\\\''b'")])
def test_a_literal_ends_where_its_text_ends(text, sql):
    assert literal(text) == sql


def test_words_of_snowflake_are_tables_like_all_others():
    assert str(TABLES.name("case")) == '"RAW"."SALESFORCE"."CASE"'
    assert str(LINKED.name("account")) == '"SF_RAW"."salesforce"."account"'


def test_the_statements_of_a_table():
    assert create_table(TABLES, "account") == (
        'CREATE ICEBERG TABLE IF NOT EXISTS "RAW"."SALESFORCE"."ACCOUNT" EXTERNAL_VOLUME = \'sf_lake\''
        " CATALOG = 'sf_irc' CATALOG_NAMESPACE = 'salesforce' CATALOG_TABLE_NAME = 'account' AUTO_REFRESH = FALSE"
    )
    assert refresh(TABLES, "account") == 'ALTER ICEBERG TABLE "RAW"."SALESFORCE"."ACCOUNT" REFRESH'
    assert table_information(LINKED, "case") == (
        'SELECT SYSTEM$GET_ICEBERG_TABLE_INFORMATION(\'"SF_RAW"."salesforce"."case"\')'
    )
    assert count_and_sum(TABLES, "opportunity", "amount") == (
        'SELECT COUNT(*), SUM("AMOUNT") FROM "RAW"."SALESFORCE"."OPPORTUNITY"'
    )
    assert count_and_sum(LINKED, "account", None) == 'SELECT COUNT(*), NULL FROM "SF_RAW"."salesforce"."account"'
