"""An org that lives on in a folder, the command that serves it, and the fixtures."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from sf_assets.devorg import Behaviour, sample_org
from sf_assets.devorg.__main__ import main, row_counts
from sf_assets.devorg.activity.pulse import Pulse
from sf_assets.devorg.persistence import PracticeHome
from sf_assets.devorg.store.timestamps import stamp_text

pytest_plugins = ["sf_assets.devorg.fixtures"]
SMALL = {"Account": 12, "Contact": 12, "Opportunity": 8, "Case": 4, "Task": 10, "Lead": 5, "Event": 3, "User": 4}


@pytest.fixture
def start(tmp_path, clock):
    """Start the org of the folder, as a new process would."""
    return lambda **more: PracticeHome(tmp_path, clock=clock).open(seed=3, counts=SMALL, **more)


def truth(org):
    return {name: org.rows(name) for name in org.tables}


def test_a_second_start_meets_the_same_org_with_its_changes(start):
    first = start()
    first.insert("Account", {"Name": "kept"})
    first.add_field("Account", {"name": "Kept__c", "type": "string"})
    first.switch_off("Quote")

    second = start()

    assert second.org_id == first.org_id
    assert truth(second) == truth(first)
    assert second.switched_off == {"Quote"}
    assert second.tables["Account"].schema == first.tables["Account"].schema


def test_nothing_happens_while_the_first_rows_are_made(tmp_path, clock):
    def slow_clock():
        return clock.advance(seconds=2)

    PracticeHome(tmp_path, clock=slow_clock).open(seed=3, counts=SMALL)

    assert not (tmp_path / "journal.jsonl").exists()


def test_time_that_passes_between_two_starts_leaves_its_marks_once(start, clock):
    first = truth(start())
    clock.advance(hours=6)

    second = start()
    third = start()

    newest = max(row["SystemModstamp"] for row in second.rows("Account") + second.rows("Case"))
    assert truth(second) != first
    assert newest <= "2026-03-10T18:00:00.000+0000"
    assert truth(third) == truth(second)


def test_a_long_absence_is_bounded(start, clock):
    start()
    clock.advance(days=3650)

    org = start()

    stamps = {row["SystemModstamp"] for name in org.tables for row in org.rows(name)}
    assert not [stamp for stamp in stamps if "2026-03-11" < stamp < "2036-03-03"]


def test_other_numbers_for_the_same_folder_are_refused(start, tmp_path, clock):
    start()

    with pytest.raises(ValueError, match=r"made with another seed \(3\), Account"):
        PracticeHome(tmp_path, clock=clock).open(seed=4, counts={"Account": 13, "Contact": 12})


def test_a_line_cut_by_a_crash_is_left_out(start, tmp_path):
    first = start()
    first.insert("Account", {"Name": "kept"})
    with (tmp_path / "journal.jsonl").open("a") as journal:
        journal.write('{"op": "insert_many", "sobj')

    second = start()
    second.insert("Account", {"Name": "after the crash"})

    names = [row["Name"] for row in start().rows("Account")]
    assert {"kept", "after the crash"} <= set(names)


def test_keys_are_made_once_and_only_the_owner_reads_them(start, tmp_path, clock):
    home, org = PracticeHome(tmp_path, clock=clock), start()

    credentials = home.credentials(org)

    assert home.credentials(org) == credentials
    assert json.loads(home.credentials_file.read_text())["private_key"] == home.key_file.read_text()
    assert {oct(path.stat().st_mode)[-3:] for path in (home.key_file, home.credentials_file)} == {"600"}
    assert (tmp_path / ".gitignore").read_text() == "*\n"
    assert "PRIVATE" not in repr(credentials)


def test_the_behaviour_of_a_start_is_its_own(start):
    assert start(behaviour=Behaviour(page_rows=200)).behaviour.page_rows == 200
    assert start().behaviour.page_rows == 2_000


# -- the command --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "counts"),
    [
        (["account=5000"], {"Account": 5000}),
        (["sales_order=3", "product=2", "opportunity_line_item=1", "pricebook=0"], None),
        (["Account=1", "case=2"], {"Account": 1, "Case": 2}),
        ([], {}),
    ],
)
def test_rows_are_named_by_endpoint_or_object(arguments, counts):
    assert row_counts(arguments) == (
        counts if counts is not None else {"Order": 3, "Product2": 2, "OpportunityLineItem": 1, "Pricebook2": 0}
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--rows", "acount=5"], "no object 'acount'"),
        (["--rows", "account"], "OBJECT=N"),
        (["--behaviour", '{"pages": 5}'], "unknown behaviour pages"),
        (["--faults", '[{"staus": 5}]'], "a fault has no staus"),
        (["--faults", "/no/such/file"], "No such file"),
    ],
)
def test_a_wrong_argument_ends_the_command_with_its_name(arguments, message, capsys):
    handlers = [(number, signal.getsignal(number)) for number in (signal.SIGTERM, signal.SIGINT)]
    try:
        with pytest.raises(SystemExit) as error_info:
            main(["--port", "0", *arguments])
    finally:
        for number, handler in handlers:
            signal.signal(number, handler)

    assert error_info.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_serves_prints_how_to_reach_it_and_ends_cleanly(tmp_path, number):
    small = [f"{name}={rows}" for name, rows in SMALL.items()]
    options = ["--port", "0", "--home", str(tmp_path / "org"), "--rows", *small, "--behaviour", '{"page_rows": 5}']
    process = subprocess.Popen(
        [sys.executable, "-m", "sf_assets.devorg", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        lines = [process.stdout.readline() for _ in range(5)]
        environment = dict(re.findall(r"export (\w+)=(\S+)", "".join(lines)))
        status = httpx.get(f"{environment['SALESFORCE_INSTANCE_URL']}/services/data", verify=False).status_code
        process.send_signal(number)
        output, errors = process.communicate(timeout=20)
    finally:
        process.kill()

    assert lines[0].startswith("# practice org 00D")
    assert status == 200
    assert Path(environment["SALESFORCE_PRIVATE_KEY_FILE"]).read_text().startswith("-----BEGIN PRIVATE KEY-----")
    assert (process.returncode, output, errors) == (0, "", "")
    assert "BEGIN" not in "".join(lines)
    assert os.path.exists(tmp_path / "org" / "org.json")


# -- the fixtures -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_has_an_org_of_its_own(practice_org, turn):
    accounts = practice_org.org.rows("Account")
    practice_org.org.insert("Account", {"Name": "mine"})

    assert "mine" not in [row["Name"] for row in accounts]
    assert set(practice_org.org.tables) >= {"Account", "Task", "ObjectPermissions"}


def test_the_same_seed_and_base_make_the_same_org(clock):
    assert truth(sample_org(seed=5, rows=SMALL, clock=clock)) == truth(sample_org(seed=5, rows=SMALL, clock=clock))


def stamps(org):
    """Return all stamps of an org's rows."""
    return {row["SystemModstamp"] for rows in truth(org).values() for row in rows}


