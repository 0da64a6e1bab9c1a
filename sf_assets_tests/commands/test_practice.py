"""The practice org as a child process: started, joined, refused."""

import http.server
import os
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from sf_assets.commands.practice import practice_org, serving, write_server_file
from sf_assets.errors import ConfigError

SMALL = ("--rows", "account=5", "contact=5", "lead=5", "opportunity=5", "case=5", "task=5", "event=5")


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/services/data", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def test_the_org_answers_while_it_is_wanted_and_no_longer(port: int, tmp_path: Path) -> None:
    with practice_org(tmp_path, port=port, options=SMALL) as url:
        assert answers(url)

    assert not answers(url)


def test_an_org_that_is_already_there_is_used_and_left_running(port: int, tmp_path: Path) -> None:
    with practice_org(tmp_path, port=port, options=SMALL) as url:
        with practice_org(tmp_path, port=port) as same:
            assert same == url

        assert answers(url)


@pytest.fixture
def stranger() -> Iterator[int]:
    """Return the port of another web server."""
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def test_a_port_that_another_program_has_is_refused_with_the_way_out(stranger: int, tmp_path: Path) -> None:
    org_on_busy_port = practice_org(tmp_path, port=stranger, options=SMALL)

    with pytest.raises(ConfigError) as error_info, org_on_busy_port:
        pass

    assert f"port {stranger} of 127.0.0.1, for the practice org, is in use" in str(error_info.value)

    assert "--port" in error_info.value.remedy


def test_another_web_server_is_not_taken_for_the_practice_org(stranger: int, tmp_path: Path) -> None:
    write_server_file(tmp_path, port=stranger, pid=os.getpid())

    assert serving(tmp_path) is None


def test_each_folder_has_an_org_of_its_own_though_both_want_the_usual_port(tmp_path: Path) -> None:
    with practice_org(tmp_path / "one", options=SMALL) as one, practice_org(tmp_path / "other", options=SMALL) as other:
        assert one != other
        assert answers(one)
        assert answers(other)


def test_the_file_of_a_server_that_has_ended_is_ignored(port: int, tmp_path: Path) -> None:
    with practice_org(tmp_path, port=port, options=SMALL):
        assert serving(tmp_path) == f"http://127.0.0.1:{port}"

    assert serving(tmp_path) is None


def test_an_org_is_served_once(sf_assets, tmp_path: Path) -> None:
    with practice_org(tmp_path / "practice", options=SMALL) as url:
        process = sf_assets("practice")

    assert process.returncode == 1
    assert f"is already served on {url}" in process.stderr


def test_an_unknown_object_of_rows_is_named(port: int, tmp_path: Path) -> None:
    misspelt = practice_org(tmp_path, port=port, options=("--rows", "acount=5"))

    with pytest.raises(ConfigError, match="knows no object 'acount'"), misspelt:
        pass
