"""The one token of a client: how long it is used, and whether a 401 on it is worth a new login."""

import threading
from collections.abc import Callable
from dataclasses import replace

from sf_assets.salesforce.login.credentials import Token

TOKEN_SECONDS = 55 * 60.0
"""Age at which a token is renewed: below the hour of gateways and strict session policies, half of Salesforce's default
of two hours. A login an hour is one call in 7,200. Orgs that allow less answer 401."""
FRESH_SECONDS = 60.0
"""A 401 on an unused token younger than this is final."""


class Session:
    """Holds the token for all threads of a client; logs in when there is none or it is too old."""

    def __init__(self, log_in: Callable[[], Token], *, token_seconds: float, monotonic: Callable[[], float]) -> None:
        self._log_in, self._token_seconds, self._monotonic = log_in, token_seconds, monotonic
        self._lock = threading.RLock()
        self._token: Token | None = None

    def get_token(self) -> Token:
        """Return the token in use; one thread logs in, the others wait for it."""
        with self._lock:
            if self._token is None or self._age(self._token) >= self._token_seconds:
                self._token = self._log_in()
            return self._token

    def mark_proven(self, token: Token) -> None:
        """Record that the org has accepted the token."""
        with self._lock:
            if self._token is token and not token.is_proven:
                self._token = replace(token, is_proven=True)

    def end(self, token: Token) -> bool:
        """Drop a token that the org has refused; return whether a new login may help."""
        with self._lock:
            if self._token is None or self._token.access_token != token.access_token:
                return True
            if not self._token.is_proven and self._age(self._token) < FRESH_SECONDS:
                return False
            self._token = None
            return True

    def _age(self, token: Token) -> float:
        return self._monotonic() - token.issued_at
