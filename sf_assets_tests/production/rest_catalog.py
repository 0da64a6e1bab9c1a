"""An Iceberg REST catalog on loopback, in the form of Polaris: OAuth client credentials, a prefix, optimistic commits.

The metadata's rules are pyiceberg's own functions, behind HTTP; what a server alone decides (who may, whether a
requirement holds, what an answer that got lost had done) is decided here.
"""

import json
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote

from pyiceberg.catalog.rest import CreateTableRequest
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.io import load_file_io
from pyiceberg.partitioning import UNPARTITIONED_PARTITION_SPEC
from pyiceberg.serializers import FromInputFile, ToOutputFile
from pyiceberg.table import CommitTableRequest
from pyiceberg.table.locations import load_location_provider
from pyiceberg.table.metadata import TableMetadata, new_table_metadata
from pyiceberg.table.sorting import UNSORTED_SORT_ORDER
from pyiceberg.table.update import update_table_metadata

SECRETS = {"client_id": "loader", "client_secret": "loaders-secret"}
GRANT = {"grant_type": "client_credentials", "scope": "PRINCIPAL_ROLE:ALL"}
SERVED = (
    "GET /v1/{prefix}/namespaces", "POST /v1/{prefix}/namespaces",
    "GET /v1/{prefix}/namespaces/{namespace}", "HEAD /v1/{prefix}/namespaces/{namespace}",
    "GET /v1/{prefix}/namespaces/{namespace}/tables", "POST /v1/{prefix}/namespaces/{namespace}/tables",
    "GET /v1/{prefix}/namespaces/{namespace}/tables/{table}", "HEAD /v1/{prefix}/namespaces/{namespace}/tables/{table}",
    "POST /v1/{prefix}/namespaces/{namespace}/tables/{table}",
    "DELETE /v1/{prefix}/namespaces/{namespace}/tables/{table}",
)  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """A status and its JSON; none for a body that is empty."""

    status: int
    body: Mapping[str, Any] | None = None


def refusal(status: int, kind: str, message: str) -> Answer:
    return Answer(status, {"error": {"message": message, "type": kind, "code": status}})


