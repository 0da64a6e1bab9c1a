"""`sf-assets setup snowflake`: the statements in their order, filled in, each with the page that it rests on."""

from collections.abc import Sequence

from sf_assets.commands.setup.values import Values
from sf_assets.snowflake.statements import Mode, SnowflakeTarget, create_table
from sf_assets.snowflake.names import literal

DOCS = "docs.snowflake.com/en"


def snowflake_script(values: Values, *, mode: Mode, tables: Sequence[str]) -> str:
    """Return the whole script. `tables`: the endpoints' names, for one table each (mode tables)."""
    last = _linked(values) if mode == "linked" else _tables(values, tables)
    body = "\n\n".join([_volume(values), _integration(values), _trust(), _loader(values), last, _end(values, mode)])
    gaps = values.gaps(body)
    missing = ["-- Not filled in yet:", *(f"--   {line}" for line in gaps), ""] if gaps else []
    return "\n".join([HEAD, *missing, body, ""])


HEAD = """\
-- The Snowflake side of sf_assets, printed by `sf-assets setup snowflake`. Run it statement by statement: what a DESC
-- answers goes into `sf-assets setup aws` before the next step.
"""


def _volume(values: Values) -> str:
    return f"""\
-- 1. Where the files are. {DOCS}/sql-reference/sql/create-external-volume
USE ROLE ACCOUNTADMIN;
SELECT CURRENT_REGION(); -- the bucket must be in this region: {values["region"]}
CREATE EXTERNAL VOLUME IF NOT EXISTS sf_lake
  STORAGE_LOCATIONS = ((
    NAME = 'main'
    STORAGE_PROVIDER = 'S3'
    STORAGE_BASE_URL = {literal(f"s3://{values['bucket']}/{values['prefix']}/")}
    STORAGE_AWS_ROLE_ARN = {literal(values.reader_arn)} -- from: setup aws, step 3
    STORAGE_AWS_EXTERNAL_ID = {literal(values["external_id"])}
  ))
  ALLOW_WRITES = FALSE;
-- {DOCS}/sql-reference/sql/desc-external-volume
DESC EXTERNAL VOLUME sf_lake; -- its STORAGE_AWS_IAM_USER_ARN goes into: setup aws --volume-user-arn"""


def _integration(values: Values) -> str:
    uri = f"https://glue.{values['region']}.amazonaws.com/iceberg"
    return f"""\
-- 2. Where the catalog is: Glue, by its Iceberg REST endpoint.
-- {DOCS}/sql-reference/sql/create-catalog-integration-rest
CREATE CATALOG INTEGRATION IF NOT EXISTS sf_irc
  CATALOG_SOURCE = ICEBERG_REST
  TABLE_FORMAT = ICEBERG
  CATALOG_NAMESPACE = {literal(values["namespace"])} -- from: setup aws, step 2
  REST_CONFIG = (
    CATALOG_URI = {literal(uri)}
    CATALOG_API_TYPE = AWS_GLUE
    CATALOG_NAME = {literal(values["account_id"])}
  )
  REST_AUTHENTICATION = (
    TYPE = SIGV4
    SIGV4_IAM_ROLE = {literal(values.reader_arn)} -- from: setup aws, step 3
    SIGV4_SIGNING_REGION = {literal(values["region"])}
    SIGV4_EXTERNAL_ID = {literal(values["external_id"])}
  )
  ENABLED = TRUE
  REFRESH_INTERVAL_SECONDS = 60;
-- {DOCS}/sql-reference/sql/desc-catalog-integration
DESC CATALOG INTEGRATION sf_irc; -- its API_AWS_IAM_USER_ARN goes into: setup aws --catalog-user-arn"""


def _trust() -> str:
    return f"""\
-- 3. Now run `sf-assets setup aws` with both ARNs and do its step 6. Then both must say success:
-- {DOCS}/sql-reference/functions/system_verify_external_volume
SELECT SYSTEM$VERIFY_EXTERNAL_VOLUME('sf_lake');
-- {DOCS}/sql-reference/functions/system_verify_catalog_integration
SELECT SYSTEM$VERIFY_CATALOG_INTEGRATION('sf_irc');
-- {DOCS}/sql-reference/functions/system_list_namespaces_from_catalog
SELECT SYSTEM$LIST_NAMESPACES_FROM_CATALOG('sf_irc'); -- names the Glue database"""


def _loader(values: Values) -> str:
    role, user = values["role"], values["user"]
    return f"""\
-- 4. The loader: a role, and a user without a password.
-- {DOCS}/sql-reference/sql/create-user and {DOCS}/user-guide/key-pair-auth
CREATE ROLE IF NOT EXISTS {role};
CREATE ROLE IF NOT EXISTS {values["reader"]};
CREATE USER IF NOT EXISTS {user}
  TYPE = SERVICE
  DEFAULT_ROLE = {role}
  RSA_PUBLIC_KEY = {literal(values["public_key"])};
GRANT ROLE {role} TO USER {user};
GRANT ROLE {role} TO ROLE SYSADMIN;
-- {DOCS}/sql-reference/sql/grant-privilege
GRANT USAGE ON EXTERNAL VOLUME sf_lake TO ROLE {role};
GRANT USAGE ON INTEGRATION sf_irc TO ROLE {role};"""


