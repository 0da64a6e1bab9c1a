"""docs/cli.md, compared with the commands."""

import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
PRINT = "import sys; sys.path.insert(0, sys.argv[1]); from generate_cli import cli_page; sys.stdout.write(cli_page())"


def test_the_page_of_the_command_line_is_generated() -> None:
    """In a process of its own: click keeps the help option that an earlier test's call gave a command."""
    command = [sys.executable, "-X", "utf8", "-c", PRINT, str(DOCS)]
    page = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=True).stdout

    assert (DOCS / "cli.md").read_text(encoding="utf-8") == page, "run: make docs"
