"""The runs that Ctrl-C ends together with Dagit: canceled, and not retried by the next start."""

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
    with dg.DagsterInstance.get() as opened:
        yield opened


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
