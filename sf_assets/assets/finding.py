"""The result of one check, before Dagster sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Finding:
    """The result of one check: its figures in a sentence, and warnings with remedies (empty: the check passes)."""

    figures: str
    warnings: tuple[str, ...]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    is_error: bool = False

    @property
    def description(self) -> str:
        """The warnings, if there are any, and the figures."""
        return " ".join([*self.warnings, self.figures])
