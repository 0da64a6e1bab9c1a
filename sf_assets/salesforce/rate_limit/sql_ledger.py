"""The ledger of several processes and machines: a row per org in SQLite or PostgreSQL, one short transaction a permit.

No process holds a lock while it waits or sends, so a killed process costs one slot and blocks no other.
"""

import math
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from sf_assets.errors import ConfigError, LedgerUnreachable
from sf_assets.salesforce.rate_limit.ledger import LedgerState
from sf_assets.salesforce.rate_limit.quota import Quota, QuotaExceeded
from sf_assets.salesforce.rate_limit.throttle import Permit, Throttle
from sf_assets.salesforce.wire import Usage

BUSY_SECONDS = 60
"""How long a process waits for the transactions of others (2 ms each) before the ledger counts as unreachable."""
_DAMAGE = ("not a database", "malformed", "no such column")
"""What SQLite says of a file that is not a ledger."""
_NEW_FILE = (
    "Move the ledger's file away: the next run makes a new one. It holds the pace and the count of today's calls, and"
    " the next answer of the org shows the calls again."
)
_SETUP_LOCK = 7_308_332
"""PostgreSQL's advisory lock for creating the tables."""

_METADATA = sa.MetaData()
_ORGS = sa.Table(
    "sf_assets_ledger",
    _METADATA,
    sa.Column("org", sa.String(255), primary_key=True),
    sa.Column("rate", sa.Double, nullable=False),
    sa.Column("last_slot", sa.Double, nullable=False),
    sa.Column("eased_at", sa.Double, nullable=False),
    sa.Column("cut_at", sa.Double),
    sa.Column("closed_until", sa.Double),
    sa.Column("era", sa.BigInteger, nullable=False),
    sa.Column("used", sa.BigInteger),
    sa.Column("quota", sa.BigInteger),
    sa.Column("read_at", sa.Double, nullable=False),
    sa.Column("sent_since", sa.BigInteger, nullable=False),
    sa.Column("asked_at", sa.Double),
    sa.Column("day", sa.BigInteger, nullable=False),
    sa.Column("own_calls", sa.BigInteger, nullable=False),
)
_INSERTS: dict[str, Callable[..., Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


class SqlLedger:
    """The ledger of one org in a database; `org` is its My Domain host.

    `clock` gives seconds since 1970; by default SQLite's users share this machine's clock, PostgreSQL's the server's.
    """

    def __init__(
        self,
        url: str,
        *,
        org: str,
        requests_per_second: float,
        daily_calls: int | None = None,
        clock: Callable[[], float] | None = None,
        spacing: float = 1.0,
    ) -> None:
        self._engine = _engine(url)
        self._org = org
        self._ceiling, self._cap, self._spacing = requests_per_second, daily_calls, spacing
        self._is_sqlite = self._engine.dialect.name == "sqlite"
        self._insert = _INSERTS[self._engine.dialect.name]
        self._clock = clock or (time.time if self._is_sqlite else None)
        self._is_set_up = False

    def __str__(self) -> str:
        return self._engine.url.render_as_string(hide_password=True)

    def standing(self) -> LedgerState:
        with self._change() as (connection, now):
            return self._standing(connection, now).as_of(now)

    def permit(self, previous: Permit | None, *, reserve: float | None) -> Permit | QuotaExceeded:
        with self._change() as (connection, now):
            before = self._standing(connection, now)
            after, answer = before.permit(now, previous=previous, reserve=reserve)
            if after != before:
                self._keep(connection, after)
        return answer

    def pushed_back(self, sent_at: float, *, retry_after: float | None) -> None:
        with self._change() as (connection, now):
            standing = self._standing(connection, now)
            self._keep(connection, standing.pushed_back(now, sent_at=sent_at, retry_after=retry_after))

    def read(self, usage: Usage) -> None:
        with self._change() as (connection, now):
            standing = self._standing(connection, now)
            self._keep(connection, replace(standing, quota=standing.quota.read(usage, now=now)))

    def exhausted(self) -> None:
        with self._change() as (connection, now):
            standing = self._standing(connection, now)
            self._keep(connection, replace(standing, quota=standing.quota.exhausted(now=now)))

    def close(self) -> None:
        """Close the connections of this process."""
        self._engine.dispose()

    @contextmanager
    def _change(self) -> Iterator[tuple[sa.Connection, float]]:
        """Open a short transaction, alone on the org's row; yield it and its time."""
        try:
            with self._engine.connect() as connection:
                if self._is_sqlite:
                    connection.exec_driver_sql("BEGIN IMMEDIATE")
                self._set_up(connection)
                yield connection, self._now(connection)
                connection.commit()
                self._is_set_up = True
        except SQLAlchemyError as error:
            why = getattr(error, "orig", None) or error
            remedy = _NEW_FILE if self._is_sqlite and any(word in str(why) for word in _DAMAGE) else None
            raise LedgerUnreachable(f"the ledger {self} does not answer: {why}", remedy=remedy) from None

    def _now(self, connection: sa.Connection) -> float:
        if self._clock is not None:
            return self._clock()
        return float(connection.execute(sa.text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())

    def _set_up(self, connection: sa.Connection) -> None:
        if self._is_set_up:
            return
        if not self._is_sqlite:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_SETUP_LOCK)))
        _METADATA.create_all(connection)

    def _standing(self, connection: sa.Connection, now: float) -> LedgerState:
        """Return the state of the org's row, locked for this transaction; create a missing row."""
        query = sa.select(_ORGS).where(_ORGS.c.org == self._org).with_for_update()
        row = connection.execute(query).mappings().first()
        if row is None:
            fresh = _columns(LedgerState(Throttle.at_ceiling(self._ceiling, now=now, spacing=self._spacing)))
            connection.execute(self._insert(_ORGS).values(org=self._org, **fresh).on_conflict_do_nothing())
            row = connection.execute(query).mappings().one()
        return _standing_of(row, ceiling=self._ceiling, cap=self._cap, spacing=self._spacing)

    def _keep(self, connection: sa.Connection, standing: LedgerState) -> None:
        connection.execute(_ORGS.update().where(_ORGS.c.org == self._org).values(**_columns(standing)))


