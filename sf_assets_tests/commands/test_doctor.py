"""The doctor: a line for each thing that works or does not, with what to do; and the open questions, when told to."""

import json
import re

import dagster as dg
import pytest

from sf_assets.assets.deployments import read_deployment
from sf_assets.cli import main
from sf_assets.commands.doctor import checks as doctor
from sf_assets.commands.doctor.checks import Finding, exit_status, run_checks
from sf_assets.commands.doctor.open_questions import QUESTIONS
from sf_assets.devorg import Fault, Org, sample_org, serve
from sf_assets.devorg.credentials import new_private_key
from sf_assets.specs.endpoints import endpoints
from sf_assets_tests.snapshots import TextSnapshot


@pytest.fixture(scope="module")
def seed() -> Org:
    return sample_org(seed=7, rows={"Account": 60})


@pytest.fixture
def server(seed):
    with serve(seed.copy()) as server:
        yield server


@pytest.fixture
def environment(server, tmp_path, monkeypatch) -> dict[str, str]:
    values = {
        "SF_ASSETS_DEPLOYMENT": "production",
        "SF_ASSETS_HOME": str(tmp_path),
        "SALESFORCE_INSTANCE_URL": server.url,
        "SALESFORCE_REQUESTS_PER_SECOND": "1000",
        **{f"SALESFORCE_{name.upper()}": value for name, value in server.credentials.items()},
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return values


def findings(environment, **changes) -> list[Finding]:
    return list(run_checks(read_deployment({**environment, **changes}), endpoints()))


def status(result: list[Finding], check: str) -> str:
    return next(finding.status for finding in result if finding.check == check)


def test_a_sound_deployment_has_no_failure_and_costs_few_calls(server, environment):
    result = findings(environment)

    assert exit_status(result) == 0
    names = [finding.check for finding in result]
    assert set(names) >= {"ledger", "catalog", "key", "host", "login", "clock", "rights", "quota"}
    assert len(server.requests) <= 10


def test_a_user_who_may_write_is_warned_of(environment):
    warnings = [finding for finding in findings(environment) if finding.status == "warn"]

    assert any("may write 30 objects" in finding.message for finding in warnings)
    assert all(finding.remedy for finding in warnings)


@pytest.mark.parametrize(
    ("sobject", "remedy"),
    [
        ("Quote", "Give the user Quotes, switched on in Setup, or take quote out of SF_ASSETS_ENDPOINTS."),
        ("UserRole", "View Roles and Role Hierarchy"),
        ("PermissionSet", "View Setup and Configuration"),
        ("Account", "the right to read it"),
    ],
)
def test_an_object_that_is_missing_is_named_with_the_right_or_feature(server, environment, sobject, remedy):
    server.org.switch_off(sobject)

    result = findings(environment)

    (failure,) = [finding for finding in result if finding.status == "fail"]
    assert failure.message.startswith(f"{sobject} is not in the list of objects")
    assert remedy in failure.remedy
    assert exit_status(result) == 1


def test_a_refused_login_is_one_failure_and_the_rest_is_still_examined(server, environment):
    server.org.behave(user_active=False)

    result = findings(environment)

    assert [finding.check for finding in result if finding.status == "fail"] == ["login"]
    assert {"ledger", "catalog", "key"} <= {finding.check for finding in result if finding.status == "ok"}
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"SALESFORCE_INSTANCE_URL": "http://127.0.0.1:9"}, "host"),
        ({"SF_ASSETS_LEDGER": "mysql://host/db"}, "ledger"),
        ({"SF_ASSETS_LEDGER": "sqlite:////proc/none/ledger.db"}, "ledger"),
    ],
)
def test_what_cannot_be_reached_is_a_failure_with_its_remedy(environment, changes, check, monkeypatch):
    for name, value in changes.items():
        monkeypatch.setenv(name, value)

    result = findings(environment, **changes)

    failures = [finding for finding in result if finding.status == "fail"]
    assert failures[0].check == check
    assert failures[0].remedy


def test_an_unusable_key_is_told_before_a_request(server, environment, monkeypatch):
    monkeypatch.setenv("SALESFORCE_PRIVATE_KEY", "no key at all")

    result = findings(environment, SALESFORCE_PRIVATE_KEY="no key at all")

    assert status(result, "key") == "fail"
    assert server.requests == ()


def test_a_cause_that_fails_several_checks_is_explained_once(environment, monkeypatch, tmp_path):
    monkeypatch.setenv("SALESFORCE_PRIVATE_KEY", "no key at all")

    failures = [finding for finding in findings(environment) if finding.status == "fail"]

    assert [finding.check for finding in failures] == ["key", "host"]
    assert failures[1].message == "not checked, for the same reason as key"


