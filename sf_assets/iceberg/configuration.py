"""pyiceberg's own configuration: the file .pyiceberg.yaml and the variables PYICEBERG_*."""

import re
from collections.abc import Mapping
from typing import Any

from sf_assets.errors import ConfigError


def catalog_config(name: str) -> Mapping[str, Any]:
    """Return what pyiceberg's configuration says of a catalog, or an empty mapping.

    Raises: ConfigError if it cannot be read. The text of pyiceberg's error may quote a secret, so it is left out.
    """
    from pyiceberg.utils.config import Config

    try:
        return Config().get_catalog_config(name) or {}
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001  # errors of strictyaml, and of code that trusts the file
        line = re.search(r"line (\d+)", str(error))
        where = f" (line {line[1]})" if line else ""
        raise ConfigError(
            f"pyiceberg's configuration cannot be read: {type(error).__name__}{where}",
            remedy="Correct .pyiceberg.yaml in PYICEBERG_HOME, the home folder or this folder, and the variables"
            " PYICEBERG_CATALOG__*: https://py.iceberg.apache.org/configuration",
            setting="PYICEBERG_HOME",
        ) from None
