"""What a describe of an sObject tells of it: its fields, as this user sees them; and the exchange that asks for it."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from sf_assets.errors import (
    AccessDenied,
    AnswerTorn,
    ApiDisabled,
    ObjectUnavailable,
    QueryRefused,
    ResourceNotFound,
    SalesforceError,
)
from sf_assets.salesforce.composite import DESCRIBES, SubAnswer, composite_if_served, error_of, is_not_served
from sf_assets.salesforce.wire import Capabilities, Flow, Request, in_groups

ALWAYS_THERE = "User"
"""The sObject that every user of every org may describe."""


@dataclass(frozen=True)
class Field:
    """One field of a describe; names and type words as Salesforce spells them."""

    name: str
    type: str
    label: str = ""
    length: int = 0
    precision: int = 0
    scale: int = 0
    nillable: bool = True
    calculated: bool = False
    custom: bool = False
    filterable: bool = True
    sortable: bool = True
    reference_to: tuple[str, ...] = ()
    help: str = ""


@dataclass(frozen=True)
class SObject:
    """One sObject and the fields of it that this user may read."""

    name: str
    label: str
    fields: tuple[Field, ...]


Described = SObject | SalesforceError | None


class FieldAnswer(msgspec.Struct, rename="camel"):
    """One field as describe answers it."""

    name: str
    type: str
    label: str | None = None
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    nillable: bool | None = None
    calculated: bool | None = None
    custom: bool | None = None
    filterable: bool | None = None
    sortable: bool | None = None
    reference_to: list[str] | None = None
    inline_help_text: str | None = None

    def field(self) -> Field:
        told = {name: value for name in _SAME if (value := getattr(self, name)) is not None}
        return Field(
            **told,
            label=self.label or "",
            reference_to=tuple(self.reference_to or ()),
            help=self.inline_help_text or "",
        )


_SAME = ("name", "type", "length", "precision", "scale", "nillable", "calculated", "custom", "filterable", "sortable")


class SObjectAnswer(msgspec.Struct):
    """A describe's answer; what is not read here is skipped."""

    name: str
    fields: list[FieldAnswer]
    label: str | None = None

    def sobject(self) -> SObject:
        return SObject(self.name, self.label or "", tuple(answer.field() for answer in self.fields))


def describe(sobjects: Sequence[str], *, version: str, services: Capabilities) -> Flow[dict[str, Described]]:
    """Describe each sObject: its fields, why it is not there, or None where describe is not served at all."""
    told: dict[str, Described] = {}
    for group in in_groups(list(sobjects), DESCRIBES):
        told |= yield from _describe_group(group, version=version, services=services)
    if told and services.has("describe") and not any(isinstance(value, SObject) for value in told.values()):
        yield from _confirm_served(told, version=version, services=services)
    return told if services.has("describe") else dict.fromkeys(told)


def _describe_group(group: list[str], *, version: str, services: Capabilities) -> Flow[dict[str, Described]]:
    if not services.has("describe"):
        return dict.fromkeys(group)
    paths = [_path(sobject, version) for sobject in group]
    answers = yield from composite_if_served(paths, version=version, about="describe", services=services)
    if answers is not None:
        told = zip(group, answers[0], paths, strict=True)
        return {sobject: _described(sobject, answer, path) for sobject, answer, path in told}
    return (yield from _describe_singly(dict(zip(group, paths, strict=True)), version=version, services=services))


def _describe_singly(paths: dict[str, str], *, version: str, services: Capabilities) -> Flow[dict[str, Described]]:
    told: dict[str, Described] = {}
    for sobject, path in paths.items():
        told[sobject] = yield from _describe_one(sobject, path)
        if len(told) == 1 and not isinstance(told[sobject], SObject):
            yield from _confirm_served(told, version=version, services=services)
        if not services.has("describe"):
            return dict.fromkeys(paths)
    return told


def _describe_one(sobject: str, path: str) -> Flow[Described]:
    try:
        reply = yield Request(path, SObjectAnswer, "describe", about=f"describe of {sobject}")
    except ApiDisabled:
        raise
    except (ResourceNotFound, QueryRefused, AccessDenied) as error:
        return _unavailable(sobject, error)
    answer: SObjectAnswer = reply.content
    return answer.sobject()


def _described(sobject: str, answer: SubAnswer, path: str) -> Described:
    error = error_of(answer, path, about=f"describe of {sobject}")
    if error is not None:
        return _unavailable(sobject, error)
    try:
        return msgspec.json.decode(answer.body, type=SObjectAnswer).sobject()
    except msgspec.DecodeError as cause:
        return AnswerTorn(f"describe of {sobject}: {cause}", url=path)


def _unavailable(sobject: str, error: SalesforceError) -> SalesforceError:
    """A path that is not there is an object that is not there; other refusals stay what they are."""
    if not isinstance(error, ResourceNotFound):
        return error
    status, code = error.values.get("status"), error.values.get("error_code")
    what = f"{sobject} is off in this org or hidden from this user ({error})"
    return ObjectUnavailable(what, status=status, error_code=code, url=error.values.get("url"))


def _confirm_served(told: dict[str, Described], *, version: str, services: Capabilities) -> Flow[None]:
    """No object came: ask for one that is always there, to tell objects that are off from a path that is not served."""
    proof = told.get(ALWAYS_THERE)
    if proof is None:
        proof = yield from _describe_one(ALWAYS_THERE, _path(ALWAYS_THERE, version))
    if isinstance(proof, SalesforceError) and is_not_served(proof):
        services.refuse("describe")


def _path(sobject: str, version: str) -> str:
    return f"/services/data/v{version}/sobjects/{sobject}/describe"
