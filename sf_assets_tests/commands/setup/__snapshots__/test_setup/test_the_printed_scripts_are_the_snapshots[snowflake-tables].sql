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

-- 5. A schema with one table each. The runs refresh the table after their commit.
-- docs.snowflake.com/en/sql-reference/sql/create-iceberg-table-rest
CREATE DATABASE IF NOT EXISTS SF_RAW;
GRANT USAGE ON DATABASE SF_RAW TO ROLE SF_LOADER;
CREATE SCHEMA IF NOT EXISTS SF_RAW.SALESFORCE;
GRANT USAGE, CREATE ICEBERG TABLE ON SCHEMA SF_RAW.SALESFORCE TO ROLE SF_LOADER;
-- The runs execute these statements themselves after the first commit of a table, and after each further one
-- ALTER ICEBERG TABLE ... REFRESH:
-- docs.snowflake.com/en/sql-reference/sql/alter-iceberg-table-refresh
-- USE ROLE SF_LOADER;
-- CREATE ICEBERG TABLE IF NOT EXISTS "SF_RAW"."SALESFORCE"."ACCOUNT" EXTERNAL_VOLUME = 'sf_lake' CATALOG = 'sf_irc' CATALOG_NAMESPACE = 'salesforce' CATALOG_TABLE_NAME = 'account' AUTO_REFRESH = FALSE;
-- CREATE ICEBERG TABLE IF NOT EXISTS "SF_RAW"."SALESFORCE"."CONTACT" EXTERNAL_VOLUME = 'sf_lake' CATALOG = 'sf_irc' CATALOG_NAMESPACE = 'salesforce' CATALOG_TABLE_NAME = 'contact' AUTO_REFRESH = FALSE;
-- CREATE ICEBERG TABLE IF NOT EXISTS "SF_RAW"."SALESFORCE"."LEAD" EXTERNAL_VOLUME = 'sf_lake' CATALOG = 'sf_irc' CATALOG_NAMESPACE = 'salesforce' CATALOG_TABLE_NAME = 'lead' AUTO_REFRESH = FALSE;
-- CREATE ICEBERG TABLE IF NOT EXISTS "SF_RAW"."SALESFORCE"."OPPORTUNITY" EXTERNAL_VOLUME = 'sf_lake' CATALOG = 'sf_irc' CATALOG_NAMESPACE = 'salesforce' CATALOG_TABLE_NAME = 'opportunity' AUTO_REFRESH = FALSE;
-- CREATE ICEBERG TABLE IF NOT EXISTS "SF_RAW"."SALESFORCE"."CASE" EXTERNAL_VOLUME = 'sf_lake' CATALOG = 'sf_irc' CATALOG_NAMESPACE = 'salesforce' CATALOG_TABLE_NAME = 'case' AUTO_REFRESH = FALSE;
-- CREATE ICEBERG TABLE IF NOT EXISTS "SF_RAW"."SALESFORCE"."OPPORTUNITY_LINE_ITEM" EXTERNAL_VOLUME = 'sf_lake' CATALOG = 'sf_irc' CATALOG_NAMESPACE = 'salesforce' CATALOG_TABLE_NAME = 'opportunity_line_item' AUTO_REFRESH = FALSE;
-- CREATE ICEBERG TABLE IF NOT EXISTS "SF_RAW"."SALESFORCE"."OPPORTUNITY_CONTACT_ROLE" EXTERNAL_VOLUME = 'sf_lake' CATALOG = 'sf_irc' CATALOG_NAMESPACE = 'salesforce' CATALOG_TABLE_NAME = 'opportunity_contact_role' AUTO_REFRESH = FALSE;
-- CREATE ICEBERG TABLE IF NOT EXISTS "SF_RAW"."SALESFORCE"."OPPORTUNITY_HISTORY" EXTERNAL_VOLUME = 'sf_lake' CATALOG = 'sf_irc' CATALOG_NAMESPACE = 'salesforce' CATALOG_TABLE_NAME = 'opportunity_history' AUTO_REFRESH = FALSE;
-- CREATE ICEBERG TABLE IF NOT EXISTS "SF_RAW"."SALESFORCE"."PRODUCT" EXTERNAL_VOLUME = 'sf_lake' CATALOG = 'sf_irc' CATALOG_NAMESPACE = 'salesforce' CATALOG_TABLE_NAME = 'product' AUTO_REFRESH = FALSE;
-- CREATE ICEBERG TABLE IF NOT EXISTS "SF_RAW"."SALESFORCE"."PRICEBOOK" EXTERNAL_VOLUME = 'sf_lake' CATALOG = 'sf_irc' CATALOG_NAMESPACE = 'salesforce' CATALOG_TABLE_NAME = 'pricebook' AUTO_REFRESH = FALSE;
-- CREATE ICEBERG TABLE IF NOT EXISTS "SF_RAW"."SALESFORCE"."PRICEBOOK_ENTRY" EXTERNAL_VOLUME = 'sf_lake' CATALOG = 'sf_irc' CATALOG_NAMESPACE = 'salesforce' CATALOG_TABLE_NAME = 'pricebook_entry' AUTO_REFRESH = FALSE;
-- CREATE ICEBERG TABLE IF NOT EXISTS "SF_RAW"."SALESFORCE"."CONTRACT" EXTERNAL_VOLUME = 'sf_lake' CATALOG = 'sf_irc' CATALOG_NAMESPACE = 'salesforce' CATALOG_TABLE_NAME = 'contract' AUTO_REFRESH = FALSE;
-- CREATE ICEBERG TABLE IF NOT EXISTS "SF_RAW"."SALESFORCE"."QUOTE" EXTERNAL_VOLUME = 'sf_lake' CATALOG = 'sf_irc' CATALOG_NAMESPACE = 'salesforce' CATALOG_TABLE_NAME = 'quote' AUTO_REFRESH = FALSE;
-- CREATE ICEBERG TABLE IF NOT EXISTS "SF_RAW"."SALESFORCE"."QUOTE_LINE_ITEM" EXTERNAL_VOLUME = 'sf_lake' CATALOG = 'sf_irc' CATALOG_NAMESPACE = 'salesforce' CATALOG_TABLE_NAME = 'quote_line_item' AUTO_REFRESH = FALSE;
-- CREATE ICEBERG TABLE IF NOT EXISTS "SF_RAW"."SALESFORCE"."SALES_ORDER" EXTERNAL_VOLUME = 'sf_lake' CATALOG = 'sf_irc' CATALOG_NAMESPACE = 'salesforce' CATALOG_TABLE_NAME = 'sales_order' AUTO_REFRESH = FALSE;
-- CREATE ICEBERG TABLE IF NOT EXISTS "SF_RAW"."SALESFORCE"."ORDER_ITEM" EXTERNAL_VOLUME = 'sf_lake' CATALOG = 'sf_irc' CATALOG_NAMESPACE = 'salesforce' CATALOG_TABLE_NAME = 'order_item' AUTO_REFRESH = FALSE;
-- CREATE ICEBERG TABLE IF NOT EXISTS "SF_RAW"."SALESFORCE"."CAMPAIGN" EXTERNAL_VOLUME = 'sf_lake' CATALOG = 'sf_irc' CATALOG_NAMESPACE = 'salesforce' CATALOG_TABLE_NAME = 'campaign' AUTO_REFRESH = FALSE;
-- CREATE ICEBERG TABLE IF NOT EXISTS "SF_RAW"."SALESFORCE"."CAMPAIGN_MEMBER" EXTERNAL_VOLUME = 'sf_lake' CATALOG = 'sf_irc' CATALOG_NAMESPACE = 'salesforce' CATALOG_TABLE_NAME = 'campaign_member' AUTO_REFRESH = FALSE;
-- CREATE ICEBERG TABLE IF NOT EXISTS "SF_RAW"."SALESFORCE"."TASK" EXTERNAL_VOLUME = 'sf_lake' CATALOG = 'sf_irc' CATALOG_NAMESPACE = 'salesforce' CATALOG_TABLE_NAME = 'task' AUTO_REFRESH = FALSE;
-- CREATE ICEBERG TABLE IF NOT EXISTS "SF_RAW"."SALESFORCE"."EVENT" EXTERNAL_VOLUME = 'sf_lake' CATALOG = 'sf_irc' CATALOG_NAMESPACE = 'salesforce' CATALOG_TABLE_NAME = 'event' AUTO_REFRESH = FALSE;
-- CREATE ICEBERG TABLE IF NOT EXISTS "SF_RAW"."SALESFORCE"."USER" EXTERNAL_VOLUME = 'sf_lake' CATALOG = 'sf_irc' CATALOG_NAMESPACE = 'salesforce' CATALOG_TABLE_NAME = 'user' AUTO_REFRESH = FALSE;
-- CREATE ICEBERG TABLE IF NOT EXISTS "SF_RAW"."SALESFORCE"."USER_ROLE" EXTERNAL_VOLUME = 'sf_lake' CATALOG = 'sf_irc' CATALOG_NAMESPACE = 'salesforce' CATALOG_TABLE_NAME = 'user_role' AUTO_REFRESH = FALSE;
-- CREATE ICEBERG TABLE IF NOT EXISTS "SF_RAW"."SALESFORCE"."PROFILE" EXTERNAL_VOLUME = 'sf_lake' CATALOG = 'sf_irc' CATALOG_NAMESPACE = 'salesforce' CATALOG_TABLE_NAME = 'profile' AUTO_REFRESH = FALSE;
-- CREATE ICEBERG TABLE IF NOT EXISTS "SF_RAW"."SALESFORCE"."PERMISSION_SET" EXTERNAL_VOLUME = 'sf_lake' CATALOG = 'sf_irc' CATALOG_NAMESPACE = 'salesforce' CATALOG_TABLE_NAME = 'permission_set' AUTO_REFRESH = FALSE;
-- CREATE ICEBERG TABLE IF NOT EXISTS "SF_RAW"."SALESFORCE"."PERMISSION_SET_ASSIGNMENT" EXTERNAL_VOLUME = 'sf_lake' CATALOG = 'sf_irc' CATALOG_NAMESPACE = 'salesforce' CATALOG_TABLE_NAME = 'permission_set_assignment' AUTO_REFRESH = FALSE;
-- CREATE ICEBERG TABLE IF NOT EXISTS "SF_RAW"."SALESFORCE"."FIELD_PERMISSIONS" EXTERNAL_VOLUME = 'sf_lake' CATALOG = 'sf_irc' CATALOG_NAMESPACE = 'salesforce' CATALOG_TABLE_NAME = 'field_permissions' AUTO_REFRESH = FALSE;
-- CREATE ICEBERG TABLE IF NOT EXISTS "SF_RAW"."SALESFORCE"."OBJECT_PERMISSIONS" EXTERNAL_VOLUME = 'sf_lake' CATALOG = 'sf_irc' CATALOG_NAMESPACE = 'salesforce' CATALOG_TABLE_NAME = 'object_permissions' AUTO_REFRESH = FALSE;
-- CREATE ICEBERG TABLE IF NOT EXISTS "SF_RAW"."SALESFORCE"."RECORD_TYPE" EXTERNAL_VOLUME = 'sf_lake' CATALOG = 'sf_irc' CATALOG_NAMESPACE = 'salesforce' CATALOG_TABLE_NAME = 'record_type' AUTO_REFRESH = FALSE;
-- CREATE ICEBERG TABLE IF NOT EXISTS "SF_RAW"."SALESFORCE"."ASSET" EXTERNAL_VOLUME = 'sf_lake' CATALOG = 'sf_irc' CATALOG_NAMESPACE = 'salesforce' CATALOG_TABLE_NAME = 'asset' AUTO_REFRESH = FALSE;
-- CREATE ICEBERG TABLE IF NOT EXISTS "SF_RAW"."SALESFORCE"."ORGANIZATION" EXTERNAL_VOLUME = 'sf_lake' CATALOG = 'sf_irc' CATALOG_NAMESPACE = 'salesforce' CATALOG_TABLE_NAME = 'organization' AUTO_REFRESH = FALSE;
-- CREATE ICEBERG TABLE IF NOT EXISTS "SF_RAW"."SALESFORCE"."_SYNC_STATUS" EXTERNAL_VOLUME = 'sf_lake' CATALOG = 'sf_irc' CATALOG_NAMESPACE = 'salesforce' CATALOG_TABLE_NAME = '_sync_status' AUTO_REFRESH = FALSE;