def _engine(url: str) -> sa.Engine:
    try:
        parsed = sa.make_url(url)
        if parsed.get_backend_name() not in _INSERTS:
            raise _unusable(f"a {parsed.get_backend_name()} database")
        if parsed.get_backend_name() == "postgresql":
            return sa.create_engine(parsed, pool_size=1, pool_pre_ping=True, isolation_level="READ COMMITTED")
        return _sqlite_engine(parsed)
    except (ArgumentError, NoSuchModuleError) as error:
        raise _unusable(str(error)) from None
    except ModuleNotFoundError as error:
        raise _unusable(f"the driver {error.name} is not installed (pip install 'sf-assets[postgres]')") from None


def _sqlite_engine(url: sa.URL) -> sa.Engine:
    if not url.database or url.database == ":memory:":
        raise _unusable("SQLite without a file is one process's own")
    try:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(f"its folder cannot be made: {error}") from None
    if "timeout" not in url.query:
        url = url.update_query_dict({"timeout": str(BUSY_SECONDS)})
    engine = sa.create_engine(url, poolclass=sa.NullPool)

    @sa.event.listens_for(engine, "connect")
    def begin_by_hand(connection: Any, _: object) -> None:
        connection.isolation_level = None
        with suppress(sqlite3.OperationalError):  # another process is just doing the same; the mode stays in the file
            connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")

    return engine


def _unusable(why: str) -> ConfigError:
    return ConfigError(
        f"SF_ASSETS_LEDGER is not usable: {why}",
        remedy="Set SF_ASSETS_LEDGER to sqlite:///<file> or postgresql+psycopg2://<user>@<host>/<database>.",
        setting="SF_ASSETS_LEDGER",
    )


def _columns(standing: LedgerState) -> dict[str, Any]:
    pace, quota = standing.pace, standing.quota
    return {
        "rate": pace.rate,
        "last_slot": pace.last_slot,
        "eased_at": pace.eased_at,
        "cut_at": _finite(pace.cut_at),
        "closed_until": _finite(pace.closed_until),
        "era": pace.generation,
        "used": quota.usage.used if quota.usage else None,
        "quota": quota.usage.limit if quota.usage else None,
        "read_at": quota.read_at,
        "sent_since": quota.sent_since,
        "asked_at": quota.asked_at,
        "day": quota.day,
        "own_calls": quota.own_calls,
    }


def _standing_of(row: sa.RowMapping, *, ceiling: float, cap: int | None, spacing: float) -> LedgerState:
    """Return the state of a row under this process's own ceiling and cap.

    A rate that was never cut is that ceiling."""
    pace = Throttle(
        ceiling=ceiling,
        rate=ceiling if row["cut_at"] is None else min(ceiling, row["rate"]),
        last_slot=row["last_slot"],
        eased_at=row["eased_at"],
        cut_at=-math.inf if row["cut_at"] is None else row["cut_at"],
        closed_until=-math.inf if row["closed_until"] is None else row["closed_until"],
        generation=row["era"],
        spacing=spacing,
    )
    usage = None if row["used"] is None else Usage(row["used"], row["quota"])
    counts = {name: row[name] for name in ("read_at", "sent_since", "asked_at", "day", "own_calls")}
    return LedgerState(pace, Quota(usage, cap=cap, **counts))


def _finite(moment: float) -> float | None:
    return moment if math.isfinite(moment) else None