@dataclass
class RestCatalogServer:
    """One warehouse. `io`: how the server reaches its files; `vended`: what a table's answer adds to the client's own.

    `lost`: for each of the next commits (status to answer, whether it comes about before); `late`: the next one is
    held until `deliver`; `forbidden`: what this principal has no right to ("POST table"); `answering`: what a proxy
    answers in place of the catalog.
    """

    root: str
    io: Mapping[str, str] = field(default_factory=dict)
    vended: Mapping[str, str] = field(default_factory=dict)
    lost_answers: deque[tuple[int, bool]] = field(default_factory=deque)
    late: bool = False
    delayed_commits: list[tuple[str, str, bytes]] = field(default_factory=list)
    forbidden: set[str] = field(default_factory=set)
    answering: tuple[int, bytes] | None = None
    requests: list[str] = field(default_factory=list)
    logins: int = 0
    url: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)
    _namespaces: dict[str, dict[str, str]] = field(default_factory=dict)
    _tables: dict[tuple[str, str], str] = field(default_factory=dict)
    _tokens: set[str] = field(default_factory=set)

    @property
    def catalog(self) -> dict[str, str]:
        """The properties of a client."""
        return {
            "type": "rest",
            "uri": self.url,
            "warehouse": "acme",
            "credential": ":".join(SECRETS.values()),
            "scope": GRANT["scope"],
            "oauth2-server-uri": f"{self.url}/v1/oauth/tokens",
        }

    def expire_tokens(self) -> None:
        """Let the tokens that were handed out be too old."""
        self._tokens.clear()

    def deliver(self) -> None:
        """Let the commits that were held arrive."""
        for namespace, name, body in self.delayed_commits:
            assert self._post_table(namespace, name, body).status == 200

    def token(self, form: Mapping[str, str]) -> Answer:
        if form != {**GRANT, **SECRETS}:
            return Answer(401, {"error": "invalid_client", "error_description": "client authentication failed"})
        self.logins += 1
        token = f"token-{self.logins}"
        self._tokens.add(token)
        return Answer(200, {"access_token": token, "token_type": "bearer", "expires_in": 3600})

    def answer(self, method: str, path: str, *, bearer: str, body: bytes) -> Answer:
        """Answer a request of the catalog's."""
        if bearer not in self._tokens:
            return refusal(401, "NotAuthorizedException", "token unknown or expired")
        if path == "/v1/config":
            return Answer(200, {"defaults": {}, "overrides": {"prefix": "acme"}, "endpoints": SERVED})
        parts = [unquote(part) for part in path.removeprefix("/v1/acme/namespaces").strip("/").split("/") if part]
        kind = "table" if len(parts) == 3 else "tables" if len(parts) == 2 else "namespace" if parts else "namespaces"
        handle: Callable[..., Answer] | None = getattr(self, f"_{method.lower()}_{kind}", None)
        if handle is None:
            return refusal(404, "NoSuchEndpoint", f"{method} {path}")
        if f"{method} {kind}" in self.forbidden:
            return refusal(403, "ForbiddenException", f"principal loader is not authorized to {method} {kind}")
        with self.lock:
            return handle(*(part for part in parts if part != "tables"), *((body,) if method == "POST" else ()))

    def _get_namespaces(self) -> Answer:
        return Answer(200, {"namespaces": [[name] for name in self._namespaces]})

    def _post_namespaces(self, body: bytes) -> Answer:
        request = json.loads(body)
        (name,) = request["namespace"]
        if name in self._namespaces:
            return refusal(409, "AlreadyExistsException", name)
        self._namespaces[name] = request["properties"]
        return self._get_namespace(name)

    def _get_namespace(self, name: str) -> Answer:
        if name not in self._namespaces:
            return refusal(404, "NoSuchNamespaceException", name)
        return Answer(200, {"namespace": [name], "properties": self._namespaces[name]})

    _head_namespace = _get_namespace

    def _get_tables(self, namespace: str) -> Answer:
        identifiers = [{"namespace": [place], "name": name} for place, name in self._tables if place == namespace]
        return Answer(200, {"identifiers": identifiers})

    def _post_tables(self, namespace: str, body: bytes) -> Answer:
        """Create a table."""
        left_out = {"location": None, "partition-spec": None, "write-order": None}
        request = CreateTableRequest.model_validate({**left_out, **json.loads(body)})
        if namespace not in self._namespaces:
            return refusal(404, "NoSuchNamespaceException", namespace)
        if (namespace, request.name) in self._tables:
            return refusal(409, "AlreadyExistsException", request.name)
        metadata = new_table_metadata(
            schema=request.table_schema,
            partition_spec=request.partition_spec or UNPARTITIONED_PARTITION_SPEC,
            sort_order=request.write_order or UNSORTED_SORT_ORDER,
            location=request.location or f"{self.root}/{namespace}/{request.name}",
            properties=request.properties,
        )
        self._write((namespace, request.name), metadata, version=0)
        return self._get_table(namespace, request.name)

    def _get_table(self, namespace: str, name: str) -> Answer:
        if (namespace, name) not in self._tables:
            return refusal(404, "NoSuchTableException", name)
        metadata = json.loads(self._read((namespace, name)).model_dump_json())
        location = self._tables[namespace, name]
        return Answer(200, {"metadata-location": location, "metadata": metadata, "config": dict(self.vended)})

    _head_table = _get_table

    def _post_table(self, namespace: str, name: str, body: bytes) -> Answer:
        """Commit, provided that every requirement holds."""
        if self.late:
            self.late = False
            self.delayed_commits.append((namespace, name, body))
            return refusal(504, "GatewayTimeout", "lost")
        status, lands = self.lost_answers.popleft() if self.lost_answers else (0, True)
        if (namespace, name) not in self._tables:
            return refusal(404, "NoSuchTableException", name)
        request, table = CommitTableRequest.model_validate_json(body), self._read((namespace, name))
        try:
            for requirement in request.requirements:
                requirement.validate(table)
        except CommitFailedException as error:
            return refusal(409, "CommitFailedException", str(error))
        if lands:
            before = self._tables[namespace, name]
            metadata = update_table_metadata(table, request.updates, metadata_location=before)
            self._write((namespace, name), metadata, version=_version(before) + 1)
        if status:
            return refusal(status, "CommitFailedException" if status == 409 else "InternalServerError", "lost")
        return self._get_table(namespace, name)

    def _delete_table(self, namespace: str, name: str) -> Answer:
        table = self._tables.pop((namespace, name), None)
        return Answer(204) if table else refusal(404, "NoSuchTableException", name)

    def _read(self, table: tuple[str, str]) -> TableMetadata:
        location = self._tables[table]
        return FromInputFile.table_metadata(load_file_io(dict(self.io), location).new_input(location))

    def _write(self, table: tuple[str, str], metadata: TableMetadata, *, version: int) -> None:
        provider = load_location_provider(metadata.location, metadata.properties)
        location = provider.new_table_metadata_file_location(version)
        ToOutputFile.table_metadata(metadata, load_file_io(dict(self.io), location).new_output(location))
        self._tables[table] = location


def _version(location: str) -> int:
    return int(location.rpartition("/")[2].partition("-")[0])


class Handler(BaseHTTPRequestHandler):
    """HTTP for one catalog."""

    protocol_version = "HTTP/1.1"
    catalog: RestCatalogServer

    def _serve(self) -> None:
        path = self.path.partition("?")[0]
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.catalog.requests.append(f"{self.command} {path.removeprefix('/v1/').removeprefix('acme/')}")
        if self.catalog.answering:
            self._say(*self.catalog.answering)
            return
        if path == "/v1/oauth/tokens":
            answer = self.catalog.token({name: values[0] for name, values in parse_qs(body.decode()).items()})
        else:
            bearer = self.headers.get("Authorization", "").removeprefix("Bearer ")
            answer = self.catalog.answer(self.command, path, bearer=bearer, body=body)
        self._say(answer.status, json.dumps(answer.body).encode() if answer.body is not None else b"")

    do_GET = do_POST = do_HEAD = do_DELETE = _serve

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def serve_catalog(catalog: RestCatalogServer) -> ThreadingHTTPServer:
    """Return a server of the catalog on a free port of loopback; the catalog knows its URL then."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"catalog": catalog}))
    server.daemon_threads = True
    catalog.url = f"http://127.0.0.1:{server.server_address[1]}"
    return server
