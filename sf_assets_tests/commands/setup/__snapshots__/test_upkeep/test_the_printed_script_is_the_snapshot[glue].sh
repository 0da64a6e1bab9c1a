#!/bin/sh
# Upkeep of the tables by Glue's table optimizers, printed by `sf-assets setup upkeep --engine glue`.
# Set SF_ASSETS_UPKEEP=external first: otherwise the syncs compact too.
set -eu

# 1. The role of the optimizers. docs.aws.amazon.com/glue/latest/dg/optimization-prerequisites.html
aws iam create-role --role-name sf-assets-upkeep --assume-role-policy-document file:///dev/stdin <<'JSON'
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": {
        "Service": "glue.amazonaws.com"
      },
      "Action": "sts:AssumeRole"
    }
  ]
}
JSON
aws iam put-role-policy --role-name sf-assets-upkeep --policy-name upkeep --policy-document file:///dev/stdin <<'JSON'
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "Files",
      "Effect": "Allow",
      "Action": [
        "s3:GetObject",
        "s3:PutObject",
        "s3:DeleteObject",
        "s3:AbortMultipartUpload"
      ],
      "Resource": [
        "arn:aws:s3:::acme-lake/salesforce/*",
        "arn:aws:s3:::acme-lake/salesforce-upkeep/*"
      ]
    },
    {
      "Sid": "List",
      "Effect": "Allow",
      "Action": [
        "s3:ListBucket",
        "s3:GetBucketLocation"
      ],
      "Resource": [
        "arn:aws:s3:::acme-lake"
      ]
    },
    {
      "Sid": "Catalog",
      "Effect": "Allow",
      "Action": [
        "glue:GetDatabase",
        "glue:GetTable",
        "glue:GetTables",
        "glue:UpdateTable"
      ],
      "Resource": [
        "arn:aws:glue:eu-central-1:123456789012:catalog",
        "arn:aws:glue:eu-central-1:123456789012:database/salesforce",
        "arn:aws:glue:eu-central-1:123456789012:table/salesforce/*",
        "arn:aws:glue:eu-central-1:123456789012:database/salesforce_emea",
        "arn:aws:glue:eu-central-1:123456789012:table/salesforce_emea/*"
      ]
    },
    {
      "Sid": "Logs",
      "Effect": "Allow",
      "Action": [
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:PutLogEvents"
      ],
      "Resource": [
        "arn:aws:logs:eu-central-1:123456789012:log-group:/aws-glue/*"
      ]
    }
  ]
}
JSON

