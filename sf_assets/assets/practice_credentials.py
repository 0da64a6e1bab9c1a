"""Credentials of the practice org, which creates them in its folder at its first start."""

import json
import os
from pathlib import Path

from pydantic import Field

from sf_assets.assets.credentials import CredentialsResource, digest, read_secret_file
from sf_assets.assets.naming import Naming
from sf_assets.errors import AnswerTorn, ConfigError, HostUnreachable, ResourceNotFound, SfAssetsError
from sf_assets.salesforce.login.credentials import Credentials

FILE = "credentials.json"
SERVER = "server.json"
"""Written by `sf-assets practice`: the process that serves the org, and its port."""
LAST_PORT = 65535
START = "Start it: `sf-assets practice` (or `make demo`, `make dev`); a real org needs SF_ASSETS_DEPLOYMENT=production."
KEYS = ("consumer_key", "private_key", "username")


def practice_folder(home: Path, naming: Naming) -> Path:
    """Return the folder of a location's practice org: its key pair, its seed, its changes."""
    return home / naming.of_org("practice")


def served_url(folder: Path) -> str | None:
    """Return the URL that serves the practice org of a folder, or None."""
    path = folder / SERVER
    try:
        server = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}  # a pipe would never end
        pid, port = int(server["pid"]), int(server["port"])
        if pid <= 0 or not 0 < port <= LAST_PORT:  # kill(0) and kill(-1) ask for other processes
            return None
        os.kill(pid, 0)
    except (OSError, ValueError, LookupError, TypeError, OverflowError, RecursionError):
        return None
    return f"http://127.0.0.1:{port}"


class PracticeCredentials(CredentialsResource):
    """The credentials in the practice org's folder; a run reads them, since the org may start after Dagster."""

    folder: str = Field(description="The practice org's folder: `practice` under SF_ASSETS_HOME.")

    def fetch(self) -> Credentials:
        """Return the credentials.

        Raises: ConfigError where the practice org has never been started, or its file is damaged.
        """
        try:
            values = json.loads(self._text())
            return Credentials(**{key: str(values[key]) for key in KEYS})
        except (ValueError, KeyError, TypeError):
            path = Path(self.folder) / FILE
            raise ConfigError(
                f"{path} does not hold the practice org's credentials",
                remedy=f"Delete the file; the practice org writes it again at its start. {START}",
            ) from None

    def identity(self) -> str:
        """Return a digest of the file."""
        return digest(self._text())

    def advised(self, error: SfAssetsError) -> SfAssetsError:
        """Return the error with the command that starts the practice org."""
        if isinstance(error, HostUnreachable):
            error.remedy = f"The practice org is not running. {START}"
        elif isinstance(error, ResourceNotFound | AnswerTorn) and str(error).startswith("login"):
            error.remedy = f"Another program answers at this address, not the practice org. End it. {START}"
        return error

    def _text(self) -> str:
        path = Path(self.folder) / FILE
        if not path.exists():
            raise ConfigError(
                f"the practice org has never been started here: there is no {path}",
                remedy=START,
            )
        return read_secret_file(path, "the practice org's credentials")
