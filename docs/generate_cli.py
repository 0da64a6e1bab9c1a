"""Generates docs/cli.md from the commands: `python docs/generate_cli.py`."""

from collections.abc import Iterator
from pathlib import Path

import click

from sf_assets.cli import main

PAGE = Path("docs/cli.md")
HEAD = """\
# The command line

For people who run `sf-assets`: each command with its options. `python docs/generate_cli.py`
generates this page from the commands; `sf-assets COMMAND --help` prints the same.

In a checkout the program is `.venv/bin/sf-assets`; `python -m sf_assets` does the same. The
commands read the [settings](settings.md) of the environment. An error of ours ends a command with
exit status 1, one message and its remedy. A wrong option ends it with status 2, Ctrl-C with 130.
"""


def cli_page() -> str:
    """Return the text of docs/cli.md."""
    return HEAD + "".join(_section(words, command) for words, command in _commands(main, ("sf-assets",)))


def _commands(group: click.Group, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))


def _section(words: tuple[str, ...], command: click.Command) -> str:
    # The names of the help option are those of the program: click keeps a command's help option once it has made it.
    names = main.context_settings["help_option_names"]
    context = click.Context(
        command, info_name=" ".join(words), max_content_width=92, terminal_width=92, help_option_names=names
    )
    return f"\n## {' '.join(words)}\n\n```text\n{command.get_help(context).strip()}\n```\n"


if __name__ == "__main__":
    PAGE.write_text(cli_page(), encoding="utf-8")