# 2. Compaction, snapshot retention and removal of orphans for each table that exists.
#    docs.aws.amazon.com/glue/latest/dg/table-optimizers.html
#    Compaction starts above 100 files that are smaller than 75 % of write.target-file-size-bytes.
aws glue create-table-optimizer --region eu-central-1 --cli-input-json file:///dev/stdin <<'JSON'
{
  "CatalogId": "123456789012",
  "DatabaseName": "salesforce",
  "TableName": "account",
  "Type": "compaction",
  "TableOptimizerConfiguration": {
    "roleArn": "arn:aws:iam::123456789012:role/sf-assets-upkeep",
    "enabled": true,
    "compactionConfiguration": {
      "icebergConfiguration": {
        "strategy": "binpack"
      }
    }
  }
}
JSON
aws glue create-table-optimizer --region eu-central-1 --cli-input-json file:///dev/stdin <<'JSON'
{
  "CatalogId": "123456789012",
  "DatabaseName": "salesforce",
  "TableName": "account",
  "Type": "retention",
  "TableOptimizerConfiguration": {
    "roleArn": "arn:aws:iam::123456789012:role/sf-assets-upkeep",
    "enabled": true,
    "retentionConfiguration": {
      "icebergConfiguration": {
        "snapshotRetentionPeriodInDays": 1,
        "numberOfSnapshotsToRetain": 10,
        "cleanExpiredFiles": true,
        "runRateInHours": 12
      }
    }
  }
}
JSON
aws glue create-table-optimizer --region eu-central-1 --cli-input-json file:///dev/stdin <<'JSON'
{
  "CatalogId": "123456789012",
  "DatabaseName": "salesforce",
  "TableName": "account",
  "Type": "orphan_file_deletion",
  "TableOptimizerConfiguration": {
    "roleArn": "arn:aws:iam::123456789012:role/sf-assets-upkeep",
    "enabled": true,
    "orphanFileDeletionConfiguration": {
      "icebergConfiguration": {
        "orphanFileRetentionPeriodInDays": 3
      }
    }
  }
}
JSON
aws glue create-table-optimizer --region eu-central-1 --cli-input-json file:///dev/stdin <<'JSON'
{
  "CatalogId": "123456789012",
  "DatabaseName": "salesforce",
  "TableName": "_sync_status",
  "Type": "compaction",
  "TableOptimizerConfiguration": {
    "roleArn": "arn:aws:iam::123456789012:role/sf-assets-upkeep",
    "enabled": true,
    "compactionConfiguration": {
      "icebergConfiguration": {
        "strategy": "binpack"
      }
    }
  }
}
JSON
aws glue create-table-optimizer --region eu-central-1 --cli-input-json file:///dev/stdin <<'JSON'
{
  "CatalogId": "123456789012",
  "DatabaseName": "salesforce",
  "TableName": "_sync_status",
  "Type": "retention",
  "TableOptimizerConfiguration": {
    "roleArn": "arn:aws:iam::123456789012:role/sf-assets-upkeep",
    "enabled": true,
    "retentionConfiguration": {
      "icebergConfiguration": {
        "snapshotRetentionPeriodInDays": 1,
        "numberOfSnapshotsToRetain": 10,
        "cleanExpiredFiles": true,
        "runRateInHours": 12
      }
    }
  }
}
JSON
aws glue create-table-optimizer --region eu-central-1 --cli-input-json file:///dev/stdin <<'JSON'
{
  "CatalogId": "123456789012",
  "DatabaseName": "salesforce",
  "TableName": "_sync_status",
  "Type": "orphan_file_deletion",
  "TableOptimizerConfiguration": {
    "roleArn": "arn:aws:iam::123456789012:role/sf-assets-upkeep",
    "enabled": true,
    "orphanFileDeletionConfiguration": {
      "icebergConfiguration": {
        "orphanFileRetentionPeriodInDays": 3
      }
    }
  }
}
JSON
aws glue create-table-optimizer --region eu-central-1 --cli-input-json file:///dev/stdin <<'JSON'
{
  "CatalogId": "123456789012",
  "DatabaseName": "salesforce_emea",
  "TableName": "account",
  "Type": "compaction",
  "TableOptimizerConfiguration": {
    "roleArn": "arn:aws:iam::123456789012:role/sf-assets-upkeep",
    "enabled": true,
    "compactionConfiguration": {
      "icebergConfiguration": {
        "strategy": "binpack"
      }
    }
  }
}
JSON
aws glue create-table-optimizer --region eu-central-1 --cli-input-json file:///dev/stdin <<'JSON'
{
  "CatalogId": "123456789012",
  "DatabaseName": "salesforce_emea",
  "TableName": "account",
  "Type": "retention",
  "TableOptimizerConfiguration": {
    "roleArn": "arn:aws:iam::123456789012:role/sf-assets-upkeep",
    "enabled": true,
    "retentionConfiguration": {
      "icebergConfiguration": {
        "snapshotRetentionPeriodInDays": 1,
        "numberOfSnapshotsToRetain": 10,
        "cleanExpiredFiles": true,
        "runRateInHours": 12
      }
    }
  }
}
JSON
aws glue create-table-optimizer --region eu-central-1 --cli-input-json file:///dev/stdin <<'JSON'
{
  "CatalogId": "123456789012",
  "DatabaseName": "salesforce_emea",
  "TableName": "account",
  "Type": "orphan_file_deletion",
  "TableOptimizerConfiguration": {
    "roleArn": "arn:aws:iam::123456789012:role/sf-assets-upkeep",
    "enabled": true,
    "orphanFileDeletionConfiguration": {
      "icebergConfiguration": {
        "orphanFileRetentionPeriodInDays": 3
      }
    }
  }
}
JSON
aws glue create-table-optimizer --region eu-central-1 --cli-input-json file:///dev/stdin <<'JSON'
{
  "CatalogId": "123456789012",
  "DatabaseName": "salesforce_emea",
  "TableName": "_sync_status",
  "Type": "compaction",
  "TableOptimizerConfiguration": {
    "roleArn": "arn:aws:iam::123456789012:role/sf-assets-upkeep",
    "enabled": true,
    "compactionConfiguration": {
      "icebergConfiguration": {
        "strategy": "binpack"
      }
    }
  }
}
JSON
aws glue create-table-optimizer --region eu-central-1 --cli-input-json file:///dev/stdin <<'JSON'
{
  "CatalogId": "123456789012",
  "DatabaseName": "salesforce_emea",
  "TableName": "_sync_status",
  "Type": "retention",
  "TableOptimizerConfiguration": {
    "roleArn": "arn:aws:iam::123456789012:role/sf-assets-upkeep",
    "enabled": true,
    "retentionConfiguration": {
      "icebergConfiguration": {
        "snapshotRetentionPeriodInDays": 1,
        "numberOfSnapshotsToRetain": 10,
        "cleanExpiredFiles": true,
        "runRateInHours": 12
      }
    }
  }
}
JSON
aws glue create-table-optimizer --region eu-central-1 --cli-input-json file:///dev/stdin <<'JSON'
{
  "CatalogId": "123456789012",
  "DatabaseName": "salesforce_emea",
  "TableName": "_sync_status",
  "Type": "orphan_file_deletion",
  "TableOptimizerConfiguration": {
    "roleArn": "arn:aws:iam::123456789012:role/sf-assets-upkeep",
    "enabled": true,
    "orphanFileDeletionConfiguration": {
      "icebergConfiguration": {
        "orphanFileRetentionPeriodInDays": 3
      }
    }
  }
}
JSON
