"""A hand-made org of three small objects, served, with a client that is logged in."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from sf_assets.devorg import Org, Server, serve
from sf_assets.devorg.store.schema import FieldSchema, ObjectSchema

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
AUDIT = (
    FieldSchema("Id", "id", "Id", length=18, nillable=False),
    FieldSchema("IsDeleted", "boolean", "Deleted", nillable=False),
    FieldSchema("CreatedDate", "datetime", "Created"),
    FieldSchema("LastModifiedDate", "datetime", "Last Modified"),
    FieldSchema("SystemModstamp", "datetime", "Stamp"),
)
ACCOUNT = (
    *AUDIT,
    FieldSchema("MasterRecordId", "reference", "Master", reference_to=("Account",)),
    FieldSchema("Name", "string", "Account Name", length=255, nillable=False),
    FieldSchema("Type", "picklist", "Type", length=40, picklist_values=("Prospect", "Customer")),
    FieldSchema("Description", "textarea", "Description", length=32_000, filterable=False, sortable=False),
    FieldSchema("AnnualRevenue", "currency", "Revenue", precision=18),
    FieldSchema("NumberOfEmployees", "int", "Employees"),
    FieldSchema("IsPartner", "boolean", "Partner"),
    FieldSchema("FoundedOn", "date", "Founded"),
    FieldSchema("Address", "address", "Address"),
    FieldSchema("Score__c", "double", "Score", custom=True, calculated=True),
)
CONTACT = (
    *AUDIT,
    FieldSchema("AccountId", "reference", "Account", reference_to=("Account",)),
    FieldSchema("LastName", "string", "Last Name", length=80),
)
TASK = (*AUDIT, FieldSchema("Subject", "string", "Subject"), FieldSchema("IsArchived", "boolean", "Archived"))
PROFILE = (*(field for field in AUDIT if field.name != "IsDeleted"), FieldSchema("Name", "string", "Name"))


@cache
def read_key(pem: str) -> RSAPrivateKey:
    """A private key, read once: reading it takes longer than signing."""
    return load_pem_private_key(pem.encode(), password=None)


def schema(name: str, prefix: str, fields: tuple[FieldSchema, ...]) -> ObjectSchema:
    by_name = {field.name: field for field in fields}
    return ObjectSchema(name, name, prefix, by_name, has_is_deleted="IsDeleted" in by_name, undeletable=True)


@pytest.fixture
def org(clock) -> Org:
    """Account, Contact, Task and Profile, without rows."""
    shapes = {
        "Account": ("001", ACCOUNT),
        "Contact": ("003", CONTACT),
        "Task": ("00T", TASK),
        "Profile": ("00e", PROFILE),
    }
    return Org(objects={name: schema(name, *shape) for name, shape in shapes.items()}, clock=clock)


@pytest.fixture
def server(org: Org) -> Iterator[Server]:
    with serve(org) as server:
        yield server


Ask = Callable[..., Any]


@pytest.fixture
def sign(server: Server) -> Ask:
    """Sign a login of the server's own user; claims and key may be replaced."""

    def sign_claims(*, key: str = server.credentials["private_key"], **claims: Any) -> str:
        whole = {
            "iss": server.credentials["consumer_key"],
            "sub": server.credentials["username"],
            "aud": "https://login.salesforce.com",
            "exp": int(server.org.now().timestamp()) + 180,
        }
        return jwt.encode({**whole, **claims}, read_key(key), algorithm="RS256")

    return sign_claims


@pytest.fixture
def log_in(server: Server, sign: Ask) -> Iterator[Ask]:
    """Send a login; the answer as httpx gives it."""
    with httpx.Client(base_url=server.url, verify=False) as client:

        def send(assertion: str | None = None, **form: str) -> httpx.Response:
            whole = {"grant_type": GRANT, "assertion": sign() if assertion is None else assertion}
            return client.post("/services/oauth2/token", data={**whole, **form})

        yield send


@pytest.fixture
def http(server: Server, log_in: Ask) -> Iterator[httpx.Client]:
    """A client with a session."""
    bearer = {"Authorization": f"Bearer {log_in().json()['access_token']}"}
    with httpx.Client(base_url=server.url, headers=bearer, verify=False) as client:
        yield client


@pytest.fixture
def ask(http: httpx.Client) -> Ask:
    """Send a statement; the answer as httpx gives it."""

    def send(soql: str, *, resource: str = "query", **headers: str) -> httpx.Response:
        return http.get(f"/services/data/v60.0/{resource}", params={"q": soql}, headers=headers)

    return send


@pytest.fixture
def select(ask: Ask) -> Ask:
    """Send a statement; the records without their attributes, of all pages."""

    def records(soql: str, *, resource: str = "query") -> list[dict[str, Any]]:
        body = ask(soql, resource=resource).json()
        assert isinstance(body, dict), body
        return [{name: value for name, value in row.items() if name != "attributes"} for row in body["records"]]

    return records
