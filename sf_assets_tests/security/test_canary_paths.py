"""Every way out of a run, with every secret in every encoding: log, console, events, tables, files on disk."""

import json
import logging
from dataclasses import dataclass, replace
from pathlib import Path

import dagster as dg
import pytest

from sf_assets.assets.credentials import EnvironmentCredentials
from sf_assets.assets.deployments import read_deployment
from sf_assets.definitions import build_definitions
from sf_assets_tests.canary import ENCODINGS, Echo, KnownSessions, files_of, is_visible

# Dagster itself calls it, for a nested resource with an EnvVar.
pytestmark = pytest.mark.filterwarnings("ignore:InitResourceContext.dagster_run:DeprecationWarning")

LOUD = {"loggers": {"console": {"config": {"log_level": "DEBUG"}}}}
HASH_KEY = "c4n4ry-of-the-hash-key-0123456789abcdef/+=_-0123456789"
ENDPOINTS = ("account", "contact", "lead", "opportunity", "case", "product", "user", "task", "campaign", "contract")
OBJECTS = ("Account", "Contact", "Lead", "Opportunity", "Case", "Product2", "User", "Task", "Campaign", "Contract")
KINDS = ("ASSET_OBSERVATION", "ASSET_CHECK_EVALUATION", "ASSET_MATERIALIZATION")


