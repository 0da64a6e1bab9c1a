"""Checks of a table's state before a sync starts from it: its org, its object and its time."""

from datetime import datetime

from sf_assets.errors import TableDamaged, TableForeign
from sf_assets.specs.model import EndpointSpec
from sf_assets.sync.report import RunOptions
from sf_assets.sync.state import State, later


def refuse_future(state: State, endpoint: str, *, now: datetime) -> None:
    """Refuse a state from the future. `now`: the later one of this machine's clock and the org's.

    Raises: TableDamaged.
    """
    if state.is_ahead_of(now):
        latest = later(state.position.tail_from, state.times.latest)
        raise TableDamaged(
            f"{endpoint}: the table's state is of {latest:%Y-%m-%d %H:%M} UTC, which is in the future.",
            remedy="Run the endpoint once with full_refresh: true, which compares all rows. If the date is right, set"
            " this machine's clock (NTP).",
            endpoint=endpoint,
        )


def owned_state(spec: EndpointSpec, state: State | None, org_id: str, run: RunOptions) -> State | None:
    """Return the table's state, or None if the table is to be taken over."""
    if state is None or (state.org_id[:15] == org_id[:15] and state.sobject == spec.sobject):
        return state
    if run.adopt_org and run.full_refresh:
        return None
    raise TableForeign(
        f"{spec.endpoint}: the table holds {state.sobject} of org {state.org_id}, not {spec.sobject} of org {org_id}.",
        endpoint=spec.endpoint, table_org=state.org_id, table_object=state.sobject, org=org_id, object=spec.sobject,
    )  # fmt: skip
