"""The state of Snowflake's automated refresh of one table, and why it stopped."""

import json
from dataclasses import dataclass
from typing import Any

from sf_assets.errors import SnowflakeError
from sf_assets.snowflake.session import SqlSession
from sf_assets.snowflake.statements import SnowflakeTarget, auto_refresh_status, restart_auto_refresh

NOT_INITIALIZED = "ICEBERG_TABLE_NOT_INITIALIZED"
STOPPED = "STOPPED"


@dataclass(frozen=True)
class RefreshStatus:
    """The answer of SYSTEM$AUTO_REFRESH_STATUS; `state` is empty where Snowflake did not answer."""

    state: str = ""
    reason: str = ""
    metadata_file: str = ""

    def __str__(self) -> str:
        return f"{self.state or 'unknown'}: {self.reason}" if self.reason else self.state or "unknown"


def read_refresh_status(session: SqlSession, target: SnowflakeTarget, table: str) -> RefreshStatus:
    """Return the state of the automated refresh. An error of Snowflake becomes the reason of an unknown state."""
    try:
        rows = session.execute(auto_refresh_status(target, table))
    except SnowflakeError as error:
        return RefreshStatus(reason=str(error))
    answer = parse_json(rows[0][0] if rows and rows[0] else None)
    names = ("executionState", "invalidExecutionStateReason", "currentMetadataFile")
    return RefreshStatus(*(str(answer.get(name) or "") for name in names))


def restart_remedy(target: SnowflakeTarget, table: str) -> str:
    """Return the remedy for a stopped refresh: the documented statements, in their order."""
    statements = "; ".join(restart_auto_refresh(target, table))
    return f"Run as the role that owns the table: {statements}. The last one must answer RUNNING."


def parse_json(text: Any) -> dict[str, Any]:
    """Return a JSON object, or an empty one for any other text."""
    try:
        answer = json.loads(str(text))
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
