"""The token endpoint: JWT bearer login with Salesforce's own refusals. Other grants are not served."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from sf_assets.devorg.api.messages import Request, Response
from sf_assets.devorg.org.org import Org
from sf_assets.devorg.org.refusal_catalog import LOGIN_REFUSALS

if TYPE_CHECKING:
    from jwt.types import Options  # PyJWT 2.10 does not have it

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LONGEST_SECONDS = 180
LEEWAY_SECONDS = 180
SIGNATURE_ONLY: "Options" = {  # claims are checked here, with the org's clock and Salesforce's words
    "verify_signature": True,
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}
HOSTS = {False: "https://login.salesforce.com", True: "https://test.salesforce.com"}


@dataclass(frozen=True)
class ConnectedApp:
    """The connected app: its consumer key and the public key of its certificate."""

    consumer_key: str
    public_key: RSAPublicKey


@dataclass(eq=False)
class LoginRefused(Exception):
    """A refusal of the token endpoint: status 400 with an object, not a list."""

    error: str
    description: str

    def response(self) -> Response:
        body = {"error": self.error, "error_description": self.description}
        return Response(400, json.dumps(body).encode())


def login_refusal(name: str) -> LoginRefused:
    """Return a refusal of LOGIN_REFUSALS."""
    return LoginRefused(*LOGIN_REFUSALS[name])


def token_response(org: Org, request: Request, *, app: ConnectedApp) -> Response:
    """Answer a login."""
    try:
        return _granted(org, request, app=app)
    except LoginRefused as refusal:
        return refusal.response()


def _granted(org: Org, request: Request, *, app: ConnectedApp) -> Response:
    form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
    if form.get("grant_type") != GRANT:
        raise LoginRefused("unsupported_grant_type", "grant type not supported")
    if not form.get("assertion"):
        raise LoginRefused("invalid_request", "missing required parameter: assertion")
    _check_claims(org, _claims(form["assertion"], app), app=app, server_url=request.server_url)
    _check_standing(org)
    with org.lock:
        token = org.sessions.open(org.org_id, org.now())
    return Response(200, json.dumps(_grant(org, token, server_url=request.server_url)).encode())


def _claims(assertion: str, app: ConnectedApp) -> Mapping[str, Any]:
    """Return the claims of an assertion that the app signed.

    An unknown consumer key is reported before a wrong signature.
    """
    try:
        issuer = jwt.decode(assertion, options={"verify_signature": False}).get("iss")
        if issuer != app.consumer_key:
            raise LoginRefused("invalid_client_id", "client identifier invalid")
        claims: dict[str, Any] = jwt.decode(assertion, app.public_key, algorithms=["RS256"], options=SIGNATURE_ONLY)
    except jwt.InvalidTokenError as error:
        raise LoginRefused("invalid_grant", "invalid assertion") from error
    return claims


def _check_claims(org: Org, claims: Mapping[str, Any], *, app: ConnectedApp, server_url: str) -> None:
    if not org.behaviour.app_known:
        raise LoginRefused("invalid_client_id", "client identifier invalid")
    _check_audience(org, str(claims.get("aud")), server_url)
    _check_expiry(claims.get("exp"), org.now())
    if claims.get("prn", claims.get("sub")) != org.user["Username"]:
        raise LoginRefused("invalid_grant", "invalid assertion")


def _check_audience(org: Org, audience: str, server_url: str) -> None:
    """Raise LoginRefused unless the app accepts the audience.

    An External Client App refuses the generic hosts (n8n-io/n8n#28990, forcedotcom/cli#3482). A Connected App accepts
    both (simstudioai/sim#6508). `generic` is the older rule of SE 184363.
    """
    generic = audience in HOSTS.values()
    own = audience in (server_url, server_url.replace("http://", "https://"), org.behaviour.my_domain)
    if org.behaviour.app_kind == "external" and generic:
        raise login_refusal("app_not_found")
    if org.behaviour.app_kind == "generic" and own:
        raise login_refusal("wrong_audience")
    if not own and audience != HOSTS[org.behaviour.sandbox]:
        raise login_refusal("wrong_audience")


def _check_expiry(expiry: Any, now: datetime) -> None:
    """Raise LoginRefused unless `exp` is at most three minutes ahead.

    `exp` is a number or a text of seconds. Clocks may differ by three minutes.
    """
    try:
        ahead = float(expiry) - now.timestamp()
    except (TypeError, ValueError) as error:
        raise LoginRefused("invalid_grant", "invalid assertion") from error
    if ahead < -LEEWAY_SECONDS:
        raise LoginRefused("invalid_grant", "expired authorization code")
    if ahead > LONGEST_SECONDS + LEEWAY_SECONDS:
        raise LoginRefused("invalid_grant", "invalid assertion")


def _check_standing(org: Org) -> None:
    behaviour = org.behaviour
    if behaviour.login_refusal is not None:
        raise login_refusal(behaviour.login_refusal)
    for is_refused, error, description in (
        (behaviour.login_rate_exceeded, "invalid_grant", "login rate exceeded"),
        (not behaviour.org_active, "inactive_org", "organization is locked or closed"),
        (not behaviour.user_active, "inactive_user", "user is inactive"),
        (behaviour.user_locked, "invalid_grant", "user is locked"),
        (not behaviour.user_approved, "invalid_grant", "user hasn't approved this consumer"),
        (not behaviour.user_admin_approved, "invalid_app_access", "user is not admin approved to access this app"),
    ):
        if is_refused:
            raise LoginRefused(error, description)


def _grant(org: Org, token: str, *, server_url: str) -> dict[str, str]:
    return {
        "access_token": token,
        "scope": "api refresh_token",
        "instance_url": org.behaviour.instance_url or server_url,
        "id": f"{HOSTS[org.behaviour.sandbox]}/id/{org.org_id}/{org.user['Id']}",
        "token_type": "Bearer",
    }
