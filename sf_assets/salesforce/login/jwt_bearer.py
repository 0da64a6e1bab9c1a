"""The JWT bearer login: the signed assertion and the flow to the token endpoint."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from urllib.parse import urlencode, urlsplit

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from sf_assets.errors import LoginError
from sf_assets.errors.redaction import protect
from sf_assets.salesforce.instance_url import Address
from sf_assets.salesforce.login.audience import is_in_doubt, refusal_of_all
from sf_assets.salesforce.login.credentials import Credentials, Token
from sf_assets.salesforce.login.private_key import read_private_key
from sf_assets.salesforce.wire import Flow, Request

TOKEN_PATH = "/services/oauth2/token"
ASSERTION_SECONDS = 170
"""Validity of an assertion; Salesforce accepts at most three minutes."""
LONGEST_TOKEN = 8_000
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_ORG = re.compile(r"/id/(00D[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?)/")
_ORG_OF_TOKEN = re.compile(r"(00D[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?)!")


class TokenAnswer(msgspec.Struct):
    """The good answer of the token endpoint; there is no expires_in in it."""

    access_token: str
    instance_url: str | None = None
    id: str | None = None

    def __post_init__(self) -> None:
        is_long = len(self.access_token) > LONGEST_TOKEN
        if not self.access_token or is_long or any(not 32 < ord(letter) < 127 for letter in self.access_token):
            raise ValueError("access_token is not a token")
        protect(self.access_token)

    def __repr__(self) -> str:
        return "TokenAnswer(…)"


def login(
    credentials: Credentials,
    *,
    audiences: Sequence[str],
    now: Callable[[], datetime],
    monotonic: Callable[[], float],
) -> Flow[Token]:
    """Log in with the first audience that the org accepts.

    The key is read before anything is sent. Raises: ConfigError for an unusable key, LoginError for a refused login.
    """
    credentials.protect()
    key = read_private_key(credentials.private_key, source=credentials.key_file)
    refusals: list[LoginError] = []
    for audience in audiences:
        try:
            answer: TokenAnswer = yield from _log_in(credentials, key=key, audience=audience, now=now)
            return Token(answer.access_token, answer.instance_url or "", _org_id(answer), monotonic(), audience)
        except LoginError as error:
            refusals.append(error)
            if not is_in_doubt(error):
                break
    raise refusal_of_all(refusals, audiences[: len(refusals)]) from None


def _log_in(
    credentials: Credentials, *, key: RSAPrivateKey, audience: str, now: Callable[[], datetime]
) -> Flow[TokenAnswer]:
    def form() -> bytes:
        expires_at = int(now().timestamp()) + ASSERTION_SECONDS
        claims = {"iss": credentials.consumer_key, "sub": credentials.username, "aud": audience, "exp": expires_at}
        assertion = jwt.encode(claims, key, algorithm="RS256")
        protect(assertion)
        return urlencode({"grant_type": _GRANT, "assertion": assertion}).encode()

    response = yield Request(
        TOKEN_PATH,
        TokenAnswer,
        "login",
        method="POST",
        body=form,
        content_type="application/x-www-form-urlencoded",
        about=f"login, audience {audience}",
    )
    answer: TokenAnswer = response.content
    return answer


def _org_id(answer: TokenAnswer) -> str | None:
    match = _ORG.search((answer.id or "")[:LONGEST_TOKEN]) or _ORG_OF_TOKEN.match(answer.access_token)
    return match[1] if match else None


def is_elsewhere(instance_url: str, *, address: Address) -> bool:
    """Return whether the instance that a login names is another host than the configured one."""
    try:
        return bool(instance_url) and (urlsplit(instance_url).hostname or "") != address.host
    except ValueError:
        return True
