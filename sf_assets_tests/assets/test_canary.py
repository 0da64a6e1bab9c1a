"""No secret is left anywhere by a run, however it ends; and nothing is sent to another host than the org's own."""

import logging
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from types import SimpleNamespace
from urllib.parse import quote_plus

import dagster as dg
import pytest

from sf_assets import errors
from sf_assets.definitions import build_definitions
from sf_assets.devorg import Fault, Server
from sf_assets.devorg.credentials import new_private_key
from sf_assets_tests.canary import Echo, KnownSessions, files_of

# Dagster itself calls it, for a nested resource with an EnvVar.
pytestmark = pytest.mark.filterwarnings("ignore:InitResourceContext.dagster_run:DeprecationWarning")

LOUD = {"loggers": {"console": {"config": {"log_level": "DEBUG"}}}}
NEVER = ("Bearer ", "assertion=", "eyJhbGciOi", "PRIVATE KEY-----")
"""What comes before a secret: a header, a form, the beginning of a signed assertion, a key's first line."""


@pytest.fixture
def elsewhere() -> Iterator[SimpleNamespace]:
    """A listener on another loopback address: where it is, and how many connections it was offered."""
    with socket.create_server(("127.0.0.2", 0)) as server:
        server.setblocking(False)

        def connections() -> int:
            count = 0
            while True:
                try:
                    server.accept()[0].close()
                except BlockingIOError:
                    return count
                count += 1

        yield SimpleNamespace(url=f"http://127.0.0.2:{server.getsockname()[1]}", connections=connections)


class Case:
    """What a kind of failure may change: the org's behaviour and faults, and the run's environment."""

    def __init__(self, server: Server, elsewhere: str, set_variable: Callable[[str, str], None]) -> None:
        self.org, self.credentials, self.elsewhere = server.org, server.credentials, elsewhere
        self.environment = {"SALESFORCE_LOGIN_AUDIENCE": "https://login.salesforce.com"}
        self.sessions = self.org.sessions = KnownSessions()
        self.behave, self.set_variable = self.org.behave, set_variable
        self.behave(instance_url=elsewhere, page_rows=5)

    def always(self, **rule: object) -> None:
        """Let this fault strike each request that fits."""
        self.org.faults.append(Fault(times=None, **rule))

    def quote_token(self) -> None:
        """Refuse to read, and quote the token in the refusal."""
        result = {"errorCode": "INSUFFICIENT_ACCESS"}
        answer = lambda: [{**result, "message": f"no right for {self.sessions.tokens[-1]}"}]  # noqa: E731
        for kind in ("queryAll", "query"):
            self.org.faults.append(Echo(kind=kind, times=None, status=403, answer=answer))

    def quote_token_escaped(self) -> None:
        """Refuse to read, and quote the token with escapes, behind a forged line and a code of a megabyte."""

        def answer() -> bytes:
            json_escapes = "".join(f"\\u{ord(letter):04x}" for letter in self.sessions.tokens[-1])
            code = "X" * 1_000_000
            return f'[{{"errorCode": "{code}", "message": "\\u001b[2J\\r\\nWARNING forged {json_escapes}"}}]'.encode()

        for kind in ("queryAll", "query"):
            self.org.faults.append(Echo(kind=kind, times=None, status=403, answer=answer))

    def answer_token_as_value(self) -> None:
        """Answer a row with the token in a column of another type."""

        def answer() -> object:
            row = {"attributes": {"type": "Product2"}, "Id": "01t000000000001AAA", "IsActive": self.sessions.tokens[-1]}
            return {"totalSize": 1, "done": True, "records": [row]}

        for kind in ("queryAll", "query"):
            self.org.faults.append(Echo(kind=kind, times=None, status=200, answer=answer))

    def quote_login(self) -> None:
        """Refuse the login, and quote whose it was."""
        result = f"no {self.credentials['consumer_key']} for {self.credentials['username']}"
        answer = {"error": "invalid_grant", "error_description": result}
        self.org.faults.append(Echo(kind="token", times=None, status=400, answer=lambda: answer))

    @property
    def secrets(self) -> set[str]:
        """Every text that may be nowhere, as it is and as a form shows it."""
        key = self.credentials["private_key"].splitlines()[1:-1]
        secrets = [self.credentials["consumer_key"], self.credentials["username"], *key, *self.sessions.tokens]
        return {*secrets, *map(quote_plus, secrets), *NEVER}


