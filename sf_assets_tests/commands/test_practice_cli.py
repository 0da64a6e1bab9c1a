"""`sf-assets practice change|break|fix`: what they do to a running org, and what they refuse."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sf_assets.commands.practice import call, practice_org
from sf_assets.commands.practice_cli import practice
from sf_assets.devorg.store.schema import load_objects
from sf_assets.errors import ConfigError

SMALL = [part for name in load_objects() for part in ("--rows", f"{name}=4")]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A served practice org: its folder and its URL."""
    home = tmp_path_factory.mktemp("practice")
    with practice_org(home, port=None, options=SMALL) as url:
        yield home, url


@pytest.fixture
def run(running):
    """Run a subcommand against the org; an error of ours is raised."""
    home, _ = running

    def invoke(*arguments: str, exit_code: int = 0) -> Result:
        result = CliRunner().invoke(practice, [*arguments, "--home", str(home)])
        if isinstance(result.exception, ConfigError):
            raise result.exception
        assert result.exit_code == exit_code, result.output
        return result

    yield invoke
    invoke("fix")


def rows(running, sobject: str, query: str = "") -> list[dict]:
    return call(running[1], f"truth/{sobject}{query}")


def test_a_record_is_updated_by_any_spelling_of_its_columns(running, run):
    record_id = rows(running, "Account", "?deleted=0&limit=1")[0]["Id"]

    result = run("change", "account", "name=Acme Ltd", "number_of_employees=7", "Description=")

    row = rows(running, "Account", f"?id={record_id}")[0]
    assert (row["Name"], row["NumberOfEmployees"], row["Description"]) == ("Acme Ltd", 7, None)
    assert result.output == f"Updated Account {record_id}.\n"


def test_a_record_is_inserted_deleted_restored_and_purged(running, run):
    record_id = run("change", "lead", "--insert", "LastName=Doe", "Company=Acme").output.split()[-1].rstrip(".")
    states = []
    for verb in ("--delete", "--undelete", "--purge"):
        run("change", "lead", verb, "--id", record_id)
        states.append([row["IsDeleted"] for row in rows(running, "Lead") if row["Id"] == record_id])

    assert states == [[True], [False], []]


def test_columns_rows_and_objects_are_hidden_and_shown_again(running, run):
    run("break", "contact", "--hide-column", "last_name", "--refuse-column", "FirstName")
    run("break", "quote", "--switch-off")
    output = run("break", "contact", "--hide-rows", "2").output
    fields_meanwhile = {field["name"]: field for field in call(running[1], "fields/Contact")}
    run("fix")
    fields = {field["name"]: field for field in call(running[1], "fields/Contact")}

    assert (fields_meanwhile["LastName"]["visible"], fields_meanwhile["FirstName"]["queryable"]) == (False, False)
    assert (fields["LastName"]["visible"], fields["FirstName"]["queryable"]) == (True, True)
    assert output == "2 records of Contact are hidden.\n"


def test_a_fault_is_injected_and_removed(running, run):
    run("break", "account", "--fault", "daily_limit", "--times", "0")
    faults = call(running[1], "faults")
    run("fix")

    assert [(fault["refusal"], fault["sobject"], fault["times"]) for fault in faults] == [
        ("daily_limit", "Account", None)
    ]
    assert call(running[1], "faults") == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("change", "account", "Nonsense=1"), "Account has no column Nonsense"),
        (("change", "account", "NumberOfEmployees=many"), "'many' is not a value of Account.NumberOfEmployees"),
        (("change", "account", "IsDeleted=perhaps"), "'perhaps' is not a value of Account.IsDeleted"),
        (("change", "account", "Name"), "'Name' is not COLUMN=VALUE"),
        (("change", "acount", "Name=x"), "no endpoint is named acount"),
        (("change", "account", "--purge", "--id", "001000000000000AAA"), "no Account has the Id"),
        (("break", "--fault", "nonsense"), "unknown refusal 'nonsense'; there are"),
    ],
)
def test_a_wrong_change_names_what_is_wrong(run, arguments, message):
    with pytest.raises(ConfigError) as error_info:
        run(*arguments)

    assert message in str(error_info.value)


@pytest.mark.parametrize("arguments", [("change", "account"), ("break",), ("break", "--switch-off")])
def test_a_change_without_an_aim_shows_what_can_be_named(run, arguments):
    assert "Name " in run(*arguments, exit_code=2).output


def test_without_a_running_org_the_way_to_start_it_is_named(tmp_path):
    result = CliRunner().invoke(practice, ["fix", "--home", str(tmp_path)])

    assert "no practice org" in str(result.exception)
    assert "sf-assets practice" in result.exception.remedy


@pytest.mark.parametrize("arguments", [(), ("change",), ("break",), ("fix",)])
def test_help_names_every_option_in_a_line_that_fits(arguments):
    output = CliRunner().invoke(practice, [*arguments, "--help"], terminal_width=100).output

    assert "Usage: practice" in output
    assert "--home" in output
    options = [line for line in output.splitlines() if line.startswith("  --")]
    assert all(len(line.split("  ")) > 2 for line in options), output