def test_a_clean_end_is_where_the_next_pause_begins(tmp_path, clock, start):
    org = start()
    end = clock.advance(hours=5)
    PracticeHome(tmp_path, clock=clock).close(org)
    clock.advance(minutes=10)

    later = stamps(start()) - stamps(org)

    assert later
    assert min(later) > stamp_text(end)


def test_after_an_unclean_end_the_pause_begins_at_the_last_change(clock, start):
    org = start()
    last = clock.advance(hours=5)
    org.insert("Account", {"Name": "the last change"})
    clock.advance(minutes=10)

    later = stamps(start()) - stamps(org)

    assert later
    assert min(later) > stamp_text(last)


def test_the_folder_and_its_secrets_are_the_owners_alone(tmp_path, clock):
    umask = os.umask(0o022)
    try:
        home = PracticeHome(tmp_path / "org", clock=clock)
        home.credentials(home.open(seed=3, counts=SMALL))
    finally:
        os.umask(umask)
    mode = {path.name: path.stat().st_mode & 0o777 for path in (home.folder, *home.folder.iterdir())}

    assert (mode["org"], mode["key.pem"], mode["credentials.json"]) == (0o700, 0o600, 0o600)


def test_an_org_with_a_pace_changes_while_it_runs(practice_org):
    org = practice_org.org
    before = truth(org)
    pulse = Pulse(org, per_minute=60, seed=1)
    pauses = []

    pulse.run(lambda seconds: pauses.append(seconds) or len(pauses) > 5)

    after = truth(org)
    assert pauses == [1.0] * 6
    assert sum(before[name] != after[name] for name in before) >= 3
