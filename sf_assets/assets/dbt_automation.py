"""When a mart is built: after the data of one of its tables has changed, once a tick, and only on sound tables."""

import dagster as dg

AC = dg.AutomationCondition
RETRY = "*/15 * * * *"
"""When a mart whose run failed is tried again."""
TABLES = dg.AssetSelection.kind("salesforce")
"""The endpoints' tables, whichever org they are of."""

# A sync without news leaves a table's data version as it was. A table that the mart's own run has filled is no news
# either. What another mart is about to become is: both are then built in one run, in their order.
_NEWS = AC.any_deps_match(AC.data_version_changed() & ~AC.executed_with_root_target()) | AC.any_deps_match(
    AC.will_be_requested()
).ignore(TABLES)
# News is remembered until a run is asked for, also while something below holds that run back. `newly_requested` speaks
# of the tick before, so news of this tick was not asked for. At the first evaluation nobody knows what was missed.
_PENDING = (_NEWS | AC.initial_evaluation()).since(AC.newly_requested() & ~_NEWS)
# The run that was asked for may fail, and then the news would be forgotten.
_FAILED = AC.execution_failed() & AC.cron_tick_passed(RETRY)
# A check that is a step of its own still shows the result for the version before: it is awaited.
_AWAITED = AC.any_deps_match(AC.newly_updated()).since(AC.newly_updated())
_SOUND = AC.all_deps_match(AC.all_checks_match(AC.check_passed() & ~_AWAITED, blocking_only=True))
_READY = ~AC.any_deps_missing() & ~AC.any_deps_in_progress() & ~AC.in_progress() & _SOUND

FOLLOW = ((_PENDING | _FAILED) & _READY).with_label("follow_the_tables")
"""Builds a mart when its tables have news, all are there, none is being read, and their blocking checks have passed.

These are each table's `complete`, and that Snowflake reads the version that was written last, where it is used.
"""
