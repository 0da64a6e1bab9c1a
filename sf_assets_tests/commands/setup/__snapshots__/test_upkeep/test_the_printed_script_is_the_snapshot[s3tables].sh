#!/bin/sh
# Upkeep by S3 Tables, printed by `sf-assets setup upkeep --engine s3tables`. S3 Tables is a catalog of its own: it
# maintains tables in its table buckets, not those in a general bucket. Maintenance is on by default there.
set -eu

# 1. The catalog, in the environment of the runs (unproven: no S3 Tables has been met).
#    docs.aws.amazon.com/AmazonS3/latest/userguide/s3-tables-integrating-open-source.html
#    PYICEBERG_CATALOG__SALESFORCE__TYPE=rest
#    PYICEBERG_CATALOG__SALESFORCE__URI=https://s3tables.eu-central-1.amazonaws.com/iceberg
#    PYICEBERG_CATALOG__SALESFORCE__WAREHOUSE=arn:aws:s3tables:eu-central-1:123456789012:bucket/acme-lake
#    PYICEBERG_CATALOG__SALESFORCE__REST__SIGV4_ENABLED=true
#    PYICEBERG_CATALOG__SALESFORCE__REST__SIGNING_NAME=s3tables
#    PYICEBERG_CATALOG__SALESFORCE__REST__SIGNING_REGION=eu-central-1
#    SF_ASSETS_UPKEEP=external

# 2. Files that no snapshot names, for the whole bucket.
#    docs.aws.amazon.com/AmazonS3/latest/userguide/s3-table-buckets-maintenance.html
aws s3tables put-table-bucket-maintenance-configuration --region eu-central-1 --cli-input-json file:///dev/stdin <<'JSON'
{
  "tableBucketARN": "arn:aws:s3tables:eu-central-1:123456789012:bucket/acme-lake",
  "type": "icebergUnreferencedFileRemoval",
  "value": {
    "status": "enabled",
    "settings": {
      "icebergUnreferencedFileRemoval": {
        "unreferencedDays": 3,
        "nonCurrentDays": 30
      }
    }
  }
}
JSON

# 3. Compaction and snapshots of each table that exists.
#    docs.aws.amazon.com/AmazonS3/latest/userguide/s3-tables-maintenance.html
aws s3tables put-table-maintenance-configuration --region eu-central-1 --cli-input-json file:///dev/stdin <<'JSON'
{
  "tableBucketARN": "arn:aws:s3tables:eu-central-1:123456789012:bucket/acme-lake",
  "namespace": "salesforce",
  "name": "account",
  "type": "icebergCompaction",
  "value": {
    "status": "enabled",
    "settings": {
      "icebergCompaction": {
        "targetFileSizeMB": 64,
        "strategy": "binpack"
      }
    }
  }
}
JSON
aws s3tables put-table-maintenance-configuration --region eu-central-1 --cli-input-json file:///dev/stdin <<'JSON'
{
  "tableBucketARN": "arn:aws:s3tables:eu-central-1:123456789012:bucket/acme-lake",
  "namespace": "salesforce",
  "name": "account",
  "type": "icebergSnapshotManagement",
  "value": {
    "status": "enabled",
    "settings": {
      "icebergSnapshotManagement": {
        "minSnapshotsToKeep": 10,
        "maxSnapshotAgeHours": 24
      }
    }
  }
}
JSON
aws s3tables put-table-maintenance-configuration --region eu-central-1 --cli-input-json file:///dev/stdin <<'JSON'
{
  "tableBucketARN": "arn:aws:s3tables:eu-central-1:123456789012:bucket/acme-lake",
  "namespace": "salesforce",
  "name": "_sync_status",
  "type": "icebergCompaction",
  "value": {
    "status": "enabled",
    "settings": {
      "icebergCompaction": {
        "targetFileSizeMB": 64,
        "strategy": "binpack"
      }
    }
  }
}
JSON
aws s3tables put-table-maintenance-configuration --region eu-central-1 --cli-input-json file:///dev/stdin <<'JSON'
{
  "tableBucketARN": "arn:aws:s3tables:eu-central-1:123456789012:bucket/acme-lake",
  "namespace": "salesforce",
  "name": "_sync_status",
  "type": "icebergSnapshotManagement",
  "value": {
    "status": "enabled",
    "settings": {
      "icebergSnapshotManagement": {
        "minSnapshotsToKeep": 10,
        "maxSnapshotAgeHours": 24
      }
    }
  }
}
JSON
aws s3tables put-table-maintenance-configuration --region eu-central-1 --cli-input-json file:///dev/stdin <<'JSON'
{
  "tableBucketARN": "arn:aws:s3tables:eu-central-1:123456789012:bucket/acme-lake",
  "namespace": "salesforce_emea",
  "name": "account",
  "type": "icebergCompaction",
  "value": {
    "status": "enabled",
    "settings": {
      "icebergCompaction": {
        "targetFileSizeMB": 64,
        "strategy": "binpack"
      }
    }
  }
}
JSON
aws s3tables put-table-maintenance-configuration --region eu-central-1 --cli-input-json file:///dev/stdin <<'JSON'
{
  "tableBucketARN": "arn:aws:s3tables:eu-central-1:123456789012:bucket/acme-lake",
  "namespace": "salesforce_emea",
  "name": "account",
  "type": "icebergSnapshotManagement",
  "value": {
    "status": "enabled",
    "settings": {
      "icebergSnapshotManagement": {
        "minSnapshotsToKeep": 10,
        "maxSnapshotAgeHours": 24
      }
    }
  }
}
JSON
aws s3tables put-table-maintenance-configuration --region eu-central-1 --cli-input-json file:///dev/stdin <<'JSON'
{
  "tableBucketARN": "arn:aws:s3tables:eu-central-1:123456789012:bucket/acme-lake",
  "namespace": "salesforce_emea",
  "name": "_sync_status",
  "type": "icebergCompaction",
  "value": {
    "status": "enabled",
    "settings": {
      "icebergCompaction": {
        "targetFileSizeMB": 64,
        "strategy": "binpack"
      }
    }
  }
}
JSON
aws s3tables put-table-maintenance-configuration --region eu-central-1 --cli-input-json file:///dev/stdin <<'JSON'
{
  "tableBucketARN": "arn:aws:s3tables:eu-central-1:123456789012:bucket/acme-lake",
  "namespace": "salesforce_emea",
  "name": "_sync_status",
  "type": "icebergSnapshotManagement",
  "value": {
    "status": "enabled",
    "settings": {
      "icebergSnapshotManagement": {
        "minSnapshotsToKeep": 10,
        "maxSnapshotAgeHours": 24
      }
    }
  }
}
JSON
