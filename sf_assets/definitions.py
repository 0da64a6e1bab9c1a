"""The door: the table of endpoints and the environment become Dagster's definitions. It loads nothing else."""

import gc

from sf_assets.assets.build import build_definitions
from sf_assets.assets.deployments import read_deployment

__all__ = ["build_definitions", "defs"]

defs = build_definitions(read_deployment())
# What is loaded by now stays. To walk it again and again costs a fifth of an idle run and a third of a validation.
gc.freeze()
