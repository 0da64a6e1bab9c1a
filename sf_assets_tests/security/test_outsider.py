"""What somebody tried who knew only the repository and the threat table: each attempt that got anywhere, as a test."""

import io
import os
import stat

import pytest
from rich.console import Console

from sf_assets.assets.deployments import read_deployment
from sf_assets.assets.reporting import as_markdown
from sf_assets.assets.resources import local_catalog
from sf_assets.commands.dagit_guard import refusal
from sf_assets.commands.endpoint_draft import diff_table
from sf_assets.errors import AccessDenied, ConfigError, SpecError
from sf_assets.specs.endpoints import endpoints

ACCOUNT = next(spec for spec in endpoints() if spec.endpoint == "account")
PRODUCTION = {
    "SF_ASSETS_DEPLOYMENT": "production",
    "SALESFORCE_INSTANCE_URL": "acme.my.salesforce.com",
    "SALESFORCE_CONSUMER_KEY": "k",
    "SALESFORCE_USERNAME": "u",
    "SALESFORCE_PRIVATE_KEY": "p",
}


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "//", "null", "http://127.0.0.1:3000@evil.example"])
def test_an_origin_that_is_no_url_is_refused_by_the_guard(origin):
    headers = [(b"host", b"127.0.0.1:3000"), (b"origin", origin.encode())]

    assert "another site" in str(refusal({"method": "POST", "path": "/graphql", "headers": headers}))


@pytest.mark.parametrize("text", ["[/x]", "[bold", "[link=https://evil.example]here[/link]", "[red]calm[/red]"])
def test_an_answer_of_the_org_is_no_markup_of_the_terminal(text):
    output = io.StringIO()

    Console(file=output, width=200).print(diff_table([ACCOUNT], {"Account": AccessDenied(f"no right: {text}")}))

    assert text in output.getvalue()


@pytest.mark.parametrize("name", ["../evil", "a/b", "..", "/tmp/x", "a\\b", "a b", "-x", "x\n"])
def test_a_namespace_cannot_lead_out_of_the_lake(name, tmp_path):
    environment = PRODUCTION | {"SF_ASSETS_HOME": str(tmp_path), "SF_ASSETS_NAMESPACE": f"{name}.."}

    with pytest.raises(ConfigError, match="SF_ASSETS_NAMESPACE"):
        read_deployment(environment)


@pytest.mark.parametrize("name", ["salesforce", "crm_raw", "lake.salesforce", "a-b"])
def test_a_plain_namespace_is_taken(name, tmp_path):
    environment = PRODUCTION | {"SF_ASSETS_HOME": str(tmp_path), "SF_ASSETS_NAMESPACE": name}

    assert read_deployment(environment).iceberg.namespace == name


def test_the_folder_of_a_local_lake_is_its_owners_alone(tmp_path):
    before = os.umask(0o022)
    try:
        local_catalog(tmp_path / "lake")
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "lake").stat().st_mode) == 0o700


@pytest.mark.parametrize("name", ["endpoints.toml", "account.soql"])
def test_a_pipe_or_a_device_in_place_of_a_spec_file_is_refused(name, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for target in (tmp_path / "pipe", "/dev/zero"):
        (tmp_path / name).unlink(missing_ok=True)
        (tmp_path / name).symlink_to(target)

        with pytest.raises(SpecError, match="it is a pipe or a device"):
            endpoints(tmp_path)


@pytest.mark.parametrize("name", ["endpoints.toml", "account.soql"])
def test_a_spec_file_of_a_gigabyte_is_not_read_whole(name, tmp_path):
    with (tmp_path / name).open("wb") as file:
        file.truncate(2**30)

    with pytest.raises(SpecError, match="it has more than 1,000,000 bytes"):
        endpoints(tmp_path)


def test_a_text_of_the_org_shows_no_image_and_no_html_in_dagit():
    text = as_markdown("![x](https://evil.example/p.png) <img src=https://evil.example/p.png> [here](https://evil)")

    assert "!\\[x](" in text
    assert "\\[here](" in text
    assert "<" not in text


HERE = (b"host", b"127.0.0.1:3000")
ODD_HEADERS = [
    [(b"host", b"evil.example"), HERE],
    [HERE, (b"host", b"evil.example")],
    [(b"host", b"evil.example@127.0.0.1:3000")],
    [(b"host", b"127.0.0.1/evil.example")],
    [HERE, (b"origin", b"http://evil.example"), (b"origin", b"http://127.0.0.1:3000")],
]


@pytest.mark.parametrize("headers", ODD_HEADERS, ids=str)
def test_a_second_host_or_origin_is_refused_by_the_guard(headers):
    assert refusal({"type": "http", "method": "POST", "path": "/graphql", "headers": headers}) is not None
