"""Fill in the templates of the set-up scripts. A missing variable is an error, and values are escaped by filters."""

import json
import shlex
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sf_assets.commands.setup.values import SetupValues
from sf_assets.snowflake.names import literal

TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, **variables: Any) -> str:
    """Return a template filled in.

    A template with a name that ends in .xml.j2 escapes its values for XML.
    """
    return _environment(is_xml=template.endswith(".xml.j2")).get_template(template).render(**variables)


def render_script(template: str, values: SetupValues, *, comment: str, **variables: Any) -> str:
    """Return a script.

    Missing values are listed after its first comment, with where each comes from.
    """
    head, _, body = render(template, values=values, **variables).partition("\n\n")
    gaps = values.gaps(body)
    missing = [f"{comment} Not filled in yet:", *(f"{comment}   {line}" for line in gaps)] if gaps else []
    return "\n".join([head, *([""] if missing else []), *missing, "", body])


@cache
def _environment(*, is_xml: bool) -> Environment:
    environment = Environment(  # noqa: S701 - scripts are escaped by the filters below, XML by autoescape
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=is_xml,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"literal": literal, "shell": shlex.quote, "document": _document, "commented": _commented}
    return environment


def _document(value: Any) -> str:
    """Return JSON for a here-document; a value has no line break that could end it."""
    return json.dumps(value, indent=2)


def _commented(text: str, mark: str = "--") -> str:
    return "\n".join(f"{mark} {line}".rstrip() for line in text.splitlines())
