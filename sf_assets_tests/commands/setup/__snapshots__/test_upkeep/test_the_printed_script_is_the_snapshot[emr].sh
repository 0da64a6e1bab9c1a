#!/bin/sh
# Upkeep of the tables by EMR Serverless, printed by `sf-assets setup upkeep --engine emr`.
# Set SF_ASSETS_UPKEEP=external first: otherwise the syncs compact too.
set -eu

# 1. The role of the job. docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/security-iam-runtime-role.html
aws iam create-role --role-name sf-assets-upkeep --assume-role-policy-document file:///dev/stdin <<'JSON'
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": {
        "Service": "emr-serverless.amazonaws.com"
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

# 2. The application: it costs nothing while no job runs.
aws emr-serverless create-application --region eu-central-1 --name sf-assets-upkeep --type SPARK \
  --release-label emr-7.9.0

# 3. The program and its statements. The program fills in the timestamps at each run.
sf-assets setup upkeep --engine spark --endpoints account --account-id 123456789012 --region eu-central-1 --bucket acme-lake --orgs emea > upkeep.sql
cat > upkeep.py <<'PY'
import re
import sys
from datetime import datetime, timedelta

from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
now, failed = datetime.utcnow(), []
for line in spark.read.text(sys.argv[1], wholetext=True).first()[0].splitlines():
    if line.startswith("CALL"):
        sql = re.sub(r"<(\d+)_DAYS?_AGO>", lambda match: str(now - timedelta(days=int(match[1]))), line.rstrip(";"))
        try:
            spark.sql(sql).show(truncate=False)
        except Exception as error:  # a table that does not exist yet, or that a sync overtook: the others go on
            failed.append(f"{sql}: {str(error).splitlines()[0]}")
sys.exit("\n".join(failed) or None)
PY
aws s3 cp upkeep.sql s3://acme-lake/salesforce-upkeep/upkeep.sql
aws s3 cp upkeep.py s3://acme-lake/salesforce-upkeep/upkeep.py

# 4. A run. The application's id is what step 2 printed; the token is any text that you have not used.
aws emr-serverless start-job-run --region eu-central-1 --cli-input-json file:///dev/stdin <<'JSON'
{
  "applicationId": "<APPLICATION_ID>",
  "clientToken": "<TOKEN>",
  "name": "sf-assets-upkeep",
  "executionRoleArn": "arn:aws:iam::123456789012:role/sf-assets-upkeep",
  "jobDriver": {
    "sparkSubmit": {
      "entryPoint": "s3://acme-lake/salesforce-upkeep/upkeep.py",
      "entryPointArguments": [
        "s3://acme-lake/salesforce-upkeep/upkeep.sql"
      ],
      "sparkSubmitParameters": "--conf spark.jars=/usr/share/aws/iceberg/lib/iceberg-spark3-runtime.jar --conf spark.sql.extensions=org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions --conf spark.sql.catalog.salesforce=org.apache.iceberg.spark.SparkCatalog --conf spark.sql.catalog.salesforce.type=glue --conf spark.sql.catalog.salesforce.warehouse=s3://acme-lake/salesforce --conf spark.sql.catalog.salesforce.io-impl=org.apache.iceberg.aws.s3.S3FileIO"
    }
  }
}
JSON

# 5. To let Dagster run it every 12 hours: put the JSON of step 4 into a file and name it in SF_ASSETS_UPKEEP_JOB.
#    docs/engines.md#let-dagster-run-it says what the role of the runs needs for it.
