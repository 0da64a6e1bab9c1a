"""Files with secrets that the printed steps create are readable by their owner alone."""

import json
import re
import stat
import subprocess

from sf_assets.commands.setup.salesforce import salesforce_steps
from sf_assets.commands.setup.values import SetupValues
from sf_assets.specs.endpoints import endpoints


def run(script: str, folder) -> None:
    """Run a script with the umask that most systems start with."""
    subprocess.run(["bash", "-c", f"umask 022\n{script}"], cwd=folder, check=True, capture_output=True)


def test_key_and_secret_are_readable_by_their_owner_alone(tmp_path):
    steps = salesforce_steps(endpoints(), SetupValues())
    commands = re.findall(r"^ +\(umask 077;.*?\)$", steps, re.MULTILINE | re.DOTALL)
    assert len(commands) == 2

    for command in commands:
        run(command, tmp_path)

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert (modes["salesforce.key"], modes["secret.json"]) == (0o600, 0o600)
    secret = json.loads((tmp_path / "secret.json").read_text())
    assert secret["private_key"].startswith("-----BEGIN PRIVATE KEY-----")
    assert secret["consumer_key"] == "CONSUMER_KEY"
