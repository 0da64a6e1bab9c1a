"""The IAM policies, trusts and bucket settings of `sf-assets setup aws`, as documents."""

from typing import Any

from sf_assets.commands.setup.values import SetupValues

Json = dict[str, Any]
POD_IDENTITY = "pods.eks.amazonaws.com"


def bucket_policy(values: SetupValues) -> Json:
    """Return the policy that refuses every request without TLS."""
    return _policy(
        {
            "Sid": "OnlyTls",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [bucket_arn(values), f"{bucket_arn(values)}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    )


def bucket_encryption(values: SetupValues) -> Json:
    """Return the encryption of new objects with the customer's KMS key."""
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": values["kms_key"]}
    return {"Rules": [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}]}


def lifecycle(values: SetupValues) -> Json:
    """Return the rules that expire abandoned uploads and old versions.

    They never expire current objects: a data file of last year is still read.
    """
    scope = {"Status": "Enabled", "Filter": {"Prefix": f"{values['prefix']}/"}}
    return {
        "Rules": [
            {"ID": "abandoned-uploads", **scope, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}},
            {
                "ID": "removed-versions",
                **scope,
                "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
                "Expiration": {"ExpiredObjectDeleteMarker": True},
            },
        ]
    }


def database_input(values: SetupValues, name: str, location: str) -> Json:
    """Return the Glue database. Without Lake Formation, IAM alone decides on its tables."""
    everyone = {"Principal": {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}, "Permissions": ["ALL"]}
    permissions = [] if values.lake_formation else [everyone]
    return {"Name": name, "LocationUri": location, "CreateTableDefaultPermissions": permissions}


def reader_policy(values: SetupValues) -> Json:
    """Return the rights of Snowflake: read the tables' files and entries."""
    return _policy(
        _allow("ReadFiles", ["s3:GetObject", "s3:GetObjectVersion"], _objects(values)),
        _allow("ListFiles", ["s3:ListBucket", "s3:GetBucketLocation"], bucket_arn(values)),
        _allow(
            "ReadCatalog",
            ["glue:GetCatalog", "glue:GetDatabase", "glue:GetDatabases", "glue:GetTable", "glue:GetTables"],
            glue_arns(values),
        ),
        *_key(values, ["kms:Decrypt"]),
        *_data_access(values),
    )


def writer_policy(values: SetupValues) -> Json:
    """Return the rights of the runs: write the tables, read the secret.

    ListBucket has no condition on the prefix: with one, S3 answers 403 instead of 404 for a missing file.
    """
    files = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
    catalog = ["glue:GetDatabase", "glue:GetTable", "glue:GetTables", "glue:CreateTable", "glue:UpdateTable"]
    secrets = secret_arns(values)
    return _policy(
        _allow("WriteFiles", files, _objects(values)),
        _allow("ListFiles", "s3:ListBucket", bucket_arn(values)),
        _allow("WriteCatalog", catalog, glue_arns(values)),
        _allow("ReadSecret", "secretsmanager:GetSecretValue", secrets[0] if len(secrets) == 1 else secrets),
        *_key(values, ["kms:Decrypt", "kms:GenerateDataKey"]),
        *_data_access(values),
    )


def reader_trust(values: SetupValues, *, is_first: bool = False) -> Json:
    """Return the trust for Snowflake's two users, with the external id.

    `is_first`: for this account, until the users exist.
    """
    users = sorted({values["volume_user_arn"], values["catalog_user_arn"]})
    principal = f"arn:aws:iam::{values['account_id']}:root" if is_first else users
    return _policy(
        {
            "Effect": "Allow",
            "Principal": {"AWS": principal},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": values["external_id"]}},
        }
    )


def writer_trust(values: SetupValues) -> Json:
    """Return the trust for what the runs run on.

    That is a service, the service account of pods (IRSA), or EKS Pod Identity.
    """
    if values.oidc_provider:
        return _service_account_trust(values)
    statement: Json = {
        "Effect": "Allow",
        "Principal": {"Service": values["runs_on"]},
        "Action": "sts:AssumeRole",
    }
    if values.runs_on == POD_IDENTITY:  # docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html
        tags = {
            "aws:RequestTag/kubernetes-namespace": values["kubernetes_namespace"],
            "aws:RequestTag/kubernetes-service-account": values["service_account"],
        }
        statement |= {"Action": ["sts:AssumeRole", "sts:TagSession"], "Condition": {"StringEquals": tags}}
    return _policy(statement)


def _service_account_trust(values: SetupValues) -> Json:
    """Return the trust for one service account.

    Source: docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html
    """
    provider = values["oidc_provider"]
    subject = f"system:serviceaccount:{values['kubernetes_namespace']}:{values['service_account']}"
    return _policy(
        {
            "Effect": "Allow",
            "Principal": {"Federated": f"arn:aws:iam::{values['account_id']}:oidc-provider/{provider}"},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {f"{provider}:sub": subject, f"{provider}:aud": "sts.amazonaws.com"}},
        }
    )


def bucket_arn(values: SetupValues) -> str:
    """Return the ARN of the bucket."""
    return f"arn:aws:s3:::{values['bucket']}"


def glue_arns(values: SetupValues) -> list[str]:
    """Return the ARNs of the catalog, and of the database and tables of each org."""
    start = f"arn:aws:glue:{values['region']}:{values['account_id']}"
    pairs = ((f"{start}:database/{name}", f"{start}:table/{name}/*") for name in values.databases)
    return [f"{start}:catalog", *(arn for pair in pairs for arn in pair)]


def secret_arns(values: SetupValues) -> list[str]:
    """Return the ARN of each org's secret.

    AWS appends a hyphen and six characters to the name.
    """
    start = f"arn:aws:secretsmanager:{values['region']}:{values['account_id']}:secret"
    return [f"{start}:{name}-??????" for name in values.secrets]


def _objects(values: SetupValues) -> str:
    return f"{bucket_arn(values)}/{values['prefix']}/*"


def _key(values: SetupValues, actions: list[str]) -> list[Json]:
    return [_allow("UseKey", actions, values["kms_key"])] if values.kms_key else []


def _data_access(values: SetupValues) -> list[Json]:
    """Return the right to ask Lake Formation for data; its only resource is `*`."""
    return [_allow("LakeFormation", "lakeformation:GetDataAccess", "*")] if values.lake_formation else []


def _allow(sid: str, actions: str | list[str], resources: str | list[str]) -> Json:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}


def _policy(*statements: Json) -> Json:
    return {"Version": "2012-10-17", "Statement": list(statements)}
