"""The JWT bearer login: the signed assertion and the exchange with the token endpoint."""

import re
from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlencode, urlsplit

import jwt
import msgspec

from sf_assets.salesforce.instance_url import Address
from sf_assets.salesforce.login.credentials import Credentials, Token
from sf_assets.salesforce.login.private_key import read_private_key
from sf_assets.salesforce.wire import Flow, Request

TOKEN_PATH = "/services/oauth2/token"
ASSERTION_SECONDS = 170
"""Validity of an assertion; Salesforce takes three minutes at most."""
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_ORG = re.compile(r"/id/(00D[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?)/")
_ORG_OF_TOKEN = re.compile(r"(00D[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?)!")


class TokenAnswer(msgspec.Struct):
    """The token endpoint's good answer; there is no expires_in in it."""

    access_token: str
    instance_url: str | None = None
    id: str | None = None

    def __post_init__(self) -> None:
        if not self.access_token or any(not 32 < ord(letter) < 127 for letter in self.access_token):
            raise ValueError("access_token is no token")

    def __repr__(self) -> str:
        return "TokenAnswer(…)"


def login(
    credentials: Credentials, *, audience: str, now: Callable[[], datetime], monotonic: Callable[[], float]
) -> Flow[Token]:
    """Log in once. The key is read before anything is sent: ConfigError when it is unusable."""
    key = read_private_key(credentials.private_key)

    def form() -> bytes:
        expires_at = int(now().timestamp()) + ASSERTION_SECONDS
        claims = {"iss": credentials.consumer_key, "sub": credentials.username, "aud": audience, "exp": expires_at}
        return urlencode({"grant_type": _GRANT, "assertion": jwt.encode(claims, key, algorithm="RS256")}).encode()

    request = Request(
        TOKEN_PATH,
        TokenAnswer,
        "login",
        method="POST",
        body=form,
        content_type="application/x-www-form-urlencoded",
        about=f"login, audience {audience}",
    )
    reply = yield request
    answer: TokenAnswer = reply.content
    return Token(answer.access_token, answer.instance_url or "", _org_id(answer), monotonic())


def _org_id(answer: TokenAnswer) -> str | None:
    found = _ORG.search(answer.id or "") or _ORG_OF_TOKEN.match(answer.access_token)
    return found[1] if found else None


def is_elsewhere(instance_url: str, *, address: Address) -> bool:
    """Whether the instance that a token answer names is another host than the configured one."""
    return bool(instance_url) and (urlsplit(instance_url).hostname or "") != address.host
