"""`lake_upkeep` on AWS: a job of Glue on moto, and a job of EMR Serverless on a server with the documented answers."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import dagster as dg
import pytest

from sf_assets.assets.deployments import read_deployment
from sf_assets.assets.external_upkeep import build_external_upkeep
from sf_assets.assets.naming import Naming
from sf_assets.commands.setup.upkeep import job_run
from sf_assets.commands.setup.values import SetupValues

VALUES = SetupValues(account_id="123456789012", region="eu-central-1", bucket="acme-lake")
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def run(tmp_path, job):
    """Run the asset over an empty lake with this job."""
    path = tmp_path / "upkeep.json"
    path.write_text(json.dumps(job))
    asset, _ = build_external_upkeep(Naming(), path)
    lake = read_deployment({"SF_ASSETS_HOME": str(tmp_path)}).iceberg
    with dg.DagsterInstance.ephemeral() as instance:
        return dg.materialize(
            [asset], resources={"iceberg": lake}, instance=instance, run_config=QUIET, raise_on_error=False
        )


def test_a_job_of_glue_is_run_to_its_end(aws, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_GLUE", aws.url)
    glue = aws.client("glue")
    glue.create_job(
        Name="sf-assets-upkeep",
        Role="arn:aws:iam::123456789012:role/sf-assets-upkeep",
        Command={"Name": "glueetl", "ScriptLocation": "s3://lake/upkeep.py"},
    )

    result = run(tmp_path, {"JobName": "sf-assets-upkeep", "Arguments": {"--statements": "s3://lake/upkeep.sql"}})

    (job_run,) = glue.get_job_runs(JobName="sf-assets-upkeep")["JobRuns"]
    (materialization,) = result.asset_materializations_for_node("lake_upkeep")
    assert result.success
    assert job_run["Arguments"]["--statements"] == "s3://lake/upkeep.sql"
    assert materialization.metadata["AWS Glue Job Run ID"].value == job_run["Id"]


def test_a_job_that_glue_does_not_have_is_a_named_failure(aws, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_GLUE", aws.url)

    result = run(tmp_path, {"JobName": "no-such-job"})

    (failure,) = [event for event in result.all_node_events if event.is_step_failure]
    assert "The upkeep by Glue failed" in failure.step_failure_data.user_failure_data.description
    assert "no-such-job" in failure.step_failure_data.user_failure_data.description


class EmrServerless(BaseHTTPRequestHandler):
    """Answers of EMR Serverless, as in its API reference: StartJobRun, GetJobRun, GetApplication, dashboard."""

    job_requests: list[dict] = []
    state = "SUCCESS"

    def do_POST(self):
        self.job_requests.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self._answer({"applicationId": "00f1", "jobRunId": "00j1", "arn": "arn:aws:emr-serverless:::/x"})

    def do_GET(self):
        if self.path.endswith("/dashboard"):
            return self._answer({"url": "https://dashboard.example"})
        if "/jobruns/" in self.path:
            run = {"applicationId": "00f1", "jobRunId": "00j1", "state": self.state, "stateDetails": "of the job"}
            return self._answer({"jobRun": run})
        return self._answer({"application": {"applicationId": "00f1", "type": "Spark", "state": "STARTED"}})

    def _answer(self, value):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def emr(aws, monkeypatch):
    """A served EMR Serverless whose jobs end in `state`."""
    handler = type("Handler", (EmrServerless,), {"started": [], "state": "SUCCESS"})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL_EMR_SERVERLESS", f"http://127.0.0.1:{server.server_port}")
    yield handler
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_job_of_emr_serverless_is_started_once_for_a_run(emr, tmp_path):
    job = {**job_run(VALUES), "applicationId": "00f1"}

    result = run(tmp_path, job)

    (request,) = emr.job_requests
    assert result.success
    assert request["clientToken"] == result.run_id
    assert request["executionRoleArn"] == job["executionRoleArn"]
    assert request["jobDriver"]["sparkSubmit"]["entryPoint"] == "s3://acme-lake/salesforce-upkeep/upkeep.py"
    assert request["tags"]["dagster/run-id"] == result.run_id


def test_a_job_of_emr_serverless_that_fails_is_a_named_failure(emr, tmp_path):
    emr.state = "FAILED"

    result = run(tmp_path, {**job_run(VALUES), "applicationId": "00f1"})

    (failure,) = [event for event in result.all_node_events if event.is_step_failure]
    assert "The upkeep by EMR Serverless failed" in failure.step_failure_data.user_failure_data.description
