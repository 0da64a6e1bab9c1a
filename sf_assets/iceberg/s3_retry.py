"""A longer S3 retry: bursts of 503 SlowDown outlast the three attempts of Arrow's default.

The catalog property `s3.retry-strategy-impl` names it. Other stores ignore it.
"""

from pyarrow.fs import AwsStandardS3RetryStrategy

ATTEMPTS = 10
"""Ten tries with the standard strategy's pauses outlast a burst of three quarters of a minute."""


class RetryMore(AwsStandardS3RetryStrategy):  # type: ignore[misc]  # pyarrow is published without types
    """AWS's standard retry strategy with ten attempts."""

    def __init__(self) -> None:
        super().__init__(max_attempts=ATTEMPTS)
