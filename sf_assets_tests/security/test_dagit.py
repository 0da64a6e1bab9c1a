"""Dagit of `sf-assets dev`: no page of another site reads from it or launches a run through it."""

import base64
import json
import os
import socket
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest

from sf_assets.commands.guarded_dagit import guarded
from sf_assets.commands.ports import require_free
from sf_assets.errors import ConfigError

PARAMS = """{mode: "default", runConfigData: $run, selector: {repositoryName: "__repository__",
    repositoryLocationName: "sf_assets", pipelineName: "__ASSET_JOB"}}"""
AGAIN = PARAMS.replace("{mode:", '{executionMetadata: {rootRunId: "a-run", parentRunId: "a-run"}, mode:', 1)
INVALID = "{ __typename ... on RunConfigValidationInvalid { errors { message } } }"
LAUNCHES = {
    "launchPipelineExecution": f"launchPipelineExecution(executionParams: {PARAMS}) {INVALID}",
    "launchRun": f"launchRun(executionParams: {PARAMS}) {INVALID}",
    "launchMultipleRuns": f"launchMultipleRuns(executionParamsList: [{PARAMS}, {PARAMS}])"
    " { ... on LaunchMultipleRunsResult { launchMultipleRunsResult " + INVALID + " } }",
    "launchPipelineReexecution": f"launchPipelineReexecution(executionParams: {AGAIN}) {INVALID}",
    "launchRunReexecution": f"launchRunReexecution(executionParams: {AGAIN}) {INVALID}",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Dagit as `sf-assets dev` starts it, over a deployment whose org is a listener that counts connections."""
    home = tmp_path_factory.mktemp("home")
    with ExitStack() as stack, socket.create_server(("127.0.0.1", 0)) as org, socket.socket() as probe:
        org.setblocking(False)
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        environment = {
            "DAGSTER_HOME": str(home), "SF_ASSETS_HOME": str(home), "SF_ASSETS_DEPLOYMENT": "production",
            "SALESFORCE_INSTANCE_URL": f"http://127.0.0.1:{org.getsockname()[1]}",
            "SALESFORCE_CONSUMER_KEY": "k", "SALESFORCE_PRIVATE_KEY": "p", "SALESFORCE_USERNAME": "u",
            "TMPDIR": str(tmp_path_factory.mktemp("tmp")),
        }  # fmt: skip
        command = [sys.executable, "-m", "sf_assets.cli", "dev", "--dagit-port", str(port)]
        log = stack.enter_context((home / "dev.log").open("wb"))
        with subprocess.Popen(command, env=os.environ | environment, stdout=log, stderr=log, umask=0) as process:
            try:
                wait_for(f"http://127.0.0.1:{port}/server_info", process)
                folders = (home, Path(environment["TMPDIR"]))
                yield SimpleNamespace(port=port, host=f"127.0.0.1:{port}", org=org, folders=folders)
            finally:
                process.terminate()
                process.wait(timeout=60)


def wait_for(url, process):
    give_up = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < give_up:
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise AssertionError(f"Dagit did not start on {url}")


def send(server, path="/graphql", body=None, **headers):
    """Status and text of one request; a body makes it a POST."""
    data = None if body is None else json.dumps(body).encode()
    header_names = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(
        f"http://{server.host}{path}", data, {"Content-Type": "application/json", **header_names}
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def websocket(server, origin, host=None):
    """The status line with which a websocket is answered."""
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [
        "GET /graphql HTTP/1.1", f"Host: {host or server.host}", "Connection: Upgrade", "Upgrade: websocket",
        "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Protocol: graphql-ws",
        f"Origin: {origin}",
    ]  # fmt: skip
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        return connection.recv(200).decode().splitlines()[0]


def test_what_dagit_makes_is_its_owners_alone(server):
    modes = {path: path.lstat().st_mode for folder in server.folders for path in folder.rglob("*")}

    assert any(stat.S_ISSOCK(mode) for mode in modes.values())  # of the code server, which runs what it is sent
    assert [path for path, mode in modes.items() if mode & 0o077 and path.name != "dev.log"] == []


VERSION = {"query": "{version}"}


def test_dagits_own_pages_and_local_programs_are_served(server):
    assert send(server, body=VERSION)[0] == 200
    assert send(server, body=VERSION, Origin=f"http://{server.host}", Sec_Fetch_Site="same-origin")[0] == 200
    assert send(server, "/")[0] == 200
    assert " 101 " in websocket(server, f"http://{server.host}")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "https://{host}"},
        {"Origin": "chrome-extension://{host}"},
        {"Origin": "http://evil.example@{host}"},
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "[::1"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "a site of tomorrow"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"},
    ],
)
def test_a_request_of_another_site_is_refused(server, headers):
    values = {name: value.format(host=server.host) for name, value in headers.items()}

    assert send(server, body=VERSION, **values)[0] == 403


def test_another_site_may_link_to_a_page_and_load_nothing(server):
    assert send(server, "/runs", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate")[0] == 200
    for mode in ("no-cors", "cors", "websocket"):
        assert send(server, "/server_info", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode=mode)[0] == 403


PATHS = ("/graphql", "/graphql/", "//graphql", "/%67raphql", "/graphql%0a", "/graphql%0d%0a", "/GraphQL")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_no_link_and_no_image_can_launch_a_run(server, method, path):
    request = urllib.request.Request(f"http://{server.host}{path}?query=mutation%7Bx%7D", method=method)

    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(request, timeout=30)

    refusal.value.close()
    assert refusal.value.code == 403


def test_a_websocket_of_another_site_is_refused(server):
    assert " 403 " in websocket(server, "https://evil.example")
    assert " 403 " in websocket(server, "http://evil.example", host="evil.example")


def test_no_other_page_may_show_dagit_in_a_frame(server):
    with urllib.request.urlopen(f"http://{server.host}/", timeout=30) as response:
        assert response.headers["X-Frame-Options"] == "DENY"


STEAL = {"resources": {"salesforce": {"config": {"audience": {"env": "SALESFORCE_PRIVATE_KEY"}}}}}


@pytest.mark.parametrize("name", LAUNCHES)
def test_a_launch_that_sets_a_resource_is_refused_by_dagit(server, name):
    query = f"mutation($run: RunConfigData!) {{ {LAUNCHES[name]} }}"

    status, text = send(server, body={"query": query, "variables": {"run": STEAL}})

    assert status == 200
    assert text.count('"RunConfigValidationInvalid"') == (2 if name == "launchMultipleRuns" else 1)
    assert "root:resources:salesforce:config" in text
    with pytest.raises(BlockingIOError):
        server.org.accept()


@pytest.mark.parametrize(("module", "word"), [("dagster_webserver", "webserver"), ("dagster._daemon", "daemon")])
def test_webserver_and_daemon_of_dagster_dev_are_replaced(module, word):
    command = ["python", "-m", module, "run", "--port", "3000"]

    assert guarded(command) == ["python", "-m", "sf_assets.commands.guarded_dagit", word, "run", "--port", "3000"]


def test_other_commands_of_dagster_dev_stay():
    command = ["python", "-m", "dagster", "code-server", "start"]

    assert guarded(command) == command


def test_a_port_in_use_is_refused_with_the_option_to_change_it():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]

        with pytest.raises(ConfigError, match=f"port {port} ") as refusal:
            require_free(port, flag="--dagit-port", what="Dagit")

    assert "--dagit-port" in refusal.value.remedy
