"""When a mart is built: after a table has changed, once a tick, and only if the tables' blocking checks pass."""

import dagster as dg

AC = dg.AutomationCondition
RETRY = "*/15 * * * *"
"""When a mart is built again after its run failed."""
TABLES = dg.AssetSelection.kind("salesforce")
"""The endpoints' tables of all orgs."""

# A sync without changes leaves the table's data version as it was, and a table that the mart's own run has filled does
# not count. A mart that is about to be built counts: both are then built in one run, in their order.
_CHANGED = AC.any_deps_match(AC.data_version_changed() & ~AC.executed_with_root_target()) | AC.any_deps_match(
    AC.will_be_requested()
).ignore(TABLES)
# A change is remembered until a run is requested, also while a condition below delays that run. `newly_requested` is
# about the tick before, so a change of this tick has not been requested yet. The first evaluation counts as a change.
_PENDING = (_CHANGED | AC.initial_evaluation()).since(AC.newly_requested() & ~_CHANGED)
# The requested run may fail, and the change would be forgotten.
_FAILED = AC.execution_failed() & AC.cron_tick_passed(RETRY)
# A check that is a step of its own still has the result of the version before, so it is awaited.
_AWAITED = AC.any_deps_match(AC.newly_updated()).since(AC.newly_updated())
_SOUND = AC.all_deps_match(AC.all_checks_match(AC.check_passed() & ~_AWAITED, blocking_only=True))
_READY = ~AC.any_deps_missing() & ~AC.any_deps_in_progress() & ~AC.in_progress() & _SOUND

FOLLOW = ((_PENDING | _FAILED) & _READY).with_label("follow_the_tables")
"""Builds a mart when a table has changed, all tables exist, none is being read, and their blocking checks have passed.

The blocking checks are `complete`, and with Snowflake `visible_in_snowflake`.
"""