def _linked(values: Values) -> str:
    database, role, reader = values["database"], values["role"], values["reader"]
    return f"""\
-- 5. One database that shows every table of the namespace, made by the loader, so that the tables are its own.
-- ALLOWED_WRITE_OPERATIONS is ALL unless it is said: then a DROP in Snowflake deletes the table in the lake.
-- {DOCS}/sql-reference/sql/create-database-catalog-linked
GRANT CREATE DATABASE ON ACCOUNT TO ROLE {role};
USE ROLE {role};
CREATE DATABASE {database}
  LINKED_CATALOG = (
    CATALOG = 'sf_irc',
    ALLOWED_NAMESPACES = ({", ".join(map(literal, values.databases))}),
    ALLOWED_WRITE_OPERATIONS = NONE,
    SYNC_INTERVAL_SECONDS = 300
  )
  EXTERNAL_VOLUME = 'sf_lake'
  CATALOG_CASE_SENSITIVITY = CASE_INSENSITIVE;
USE ROLE ACCOUNTADMIN;
REVOKE CREATE DATABASE ON ACCOUNT FROM ROLE {role};
-- {DOCS}/sql-reference/functions/system_catalog_link_status
SELECT SYSTEM$CATALOG_LINK_STATUS({literal(database)}); -- executionState RUNNING, failureDetails empty
-- 6. Who may read. Views and dbt's models go into another database.
GRANT USAGE ON DATABASE {database} TO ROLE {reader};
GRANT USAGE ON ALL SCHEMAS IN DATABASE {database} TO ROLE {reader};
GRANT SELECT ON ALL ICEBERG TABLES IN DATABASE {database} TO ROLE {reader};
GRANT SELECT ON FUTURE ICEBERG TABLES IN DATABASE {database} TO ROLE {reader};"""


def _tables(values: Values, tables: Sequence[str]) -> str:
    database, role, reader = values["database"], values["role"], values["reader"]
    schemas = [f"{database}.{schema}" for schema in values.schemas.values()]
    places = [
        SnowflakeTarget("tables", database=database, schema=there, namespace=name)
        for name, there in values.schemas.items()
    ]
    statements = "\n".join(f"{create_table(place, table)};" for place in places for table in tables)
    return f"""\
-- 5. A schema with one table each, refreshed by the runs after their commit.
-- {DOCS}/sql-reference/sql/create-iceberg-table-rest
CREATE DATABASE IF NOT EXISTS {database};
{_each(schemas, "CREATE SCHEMA IF NOT EXISTS {};")}
CREATE WAREHOUSE IF NOT EXISTS {values["warehouse"]}
  WAREHOUSE_SIZE = XSMALL AUTO_SUSPEND = 60 INITIALLY_SUSPENDED = TRUE;
GRANT USAGE ON DATABASE {database} TO ROLE {role};
{_each(schemas, f"GRANT USAGE, CREATE ICEBERG TABLE ON SCHEMA {{}} TO ROLE {role};")}
GRANT USAGE ON WAREHOUSE {values["warehouse"]} TO ROLE {role};
-- The runs say these themselves, when a table has its first commit, and after each further one
-- ALTER ICEBERG TABLE ... REFRESH:
-- {DOCS}/sql-reference/sql/alter-iceberg-table-refresh
-- USE ROLE {role};
{_commented(statements)}
-- 6. Who may read.
GRANT USAGE ON DATABASE {database} TO ROLE {reader};
{_each(schemas, f"GRANT USAGE ON SCHEMA {{}} TO ROLE {reader};")}
{_each(schemas, f"GRANT SELECT ON ALL ICEBERG TABLES IN SCHEMA {{}} TO ROLE {reader};")}
{_each(schemas, f"GRANT SELECT ON FUTURE ICEBERG TABLES IN SCHEMA {{}} TO ROLE {reader};")}"""


def _each(schemas: Sequence[str], statement: str) -> str:
    """The statement once for the schema of each org."""
    return "\n".join(statement.format(schema) for schema in schemas)


def _end(values: Values, mode: Mode) -> str:
    first, *others = values.schemas.values()
    of_tables = [f"SNOWFLAKE_SCHEMA={first}", f"SNOWFLAKE_WAREHOUSE={values['warehouse']}"]
    named = zip(values.named_orgs, others, strict=True)
    of_tables += [f"In the location of {org} instead: SNOWFLAKE_SCHEMA={schema}" for org, schema in named]
    lines = [
        "SNOWFLAKE_ACCOUNT=<organization>-<account>, from: SELECT CURRENT_ORGANIZATION_NAME(), CURRENT_ACCOUNT_NAME()",
        f"SNOWFLAKE_USER={values['user']}",
        f"SNOWFLAKE_ROLE={values['role']}",
        "SNOWFLAKE_PRIVATE_KEY_FILE=<snowflake.p8>",
        f"SNOWFLAKE_DATABASE={values['database']}",
        f"SF_ASSETS_SNOWFLAKE={mode}",
        *(of_tables if mode == "tables" else ()),
    ]
    return "-- 7. What the runs' environment needs. Check it with: sf-assets doctor\n" + _commented("\n".join(lines))


def _commented(text: str) -> str:
    return "\n".join(f"-- {line}" for line in text.splitlines())
