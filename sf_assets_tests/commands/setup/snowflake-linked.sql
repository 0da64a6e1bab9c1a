-- The Snowflake side of sf_assets, printed by `sf-assets setup snowflake`. Run it statement by statement: what a DESC
-- answers goes into `sf-assets setup aws` before the next step.

-- 1. Where the files are. docs.snowflake.com/en/sql-reference/sql/create-external-volume
USE ROLE ACCOUNTADMIN;
SELECT CURRENT_REGION(); -- the bucket must be in this region: eu-central-1
CREATE EXTERNAL VOLUME IF NOT EXISTS sf_lake
  STORAGE_LOCATIONS = ((
    NAME = 'main'
    STORAGE_PROVIDER = 'S3'
    STORAGE_BASE_URL = 's3://acme-lake/salesforce/'
    STORAGE_AWS_ROLE_ARN = 'arn:aws:iam::123456789012:role/sf-assets-snowflake-reader' -- from: setup aws, step 3
    STORAGE_AWS_EXTERNAL_ID = '0123456789abcdef0123456789abcdef'
  ))
  ALLOW_WRITES = FALSE;
-- docs.snowflake.com/en/sql-reference/sql/desc-external-volume
DESC EXTERNAL VOLUME sf_lake; -- its STORAGE_AWS_IAM_USER_ARN goes into: setup aws --volume-user-arn

-- 2. Where the catalog is: Glue, by its Iceberg REST endpoint.
-- docs.snowflake.com/en/sql-reference/sql/create-catalog-integration-rest
CREATE CATALOG INTEGRATION IF NOT EXISTS sf_irc
  CATALOG_SOURCE = ICEBERG_REST
  TABLE_FORMAT = ICEBERG
  CATALOG_NAMESPACE = 'salesforce' -- from: setup aws, step 2
  REST_CONFIG = (
    CATALOG_URI = 'https://glue.eu-central-1.amazonaws.com/iceberg'
    CATALOG_API_TYPE = AWS_GLUE
    CATALOG_NAME = '123456789012'
  )
  REST_AUTHENTICATION = (
    TYPE = SIGV4
    SIGV4_IAM_ROLE = 'arn:aws:iam::123456789012:role/sf-assets-snowflake-reader' -- from: setup aws, step 3
    SIGV4_SIGNING_REGION = 'eu-central-1'
    SIGV4_EXTERNAL_ID = '0123456789abcdef0123456789abcdef'
  )
  ENABLED = TRUE
  REFRESH_INTERVAL_SECONDS = 60;
-- docs.snowflake.com/en/sql-reference/sql/desc-catalog-integration
DESC CATALOG INTEGRATION sf_irc; -- its API_AWS_IAM_USER_ARN goes into: setup aws --catalog-user-arn

-- 3. Now run `sf-assets setup aws` with both ARNs and do its step 6. Then both must say success:
-- docs.snowflake.com/en/sql-reference/functions/system_verify_external_volume
SELECT SYSTEM$VERIFY_EXTERNAL_VOLUME('sf_lake');
-- docs.snowflake.com/en/sql-reference/functions/system_verify_catalog_integration
SELECT SYSTEM$VERIFY_CATALOG_INTEGRATION('sf_irc');
-- docs.snowflake.com/en/sql-reference/functions/system_list_namespaces_from_catalog
SELECT SYSTEM$LIST_NAMESPACES_FROM_CATALOG('sf_irc'); -- names the Glue database

-- 4. The loader: a role, and a user without a password.
-- docs.snowflake.com/en/sql-reference/sql/create-user and docs.snowflake.com/en/user-guide/key-pair-auth
CREATE ROLE IF NOT EXISTS SF_LOADER;
CREATE ROLE IF NOT EXISTS SF_READER;
CREATE USER IF NOT EXISTS SF_LOADER_USER
  TYPE = SERVICE
  DEFAULT_ROLE = SF_LOADER
  RSA_PUBLIC_KEY = 'MIIBIjANBgkq';
GRANT ROLE SF_LOADER TO USER SF_LOADER_USER;
GRANT ROLE SF_LOADER TO ROLE SYSADMIN;
-- docs.snowflake.com/en/sql-reference/sql/grant-privilege
GRANT USAGE ON EXTERNAL VOLUME sf_lake TO ROLE SF_LOADER;
GRANT USAGE ON INTEGRATION sf_irc TO ROLE SF_LOADER;

-- 5. One database that shows every table of the namespace, made by the loader, so that the tables are its own.
-- ALLOWED_WRITE_OPERATIONS is ALL unless it is said: then a DROP in Snowflake deletes the table in the lake.
-- docs.snowflake.com/en/sql-reference/sql/create-database-catalog-linked
GRANT CREATE DATABASE ON ACCOUNT TO ROLE SF_LOADER;
USE ROLE SF_LOADER;
CREATE DATABASE SF_RAW
  LINKED_CATALOG = (
    CATALOG = 'sf_irc',
    ALLOWED_NAMESPACES = ('salesforce'),
    ALLOWED_WRITE_OPERATIONS = NONE,
    SYNC_INTERVAL_SECONDS = 300
  )
  EXTERNAL_VOLUME = 'sf_lake'
  CATALOG_CASE_SENSITIVITY = CASE_INSENSITIVE;
USE ROLE ACCOUNTADMIN;
REVOKE CREATE DATABASE ON ACCOUNT FROM ROLE SF_LOADER;
-- docs.snowflake.com/en/sql-reference/functions/system_catalog_link_status
SELECT SYSTEM$CATALOG_LINK_STATUS('SF_RAW'); -- executionState RUNNING, failureDetails empty
-- 6. Who may read. Views and dbt's models go into another database.
GRANT USAGE ON DATABASE SF_RAW TO ROLE SF_READER;
GRANT USAGE ON ALL SCHEMAS IN DATABASE SF_RAW TO ROLE SF_READER;
GRANT SELECT ON ALL ICEBERG TABLES IN DATABASE SF_RAW TO ROLE SF_READER;
GRANT SELECT ON FUTURE ICEBERG TABLES IN DATABASE SF_RAW TO ROLE SF_READER;

-- 7. What the runs' environment needs. Check it with: sf-assets doctor
-- SNOWFLAKE_ACCOUNT=<organization>-<account>, from: SELECT CURRENT_ORGANIZATION_NAME(), CURRENT_ACCOUNT_NAME()
-- SNOWFLAKE_USER=SF_LOADER_USER
-- SNOWFLAKE_ROLE=SF_LOADER
-- SNOWFLAKE_PRIVATE_KEY_FILE=<snowflake.p8>
-- SNOWFLAKE_DATABASE=SF_RAW
-- SF_ASSETS_SNOWFLAKE=linked
