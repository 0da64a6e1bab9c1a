"""The Dagster floor: the only folder, with `definitions.py`, that imports dagster."""
