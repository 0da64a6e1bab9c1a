"""Access tokens of the org and their last use. Not thread-safe: the org locks."""

import secrets
from datetime import datetime, timedelta


class Sessions:
    """Sessions that expire a time after their last use."""

    def __init__(self) -> None:
        self._last_used: dict[str, datetime] = {}

    def open(self, org_id: str, now: datetime) -> str:
        """Return a new token in Salesforce's form: the org's Id, `!`, 96 characters."""
        token = f"{org_id[:15]}!AQ{secrets.token_urlsafe(72)[:94].replace('-', '.')}"
        self._last_used[token] = now
        return token

    def use(self, token: str, now: datetime, *, life_seconds: float) -> bool:
        """Use a token. Return whether it is valid; each use extends its life."""
        last = self._last_used.get(token)
        if last is None or now - last > timedelta(seconds=life_seconds):
            self._last_used.pop(token, None)
            return False
        self._last_used[token] = now
        return True

    def expire(self) -> None:
        self._last_used.clear()
