#!/bin/sh
# The AWS side of sf_assets, printed by `sf-assets setup aws`. Run it step by step, as an administrator of the account.
set -eu

# Not filled in yet:
#   <VOLUME_USER_ARN>: --volume-user-arn, from: DESC EXTERNAL VOLUME in `sf-assets setup snowflake`: STORAGE_AWS_IAM_USER_ARN
#   <CATALOG_USER_ARN>: --catalog-user-arn, from: DESC CATALOG INTEGRATION in `sf-assets setup snowflake`: its ..._AWS_IAM_USER_ARN

# 1. The bucket: s3://acme-lake/salesforce/ is for step 2 and for `setup snowflake`.
#    It is private, versioned, TLS only, and encrypted by default (SSE-S3).
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
#    Never let a rule expire or archive current objects: old data files are still read.
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

# 2. The Glue database: its name, salesforce, is for SF_ASSETS_NAMESPACE and for `setup snowflake`.
#    docs.aws.amazon.com/glue/latest/dg/define-database.html
aws glue create-database --region eu-central-1 --database-input file:///dev/stdin <<'JSON'
{
  "Name": "salesforce",
  "LocationUri": "s3://acme-lake/salesforce/",
  "CreateTableDefaultPermissions": [
    {
      "Principal": {
        "DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"
      },
      "Permissions": [
        "ALL"
      ]
    }
  ]
}
JSON
#    If a sync or Snowflake is refused in spite of its IAM policy, Lake Formation manages the catalog (ask
#    aws lakeformation get-data-lake-settings). Print this script again with --lake-formation.

# 3. The role that Snowflake reads with: arn:aws:iam::123456789012:role/sf-assets-snowflake-reader
#    is for `setup snowflake`. Until step 6 only this account is trusted.
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
        "arn:aws:glue:eu-central-1:123456789012:table/salesforce/*"
      ]
    }
  ]
}
JSON

# 4. The role that the runs write with: arn:aws:iam::123456789012:role/sf-assets-writer
#    Give it to the task or machine of the runs (ecs-tasks.amazonaws.com).
#    On EKS print this script with --oidc-provider, or with --runs-on pods.eks.amazonaws.com.
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
        "arn:aws:glue:eu-central-1:123456789012:table/salesforce/*"
      ]
    },
    {
      "Sid": "ReadSecret",
      "Effect": "Allow",
      "Action": "secretsmanager:GetSecretValue",
      "Resource": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:salesforce/sf_assets-??????"
    }
  ]
}
JSON

# 5. The secret: its name, salesforce/sf_assets, is for SALESFORCE_SECRET_ID. secret.json is what
#    `sf-assets setup salesforce` ends with; remove the file afterwards.
#    docs.aws.amazon.com/secretsmanager/latest/userguide/create_secret.html
aws secretsmanager create-secret --region eu-central-1 --name salesforce/sf_assets \
  --secret-string file://secret.json

# 6. After step 2 of `setup snowflake` has shown Snowflake's two users: trust only them, with the external id.
#    A volume or integration that is created again may have another user: then repeat this step.
#    AWS STS must be active in the region of Snowflake: IAM > Account settings > Security Token Service.
#    docs.snowflake.com/en/user-guide/tables-iceberg-configure-external-volume-s3
aws iam update-assume-role-policy --role-name sf-assets-snowflake-reader --policy-document file:///dev/stdin <<'JSON'
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": {
        "AWS": [
          "<CATALOG_USER_ARN>",
          "<VOLUME_USER_ARN>"
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

# 7. The environment of the runs. Check it with: sf-assets doctor
#    SF_ASSETS_DEPLOYMENT=production
#    SALESFORCE_INSTANCE_URL=<host>, from: Setup > My Domain
#    SALESFORCE_SECRET_ID=salesforce/sf_assets
#    AWS_DEFAULT_REGION=eu-central-1
#    SF_ASSETS_NAMESPACE=salesforce
#    PYICEBERG_CATALOG__SALESFORCE__TYPE=glue
#    PYICEBERG_CATALOG__SALESFORCE__WAREHOUSE=s3://acme-lake/salesforce
#    PYICEBERG_CATALOG__SALESFORCE__GLUE__REGION=eu-central-1
#    PYICEBERG_CATALOG__SALESFORCE__S3__REGION=eu-central-1
#    PYICEBERG_CATALOG__SALESFORCE__S3__RETRY_STRATEGY_IMPL=sf_assets.iceberg.s3_retry.RetryMore