@pytest.fixture
def case(practice_org, elsewhere, monkeypatch) -> Case:
    """The org of this test, whose logins all name another instance than its own."""
    return Case(practice_org, elsewhere.url, monkeypatch.setenv)


OUTCOMES = {
    "success": (lambda case: None, None),
    "wrong key": (
        lambda case: case.set_variable("SALESFORCE_PRIVATE_KEY", new_private_key()),
        errors.AssertionRefused,
    ),
    "unknown consumer key": (lambda case: case.behave(app_known=False), errors.ConsumerKeyUnknown),
    "wrong audience": (lambda case: case.behave(login_refusal="wrong_audience"), errors.AudienceRefused),
    "unapproved user": (lambda case: case.behave(user_approved=False), errors.UserNotApproved),
    "inactive user": (lambda case: case.behave(user_active=False), errors.UserInactive),
    "login refused with a quotation": (Case.quote_login, errors.AssertionRefused),
    "session refused": (lambda case: case.behave(sessions_refused=True), errors.SessionRefused),
    "right missing": (Case.quote_token, errors.AccessDenied),
    "right missing, the token escaped": (Case.quote_token_escaped, errors.AccessDenied),
    "the token as a value": (Case.answer_token_as_value, errors.ValueUnexpected),
    "quota spent": (lambda case: case.behave(daily_limit=1), errors.QuotaSpent),
    "maintenance page": (lambda case: case.always(kind="queryAll", status=200, html=True), errors.OrgBusy),
    "torn JSON": (lambda case: case.always(kind="queryAll", truncate=True), errors.AnswerTorn),
    "foreign nextRecordsUrl": (
        lambda case: case.behave(next_url="full", next_url_host=case.elsewhere),
        errors.ForeignAddress,
    ),
    "redirect": (
        lambda case: case.always(kind="queryAll", status=302, headers={"Location": f"{case.elsewhere}/services/data"}),
        errors.ForeignAddress,
    ),
    "no answer": (
        lambda case: case.environment.update(SALESFORCE_INSTANCE_URL="http://127.0.0.1:9"),
        errors.HostUnreachable,
    ),
}


@dataclass
class RunTraces:
    """A run, and all that it left behind: name -> content."""

    run_id: str
    errors: list[str]
    contents: dict[str, bytes]


@pytest.fixture
def traces_of_run(case, runs, tmp_path, caplog, capfd) -> Callable[[], RunTraces]:
    """Runs one endpoint under Dagster's own storage in the home, with the logs at their loudest."""
    caplog.set_level(logging.DEBUG)

    def run() -> RunTraces:
        deployment = replace(runs.under(**case.environment), salesforce={"give_up_after_seconds": 0.05}).deployment
        deployment.home.mkdir()
        with dg.instance_for_test(temp_dir=str(deployment.home)) as instance:
            job = build_definitions(deployment).resolve_implicit_global_asset_job_def()
            keys = [dg.AssetKey(["salesforce", "product"])]
            result = job.execute_in_process(LOUD, instance, asset_selection=keys, raise_on_error=False)
            entries = instance.all_logs(result.run_id)
        events = [entry.dagster_event for entry in entries if entry.dagster_event]
        failures = [event.step_failure_data for event in events if event.is_step_failure]
        contents = {"log": caplog.text, **capfd.readouterr()._asdict()}
        contents |= {
            f"event {number}": f"{entry!r} {dg.serialize_value(entry)}" for number, entry in enumerate(entries)
        }
        return RunTraces(
            result.run_id,
            [failure.user_failure_data.metadata["error"].value for failure in failures],
            {name: text.encode() for name, text in contents.items()} | dict(files_of(tmp_path)),
        )

    return run


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_run_leaves_no_secret_anywhere_and_speaks_to_no_other_host(outcome, case, traces_of_run, elsewhere):
    prepare, error = OUTCOMES[outcome]
    prepare(case)

    traces = traces_of_run()

    assert traces.errors == ([error.__name__] if error else [])
    for secret in case.secrets:
        assert [name for name, contents in traces.contents.items() if secret.encode() in contents] == []
    assert [
        name for name, contents in traces.contents.items() if b"\x1b[2J" in contents or b"\nWARNING forged" in contents
    ] == []
    assert sum(map(len, traces.contents.values())) < 20_000_000
    assert elsewhere.connections() == 0
    places = {
        name.rpartition("/")[2] for name, contents in traces.contents.items() if traces.run_id.encode() in contents
    }
    assert places >= {"err", "event 0", "index.db"}  # the places that would tell it are among those looked at
