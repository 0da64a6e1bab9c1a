"""Replace the names of an account in a report: numbers, hosts, buckets, users and what the settings name."""

import re
from collections.abc import Mapping
from typing import Any

from sf_assets.errors.redaction import redact

PATTERNS: tuple[tuple[str, str], ...] = (
    (r"-----BEGIN [^-]+-----.*?-----END [^-]+-----", "<KEY>"),
    (r"s3://[a-z0-9.-]+", "s3://<BUCKET>"),
    (r"arn:aws:s3:::[a-z0-9.-]+", "arn:aws:s3:::<BUCKET>"),
    (r"(?<=user/)[\w+=,.@/-]+", "<USER>"),
    (r"\b\d{12}\b", "<ACCOUNT_ID>"),
    (r"[\w.+-]+@[\w-]+\.[\w.-]+", "<USERNAME>"),
    (r"[\w-]+(--[\w-]+)?(\.sandbox)?\.my\.salesforce\.com", "<MY_DOMAIN>"),
    (r"[\w.-]+\.snowflakecomputing\.com", "<SNOWFLAKE_HOST>"),
    (r"\b00[0-9A-Za-z]{13}([0-9A-Za-z]{3})?\b", "<ID>"),
    (r"\b(AKIA|ASIA)[A-Z0-9]{16}\b", "<KEY_ID>"),
)
SETTINGS = (
    "SALESFORCE_INSTANCE_URL",
    "SALESFORCE_SECRET_ID",
    "SALESFORCE_CONSUMER_KEY",
    "SALESFORCE_USERNAME",
    "SALESFORCE_PRIVATE_KEY",
    "SNOWFLAKE_ACCOUNT",
    "SNOWFLAKE_USER",
    "SNOWFLAKE_PRIVATE_KEY",
    "SNOWFLAKE_HOST",
)
"""Settings with values that never appear in a report."""


class Redaction:
    """The replacements of one account: values of settings, and names by what they are."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        values = {name: environment.get(name, "") for name in SETTINGS}
        self._values = sorted(((v, f"<{n}>") for n, v in values.items() if v), key=lambda pair: -len(pair[0]))

    def text(self, text: str) -> str:
        """Return a text without secrets and without names of the account."""
        text = redact(text)
        for value, name in self._values:
            text = re.sub(re.escape(value), name, text, flags=re.IGNORECASE)
        for pattern, name in PATTERNS:
            text = re.sub(pattern, name, text, flags=re.DOTALL)
        return text

    def value(self, value: Any) -> Any:
        """Return a JSON value with all its texts replaced."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.value(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(inner) for inner in value]
        return value if value is None or isinstance(value, int | float | bool) else self.text(str(value))
