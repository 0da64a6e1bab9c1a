-- The Snowflake side of sf_assets, printed by `sf-assets setup snowflake`. Run it statement by statement: the results
-- of both DESC statements are needed by `sf-assets setup aws` before step 3.

-- 1. The storage. docs.snowflake.com/en/sql-reference/sql/create-external-volume
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
DESC EXTERNAL VOLUME sf_lake; -- STORAGE_AWS_IAM_USER_ARN is for: setup aws --volume-user-arn

-- 2. The catalog: Glue, by its Iceberg REST endpoint.
-- docs.snowflake.com/en/sql-reference/sql/create-catalog-integration-rest
CREATE CATALOG INTEGRATION IF NOT EXISTS sf_irc
  CATALOG_SOURCE = ICEBERG_REST
  TABLE_FORMAT = ICEBERG
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
  REFRESH_INTERVAL_SECONDS = 60; -- how often each table is polled: docs/cost.md
-- docs.snowflake.com/en/sql-reference/sql/desc-catalog-integration
DESC CATALOG INTEGRATION sf_irc; -- API_AWS_IAM_USER_ARN (or GLUE_AWS_IAM_USER_ARN) is for: setup aws --catalog-user-arn

-- 3. Now run `sf-assets setup aws` with both ARNs and do its step 6.
-- This proves that Snowflake may assume the role. With ALLOW_WRITES = FALSE it does not read a file (SKIPPED): a wrong
-- prefix or a missing KMS grant shows only in the first SELECT of step 7.
-- docs.snowflake.com/en/sql-reference/functions/system_verify_external_volume
SELECT SYSTEM$VERIFY_EXTERNAL_VOLUME('sf_lake');
-- docs.snowflake.com/en/sql-reference/functions/system_verify_catalog_integration
SELECT SYSTEM$VERIFY_CATALOG_INTEGRATION('sf_irc'); -- must say success
-- docs.snowflake.com/en/sql-reference/functions/system_list_namespaces_from_catalog
SELECT SYSTEM$LIST_NAMESPACES_FROM_CATALOG('sf_irc'); -- must name salesforce

-- 4. The loader: a role, a user without a password, and a small warehouse that sleeps after a minute.
-- docs.snowflake.com/en/sql-reference/sql/create-user and docs.snowflake.com/en/user-guide/key-pair-auth
CREATE ROLE IF NOT EXISTS SF_LOADER;
CREATE ROLE IF NOT EXISTS SF_READER;
CREATE USER IF NOT EXISTS SF_LOADER_USER
  TYPE = SERVICE
  DEFAULT_ROLE = SF_LOADER
  RSA_PUBLIC_KEY = 'MIIBIjANBgkq';
GRANT ROLE SF_LOADER TO USER SF_LOADER_USER;
GRANT ROLE SF_LOADER TO ROLE SYSADMIN;
-- docs.snowflake.com/en/user-guide/warehouses-overview
CREATE WAREHOUSE IF NOT EXISTS SF_LOADING
  WAREHOUSE_SIZE = XSMALL AUTO_SUSPEND = 60 INITIALLY_SUSPENDED = TRUE;
-- docs.snowflake.com/en/sql-reference/sql/grant-privilege
GRANT USAGE ON WAREHOUSE SF_LOADING TO ROLE SF_LOADER;
GRANT USAGE ON EXTERNAL VOLUME sf_lake TO ROLE SF_LOADER;
GRANT USAGE ON INTEGRATION sf_irc TO ROLE SF_LOADER;

-- 5. One database that shows every table of the namespace. The loader creates it, so the tables belong to the loader.
-- The default of ALLOWED_WRITE_OPERATIONS is ALL: then a DROP in Snowflake removes the table from the catalog.
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

-- 6. The readers. Schemas are discovered after the database is created: repeat SHOW SCHEMAS until it names
-- salesforce, then go on. Views and dbt's models go into another database.
-- docs.snowflake.com/en/user-guide/tables-iceberg-catalog-linked-database
SHOW SCHEMAS IN DATABASE SF_RAW;
GRANT USAGE ON DATABASE SF_RAW TO ROLE SF_READER;
GRANT USAGE ON ALL SCHEMAS IN DATABASE SF_RAW TO ROLE SF_READER;
GRANT USAGE ON FUTURE SCHEMAS IN DATABASE SF_RAW TO ROLE SF_READER;
GRANT SELECT ON ALL ICEBERG TABLES IN DATABASE SF_RAW TO ROLE SF_READER;
GRANT SELECT ON FUTURE ICEBERG TABLES IN DATABASE SF_RAW TO ROLE SF_READER;

-- 7. After the first sync: repeat both ALL grants, since no page says whether FUTURE grants cover tables that
-- discovery adds. The SELECT is the proof that the reader role may read the files.
GRANT USAGE ON ALL SCHEMAS IN DATABASE SF_RAW TO ROLE SF_READER;
GRANT SELECT ON ALL ICEBERG TABLES IN DATABASE SF_RAW TO ROLE SF_READER;
SHOW GRANTS TO ROLE SF_READER;
SELECT COUNT(*) FROM SF_RAW.salesforce.organization;

-- 8. The environment of the runs. Check it with: sf-assets doctor
-- SNOWFLAKE_ACCOUNT=<organization>-<account>, from: SELECT CURRENT_ORGANIZATION_NAME(), CURRENT_ACCOUNT_NAME()
-- SNOWFLAKE_USER=SF_LOADER_USER
-- SNOWFLAKE_ROLE=SF_LOADER
-- SNOWFLAKE_PRIVATE_KEY=<base64>, from: openssl base64 -A -in snowflake.p8 (or SNOWFLAKE_PRIVATE_KEY_FILE=snowflake.p8)
-- SNOWFLAKE_DATABASE=SF_RAW
-- SNOWFLAKE_WAREHOUSE=SF_LOADING
-- SF_ASSETS_SNOWFLAKE=linked
-- SNOWFLAKE_PATIENCE_SECONDS=600
