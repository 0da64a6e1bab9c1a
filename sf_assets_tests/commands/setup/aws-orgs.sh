#!/bin/sh
# The AWS side of sf_assets, printed by `sf-assets setup aws`. Run it step by step, as an administrator of the account.
set -eu

# Not filled in yet:
#   <VOLUME_USER_ARN>: --volume-user-arn, from: DESC EXTERNAL VOLUME in `sf-assets setup snowflake`: STORAGE_AWS_IAM_USER_ARN
#   <CATALOG_USER_ARN>: --catalog-user-arn, from: DESC CATALOG INTEGRATION in `sf-assets setup snowflake`: API_AWS_IAM_USER_ARN

# 1. The bucket: gives s3://acme-lake/salesforce/ to step 2 and to `setup snowflake`.
#    Encrypted by default (SSE-S3), private, versioned, TLS only.
#    docs.aws.amazon.com/AmazonS3/latest/userguide/creating-bucket.html
aws s3api create-bucket --bucket acme-lake --region eu-central-1 --create-bucket-configuration LocationConstraint=eu-central-1
aws s3api put-public-access-block --bucket acme-lake --public-access-block-configuration \
  BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true
aws s3api put-bucket-versioning --bucket acme-lake --versioning-configuration Status=Enabled
aws s3api put-bucket-policy --bucket acme-lake --policy file:///dev/stdin <<'JSON'
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "OnlyTls",
      "Effect": "Deny",
      "Principal": "*",
      "Action": "s3:*",
      "Resource": [
        "arn:aws:s3:::acme-lake",
        "arn:aws:s3:::acme-lake/*"
      ],
      "Condition": {
        "Bool": {
          "aws:SecureTransport": "false"
        }
      }
    }
  ]
}
JSON
#    docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
#    Never let a rule expire or archive current objects: old data files are live.
aws s3api put-bucket-lifecycle-configuration --bucket acme-lake --lifecycle-configuration file:///dev/stdin <<'JSON'
{
  "Rules": [
    {
      "ID": "abandoned-uploads",
      "Status": "Enabled",
      "Filter": {
        "Prefix": "salesforce/"
      },
      "AbortIncompleteMultipartUpload": {
        "DaysAfterInitiation": 7
      }
    },
    {
      "ID": "removed-versions",
      "Status": "Enabled",
      "Filter": {
        "Prefix": "salesforce/"
      },
      "NoncurrentVersionExpiration": {
        "NoncurrentDays": 30
      },
      "Expiration": {
        "ExpiredObjectDeleteMarker": true
      }
    }
  ]
}
JSON

# 2. The Glue database: gives its name, salesforce, to SF_ASSETS_NAMESPACE and to `setup snowflake`.
#    docs.aws.amazon.com/glue/latest/dg/define-database.html
aws glue create-database --region eu-central-1 \
  --database-input '{"Name": "salesforce", "LocationUri": "s3://acme-lake/salesforce/"}'
aws glue create-database --region eu-central-1 \
  --database-input '{"Name": "salesforce_emea", "LocationUri": "s3://acme-lake/salesforce/salesforce_emea.db/"}'
aws glue create-database --region eu-central-1 \
  --database-input '{"Name": "salesforce_us_2", "LocationUri": "s3://acme-lake/salesforce/salesforce_us_2.db/"}'

# 3. The role that Snowflake reads with: gives arn:aws:iam::123456789012:role/sf-assets-snowflake-reader
#    to `setup snowflake`. Its trust is this account's own until step 6.
#    docs.snowflake.com/en/user-guide/tables-iceberg-configure-external-volume-s3
#    docs.snowflake.com/en/user-guide/tables-iceberg-configure-catalog-integration-rest-glue
aws iam create-role --role-name sf-assets-snowflake-reader --assume-role-policy-document file:///dev/stdin <<'JSON'
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": {
        "AWS": "arn:aws:iam::123456789012:root"
      },
      "Action": "sts:AssumeRole",
      "Condition": {
        "StringEquals": {
          "sts:ExternalId": "0123456789abcdef0123456789abcdef"
        }
      }
    }
  ]
}
JSON
aws iam put-role-policy --role-name sf-assets-snowflake-reader --policy-name tables --policy-document file:///dev/stdin <<'JSON'
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "ReadFiles",
      "Effect": "Allow",
      "Action": [
        "s3:GetObject",
        "s3:GetObjectVersion"
      ],
      "Resource": "arn:aws:s3:::acme-lake/salesforce/*"
    },
    {
      "Sid": "ListFiles",
      "Effect": "Allow",
      "Action": [
        "s3:ListBucket",
        "s3:GetBucketLocation"
      ],
      "Resource": "arn:aws:s3:::acme-lake"
    },
    {
      "Sid": "ReadCatalog",
      "Effect": "Allow",
      "Action": [
        "glue:GetCatalog",
        "glue:GetDatabase",
        "glue:GetDatabases",
        "glue:GetTable",
        "glue:GetTables"
      ],
      "Resource": [
        "arn:aws:glue:eu-central-1:123456789012:catalog",
        "arn:aws:glue:eu-central-1:123456789012:database/salesforce",
        "arn:aws:glue:eu-central-1:123456789012:table/salesforce/*",
        "arn:aws:glue:eu-central-1:123456789012:database/salesforce_emea",
        "arn:aws:glue:eu-central-1:123456789012:table/salesforce_emea/*",
        "arn:aws:glue:eu-central-1:123456789012:database/salesforce_us_2",
        "arn:aws:glue:eu-central-1:123456789012:table/salesforce_us_2/*"
      ]
    }
  ]
}
JSON

