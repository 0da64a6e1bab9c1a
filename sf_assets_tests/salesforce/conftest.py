"""A scripted org behind the real client: it answers what the test wrote down, on a clock that only sleeping moves."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sf_assets.salesforce.client import Client
from sf_assets.salesforce.client_settings import Clock as ClientClock
from sf_assets.salesforce.login.credentials import Credentials
from sf_assets_tests.salesforce.build import build_client

HOST = "acme.my.salesforce.com"
ORG_ID = "00D000000000001AAA"
Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


@dataclass
class Clock:
    """Time that passes only while somebody sleeps, or by the latency of an answer."""

    seconds: float = 0.0
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


class ScriptedOrg:
    """Answers logins well (unless told otherwise) and everything else from its script, in order."""

    host, org_id = HOST, ORG_ID

    def __init__(self, private_key: str, clock: Clock) -> None:
        self.clock, self.private_key = clock, private_key
        self.script: list[Answer] = []
        self.logins: list[Answer] = []
        self.last: Answer | None = None
        self.seen: list[httpx.Request] = []
        self.sent_at: list[float] = []
        self.headers: dict[str, str] = {}

    def then(self, status: int, body: Any = b"", **headers: str) -> "ScriptedOrg":
        self.script.append(reply(status, body, **self.headers, **headers))
        return self

    def always(self, status: int, body: Any = b"", **headers: str) -> "ScriptedOrg":
        self.last = lambda _: reply(status, body, **self.headers, **headers)
        return self

    def login(self, status: int, body: Any, **headers: str) -> "ScriptedOrg":
        self.logins.append(reply(status, body, **headers))
        return self

    @staticmethod
    def token_answer(**changes: Any) -> dict[str, Any]:
        """A good answer of the token endpoint, with other values or (None) without some."""
        return {name: value for name, value in {**token(), **changes}.items() if value is not None}

    @property
    def data_calls(self) -> list[httpx.Request]:
        return [request for request in self.seen if not is_login(request)]

    @property
    def login_calls(self) -> list[httpx.Request]:
        return [request for request in self.seen if is_login(request)]

    def client(self, **settings: Any) -> Client:
        settings = {"instance_url": HOST, "credentials": self.credentials, **settings}
        clock = ClientClock(self.clock.now, self.clock.monotonic, self.clock.sleep)
        return build_client(settings, clock=clock, seed=1, transport=httpx.MockTransport(self._answer))

    @property
    def credentials(self) -> Credentials:
        return Credentials("sesame-consumer-key", self.private_key, "sesame@acme.example")

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        self.sent_at.append(self.clock.seconds)
        answer = self._next(request)
        if isinstance(answer, Exception):
            raise answer
        return answer(request) if callable(answer) else answer

    def _next(self, request: httpx.Request) -> Answer:
        if is_login(request):
            return self.logins.pop(0) if self.logins else reply(200, token(len(self.login_calls)))
        if self.script:
            return self.script.pop(0)
        assert self.last is not None, f"the script has no answer left for {request.method} {request.url}"
        return self.last


def is_login(request: httpx.Request) -> bool:
    return request.url.path == "/services/oauth2/token"


def token(number: int = 1) -> dict[str, str]:
    return {
        "access_token": f"{ORG_ID[:15]}!sesame-token-{number}",
        "scope": "api",
        "instance_url": f"https://{HOST}",
        "id": f"https://login.salesforce.com/id/{ORG_ID}/005000000000001AAA",
        "token_type": "Bearer",
    }


def reply(status: int, body: Any = b"", **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.Response(status, content=content, headers={k.replace("_", "-"): v for k, v in headers.items()})


@pytest.fixture(scope="session")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="session")
def private_key(rsa_key: rsa.RSAPrivateKey) -> str:
    return rsa_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def org(private_key: str, clock: Clock) -> ScriptedOrg:
    return ScriptedOrg(private_key, clock)
