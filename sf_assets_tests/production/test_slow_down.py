"""Answers of AWS that do not come: a burst of S3's 503 SlowDown, and a commit whose first answer Glue loses."""

import pytest

from sf_assets.errors import IcebergError
from sf_assets.iceberg.tables import IcebergTables

BURST = 4
PATIENT = {"s3.retry-strategy-impl": "sf_assets.iceberg.s3_retry.RetryMore"}


def merge(properties, chunk, columns):
    warehouse = IcebergTables("salesforce", "salesforce", properties)
    settings = {"columns": columns, "keys": ("id",), "stamp": "system_modstamp", "base": None}
    return warehouse.merge("account", chunks=[chunk(1)], **settings)


def test_a_burst_is_outlasted(aws, account_chunk, account_columns):
    aws.busy = BURST

    assert merge(aws.catalog | PATIENT, account_chunk, account_columns).inserted == 1
    assert aws.busy == 0


def test_without_it_the_burst_is_an_error_of_the_warehouse(aws, account_chunk, account_columns):
    aws.busy = BURST

    with pytest.raises(IcebergError):
        merge(aws.catalog, account_chunk, account_columns)


def test_a_commit_that_is_sent_again_after_a_lost_answer_counts_once(aws, account_chunk, account_columns):
    """boto3 repeats the update by itself; Glue refuses the second one, for the first has moved the version."""
    aws.lost_answers = 1

    result = merge(aws.catalog, account_chunk, account_columns)

    assert aws.lost_answers == 0
    assert (result.commits, result.inserted) == (1, 1)
    assert IcebergTables("salesforce", "salesforce", aws.catalog).scan("account").collect().height == 1
