"""Wait until a linked database shows the last commit of a table."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sf_assets.errors import SnowflakeError, SnowflakeNotInitialized, SnowflakeTableMissing
from sf_assets.snowflake.refresh_status import STOPPED, read_refresh_status
from sf_assets.snowflake.session import SqlSession
from sf_assets.snowflake.statements import SnowflakeTarget, resume_discovery
from sf_assets.snowflake.visibility import Committed, Visibility, read_visibility, stale_error

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 5.0, 30.0


@dataclass
class Wait:
    """One wait. `patience` counts from the commit, so thirty tables wait no longer than one."""

    session: SqlSession
    target: SnowflakeTarget
    table: str
    committed: Committed
    patience: timedelta
    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    notes: list[str] = field(default_factory=list)

    def until_visible(self) -> Visibility:
        """Return what Snowflake reads once it shows the last commit.

        A table that is not discovered or not initialized is waited for too; a stopped refresh is not.
        Raises: SnowflakeStale, SnowflakeTableMissing, SnowflakeNotInitialized after the wait; SnowflakeError at once.
        """
        until = (self.committed.rows_at or self.now()) + self.patience
        for attempt, pause in enumerate(_pauses()):
            outcome = self._look()
            if isinstance(outcome, Visibility) and outcome.is_current:
                return outcome
            is_over = self.now() >= until
            if is_over or attempt == 0:
                self._act(outcome, is_over=is_over)
            self.sleep(pause)
        raise AssertionError("the pauses do not end")

    def _look(self) -> Visibility | SnowflakeTableMissing | SnowflakeNotInitialized:
        try:
            return read_visibility(self.session, self.target, self.table, committed=self.committed)
        except (SnowflakeTableMissing, SnowflakeNotInitialized) as error:
            return error

    def _act(self, outcome: Visibility | SnowflakeError, *, is_over: bool) -> None:
        """Start discovery of a missing table. Raise the error of a wait that is over or has no chance."""
        if isinstance(outcome, Visibility):
            status = read_refresh_status(self.session, self.target, self.table)
            if is_over or status.state == STOPPED:
                raise stale_error(self.target, self.table, outcome, status=status, now=self.now())
        elif is_over:
            raise outcome
        elif isinstance(outcome, SnowflakeTableMissing):
            self._discover()

    def _discover(self) -> None:
        """Ask for discovery now. A role without the right waits for the next interval instead."""
        try:
            self.session.execute(resume_discovery(self.target))
        except SnowflakeError as error:
            self.notes.append(f"discovery was not started: {error}")


def _pauses() -> Iterator[float]:
    pause = FIRST_PAUSE_SECONDS
    while True:
        yield pause
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
