"""Create one table in Snowflake and bring it to the last commit, with statements that may be repeated."""

from sf_assets.errors import SnowflakeNotInitialized, SnowflakeTableMissing
from sf_assets.snowflake.session import SqlSession
from sf_assets.snowflake.statements import SnowflakeTarget, create_table, refresh
from sf_assets.snowflake.visibility import Committed, Visibility, read_visibility


def register_table(session: SqlSession, target: SnowflakeTarget, table: str, *, committed: Committed) -> Visibility:
    """Refresh the table unless Snowflake reads the last commit; create it where it is missing.

    Changed columns come with the refresh. Raises: SnowflakeError.
    """
    try:
        visibility = read_visibility(session, target, table, committed=committed)
        if visibility.is_current:
            return visibility
    except SnowflakeTableMissing:
        session.execute(create_table(target, table))
    except SnowflakeNotInitialized:
        pass  # the table exists and has no metadata yet: the refresh reads it
    session.execute(refresh(target, table))
    return read_visibility(session, target, table, committed=committed)