-- 6. The readers.
GRANT USAGE ON DATABASE SF_RAW TO ROLE SF_READER;
GRANT USAGE ON SCHEMA SF_RAW.SALESFORCE TO ROLE SF_READER;
GRANT SELECT ON ALL ICEBERG TABLES IN SCHEMA SF_RAW.SALESFORCE TO ROLE SF_READER;
GRANT SELECT ON FUTURE ICEBERG TABLES IN SCHEMA SF_RAW.SALESFORCE TO ROLE SF_READER;

-- 7. After the first sync. The SELECT is the proof that the reader role may read the files.
SELECT COUNT(*) FROM SF_RAW.SALESFORCE.ORGANIZATION;

-- 8. The environment of the runs. Check it with: sf-assets doctor
-- SNOWFLAKE_ACCOUNT=<organization>-<account>, from: SELECT CURRENT_ORGANIZATION_NAME(), CURRENT_ACCOUNT_NAME()
-- SNOWFLAKE_USER=SF_LOADER_USER
-- SNOWFLAKE_ROLE=SF_LOADER
-- SNOWFLAKE_PRIVATE_KEY=<base64>, from: openssl base64 -A -in snowflake.p8 (or SNOWFLAKE_PRIVATE_KEY_FILE=snowflake.p8)
-- SNOWFLAKE_DATABASE=SF_RAW
-- SNOWFLAKE_WAREHOUSE=SF_LOADING
-- SF_ASSETS_SNOWFLAKE=tables
-- SNOWFLAKE_SCHEMA=SALESFORCE