def test_the_history_of_another_org_is_a_failure_before_the_first_run(environment, monkeypatch, tmp_path):
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    assert status(findings(environment), "history") == "ok"
    with dg.DagsterInstance.get() as instance:
        key = read_deployment(environment).naming.org_key
        event = dg.AssetMaterialization(key, metadata={"org_id": "00D000000000009EAA"})
        instance.report_runless_asset_event(event)

    (failure,) = [finding for finding in findings(environment) if finding.status == "fail"]

    assert (failure.check, "00D000000000009EAA" in failure.message) == ("history", True)
    assert "DAGSTER_HOME" in failure.remedy


def test_a_dagster_yaml_that_is_not_usable_is_named(environment, monkeypatch, tmp_path):
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    (tmp_path / "dagster.yaml").write_text("no_such_setting: 1\n")

    (failure,) = [finding for finding in findings(environment) if finding.status == "fail"]

    assert failure.check == "history"
    assert f"DAGSTER_HOME={tmp_path} cannot be opened" in failure.message


def test_one_of_something_has_no_plural(environment):
    only = [spec for spec in endpoints() if spec.endpoint == "organization"]

    text = " ".join(finding.message for finding in run_checks(read_deployment(environment), only))

    assert not re.search(r"\b1 [a-z]+s\b", text)


def test_a_clock_that_is_off_is_told(server, environment):
    from datetime import UTC, datetime, timedelta

    server.org.clock = lambda: datetime.now(UTC) + timedelta(seconds=100)

    assert status(findings(environment), "clock") == "warn"


def test_a_reserve_that_is_reached_is_told(server, environment):
    server.org.behave(daily_limit=1_000)
    server.org.spend_calls(895)

    assert status(findings(environment), "quota") == "warn"


def test_the_command_prints_json_and_ends_with_its_status(environment, capsys, server):
    server.org.switch_off("Quote")

    with pytest.raises(SystemExit) as error_info:
        main(["doctor", "--json", "quote", "account"], standalone_mode=False)

    output = json.loads(capsys.readouterr().out)
    assert error_info.value.code == 1
    assert output["answers"] == []
    assert {finding["word"] for finding in output["findings"]} == {"ok", "warn", "fail"}


def test_open_questions_are_asked_only_when_told_to(environment, capsys):
    with pytest.raises(SystemExit) as error_info:
        main(["doctor", "--json", "--ask-open-questions", "account"], standalone_mode=False)

    output = {entry["question"]: entry["answer"] for entry in json.loads(capsys.readouterr().out)["answers"]}
    assert error_info.value.code == 0
    assert set(output) == set(QUESTIONS)
    assert output["Does FIELDS(STANDARD) on PermissionSet give every Permissions column?"].endswith("describe has 386")
    assert "refused: AssertionRefused" in output["Is an assertion accepted with an exp that is an hour ahead?"]
    assert "answered" in output["What do setup objects answer to this user?"]


def test_the_doctor_tells_no_secret(server, environment, capsys):
    server.org.faults.append(Fault(kind="composite", status=500, error_code="ECHO", message=new_private_key()))

    with pytest.raises(SystemExit):
        main(["doctor", "--ask-open-questions"], standalone_mode=False)

    output = capsys.readouterr().out
    for name in ("consumer_key", "username"):
        assert server.credentials[name] not in output
    assert server.credentials["private_key"].splitlines()[3] not in output


def test_a_check_that_is_registered_is_run(environment):
    @doctor.register_check("own")
    def own(context):
        yield Finding("own", "ok", f"checked {len(context.specs)} endpoints")

    try:
        assert findings(environment)[-1].message == "checked 30 endpoints"
    finally:
        doctor._checks.pop("own")


CHANGING = (
    (r"127\.0\.0\.1:\d+", "HOST"),
    (r"by \d+ s", "by N s"),
    (r"\b[\d,]+ (of( its)? 100,000|may be sent)", r"N \1"),
    (r"\d{4}-\d\d-\d\dT[\d:]+Z", "TIME"),
)


@pytest.mark.parametrize("org", ["complete", "incomplete"])
def test_the_printed_lines_are_the_snapshot(org, environment, server, capsys, snapshot):
    if org == "incomplete":
        server.org.switch_off("Quote")
        server.org.spend_calls(95_000)

    with pytest.raises(SystemExit) as error_info:
        main(["doctor"], standalone_mode=False)

    output = " ".join(capsys.readouterr().out.split()).replace(environment["SF_ASSETS_HOME"], "HOME")
    for pattern, replacement in CHANGING:
        output = re.sub(pattern, replacement, output)
    assert re.sub(r" (?=(ok|warn|fail) )", "\n", output) == snapshot(extension_class=TextSnapshot)
    assert error_info.value.code == (1 if org == "incomplete" else 0)
