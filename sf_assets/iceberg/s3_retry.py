"""How long S3 is asked again: its bursts of 503 SlowDown outlast the three tries of Arrow's default.

Named in the catalog's own way, by the property `s3.retry-strategy-impl`; other stores never see it.
"""

from pyarrow.fs import AwsStandardS3RetryStrategy

ATTEMPTS = 10
"""Ten tries with the standard strategy's pauses outlast a burst of three quarters of a minute."""


class RetryMore(AwsStandardS3RetryStrategy):  # type: ignore[misc]  # pyarrow is published without types
    """AWS's standard strategy with more patience."""

    def __init__(self) -> None:
        super().__init__(max_attempts=ATTEMPTS)
