"""`sf-assets setup aws`: bucket, Glue database, two roles and their policies as a script for the AWS command line.

Each step names the page of AWS's documentation that it rests on.
"""

import json
from typing import Any

from sf_assets.commands.setup.values import READER_ROLE, WRITER_ROLE, Values

Json = dict[str, Any]


def aws_script(values: Values) -> str:
    """Return the whole script, to be run step by step: AWS refuses to make again what is there."""
    body = "\n\n".join(step(values) for step in STEPS)
    gaps = values.gaps(body)
    missing = ["# Not filled in yet:", *(f"#   {line}" for line in gaps), ""] if gaps else []
    return "\n".join([HEAD, *missing, body, ""])


HEAD = """\
#!/bin/sh
# The AWS side of sf_assets, printed by `sf-assets setup aws`. Run it step by step, as an administrator of the account.
set -eu
"""


def bucket_policy(values: Values) -> Json:
    """Nobody speaks to the bucket without TLS."""
    statement = {
        "Sid": "OnlyTls",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [bucket_arn(values), f"{bucket_arn(values)}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return _policy(statement)


def lifecycle(values: Values) -> Json:
    """What may go by age: parts of uploads that were given up, and versions that were deleted or overwritten.

    Never the current objects: a data file of last year is a live part of the table.
    """
    return {
        "Rules": [
            {
                "ID": "abandoned-uploads",
                "Status": "Enabled",
                "Filter": {"Prefix": f"{values['prefix']}/"},
                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
            },
            {
                "ID": "removed-versions",
                "Status": "Enabled",
                "Filter": {"Prefix": f"{values['prefix']}/"},
                "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
                "Expiration": {"ExpiredObjectDeleteMarker": True},
            },
        ]
    }


def reader_policy(values: Values) -> Json:
    """What Snowflake may do: read the tables' files and their entries in Glue."""
    return _policy(
        {
            "Sid": "ReadFiles",
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:GetObjectVersion"],
            "Resource": f"{bucket_arn(values)}/{values['prefix']}/*",
        },
        {
            "Sid": "ListFiles",
            "Effect": "Allow",
            "Action": ["s3:ListBucket", "s3:GetBucketLocation"],
            "Resource": bucket_arn(values),
        },
        {
            "Sid": "ReadCatalog",
            "Effect": "Allow",
            "Action": [
                "glue:GetCatalog",
                "glue:GetDatabase",
                "glue:GetDatabases",
                "glue:GetTable",
                "glue:GetTables",
            ],
            "Resource": glue_arns(values),
        },
    )


def writer_policy(values: Values) -> Json:
    """What the runs may do: write the tables' files and entries, and read their org's secret.

    ListBucket has no condition on the prefix: without it S3 answers a look at a missing file with 403 instead of 404.
    """
    return _policy(
        {
            "Sid": "WriteFiles",
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"],
            "Resource": f"{bucket_arn(values)}/{values['prefix']}/*",
        },
        {"Sid": "ListFiles", "Effect": "Allow", "Action": "s3:ListBucket", "Resource": bucket_arn(values)},
        {
            "Sid": "WriteCatalog",
            "Effect": "Allow",
            "Action": [
                "glue:GetDatabase",
                "glue:GetTable",
                "glue:GetTables",
                "glue:CreateTable",
                "glue:UpdateTable",
            ],
            "Resource": glue_arns(values),
        },
        {
            "Sid": "ReadSecret",
            "Effect": "Allow",
            "Action": "secretsmanager:GetSecretValue",
            "Resource": one_or_all(secret_arns(values)),
        },
    )


def reader_trust(values: Values) -> Json:
    """Who may be the reader: Snowflake's two users, with the external id; before they are known, this account."""
    known = bool(values.volume_user_arn and values.catalog_user_arn)
    arns = sorted({values.volume_user_arn, values.catalog_user_arn})
    principal = arns if known else f"arn:aws:iam::{values['account_id']}:root"
    return _policy(
        {
            "Effect": "Allow",
            "Principal": {"AWS": principal},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": values["external_id"]}},
        }
    )


def writer_trust(values: Values) -> Json:
    """Who may be the writer: the service that the runs run on."""
    return _policy({"Effect": "Allow", "Principal": {"Service": values["runs_on"]}, "Action": "sts:AssumeRole"})


def bucket_arn(values: Values) -> str:
    """Return the bucket's ARN."""
    return f"arn:aws:s3:::{values['bucket']}"


def glue_arns(values: Values) -> list[str]:
    """Return the catalog, the database of each org, and its tables."""
    place = f"arn:aws:glue:{values['region']}:{values['account_id']}"
    owned = ((f"{place}:database/{name}", f"{place}:table/{name}/*") for name in values.databases)
    return [f"{place}:catalog", *(arn for arns in owned for arn in arns)]


def secret_arns(values: Values) -> list[str]:
    """Return the secret of each org; AWS puts six characters behind its name."""
    place = f"arn:aws:secretsmanager:{values['region']}:{values['account_id']}:secret"
    return [f"{place}:{name}-*" for name in values.secrets]


def one_or_all(arns: list[str]) -> str | list[str]:
    """Return a policy's resources as one reads them best."""
    return arns[0] if len(arns) == 1 else arns


def _bucket(values: Values) -> str:
    s3, region, bucket = "aws s3api", values["region"], values["bucket"]
    where = "" if region == "us-east-1" else f" --create-bucket-configuration LocationConstraint={region}"
    return f"""\
# 1. The bucket: gives s3://{bucket}/{values["prefix"]}/ to step 2 and to `setup snowflake`.
#    Encrypted by default (SSE-S3), private, versioned, TLS only.
#    docs.aws.amazon.com/AmazonS3/latest/userguide/creating-bucket.html
aws s3api create-bucket --bucket {bucket} --region {region}{where}
aws s3api put-public-access-block --bucket {bucket} --public-access-block-configuration \\
  BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true
aws s3api put-bucket-versioning --bucket {bucket} --versioning-configuration Status=Enabled
{_given(f"{s3} put-bucket-policy --bucket {bucket} --policy", bucket_policy(values))}
#    docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
#    Never let a rule expire or archive current objects: old data files are live.
{_given(f"{s3} put-bucket-lifecycle-configuration --bucket {bucket} --lifecycle-configuration", lifecycle(values))}"""


def _database(values: Values) -> str:
    inputs = [json.dumps({"Name": name, "LocationUri": location}) for name, location in values.databases.items()]
    made = (f"aws glue create-database --region {values['region']} \\\n  --database-input '{told}'" for told in inputs)
    return "\n".join(
        [
            f"""\
# 2. The Glue database: gives its name, {values["namespace"]}, to SF_ASSETS_NAMESPACE and to `setup snowflake`.
#    docs.aws.amazon.com/glue/latest/dg/define-database.html""",
            *made,
        ]
    )


def _reader(values: Values) -> str:
    return f"""\
# 3. The role that Snowflake reads with: gives {values.reader_arn}
#    to `setup snowflake`. Its trust is this account's own until step 6.
#    docs.snowflake.com/en/user-guide/tables-iceberg-configure-external-volume-s3
#    docs.snowflake.com/en/user-guide/tables-iceberg-configure-catalog-integration-rest-glue
{_role(READER_ROLE, trust=_own_trust(values), policy=reader_policy(values))}"""


def _writer(values: Values) -> str:
    return f"""\
# 4. The role that the runs write with: give it to their task, pod or machine ({values["runs_on"]}).
#    On EKS replace the trust by the one of the service account.
#    docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-service.html
{_role(WRITER_ROLE, trust=writer_trust(values), policy=writer_policy(values))}"""


def _secret(values: Values) -> str:
    create = f"aws secretsmanager create-secret --region {values['region']} --name"
    made = (f"{create} {name} \\\n  --secret-string file://{file}" for name, file in values.secrets.items())
    return "\n".join(
        [
            f"""\
# 5. The secret: gives {values["secret"]} to SALESFORCE_SECRET_ID. secret.json is what `sf-assets setup salesforce`
#    ends with; remove the file afterwards.
#    docs.aws.amazon.com/secretsmanager/latest/userguide/create_secret.html""",
            *made,
        ]
    )


def _trust(values: Values) -> str:
    return f"""\
# 6. After `setup snowflake` has told Snowflake's two users: only they may be the reader, and only with the external id.
#    Making the volume or the integration anew may change them.
#    docs.snowflake.com/en/user-guide/tables-iceberg-configure-external-volume-s3
{_given(f"aws iam update-assume-role-policy --role-name {READER_ROLE} --policy-document", _final_trust(values))}

# 7. What the runs' environment needs. Check it with: sf-assets doctor
#    SF_ASSETS_DEPLOYMENT=production
#    SALESFORCE_SECRET_ID={values["secret"]}
#    AWS_DEFAULT_REGION={values["region"]}
#    SF_ASSETS_NAMESPACE={values["namespace"]}
#    PYICEBERG_CATALOG__SALESFORCE__TYPE=glue
#    PYICEBERG_CATALOG__SALESFORCE__WAREHOUSE=s3://{values["bucket"]}/{values["prefix"]}
#    PYICEBERG_CATALOG__SALESFORCE__GLUE__REGION={values["region"]}
#    PYICEBERG_CATALOG__SALESFORCE__S3__REGION={values["region"]}
#    PYICEBERG_CATALOG__SALESFORCE__S3__RETRY_STRATEGY_IMPL=sf_assets.iceberg.s3_retry.RetryMore{_others(values)}"""


def _others(values: Values) -> str:
    """What the environments of the other orgs say instead of the first one's."""
    told = zip(values.named_orgs, list(values.secrets)[1:], list(values.databases)[1:], strict=True)
    return "".join(
        f"\n#\n#    In the location of {org} instead:\n#    SF_ASSETS_ORG={org}"
        f"\n#    SALESFORCE_SECRET_ID={secret}\n#    SF_ASSETS_NAMESPACE={namespace}"
        for org, secret, namespace in told
    )


STEPS = (_bucket, _database, _reader, _writer, _secret, _trust)


def _own_trust(values: Values) -> Json:
    return reader_trust(Values(account_id=values.account_id, external_id=values.external_id))


def _final_trust(values: Values) -> Json:
    trust = reader_trust(values)
    if not (values.volume_user_arn and values.catalog_user_arn):
        trust["Statement"][0]["Principal"] = {"AWS": [values["volume_user_arn"], values["catalog_user_arn"]]}
    return trust


def _policy(*statements: Json) -> Json:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _role(name: str, *, trust: Json, policy: Json) -> str:
    made = _given(f"aws iam create-role --role-name {name} --assume-role-policy-document", trust)
    allowed = _given(f"aws iam put-role-policy --role-name {name} --policy-name tables --policy-document", policy)
    return f"{made}\n{allowed}"


def _given(command: str, document: Json) -> str:
    return f"{command} file:///dev/stdin <<'JSON'\n{json.dumps(document, indent=2)}\nJSON"
