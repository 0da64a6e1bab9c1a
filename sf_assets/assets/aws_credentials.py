"""Credentials from AWS Secrets Manager. A module of its own: dagster_aws is imported only where it is configured."""

import json
import logging
from typing import Any

from dagster_aws.secretsmanager import SecretsManagerResource
from pydantic import Field

from sf_assets.assets.credentials import CredentialsResource, digest
from sf_assets.assets.resources import once_a_process
from sf_assets.errors import ConfigError
from sf_assets.errors.redaction import protect
from sf_assets.salesforce.login.credentials import Credentials
from sf_assets.salesforce.setting_text import bare

KEYS = ("consumer_key", "private_key", "username")


class SecretsManagerCredentials(CredentialsResource):
    """One secret. Its text is JSON with `consumer_key`, `private_key` (PEM) and `username`."""

    secrets: SecretsManagerResource
    secret_id: str = Field(description="Name or ARN of the secret.")

    def fetch(self) -> Credentials:
        """Read the secret: one GetSecretValue, no other right is needed."""
        values = _read_secret(self.secrets.get_client(), self.secret_id)
        protect(values.get("hash_key", ""))
        return Credentials(**{key: values[key] for key in KEYS})

    def hash_key(self) -> str:
        """Return the secret's `hash_key`, if it has one; read once a process."""
        return once_a_process(("hash key", self.identity()), self._read_hash_key)

    def identity(self) -> str:
        """Return a digest of the secret's name and of where it is asked for."""
        return digest(self.secret_id, str(self.secrets.region_name), str(self.secrets.endpoint_url))

    def _read_hash_key(self) -> str:
        hash_key = _read_secret(self.secrets.get_client(), self.secret_id).get("hash_key", "")
        protect(hash_key)
        return hash_key


def _read_secret(client: Any, secret_id: str) -> dict[str, str]:
    from botocore.exceptions import BotoCoreError, ClientError

    logging.getLogger("botocore.parsers").setLevel(logging.INFO)  # at DEBUG it logs the answer, which is the secret
    try:
        answer = client.get_secret_value(SecretId=secret_id)
    except (BotoCoreError, ClientError, ValueError) as error:
        raise _unread(secret_id, f"AWS answered: {error}") from None
    return _values(secret_id, answer.get("SecretString") or answer.get("SecretBinary") or "")


def _values(secret_id: str, text: str | bytes) -> dict[str, str]:
    try:
        values = json.loads(text, strict=False)  # strict=False: a key may be pasted with its line breaks
    except ValueError:
        raise _unread(secret_id, "its text is not JSON") from None
    entries = values if isinstance(values, dict) else {}
    missing = [key for key in KEYS if not (isinstance(entries.get(key), str) and bare(entries[key]))]
    if missing:
        raise _unread(secret_id, f"its JSON lacks {', '.join(missing)}")
    return {key: value for key, value in entries.items() if isinstance(value, str)}


def _unread(secret_id: str, why: str) -> ConfigError:
    return ConfigError(
        f"SALESFORCE_SECRET_ID: the secret {secret_id!r} gives no credentials: {why}",
        remedy="Store a JSON object with consumer_key, private_key and username under this name, and grant this process"
        " secretsmanager:GetSecretValue on it.",
        setting="SALESFORCE_SECRET_ID",
    )
