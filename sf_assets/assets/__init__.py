"""Everything that knows Dagster. Only this folder, `definitions.py` and `commands/` import it."""