@dataclass(frozen=True)
class Canary:
    """A deployment over the practice org whose secrets are known."""

    deployment: object
    org: object
    credentials: dict
    home: Path

    def secrets(self) -> dict[str, str]:
        """Each secret of the run by its name."""
        lines = self.credentials["private_key"].splitlines()
        return {
            "token": self.org.sessions.tokens[-1],
            "consumer key": self.credentials["consumer_key"],
            "hash key": HASH_KEY,
            "private key": lines[len(lines) // 2],
        }

    def texts_of_secrets(self, name: str) -> str:
        """Every secret in one encoding, between marks."""
        return f"begin {' | '.join(ENCODINGS[name](secret) for secret in self.secrets().values())} end of {name}"

    def run(self, definitions, *keys: str):
        """Run the assets under Dagster's own storage on disk; return its events as texts."""
        with dg.instance_for_test(temp_dir=str(self.home)) as instance:
            job = definitions.resolve_implicit_global_asset_job_def()
            selection = [dg.AssetKey(key.split("/")) for key in keys]
            result = job.execute_in_process(LOUD, instance, asset_selection=selection, raise_on_error=False)
            return [dg.serialize_value(entry) for entry in instance.all_logs(result.run_id)]


@pytest.fixture
def canary(practice_org, tmp_path, monkeypatch):
    """The deployment, whose org remembers the tokens that it gives out."""
    practice_org.org.sessions = KnownSessions()
    secrets = {f"SALESFORCE_{name.upper()}": value for name, value in practice_org.credentials.items()}
    secrets["SALESFORCE_HASH_KEY"] = HASH_KEY
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    home = tmp_path / "home"
    home.mkdir()
    environment = {
        **secrets,
        "SF_ASSETS_DEPLOYMENT": "production",
        "SF_ASSETS_HOME": str(home),
        "SALESFORCE_INSTANCE_URL": practice_org.url,
        "SALESFORCE_REQUESTS_PER_SECOND": "1000",
    }
    deployment = read_deployment(environment)
    return Canary(deployment, practice_org.org, practice_org.credentials, home)


def traces_of_run(canary, events, caplog, capfd):
    """Everything that the run has left, by its place."""
    contents = {"log": caplog.text, **capfd.readouterr()._asdict()}
    contents |= {f"event {number}": text for number, text in enumerate(events)}
    return contents | {name: content.decode("utf-8", "replace") for name, content in files_of(canary.home)}


def secrets_in(canary, contents):
    """Where a secret is visible, with its name and encoding."""
    in_json = {name: lambda text, encode=encode: json.dumps(encode(text))[1:-1] for name, encode in ENCODINGS.items()}
    return [
        (place, secret, name)
        for secret, value in canary.secrets().items()
        for name in ENCODINGS
        for place, text in contents.items()
        if is_visible(value, text, ENCODINGS[name]) or is_visible(value, text, in_json[name])
    ]


def test_what_the_org_quotes_is_left_nowhere_in_any_encoding(canary, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    names = [[] for _ in ENDPOINTS]
    for number, name in enumerate(ENCODINGS):
        names[number % len(names)].append(name)
    for sobject, some in zip(OBJECTS, names, strict=True):
        for kind in ("query", "queryAll"):
            refusals = lambda some=some: [  # noqa: E731
                {"errorCode": "INSUFFICIENT_ACCESS", "message": " ".join(map(canary.texts_of_secrets, some))}
            ]
            canary.org.faults.append(Echo(kind=kind, sobject=sobject, times=None, status=403, answer=refusals))

    keys = [f"salesforce/{endpoint}" for endpoint in ENDPOINTS]
    events = canary.run(build_definitions(canary.deployment), *keys)

    contents = traces_of_run(canary, events, caplog, capfd)
    assert secrets_in(canary, contents) == []
    failures = [event for event in events if '"STEP_FAILURE"' in event and '"PIPELINE_FAILURE"' not in event]
    assert sum("begin" in event for event in failures) == len(ENDPOINTS)
    assert "end of JSON" in "".join(text for place, text in contents.items() if place.endswith(".parquet"))


class TalkativeCredentials(EnvironmentCredentials):
    """A source of credentials that fails with an exception of its own, which quotes them."""

    def fetch(self):
        """Fail with the consumer key in the text."""
        credentials = super().fetch()
        raise ValueError(" ".join(encode(credentials.consumer_key) + f" end of {n}" for n, encode in ENCODINGS.items()))


def test_an_exception_that_is_not_ours_is_left_nowhere(canary, caplog, capfd):
    canary.org.sessions.tokens.append("no token was given in this test")
    fields = EnvironmentCredentials.model_fields
    talkative = TalkativeCredentials(
        **{name: getattr(canary.deployment.salesforce.credentials, name) for name in fields}
    )
    salesforce = canary.deployment.salesforce.model_copy(update={"credentials": talkative})

    events = canary.run(build_definitions(replace(canary.deployment, salesforce=salesforce)), "salesforce/account")

    contents = traces_of_run(canary, events, caplog, capfd)
    assert secrets_in(canary, contents) == []
    assert [event for event in events if '"PIPELINE_FAILURE"' in event and "account: ended by ValueError: " in event]


def test_what_any_asset_logs_is_left_nowhere(canary, caplog, capfd):
    caplog.set_level(logging.DEBUG)

    @dg.asset(required_resource_keys={"salesforce"}, check_specs=[dg.AssetCheckSpec("sound", asset="talks")])
    def talks(context):
        context.resources.salesforce.client().org_id()
        for name in ENCODINGS:
            text = canary.texts_of_secrets(name)
            context.log.info(text)
            context.log.warning("as arguments: %s", text)
            values = {"text": text, "md": dg.MetadataValue.md(text), "json": {"a": [text, {text: 1}]}}
            context.log_event(dg.AssetObservation("talks", description=text, metadata=values))
        try:
            raise ValueError(canary.texts_of_secrets("as it is"))
        except ValueError:
            context.log.exception("in a traceback")
        yield dg.AssetCheckResult(check_name="sound", passed=False, metadata=values, description=text)
        yield dg.MaterializeResult(metadata=values, data_version=dg.DataVersion("1"))

    both = dg.Definitions.merge(build_definitions(canary.deployment), dg.Definitions(assets=[talks]))
    events = canary.run(both, "talks")

    contents = traces_of_run(canary, events, caplog, capfd)
    assert secrets_in(canary, contents) == []
    for kind in KINDS:
        assert [event for event in events if f'"{kind}"' in event]
    compute_log = "".join(text for place, text in contents.items() if place.endswith(".err"))
    assert "as arguments: begin …" in compute_log
    assert "Traceback" in compute_log
    assert [name for name in ENCODINGS if f"end of {name}" not in compute_log] == []
