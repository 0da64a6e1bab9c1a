"""`sf-assets setup upkeep`: what another engine runs, or switches on, to maintain the tables.

A day of snapshots, run twice a day, keeps the metadata of an hourly table below 50 kB. A table with a history keeps
five days: another engine does not know which snapshots the history still needs.
"""

import shlex
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

from sf_assets.commands.setup.policies import bucket_arn, glue_arns
from sf_assets.commands.setup.render import render_script
from sf_assets.commands.setup.values import SetupValues
from sf_assets.specs.user_endpoints import HISTORY

Engine = Literal["spark", "emr", "glue", "s3tables"]
ENGINES: tuple[Engine, ...] = ("spark", "emr", "glue", "s3tables")
KEEP_SNAPSHOTS, ORPHAN_DAYS = 10, 3
KEEP_DAYS_WITH_HISTORY = 5
RUN_HOURS = 12
"""How often the engine expires snapshots: an hourly table then has at most 36 of its own, and a few of the engine's."""
UPKEEP_ROLE = "sf-assets-upkeep"
OPTIMIZERS = ("compaction", "retention", "orphan_file_deletion")
SERVICES = {"emr": "emr-serverless.amazonaws.com", "glue": "glue.amazonaws.com"}
Json = dict[str, Any]


def upkeep_script(
    values: SetupValues, *, engine: Engine, tables: Mapping[str, int], arguments: Sequence[str] = ()
) -> str:
    """Return the script for one engine.

    `tables`: table of each org -> days for which its snapshots stay. `arguments`: those of the command, for the script
    that prints the statements of Spark.
    """
    return render_script(
        f"upkeep_{engine}.{'sql' if engine == 'spark' else 'sh'}.j2",
        values,
        comment="--" if engine == "spark" else "#",
        tables=[(namespace, table, days) for namespace in values.databases for table, days in tables.items()],
        days_ago=days_ago,
        arguments=shlex.join(arguments),
        run_hours=RUN_HOURS,
        keep_snapshots=KEEP_SNAPSHOTS,
        orphan_days=ORPHAN_DAYS,
        role=UPKEEP_ROLE,
        trust=_trust(SERVICES.get(engine, "")),
        policy=upkeep_policy(values),
        optimizers=lambda *table: [optimizer(values, table, kind) for kind in OPTIMIZERS],
        job=lambda: job_run(values),
    )


def kept_days(endpoints: Sequence[str], histories: Collection[str], values: SetupValues) -> dict[str, int]:
    """Return table -> days for which its snapshots stay; histories and `_sync_status` too."""
    days, longer = int(values.keep_days), max(int(values.keep_days), KEEP_DAYS_WITH_HISTORY)
    tables = {endpoint: longer if endpoint in histories else days for endpoint in endpoints}
    return {**tables, **{f"{name}{HISTORY}": days for name in endpoints if name in histories}, "_sync_status": days}


def days_ago(days: int) -> str:
    """Return the mark of a time in a statement, which each run replaces."""
    return f"<{days}_DAY{'S' if days > 1 else ''}_AGO>"


def optimizer(values: SetupValues, table: tuple[str, str, int], kind: str) -> Json:
    """Return the request that switches on one of Glue's table optimizers.

    `table`: its namespace, its name, and the days for which its snapshots stay.
    """
    namespace, name, keep_days = table
    settings: dict[str, Json] = {
        "compaction": {"compactionConfiguration": {"icebergConfiguration": {"strategy": "binpack"}}},
        "retention": {
            "retentionConfiguration": {
                "icebergConfiguration": {
                    "snapshotRetentionPeriodInDays": keep_days,
                    "numberOfSnapshotsToRetain": KEEP_SNAPSHOTS,
                    "cleanExpiredFiles": True,
                    "runRateInHours": RUN_HOURS,
                }
            }
        },
        "orphan_file_deletion": {
            "orphanFileDeletionConfiguration": {
                "icebergConfiguration": {"orphanFileRetentionPeriodInDays": ORPHAN_DAYS}
            }
        },
    }
    configuration = {"roleArn": _role_arn(values), "enabled": True, **settings[kind]}
    return {
        "CatalogId": values["account_id"],
        "DatabaseName": namespace,
        "TableName": name,
        "Type": kind,
        "TableOptimizerConfiguration": configuration,
    }


def job_run(values: SetupValues) -> Json:
    """Return the job of EMR Serverless that runs the SQL of `--engine spark`."""
    folder = f"s3://{values['bucket']}/{values['prefix']}-upkeep"
    return {
        "applicationId": "<APPLICATION_ID>",
        "clientToken": "<TOKEN>",
        "name": "sf-assets-upkeep",
        "executionRoleArn": _role_arn(values),
        "jobDriver": {
            "sparkSubmit": {
                "entryPoint": f"{folder}/upkeep.py",
                "entryPointArguments": [f"{folder}/upkeep.sql"],
                "sparkSubmitParameters": " ".join(f"--conf {setting}" for setting in spark_settings(values)),
            }
        },
    }


def spark_settings(values: SetupValues) -> list[str]:
    """Return Spark's settings for the Glue catalog.

    Source: iceberg.apache.org/docs/latest/aws/
    """
    catalog = "spark.sql.catalog.salesforce"
    return [
        "spark.jars=/usr/share/aws/iceberg/lib/iceberg-spark3-runtime.jar",
        "spark.sql.extensions=org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        f"{catalog}=org.apache.iceberg.spark.SparkCatalog",
        f"{catalog}.type=glue",
        f"{catalog}.warehouse=s3://{values['bucket']}/{values['prefix']}",
        f"{catalog}.io-impl=org.apache.iceberg.aws.s3.S3FileIO",
    ]


def upkeep_policy(values: SetupValues) -> Json:
    """Return the rights of the engine: rewrite the tables and nothing else."""
    objects = [f"{bucket_arn(values)}/{values['prefix']}/*", f"{bucket_arn(values)}/{values['prefix']}-upkeep/*"]
    statements = [
        ("Files", ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"], objects),
        ("List", ["s3:ListBucket", "s3:GetBucketLocation"], [bucket_arn(values)]),
        ("Catalog", ["glue:GetDatabase", "glue:GetTable", "glue:GetTables", "glue:UpdateTable"], glue_arns(values)),
        (
            "Logs",
            ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
            [f"arn:aws:logs:{values['region']}:{values['account_id']}:log-group:/aws-glue/*"],
        ),
    ]
    key = [("Key", ["kms:Decrypt", "kms:GenerateDataKey"], [values["kms_key"]])] if values.kms_key else []
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}
            for sid, actions, resources in (*statements, *key)
        ],
    }


def _trust(service: str) -> Json:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _role_arn(values: SetupValues) -> str:
    return f"arn:aws:iam::{values['account_id']}:role/{UPKEEP_ROLE}"
