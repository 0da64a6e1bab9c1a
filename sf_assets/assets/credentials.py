"""Sources of the login's credentials."""

import hashlib
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field

from sf_assets.assets.settings import setting_path
from sf_assets.errors import ConfigError, SfAssetsError
from sf_assets.errors.redaction import get_logger, protect
from sf_assets.salesforce.login.credentials import LONGEST_KEY, Credentials
from sf_assets.salesforce.setting_text import bare

log = get_logger(__name__)


class CredentialsResource(dg.ConfigurableResource[Any], ABC):
    """A source of the consumer key, the private key and the username of the login."""

    @abstractmethod
    def fetch(self) -> Credentials:
        """Return the credentials; called once a process, at the first need.

        Raises: ConfigError where there are none.
        """

    def hash_key(self) -> str:
        """Return the key of hashed columns; empty: there is none."""
        return ""

    @abstractmethod
    def identity(self) -> str:
        """Return a text that differs when the credentials do and holds no secret."""

    def renewed(self, refused: Credentials) -> Credentials | None:
        """Read the credentials again; return them if they differ from the refused ones, else None.

        Where they cannot be read, that is logged, and the refused login stays the error.
        """
        try:
            read_again = self.fetch()
        except ConfigError as error:
            log.warning("the credentials could not be read again after a refused login: %s", error)
            return None
        return None if read_again == refused else read_again

    def advised(self, error: SfAssetsError) -> SfAssetsError:
        """Return the error with a better remedy, where this way to an org has one."""
        return error


class EnvironmentCredentials(CredentialsResource):
    """Credentials value by value; as `EnvVar`, no page of Dagit and no file shows them."""

    consumer_key: str = Field(description="Consumer key of the app in Salesforce (an EnvVar).")
    username: str = Field(description="Username of the integration user in this org.")
    private_key: str = Field(default="", description="PEM of the private key (an EnvVar).")
    private_key_file: str = Field(default="", description="Path of a PEM file, read at the first login, instead of it.")
    columns_key: str = Field(default="", description="Key of hashed columns, if there are any (an EnvVar).")

    def fetch(self) -> Credentials:
        """Return the credentials, the private key as PEM text."""
        protect(self.columns_key)
        key_file = "" if self.private_key else self.private_key_file
        return Credentials(self.consumer_key, self._pem(), self.username, key_file=key_file)

    def hash_key(self) -> str:
        """Return the setting."""
        protect(self.columns_key)
        return self.columns_key

    def identity(self) -> str:
        """Return a digest of the login's four values."""
        return digest(self.consumer_key, self.username, self.private_key, self.private_key_file)

    def _pem(self) -> str:
        if self.private_key:
            return self.private_key
        return read_secret_file(setting_path(self.private_key_file), "SALESFORCE_PRIVATE_KEY_FILE")


def read_secret_file(path: Path, name: str) -> str:
    """Return a secret file as text, whatever its encoding (`key_text`).

    Raises: ConfigError that names the setting and the path, never the text.
    """
    from sf_assets.salesforce.login.private_key import key_text  # cryptography costs 50 ms to import

    try:
        with path.open("rb") as file:
            text = key_text(file.read(LONGEST_KEY + 1), source=str(path))
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise ConfigError(f"{name}: {path} cannot be read ({why})", setting=name) from None
    if not bare(text):
        raise ConfigError(f"{name}: {path} is empty", setting=name)
    return text


def digest(*values: str) -> str:
    """Return a short digest that differs when one of the values does."""
    return hashlib.sha256("\0".join(values).encode()).hexdigest()[:16]
