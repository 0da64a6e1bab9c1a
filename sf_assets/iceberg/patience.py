"""The former name of `sf_assets.iceberg.s3_retry.RetryMore`, which users' catalog settings name."""

from sf_assets.iceberg.s3_retry import RetryMore as Patient

__all__ = ["Patient"]
