"""A loopback server of the Snowflake connector's protocol. It verifies the JWT of the key pair.

It knows no SQL: the first matching pattern answers a statement, and a statement without a match is an error. What the
vendor documents is data, in exchanges.json (request, answer, source). `sf-assets prove` prints answers in the same
form, so that a different answer of a real account can be pasted there.
"""

import base64
import gzip
import hashlib
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


@dataclass(frozen=True)
class Refusal:
    """What Snowflake answers instead of rows."""

    code: str
    sqlstate: str
    message: str


def _exchanges() -> dict[str, tuple[str, "Answer"]]:
    """Return name -> (pattern, answer) of exchanges.json."""
    entries = json.loads((Path(__file__).parent / "exchanges.json").read_text(encoding="utf-8"))
    return {entry["name"]: (entry["request"], _answer(entry["answer"])) for entry in entries}


def _answer(answer: Any) -> "Answer":
    return Refusal(**answer) if isinstance(answer, dict) else answer


NOT_THERE = Refusal("002003", "42S02", "SQL compilation error: Object does not exist or not authorized.")
Answer = list[list[str | None]] | Refusal
EXCHANGES = _exchanges()


@dataclass
class FakeSnowflake:
    """One account with one user. `tables`: identifier -> metadata location shown; `lake`: what REFRESH finds."""

    private_key: str
    account: str = "ACME-ORG"
    user: str = "LOADER"
    statements: list[str] = field(default_factory=list)
    logins: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    tables: dict[str, str] = field(default_factory=dict)
    lake: Callable[[str], str] = lambda table: f"s3://lake/{table}/metadata/00001.json"
    answers: dict[str, Answer] = field(default_factory=dict)
    port: int = 0
    public_key: Any = None
    linked_location: Callable[[str], str] | None = None

    @property
    def fingerprint(self) -> str:
        der = self.public_key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        return "SHA256:" + base64.b64encode(hashlib.sha256(der).digest()).decode()

    @property
    def queries(self) -> list[str]:
        """The statements, without the driver's own."""
        return [statement for statement in self.statements if statement.upper() != "COMMIT"]

    def accepts(self, payload: dict[str, Any]) -> bool:
        """Whether the JWT is this user's: signed with his key, with its fingerprint, for an hour at most."""
        try:
            required = {"require": ["exp", "iat"]}
            claims = jwt.decode(payload["TOKEN"], self.public_key, algorithms=["RS256"], options=required)
        except (jwt.InvalidTokenError, KeyError):
            return False
        subject = f"{self.account}.{self.user}"
        return (claims["sub"], claims["iss"]) == (subject, f"{subject}.{self.fingerprint}")

    def answer(self, statement: str) -> Answer:
        """Return the rows, or the refusal."""
        for pattern, answer in self.answers.items():
            if re.search(pattern, statement):
                return answer
        if statement.upper() == "COMMIT":
            return [["Statement executed successfully."]]
        if match := re.match(r"CREATE ICEBERG TABLE IF NOT EXISTS (\S+) ", statement):
            self.tables.setdefault(match[1], self.lake(_table(match[1])))
            return [["Table successfully created."]]
        if match := re.match(r"ALTER ICEBERG TABLE (\S+) REFRESH$", statement):
            return self._refresh(match[1])
        if match := re.match(r"SELECT SYSTEM\$GET_ICEBERG_TABLE_INFORMATION\('(\S+)'\)$", statement):
            return self._information(match[1])
        return Refusal("001003", "42000", f"SQL compilation error: syntax error in {statement!r}")

    def plays(self, *names: str) -> None:
        """Answer as these exchanges of exchanges.json say, before anything else."""
        self.answers = dict(EXCHANGES[name] for name in names) | self.answers

    def sees_all(self, location: Callable[[str], str]) -> None:
        """Be a linked database: every table is known, at the location that is payload when it is asked for."""
        self.linked_location = location

    def _refresh(self, name: str) -> Answer:
        if name not in self.tables:
            return NOT_THERE
        self.tables[name] = self.lake(_table(name))
        return [["Statement executed successfully."]]

    def _information(self, name: str) -> Answer:
        location = self.linked_location(_table(name)) if self.linked_location else self.tables.get(name)
        return [[json.dumps({"metadataLocation": location, "status": "success"})]] if location else NOT_THERE


def _table(name: str) -> str:
    return name.split(".")[-1].strip('"').lower()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    account: FakeSnowflake

    def do_POST(self) -> None:
        path = self.path.partition("?")[0]
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.account.paths.append(path)
        payload = json.loads(body or b"{}")
        handle = {"/session/v1/login-request": self._login, "/queries/v1/query-request": self._query}.get(path)
        self._say(handle(payload) if handle else {"data": None, "success": True, "code": None, "message": None})

    def do_GET(self) -> None:
        self.account.paths.append(self.path)
        self._say({"success": False, "code": "404", "message": self.path, "data": None})

    def _login(self, payload: dict[str, Any]) -> dict[str, Any]:
        self.account.logins.append(payload["data"])
        if not self.account.accepts(payload["data"]):
            message = "JWT token is invalid."
            return {"data": {"authnMethod": "KEYPAIR"}, "success": False, "code": "390144", "message": message}
        data = {
            "token": "session", "masterToken": "master", "sessionId": 1, "parameters": [], "sessionInfo": {},
            "validityInSeconds": 3600, "masterValidityInSeconds": 14400, "displayUserName": self.account.user,
        }  # fmt: skip
        return {"data": data, "success": True, "code": None, "message": None}

    def _query(self, payload: dict[str, Any]) -> dict[str, Any]:
        statement = payload["sqlText"]
        self.account.statements.append(statement)
        answer = self.account.answer(statement)
        query_id = f"01b0-{len(self.account.statements):04}"
        if isinstance(answer, Refusal):
            data: dict[str, Any] = {"errorCode": answer.code, "sqlState": answer.sqlstate, "queryId": query_id}
            return {"data": data, "success": False, "code": answer.code, "message": answer.message}
        width = len(answer[0]) if answer else 1
        kinds = [{"name": f"C{i}", "type": "text", "nullable": True, "scale": None, "precision": None, "length": 99,
                  "byteLength": 99} for i in range(width)]  # fmt: skip
        data = {"rowtype": kinds, "rowset": answer, "total": len(answer), "returned": len(answer), "queryId": query_id,
                "queryResultFormat": "json", "parameters": []}  # fmt: skip
        return {"data": data, "success": True, "code": None, "message": None}

    def _say(self, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def key_pair() -> Any:
    """The loader's key pair."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def snowflake(key_pair: Any) -> Iterator[FakeSnowflake]:
    """A served account with one user, who has the key pair."""
    pem = key_pair.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = FakeSnowflake(pem.decode(), public_key=key_pair.public_key())
    handler = type("Handler", (_Handler,), {"account": account})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        account.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield account
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def other_key() -> str:
    """Another private key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return pem.decode()


@pytest.fixture
def refusal() -> type[Refusal]:
    """Builds a refusal: code, SQLSTATE, message."""
    return Refusal


@pytest.fixture
def free_port() -> int:
    """A port that is free."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
