"""The access tokens that the org has given out, and when each dies. Not thread-safe: the org locks."""

import secrets
from datetime import datetime, timedelta


class Sessions:
    """A session lives from use to use."""

    def __init__(self) -> None:
        self._last_used: dict[str, datetime] = {}

    def open(self, org_id: str, now: datetime) -> str:
        """A new token, as Salesforce's look: the org's Id, an exclamation mark, 96 characters."""
        token = f"{org_id[:15]}!AQ{secrets.token_urlsafe(72)[:94].replace('-', '.')}"
        self._last_used[token] = now
        return token

    def use(self, token: str, now: datetime, *, life_seconds: float) -> bool:
        """Whether the token is still good; if so its life begins anew."""
        last = self._last_used.get(token)
        if last is None or now - last > timedelta(seconds=life_seconds):
            self._last_used.pop(token, None)
            return False
        self._last_used[token] = now
        return True

    def expire(self) -> None:
        self._last_used.clear()
