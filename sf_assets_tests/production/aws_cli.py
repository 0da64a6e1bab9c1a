"""The `aws` command of a test: the shell records its calls, and boto3 sends them to AWS_ENDPOINT_URL afterwards.

It knows what the printed scripts use: JSON from a here-document, shorthand structures, and lists.
"""

import json
import os
import stat
import subprocess
from pathlib import Path
from typing import Any

import boto3
from botocore import xform_name

RECORDER = """\
#!/bin/sh
name=$(printf '%s/%04d' "$AWS_LOG" "$(ls "$AWS_LOG" | wc -l)")
for argument in "$@"; do printf '%s\\n' "$argument"; done > "$name.args"
case "$*" in *file:///dev/stdin*) cat > "$name.stdin";; esac
"""


def run_script(script: str, folder: Path) -> None:
    """Run a script in a folder with `sh`, then send its calls in their order."""
    log, command = folder / "log", folder / "bin" / "aws"
    log.mkdir()
    command.parent.mkdir()
    command.write_text(RECORDER, encoding="utf-8")
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    environment = {**os.environ, "PATH": f"{command.parent}:{os.environ['PATH']}", "AWS_LOG": str(log)}
    process = subprocess.run(
        ["sh", "-s"], input=script, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stderr
    for file in sorted(log.glob("*.args")):
        document = file.with_suffix(".stdin")
        text = document.read_text(encoding="utf-8") if document.exists() else ""
        send(folder, text, *file.read_text(encoding="utf-8").splitlines())


def send(folder: Path, document: str, service: str, operation: str, *arguments: str) -> None:
    """Send one call."""
    client = boto3.client("s3" if service == "s3api" else service, region_name="eu-central-1")
    name = client.meta.method_to_api_mapping[operation.replace("-", "_")]
    shape = client.meta.service_model.operation_model(name).input_shape
    members = {xform_name(member).replace("_", "-"): (member, kind) for member, kind in shape.members.items()}
    parameters: dict[str, Any] = {}
    for option, values in options(arguments):
        if option == "region":
            continue
        member, kind = members[option]
        parameters[member] = parse(values, kind, folder, document)
    getattr(client, operation.replace("-", "_"))(**parameters)


def options(arguments: tuple[str, ...]) -> list[tuple[str, list[str]]]:
    """Return each option with its values."""
    pairs: list[tuple[str, list[str]]] = []
    for argument in arguments:
        if argument.startswith("--"):
            pairs.append((argument[2:], []))
        else:
            pairs[-1][1].append(argument)
    return pairs


def parse(values: list[str], kind: Any, folder: Path, document: str) -> Any:
    """Return a parameter as boto3 takes it."""
    text = values[0]
    if text == "file:///dev/stdin":
        text = document
    elif text.startswith("file://"):
        text = (folder / text.removeprefix("file://")).read_text(encoding="utf-8")
    if kind.type_name == "list":
        return values
    if kind.type_name == "structure" and not text.lstrip().startswith("{"):
        pairs = (pair.split("=", 1) for pair in text.split(","))
        return {name: {"true": True, "false": False}.get(value, value) for name, value in pairs}
    return json.loads(text) if kind.type_name == "structure" else text
