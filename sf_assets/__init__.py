"""Salesforce as Apache Iceberg tables: thirty Dagster assets built from SOQL specs.

Importing this package, or any module of it but `sf_assets.definitions`, has no effect.
"""

from typing import Any

__all__ = ["SalesforceOrg"]


def __getattr__(name: str) -> Any:
    """Load the component at first use: every Dagster process imports this package."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from sf_assets.assets.component import SalesforceOrg

    return SalesforceOrg


def __dir__() -> list[str]:
    """Return the names, those that load at first use included."""
    return [*globals(), *__all__]
