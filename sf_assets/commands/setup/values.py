"""The values of the set-up scripts: a person's own, and a named gap for each missing one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields

from sf_assets.errors import ConfigError

ORIGINS: Mapping[str, str] = {
    "account_id": "aws sts get-caller-identity --query Account --output text",
    "region": "SELECT CURRENT_REGION() in Snowflake; bucket, Glue and Snowflake must be in one region",
    "bucket": "your choice; without dots in its name",
    "external_id": "openssl rand -hex 16, once; the same in all scripts",
    "volume_user_arn": "DESC EXTERNAL VOLUME in `sf-assets setup snowflake`: STORAGE_AWS_IAM_USER_ARN",
    "catalog_user_arn": "DESC CATALOG INTEGRATION in `sf-assets setup snowflake`: its ..._AWS_IAM_USER_ARN",
    "public_key": "openssl rsa -in snowflake.p8 -pubout, its lines between BEGIN and END joined",
    "cluster": "aws eks list-clusters",
}
"""Value -> where it comes from."""

_NAME = r"[A-Za-z_][A-Za-z0-9_$]*"
_KUBERNETES = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
FORMS: Mapping[str, str] = {
    "account_id": r"\d{12}",
    "region": r"[a-z]{2,4}(-[a-z]+)+-\d",
    "bucket": r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]",
    "namespace": r"[a-z][a-z0-9_]*",
    "orgs": r"[a-z0-9]+(_[a-z0-9]+)*(,[a-z0-9]+(_[a-z0-9]+)*)*",
    "prefix": r"[A-Za-z0-9_/-]*[A-Za-z0-9_-]",
    "secret": r"[A-Za-z0-9/_+=.@-]+",
    "external_id": r"[A-Za-z0-9_+=,.@:/-]{2,1224}",
    "volume_user_arn": r"arn:aws:iam::\d{12}:user/[\w+=,.@/-]+",
    "catalog_user_arn": r"arn:aws:iam::\d{12}:user/[\w+=,.@/-]+",
    "kms_key": r"arn:aws:kms:[a-z0-9-]+:\d{12}:key/[a-zA-Z0-9-]+",
    "public_key": r"[A-Za-z0-9+/=]+",
    "runs_on": r"[a-z0-9.-]+\.amazonaws\.com",
    "oidc_provider": r"[a-z0-9.-]+(/[A-Za-z0-9._-]+)*",
    "kubernetes_namespace": _KUBERNETES,
    "service_account": _KUBERNETES,
    "cluster": r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}",
    "refresh_seconds": r"[3-9]\d|[1-9]\d{2,4}",
    "discovery_seconds": r"[3-9]\d|[1-9]\d{2,4}",
    "keep_days": r"[1-9]\d{0,2}",
    **dict.fromkeys(("database", "schema", "role", "user", "warehouse", "reader"), _NAME),
}
_SNOWFLAKE_USER = "arn:aws:iam::111122223333:user/abc1-b-self1234"
EXAMPLES: Mapping[str, str] = {
    "account_id": "111122223333",
    "region": "eu-central-1",
    "bucket": "acme-lake",
    "namespace": "salesforce",
    "orgs": "emea,us",
    "prefix": "salesforce",
    "secret": "salesforce/sf_assets",
    "external_id": "4f2b9c0d7a1e4c3b8d6f5a2e1c0b9d8f",
    "volume_user_arn": _SNOWFLAKE_USER,
    "catalog_user_arn": _SNOWFLAKE_USER,
    "kms_key": "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "public_key": "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A, in one line, without its BEGIN and END lines",
    "runs_on": "ecs-tasks.amazonaws.com",
    "oidc_provider": "oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE",
    "kubernetes_namespace": "data-platform",
    "service_account": "sf-assets",
    "cluster": "production",
    "refresh_seconds": "60, from 30 to 86400",
    "discovery_seconds": "300, from 30 to 86400",
    "keep_days": "1, or 5 for readers that may be away for longer",
    **dict.fromkeys(("database", "schema", "role", "user", "warehouse", "reader"), "SF_RAW"),
}
"""Value -> an example, for the remedy of a wrong one."""
OTHER_PARTITIONS: Mapping[str, str] = {
    "us-gov-": "AWS GovCloud (arn:aws-us-gov, Snowflake's S3GOV)",
    "cn-": "AWS China (arn:aws-cn, amazonaws.com.cn, Snowflake's S3CHINA)",
    "us-iso": "an AWS isolated region",
    "eu-iso": "an AWS isolated region",
    "eusc-": "the AWS European Sovereign Cloud (arn:aws-eusc)",
}
"""Start of a region -> the partition that it belongs to. The scripts know the partition `aws` alone."""


@dataclass(frozen=True)
class SetupValues:
    """The values of all scripts. An empty one is a gap, printed as its name in brackets. Raises: ConfigError."""

    account_id: str = ""
    region: str = ""
    bucket: str = ""
    prefix: str = "salesforce"
    namespace: str = "salesforce"
    orgs: str = ""
    secret: str = "salesforce/sf_assets"
    runs_on: str = "ecs-tasks.amazonaws.com"
    oidc_provider: str = ""
    cluster: str = ""
    kubernetes_namespace: str = "default"
    service_account: str = "sf-assets"
    kms_key: str = ""
    lake_formation: bool = False
    external_id: str = ""
    volume_user_arn: str = ""
    catalog_user_arn: str = ""
    database: str = "SF_RAW"
    schema: str = "SALESFORCE"
    role: str = "SF_LOADER"
    user: str = "SF_LOADER_USER"
    warehouse: str = "SF_LOADING"
    reader: str = "SF_READER"
    public_key: str = ""
    refresh_seconds: str = "60"
    discovery_seconds: str = "300"
    keep_days: str = "1"

    def __post_init__(self) -> None:
        for name, form in FORMS.items():
            value = getattr(self, name)
            if value and not re.fullmatch(form, value):
                option = f"--{name.replace('_', '-')}"
                raise ConfigError(f"{option} {value!r} cannot be right", remedy=f"Give a value like {EXAMPLES[name]}.")
        for start, partition in OTHER_PARTITIONS.items():
            if self.region.startswith(start):
                raise ConfigError(
                    f"--region {self.region!r} belongs to {partition}, which the scripts do not support",
                    remedy="Print them for a region of the partition aws, and change ARNs, hosts and provider by hand.",
                )

    def __getitem__(self, name: str) -> str:
        """Return a value, or its gap."""
        return str(getattr(self, name)) or gap(name)

    def gaps(self, text: str) -> list[str]:
        """Return a line for each gap of a text, with its option and origin."""
        names = [field.name for field in fields(self) if gap(field.name) in text]
        return [f"{gap(name)}: --{name.replace('_', '-')}, from: {ORIGINS[name]}" for name in names]

    @property
    def named_orgs(self) -> list[str]:
        """The orgs besides the first, by their SF_ASSETS_ORG."""
        return self.orgs.split(",") if self.orgs else []

    @property
    def databases(self) -> dict[str, str]:
        """Namespace of each org -> the folder of its tables.

        Two orgs never share a folder.
        """
        folder = f"s3://{self['bucket']}/{self['prefix']}/"
        named = [f"salesforce_{org}" for org in self.named_orgs]
        return {self["namespace"]: folder, **{name: f"{folder}{name}.db/" for name in named}}

    @property
    def secrets(self) -> dict[str, str]:
        """Secret of each org -> the file of its content."""
        named = {f"{self['secret']}_{org}": f"secret_{org}.json" for org in self.named_orgs}
        return {self["secret"]: "secret.json", **named}

    @property
    def schemas(self) -> dict[str, str]:
        """Namespace of each org -> the schema of its tables, in mode tables."""
        named = {f"salesforce_{org}": f"{self['schema']}_{org.upper()}" for org in self.named_orgs}
        return {self["namespace"]: self["schema"], **named}

    @property
    def reader_arn(self) -> str:
        """The role that Snowflake assumes.

        We choose its name, so its ARN is known before it exists.
        """
        return f"arn:aws:iam::{self['account_id']}:role/{READER_ROLE}"

    @property
    def writer_arn(self) -> str:
        """The role of the runs."""
        return f"arn:aws:iam::{self['account_id']}:role/{WRITER_ROLE}"


READER_ROLE, WRITER_ROLE = "sf-assets-snowflake-reader", "sf-assets-writer"


def gap(name: str) -> str:
    """Return how a missing value is printed."""
    return f"<{name.upper()}>"
