"""A burst of S3's 503 SlowDown: the retry strategy that `setup aws` names outlasts it."""

import pytest

from sf_assets.errors import WarehouseError
from sf_assets.iceberg.warehouse import Warehouse

BURST = 4
PATIENT = {"s3.retry-strategy-impl": "sf_assets.iceberg.patience.Patient"}


def merge(properties, chunk, columns):
    warehouse = Warehouse("salesforce", "salesforce", properties)
    told = {"columns": columns, "keys": ("id",), "stamp": "system_modstamp", "base": None}
    return warehouse.merge("account", chunks=[chunk(1)], **told)


def test_a_burst_is_outlasted(aws, account_chunk, account_columns):
    aws.busy = BURST

    assert merge(aws.catalog | PATIENT, account_chunk, account_columns).inserted == 1
    assert aws.busy == 0


def test_without_it_the_burst_is_an_error_of_the_warehouse(aws, account_chunk, account_columns):
    aws.busy = BURST

    with pytest.raises(WarehouseError):
        merge(aws.catalog, account_chunk, account_columns)
