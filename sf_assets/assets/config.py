"""The run config of an endpoint: how a person asks for more than the ordinary sync."""

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import BaseModel, ConfigDict, Field

from sf_assets.assets.settings import quoted
from sf_assets.errors import ConfigError

if TYPE_CHECKING:
    from sf_assets.sync.report import RunOptions


_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class EndpointConfig(BaseModel):
    """Fields of an endpoint's run config. Without any, the endpoint reads what has changed.

    Not a `dagster.Config`: that takes `{"env": NAME}` for each value and so shows any environment variable to a run.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    full_refresh: bool = Field(default=False, description="Read the whole object again.")
    since: str | None = Field(
        default=None,
        description="Read again what was modified at or after this time, e.g. 2026-11-01T00:00:00Z. A date means its"
        " first moment in UTC.",
    )
    until: str | None = Field(default=None, description="... and before this time; the end of a bounded re-read.")
    confirm_shrink: bool = Field(
        default=False, description="The rows that are missing in Salesforce are really gone: let the table shrink."
    )
    reconcile: bool = Field(
        default=False,
        description="Do all daily work now: compare the table with the org, read calculated columns again, look back.",
    )
    adopt_org: bool = Field(
        default=False,
        description="The table was filled from another org (a sandbox before its refresh); give full_refresh with it.",
    )
    spread_over_days: bool = Field(
        default=True,
        description="A first copy for which too few of today's API calls are left stops at the reserve, and the next"
        " runs go on. false: the run is refused before it reads.",
    )

    def run_options(self) -> "RunOptions":
        """Return what the run asks for.

        Raises:
            ConfigError: an entry is malformed, or two contradict each other.
        """
        from sf_assets.sync.report import RunOptions  # only here: it loads pyiceberg

        since, until = _moment("since", self.since), _moment("until", self.until)
        self._refuse_contradictions(since, until)
        return RunOptions(
            full_refresh=self.full_refresh,
            reconcile=self.reconcile,
            since=since,
            until=until,
            confirm_shrink=self.confirm_shrink,
            adopt_org=self.adopt_org,
        )

    def _refuse_contradictions(self, since: datetime | None, until: datetime | None) -> None:
        if since and until and since >= until:
            raise _wrong("since", f"{self.since} is not before until, {self.until}")
        if self.full_refresh and (since or until):
            raise _wrong("full_refresh", "it reads everything, since and until bound what is read")
        if self.adopt_org and not self.full_refresh:
            raise _wrong("adopt_org", "a table is given to another org only together with full_refresh: true")


def run_config_schema() -> dict[str, dg.Field]:
    """Return the fields of EndpointConfig as a Dagster config schema of plain values."""
    return {name: _schema_field(field) for name, field in EndpointConfig.model_fields.items()}


def _schema_field(field: Any) -> dg.Field:
    kind = bool if field.annotation is bool else dg.Noneable(str)
    return dg.Field(kind, default_value=field.default, is_required=False, description=field.description)


def _moment(name: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(f"{text}T00:00Z" if _DATE.fullmatch(text) else text)
    except ValueError:
        raise _wrong(name, f"{quoted(text)} is not an ISO time such as 2026-11-01T00:00:00Z") from None
    if moment.tzinfo is None:
        raise _wrong(name, f"{quoted(text)} has no time zone; add Z for UTC")
    return moment.astimezone(UTC)


def _wrong(name: str, what: str) -> ConfigError:
    return ConfigError(
        f"Run config {name}: {what}.",
        remedy="Correct the run's config in the launchpad and launch it again.",
        setting=name,
    )
