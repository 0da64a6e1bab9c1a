"""What docs/security.md says and no other room tries: each test stands behind a sentence of that page."""

import hashlib
import re
import ssl
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import dagster as dg
import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from dagster._core.remote_representation.external_data import RepositorySnap

from sf_assets.assets.deployments import read_deployment
from sf_assets.cli import main
from sf_assets.definitions import build_definitions
from sf_assets.errors import HostUnreachable, IcebergUnreachable
from sf_assets.iceberg.tables import IcebergTables

# Dagster itself calls it, for a nested resource with an EnvVar.
pytestmark = pytest.mark.filterwarnings("ignore:InitResourceContext.dagster_run:DeprecationWarning")

SECRETS = tuple(f"SALESFORCE_{name}" for name in ("CONSUMER_KEY", "PRIVATE_KEY", "USERNAME", "HASH_KEY"))


@pytest.fixture
def environment(practice_org, tmp_path, monkeypatch):
    """Production over the practice org, the e-mail of contacts hashed and their mobile phone excluded."""
    secrets = {f"SALESFORCE_{name.upper()}": value for name, value in practice_org.credentials.items()}
    secrets["SALESFORCE_HASH_KEY"] = hashlib.sha256(b"sesame").hexdigest()
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "specs").mkdir()
    policy = '[override.contact]\nhashed = ["Email"]\nexcluded = ["MobilePhone"]\n'
    (tmp_path / "specs/endpoints.toml").write_text(policy)
    return {
        **secrets,
        "SF_ASSETS_DEPLOYMENT": "production",
        "SF_ASSETS_HOME": str(tmp_path / "home"),
        "SF_ASSETS_SPECS": str(tmp_path / "specs"),
        "SALESFORCE_INSTANCE_URL": practice_org.url,
        "SALESFORCE_REQUESTS_PER_SECOND": "1000",
    }


@pytest.fixture
def definitions_text(environment, monkeypatch):
    """What Dagit is told of a deployment with all that has a secret, and the secrets by their settings' names."""
    more = {
        "SF_ASSETS_LEDGER": "postgresql+psycopg2://ledger:open-sesame@127.0.0.1:9/ledger",
        "SNOWFLAKE_ACCOUNT": "acme-org",
        "SNOWFLAKE_USER": "the-loader",
        "SNOWFLAKE_PRIVATE_KEY": "the-loaders-key",
        "SNOWFLAKE_DATABASE": "RAW",
    }
    for name, value in more.items():
        monkeypatch.setenv(name, value)
    repository = build_definitions(read_deployment(environment | more)).get_repository_def()
    secrets = {name: environment[name] for name in SECRETS}
    secrets |= {"SF_ASSETS_LEDGER": "open-sesame", "SNOWFLAKE_PRIVATE_KEY": "the-loaders-key"}
    return dg.serialize_value(RepositorySnap.from_def(repository)), secrets


def test_what_dagit_is_told_of_the_definitions_holds_no_secret(definitions_text):
    text, secrets = definitions_text

    for name, secret in secrets.items():
        assert name in text  # by which a run will find it
        assert secret.strip().splitlines()[len(secret.splitlines()) // 2] not in text


def test_a_ledger_with_a_password_is_found_by_its_name(environment, monkeypatch):
    url = "postgresql+psycopg2://ledger:open-sesame@127.0.0.1:9/ledger"
    monkeypatch.setenv("SF_ASSETS_LEDGER", url)

    ledger = read_deployment({**environment, "SF_ASSETS_LEDGER": url}).salesforce.resolved().open_ledger()

    assert str(ledger) == "postgresql+psycopg2://ledger:***@127.0.0.1:9/ledger"


def test_an_excluded_column_is_neither_asked_for_nor_in_the_table(environment, practice_org):
    deployment = read_deployment(environment)
    with dg.DagsterInstance.ephemeral() as instance:
        build_definitions(deployment).resolve_implicit_global_asset_job_def().execute_in_process(
            instance=instance,
            asset_selection=[dg.AssetKey(["salesforce", "contact"])],
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )

    queries = [request.query for request in practice_org.requests if "LastName" in request.query]
    assert queries
    assert not any("MobilePhone" in soql for soql in queries)
    assert not {"mobile_phone", "mobilephone"} & set(deployment.iceberg.tables().facts("contact").columns)


@pytest.fixture
def impostor(tmp_path):
    """A TLS server for 127.0.0.1 whose certificate nobody has signed but itself; what it was asked is kept."""
    paths = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            paths.append(self.path)
            self.send_error(400)

        def log_message(self, *_):
            """Say nothing."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own_certificate(tmp_path))
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        server.handle_error = lambda *_: None
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"https://127.0.0.1:{server.server_address[1]}", paths
        server.shutdown()
        thread.join()


def own_certificate(folder):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "own.pem"
    path.write_bytes(key.private_bytes(*form) + certificate.public_bytes(serialization.Encoding.PEM))
    return path


def test_an_untrusted_certificate_is_refused_before_anything_is_sent(environment, impostor):
    url, paths = impostor
    resource = read_deployment({**environment, "SALESFORCE_INSTANCE_URL": url}).salesforce.resolved()
    hasty = resource.model_copy(update={"give_up_after_seconds": 0.05})

    with pytest.raises(HostUnreachable, match="CERTIFICATE_VERIFY_FAILED|certificate"):
        hasty.client().org_id()

    assert paths == []


def test_the_password_of_a_catalog_is_in_no_message():
    pytest.importorskip("psycopg2")
    properties = {"type": "sql", "uri": "postgresql+psycopg2://loader:open-sesame@127.0.0.1:9/lake"}

    with pytest.raises(IcebergUnreachable) as refusal:
        IcebergTables("salesforce", "salesforce", properties).facts("account")

    assert "open-sesame" not in f"{refusal.value} {refusal.value.values} {refusal.value.remedy}"


def test_the_bucket_is_closed_to_the_public_and_to_plain_http():
    script = CliRunner().invoke(main, ["setup", "aws"], catch_exceptions=False).output

    settings = re.search(r"put-public-access-block .*?\n\s+(\S+)", script)
    assert settings is not None
    assert sorted(settings[1].split(",")) == [
        "BlockPublicAcls=true", "BlockPublicPolicy=true", "IgnorePublicAcls=true", "RestrictPublicBuckets=true",
    ]  # fmt: skip
    assert re.search(r'"Effect": "Deny".*?"aws:SecureTransport": "false"', script, flags=re.DOTALL)
