"""What Dagster loads: definitions made from the table of endpoints and the environment."""

import gc

from sf_assets.assets.build import build_definitions
from sf_assets.assets.deployments import read_deployment
from sf_assets.errors import SfAssetsError

__all__ = ["build_definitions", "defs"]

try:
    defs = build_definitions(read_deployment())
except SfAssetsError as error:
    error.add_note(f"What to do: {error.remedy}")  # Dagit prints an error with its notes
    raise
# What is loaded by now stays. To walk it again and again costs a fifth of an idle run and a third of a validation.
gc.freeze()
# A page makes thousands of short-lived objects and no cycles: fewer looks at them save a millisecond a page.
gc.set_threshold(20_000, 20, 50)
