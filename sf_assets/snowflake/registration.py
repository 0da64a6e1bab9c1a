"""One table made known to Snowflake and brought to the lake's newest version by two statements that may be repeated."""

from sf_assets.errors import SnowflakeTableMissing
from sf_assets.snowflake.ddl import SnowflakeTarget, create_table, refresh
from sf_assets.snowflake.visibility import Committed, SqlSession, Visibility, see


def register(session: SqlSession, place: SnowflakeTarget, table: str, *, committed: Committed) -> Visibility:
    """Refresh the table, after creating it where there is none, unless Snowflake reads the newest version already.

    Changed columns come with the refresh. Raises SnowflakeError.
    """
    try:
        seen = see(session, place, table, committed=committed)
        if seen.is_current:
            return seen
    except SnowflakeTableMissing:
        session.execute(create_table(place, table))
    session.execute(refresh(place, table))
    return see(session, place, table, committed=committed)
