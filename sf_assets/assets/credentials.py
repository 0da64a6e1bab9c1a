"""Where the login's credentials come from."""

import hashlib
import logging
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field

from sf_assets.errors import ConfigError, SfAssetsError
from sf_assets.salesforce.login.credentials import Credentials


class CredentialsResource(dg.ConfigurableResource[Any], ABC):
    """Where the consumer key, the private key and the username of the login come from."""

    @abstractmethod
    def fetch(self) -> Credentials:
        """Return the credentials, once a process at the first need; raise ConfigError when they are not there."""

    def hash_key(self) -> str:
        """Return the key of hashed columns; empty: there is none."""
        return ""

    @abstractmethod
    def identity(self) -> str:
        """Return a text that differs when the credentials do and tells nothing secret."""

    def renewed(self, refused: Credentials) -> Credentials | None:
        """Read the credentials once more; return them if they are others than those that a login was refused with.

        When they cannot be read, the refused login is the better news: it is logged and None is returned.
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
    """Credentials given value by value; give them as `EnvVar`, so that no page of Dagit and no file shows them."""

    consumer_key: str = Field(description="Consumer key of the app in Salesforce (an EnvVar).")
    username: str = Field(description="Username of the integration user in this org.")
    private_key: str = Field(default="", description="PEM of the private key (an EnvVar).")
    private_key_file: str = Field(default="", description="Path of a PEM file, read at the first login, instead of it.")
    columns_key: str = Field(default="", description="Key of hashed columns, if there are any (an EnvVar).")

    def fetch(self) -> Credentials:
        """Return the credentials, the private key as PEM text."""
        return Credentials(consumer_key=self.consumer_key, private_key=self._pem(), username=self.username)

    def hash_key(self) -> str:
        """Return the key that was given."""
        return self.columns_key

    def identity(self) -> str:
        """Return a digest of the login's four values."""
        return digest(self.consumer_key, self.username, self.private_key, self.private_key_file)

    def _pem(self) -> str:
        if self.private_key:
            return self.private_key
        return read_secret_file(Path(self.private_key_file), "SALESFORCE_PRIVATE_KEY_FILE")


def read_secret_file(path: Path, name: str) -> str:
    """Return a secret file's text; raise ConfigError that names the setting and the path, never the text."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{name}: {path} cannot be read ({error.strerror})", setting=name) from None


def digest(*values: str) -> str:
    """Return a short digest that differs when one of the values does and gives none of them away."""
    return hashlib.sha256("\0".join(values).encode()).hexdigest()[:16]


log = logging.getLogger(__name__)
