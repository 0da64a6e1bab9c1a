"""`python -m sf_assets.devorg`: serve a practice org on 127.0.0.1 until SIGTERM or Ctrl-C."""

import argparse
import json
import shlex
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any

from sf_assets.devorg.activity.pulse import beating
from sf_assets.devorg.api.server import Server, serve
from sf_assets.devorg.org.faults import fault_from
from sf_assets.devorg.org.org import Org
from sf_assets.devorg.org.settings import behaviour_from
from sf_assets.devorg.persistence import PracticeHome
from sf_assets.devorg.store.schema import load_objects

# Endpoint names that are not their object's name in lower case with underscores.
OTHER_NAMES = {"product": "Product2", "pricebook": "Pricebook2", "sales_order": "Order"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT. Return 0 then, 2 if an argument is wrong."""
    parser = _parser()
    options = parser.parse_args(arguments)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda signum, frame: stop.set())
    try:
        _run(options, stop)
    except (ValueError, KeyError, TypeError, RecursionError, OSError) as error:
        parser.error(str(error))
    return 0


def _run(options: argparse.Namespace, stop: Event) -> None:
    counts, behaviour = row_counts(options.rows), behaviour_from(_json(options.behaviour))
    faults = [fault_from(settings) for settings in _json(options.faults)]
    with TemporaryDirectory(prefix="practice-org-") as temporary:
        home = PracticeHome(Path(options.home or temporary))
        org = home.open(seed=options.seed, counts=counts, behaviour=behaviour)
        org.faults.extend(faults)
        with serve(org, options.port, credentials=home.credentials(org)) as server:
            with beating(org, per_minute=options.pace):
                _print_environment(server, org, home)
                stop.wait()
            home.close(org)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sf_assets.devorg", description=__doc__)
    parser.add_argument("--port", type=int, default=8630, help="port on 127.0.0.1, 0 for a free one (default 8630)")
    parser.add_argument("--seed", type=int, help="another number makes other data (default 7)")
    parser.add_argument("--rows", nargs="+", action="extend", default=[], metavar="OBJECT=N", help="rows to make")
    parser.add_argument("--home", help="folder that keeps the org; without it the org ends with the command")
    parser.add_argument("--behaviour", help='JSON, or a file of JSON: {"page_rows": 200} (docs/devorg.md)')
    parser.add_argument("--faults", help="JSON list of faults, or a file of it (docs/devorg.md)")
    parser.add_argument(
        "--pace", type=float, default=0.0, metavar="N", help="changes a minute while it runs (default 0)"
    )
    return parser


def row_counts(items: Sequence[str]) -> dict[str, int]:
    """Return rows by sObject from `account=5000`, by endpoint or sObject name.

    Raises:
        ValueError: An item has another form, or its object is unknown.
    """
    names = {name.lower(): name for name in load_objects()}
    counts = {}
    for item in items:
        word, _, number = item.partition("=")
        if not number.isdigit():
            raise ValueError(f"--rows wants OBJECT=N, not {item!r}")
        name = OTHER_NAMES.get(word) or names.get(word.replace("_", "").lower())
        if name is None:
            raise ValueError(f"--rows knows no object {word!r}; there are {', '.join(sorted(names.values()))}")
        counts[name] = int(number)
    return counts


def _json(text: str | None) -> Any:
    """Read JSON from the command line, or from the file that it names.

    Without a text return an empty object.
    """
    if text is None:
        return {}
    return json.loads(text if text.lstrip()[:1] in "{[" else Path(text).read_text(encoding="utf-8"))


def environment(server: Server, home: PracticeHome) -> Mapping[str, str]:
    """Return the settings that a client in another shell needs."""
    return {
        "SALESFORCE_INSTANCE_URL": server.url,
        "SALESFORCE_CONSUMER_KEY": server.credentials["consumer_key"],
        "SALESFORCE_USERNAME": server.credentials["username"],
        "SALESFORCE_PRIVATE_KEY_FILE": str(home.key_file.resolve()),
    }


def _print_environment(server: Server, org: Org, home: PracticeHome) -> None:
    rows = sum(len(table.rows) for table in org.tables.values())
    lines = [f"# practice org {org.org_id} with {rows:,} rows of {len(org.tables)} objects on {server.url}"]
    lines += [f"export {name}={shlex.quote(value)}" for name, value in environment(server, home).items()]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