# 4. The role that the runs write with: give it to their task, pod or machine (ecs-tasks.amazonaws.com).
#    On EKS replace the trust by the one of the service account.
#    docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-service.html
aws iam create-role --role-name sf-assets-writer --assume-role-policy-document file:///dev/stdin <<'JSON'
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": {
        "Service": "ecs-tasks.amazonaws.com"
      },
      "Action": "sts:AssumeRole"
    }
  ]
}
JSON
aws iam put-role-policy --role-name sf-assets-writer --policy-name tables --policy-document file:///dev/stdin <<'JSON'
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "WriteFiles",
      "Effect": "Allow",
      "Action": [
        "s3:GetObject",
        "s3:PutObject",
        "s3:DeleteObject",
        "s3:AbortMultipartUpload"
      ],
      "Resource": "arn:aws:s3:::acme-lake/salesforce/*"
    },
    {
      "Sid": "ListFiles",
      "Effect": "Allow",
      "Action": "s3:ListBucket",
      "Resource": "arn:aws:s3:::acme-lake"
    },
    {
      "Sid": "WriteCatalog",
      "Effect": "Allow",
      "Action": [
        "glue:GetDatabase",
        "glue:GetTable",
        "glue:GetTables",
        "glue:CreateTable",
        "glue:UpdateTable"
      ],
      "Resource": [
        "arn:aws:glue:eu-central-1:123456789012:catalog",
        "arn:aws:glue:eu-central-1:123456789012:database/salesforce",
        "arn:aws:glue:eu-central-1:123456789012:table/salesforce/*",
        "arn:aws:glue:eu-central-1:123456789012:database/salesforce_emea",
        "arn:aws:glue:eu-central-1:123456789012:table/salesforce_emea/*",
        "arn:aws:glue:eu-central-1:123456789012:database/salesforce_us_2",
        "arn:aws:glue:eu-central-1:123456789012:table/salesforce_us_2/*"
      ]
    },
    {
      "Sid": "ReadSecret",
      "Effect": "Allow",
      "Action": "secretsmanager:GetSecretValue",
      "Resource": [
        "arn:aws:secretsmanager:eu-central-1:123456789012:secret:salesforce/sf_assets-*",
        "arn:aws:secretsmanager:eu-central-1:123456789012:secret:salesforce/sf_assets_emea-*",
        "arn:aws:secretsmanager:eu-central-1:123456789012:secret:salesforce/sf_assets_us_2-*"
      ]
    }
  ]
}
JSON

# 5. The secret: gives salesforce/sf_assets to SALESFORCE_SECRET_ID. secret.json is what `sf-assets setup salesforce`
#    ends with; remove the file afterwards.
#    docs.aws.amazon.com/secretsmanager/latest/userguide/create_secret.html
aws secretsmanager create-secret --region eu-central-1 --name salesforce/sf_assets \
  --secret-string file://secret.json
aws secretsmanager create-secret --region eu-central-1 --name salesforce/sf_assets_emea \
  --secret-string file://secret_emea.json
aws secretsmanager create-secret --region eu-central-1 --name salesforce/sf_assets_us_2 \
  --secret-string file://secret_us_2.json

# 6. After `setup snowflake` has told Snowflake's two users: only they may be the reader, and only with the external id.
#    Making the volume or the integration anew may change them.
#    docs.snowflake.com/en/user-guide/tables-iceberg-configure-external-volume-s3
aws iam update-assume-role-policy --role-name sf-assets-snowflake-reader --policy-document file:///dev/stdin <<'JSON'
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": {
        "AWS": [
          "<VOLUME_USER_ARN>",
          "<CATALOG_USER_ARN>"
        ]
      },
      "Action": "sts:AssumeRole",
      "Condition": {
        "StringEquals": {
          "sts:ExternalId": "0123456789abcdef0123456789abcdef"
        }
      }
    }
  ]
}
JSON

# 7. What the runs' environment needs. Check it with: sf-assets doctor
#    SF_ASSETS_DEPLOYMENT=production
#    SALESFORCE_SECRET_ID=salesforce/sf_assets
#    AWS_DEFAULT_REGION=eu-central-1
#    SF_ASSETS_NAMESPACE=salesforce
#    PYICEBERG_CATALOG__SALESFORCE__TYPE=glue
#    PYICEBERG_CATALOG__SALESFORCE__WAREHOUSE=s3://acme-lake/salesforce
#    PYICEBERG_CATALOG__SALESFORCE__GLUE__REGION=eu-central-1
#    PYICEBERG_CATALOG__SALESFORCE__S3__REGION=eu-central-1
#    PYICEBERG_CATALOG__SALESFORCE__S3__RETRY_STRATEGY_IMPL=sf_assets.iceberg.s3_retry.RetryMore
#
#    In the location of emea instead:
#    SF_ASSETS_ORG=emea
#    SALESFORCE_SECRET_ID=salesforce/sf_assets_emea
#    SF_ASSETS_NAMESPACE=salesforce_emea
#
#    In the location of us_2 instead:
#    SF_ASSETS_ORG=us_2
#    SALESFORCE_SECRET_ID=salesforce/sf_assets_us_2
#    SF_ASSETS_NAMESPACE=salesforce_us_2
