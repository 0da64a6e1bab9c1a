"""Homes that cannot be one, a damaged server.json, and errors of the system: each ends with a message and a remedy."""

import json
import os
import socketserver
from pathlib import Path
from threading import Thread

import click
import pytest
from click.testing import CliRunner

from sf_assets.assets.practice_credentials import served_url
from sf_assets.cli import main
from sf_assets.commands.group import CommandGroup
from sf_assets.commands.practice import call, is_practice_org, practice_org, serving, write_server_file
from sf_assets.commands.settings import dagster_instance
from sf_assets.errors import ConfigError
from sf_assets.errors.redaction import protect

HOMES = ("loop", "file", "pipe", "dangling", "device", "long", "nothing to create in")
COMMANDS = (["tables"], ["plan", "account"], ["repair"], ["practice", "--port", "1"], ["demo"], ["dev"], ["marts"])


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """The process's own environment and umask again, after commands that set them."""
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.setenv("SF_ASSETS_DBT", "0")
    umask = os.umask(0o022)
    yield
    os.umask(umask)


@pytest.fixture
def homes(tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dangling").symlink_to("/nonexistent/folder")
    special = {"device": Path("/dev/null"), "long": tmp_path / ("a" * 300), "nothing to create in": Path("/proc/home")}
    return {name: special.get(name, tmp_path / name) for name in HOMES}


@pytest.mark.parametrize("home", HOMES)
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_home_that_cannot_be_one_is_an_error_with_a_remedy(homes, home, words):
    result = CliRunner().invoke(main, words, env=dict.fromkeys(("SF_ASSETS_HOME", "DAGSTER_HOME"), str(homes[home])))

    assert result.exit_code == 1
    assert "What to do: " in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("text", ["", "{", "null", "[]", "[" * 100_000, "\xff", '{"pid": 1}', '{"port": 80}'])
def test_a_damaged_server_file_means_that_no_org_is_served(tmp_path, text):
    (tmp_path / "server.json").write_text(text, encoding="latin-1")

    assert served_url(tmp_path) is None
    assert serving(tmp_path) is None


PID = os.getpid()


@pytest.mark.parametrize("pid", [0, -1, 10**30, "x", None, [PID]])
def test_a_process_that_cannot_be_one_serves_no_org(tmp_path, pid):
    (tmp_path / "server.json").write_text(json.dumps({"pid": pid, "port": 8630}))

    assert served_url(tmp_path) is None


@pytest.mark.parametrize("port", [0, -1, 65536, 10**30, "@evil.example/", "", None, float("inf")])
def test_a_port_that_cannot_be_one_leads_nowhere(tmp_path, port):
    (tmp_path / "server.json").write_text(json.dumps({"pid": PID, "port": port}))

    assert served_url(tmp_path) is None


@pytest.mark.parametrize(
    "make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to(path)], ids=["pipe", "folder", "loop"]
)
def test_what_is_no_file_serves_no_org(tmp_path, make):
    make(tmp_path / "server.json")

    assert served_url(tmp_path) is None


def test_a_pipe_in_place_of_the_server_file_is_replaced(tmp_path):
    os.mkfifo(tmp_path / "server.json")

    write_server_file(tmp_path, port=8630, pid=PID)

    assert served_url(tmp_path) == "http://127.0.0.1:8630"


def test_a_log_that_cannot_be_written_is_an_error_of_the_home(tmp_path):
    (tmp_path / "server.log").mkdir()

    with pytest.raises(ConfigError, match="cannot be written"), practice_org(tmp_path):
        pass


ANSWERS = {
    "another protocol": b"SSH-2.0-OpenSSH_9.2\r\n",
    "another server": b"HTTP/1.0 403 Forbidden\r\n\r\n<html>",
    "deep": b"HTTP/1.0 200 OK\r\n\r\n" + b"[" * 100_000,
    "cut": b"HTTP/1.0 200 OK\r\nContent-Length: 100\r\n\r\n{",
    "nothing": b"",
}


@pytest.fixture(params=ANSWERS)
def other_server(request):
    """A server on 127.0.0.1 that is no practice org."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            self.request.recv(65536)
            self.wfile.write(ANSWERS[request.param])

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_another_server_is_not_taken_for_a_practice_org(other_server):
    assert not is_practice_org(other_server)
    with pytest.raises(ConfigError, match="the practice org"):
        call(other_server, "changes", [])


@pytest.mark.parametrize("damage", ["text in place of YAML: [", "storage: {sqlite: {base_dir: 5}}", "run_queue: 7"])
def test_a_damaged_instance_of_dagster_is_named(tmp_path, monkeypatch, damage):
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    (tmp_path / "dagster.yaml").write_text(damage)

    with pytest.raises(ConfigError, match="Dagster's instance of DAGSTER_HOME="), dagster_instance():
        pass


def test_a_damaged_history_of_dagster_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    (tmp_path / "history").mkdir()
    (tmp_path / "history" / "runs.db").write_text("this is no database " * 100)

    with pytest.raises(ConfigError, match="Dagster's instance of DAGSTER_HOME="), dagster_instance():
        pass


PYICEBERG_FILES = ["", "catalog: [", "a: &a [*a]", "catalog: 5", "!!python/object/apply:os.system ['id']", "\xff"]


@pytest.mark.parametrize("text", PYICEBERG_FILES)
@pytest.mark.parametrize("command", ["tables", "repair"])
def test_a_damaged_configuration_of_pyiceberg_is_named(tmp_path, text, command):
    (tmp_path / ".pyiceberg.yaml").write_text(text, encoding="latin-1")

    result = CliRunner().invoke(main, [command], env={"PYICEBERG_HOME": str(tmp_path), "SF_ASSETS_HOME": str(tmp_path)})

    assert result.output.startswith("ConfigError: pyiceberg's configuration cannot be read")


@pytest.mark.parametrize("number", ["nan", "inf", "-1"])
def test_a_number_that_is_none_is_refused_by_its_option(number):
    for words in (["sweep", "--older-than-days", number], ["practice", "--pace", number]):
        result = CliRunner().invoke(main, words)
        assert (result.exit_code, words[1] in result.output) == (2, True)


@click.group(cls=CommandGroup)
def group():
    """Commands that fail."""


@group.command()
def disk():
    """Fail like a full disk."""
    raise OSError(28, "No space left on device", "/data/x\n\x1b[31m")


@group.command()
def package():
    """Fail like a package."""
    raise RuntimeError("the key is sesame-open-0123456789 \x1b[31m")


def test_an_error_of_the_system_names_the_file():
    result = CliRunner().invoke(group, ["disk"])

    assert (result.exit_code, result.output.splitlines()[0]) == (
        1,
        "System error: /data/x\\n\\x1b[31m: No space left on device",
    )


def test_an_error_of_a_package_is_printed_without_secrets():
    protect("sesame-open-0123456789")

    result = CliRunner().invoke(group, ["package"])

    assert result.exit_code == 1
    assert "Unexpected error: RuntimeError: the key is … \\x1b[31m" in result.output
    assert "sesame-open" not in result.output
