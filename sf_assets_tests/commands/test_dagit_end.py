"""The runs that Ctrl-C ends together with Dagit: canceled, and not retried by the next start."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._daemon.auto_run_reexecution.auto_run_reexecution import should_retry

from sf_assets.commands.dagit import cancel_runs

HOME = "run_retries: {enabled: true, max_retries: 1}"
Status = dg.DagsterRunStatus


@pytest.fixture
def instance(tmp_path, monkeypatch):
    (tmp_path / "dagster.yaml").write_text(HOME)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with dg.DagsterInstance.get() as dagster_instance:
        yield dagster_instance


@dg.job
def nothing():
    pass


def run_of(instance, status):
    run = instance.create_run_for_job(nothing, status=Status.STARTED if status == Status.FAILURE else status)
    if status == Status.FAILURE:
        instance.report_run_failed(run)
    return run.run_id


def is_retried(instance, run_id):
    return should_retry(instance.get_run_by_id(run_id), instance)


@pytest.mark.parametrize("status", [Status.STARTING, Status.STARTED, Status.FAILURE])
def test_a_run_that_ended_with_dagit_is_canceled_and_not_retried(instance, status):
    stopped_at = datetime.now(UTC) - timedelta(seconds=1)
    run = run_of(instance, status)

    cancel_runs(stopped_at)

    assert instance.get_run_by_id(run).status == Status.CANCELED
    assert not is_retried(instance, run)


def test_a_run_that_failed_before_dagit_ended_is_retried(instance):
    run = run_of(instance, Status.FAILURE)

    cancel_runs(datetime.now(UTC) + timedelta(seconds=1))

    assert instance.get_run_by_id(run).status == Status.FAILURE
    assert is_retried(instance, run)


def test_a_finished_run_stays(instance):
    run = run_of(instance, Status.SUCCESS)

    cancel_runs(datetime.now(UTC) - timedelta(seconds=1))

    assert instance.get_run_by_id(run).status == Status.SUCCESS


SERVING = """
import os, signal, subprocess, sys, time
print("serving", flush=True)
worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(f"worker {worker.pid}", flush=True)
try:
    time.sleep(60)
finally:
    print("Traceback of a run", flush=True)
"""


COMMAND = """
import signal, sys
from sf_assets.cli import exit_on_signal
from sf_assets.commands.dagit import serve_child
signal.signal(signal.SIGTERM, exit_on_signal)
sys.exit(serve_child([sys.executable, "-c", sys.argv[1]]))
"""


@pytest.fixture
def serving(tmp_path):
    """A process that serves a stand-in of Dagit, with its lines up to the pid of the stand-in's own child."""
    (tmp_path / "dagster.yaml").write_text(HOME)
    environment = os.environ | {"DAGSTER_HOME": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", COMMAND, SERVING], stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout.readline() == b"serving\n"
        yield process, int(process.stdout.readline().split()[1])
        process.kill()


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_ctrl_c_ends_dagit_and_its_runs_without_their_tracebacks(serving):
    process, worker = serving
    process.send_signal(signal.SIGINT)

    output = process.stdout.read().decode()

    assert process.wait() == 130
    assert output == "\nEnding Dagit. Runs in progress are canceled, and the next sync resumes where they stopped.\n"
    assert not is_running(worker)


def test_a_terminated_command_leaves_no_process_of_dagit(serving):
    process, worker = serving
    process.send_signal(signal.SIGTERM)

    process.stdout.read()

    assert process.wait() == 143
    assert not is_running(worker)
