"""How Hypothesis tries the parsers."""

from hypothesis import settings

# The same examples in every run, no time limit for one (another process may have the core), no folder .hypothesis.
settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")
