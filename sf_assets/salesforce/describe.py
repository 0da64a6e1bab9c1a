"""Describe sObjects: the fields that this user may read, and the flow that asks for them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from sf_assets.errors import AnswerTorn, ObjectUnavailable, ResourceNotFound, SalesforceError
from sf_assets.errors.redaction import redact
from sf_assets.salesforce.capabilities import (
    OBJECTS_OF_PROOF,
    TROUBLES_IN_A_ROW,
    Capabilities,
    Feature,
    concerns_all,
    concerns_one,
    is_path_missing,
    is_trouble,
)
from sf_assets.salesforce.classify import decode
from sf_assets.salesforce.composite import SubAnswer, composite_if_served
from sf_assets.salesforce.limits import COMPOSITE_REQUESTS, LONGEST_CODE
from sf_assets.salesforce.wire import Flow, Request, in_groups

_OTHER_OBJECT = "Look for a cache between this machine and Salesforce, and keep it from caching /services/data."
ALWAYS_THERE = "User"
"""The sObject that every user of every org may describe."""


@dataclass(frozen=True)
class Field:
    """One field of a describe; names and types as Salesforce spells them."""

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
"""An sObject, the reason why it has no describe, or None where describe is not served."""


class FieldAnswer(msgspec.Struct, rename="camel"):
    """One field in the answer of describe."""

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
        """Return the field; what the answer lacks has its default."""
        values = {name: value for name in _COMMON if (value := getattr(self, name)) is not None}
        if not _API_NAME.fullmatch(self.name):
            values |= {"name": redact(self.name, longest=LONGEST_CODE), "type": NO_NAME}
        return Field(
            **values,
            label=_printable(self.label or ""),
            reference_to=tuple(self.reference_to or ()),
            help=_printable(self.inline_help_text or ""),
        )


_COMMON = ("name", "type", "length", "precision", "scale", "nillable", "calculated", "custom", "filterable", "sortable")


_API_NAME = re.compile(r"[A-Za-z]\w{0,254}", re.ASCII)
NO_NAME = "its name is not an API name"
"""Instead of the type of a field that no query can name; no column has this type, so it is named and not read."""
LONGEST_LABEL = 1_000


def _printable(text: str) -> str:
    """Return a text of the org for descriptions, without control characters and secrets."""
    return redact(text if text.isprintable() else " ".join(text.split()), longest=LONGEST_LABEL)


class SObjectAnswer(msgspec.Struct):
    """The answer of describe; members that are not declared are skipped."""

    name: str
    fields: list[FieldAnswer]
    label: str | None = None

    def sobject(self) -> SObject:
        """Return the sObject; a field that is listed twice counts once."""
        fields = {answer.name: answer.field() for answer in self.fields}
        return SObject(self.name, self.label or "", tuple(fields.values()))


class _Listed(msgspec.Struct):
    name: str


class _ListAnswer(msgspec.Struct):
    """The answer of describe-global."""

    sobjects: list[_Listed]


def describe(sobjects: Sequence[str], *, version: str, capabilities: Capabilities) -> Flow[dict[str, Described]]:
    """Describe each sObject."""
    described: dict[str, Described] = {}
    for group in in_groups(list(sobjects), COMPOSITE_REQUESTS):
        described |= yield from _describe_group(group, version=version, capabilities=capabilities)
    is_doubtful = bool(described) and capabilities.has(Feature.DESCRIBE) and _are_missing(described)
    if is_doubtful and not (yield from _is_served(described, version=version, capabilities=capabilities)):
        return dict.fromkeys(described)
    for sobject in (name for name, value in described.items() if isinstance(value, SObject)):
        capabilities.mark_served(Feature.DESCRIBE, of=sobject)
    return described if capabilities.has(Feature.DESCRIBE) else dict.fromkeys(described)


def _are_missing(described: Mapping[str, Described]) -> bool:
    """Return whether each answer may mean that the org serves no describe."""
    return all(_is_path_missing(value) for value in described.values())


def _describe_group(group: list[str], *, version: str, capabilities: Capabilities) -> Flow[dict[str, Described]]:
    if not capabilities.has(Feature.DESCRIBE):
        return dict.fromkeys(group)
    paths = {sobject: _path(sobject, version) for sobject in group}
    answers = yield from composite_if_served(
        list(paths.values()), version=version, about="describe", capabilities=capabilities
    )
    if answers is None:
        return (yield from _describe_singly(paths, version=version, capabilities=capabilities))
    pairs = zip(paths.items(), answers[0], strict=True)
    described = {sobject: _described(sobject, answer, path) for (sobject, path), answer in pairs}
    if all(isinstance(value, AnswerTorn) for value in described.values()):
        capabilities.mark_missing(Feature.COMPOSITE, is_certain=len(group) > 1)  # what is inside cannot be read
        return (yield from _describe_singly(paths, version=version, capabilities=capabilities))
    return described


def _describe_singly(
    paths: Mapping[str, str], *, version: str, capabilities: Capabilities
) -> Flow[dict[str, Described]]:
    described: dict[str, Described] = {}
    for sobject, path in paths.items():
        described[sobject] = yield from _describe_one(sobject, path)
        is_doubtful = OBJECTS_OF_PROOF == len(described) < len(paths) and _are_missing(described)
        if is_doubtful and not (yield from _is_served(described, version=version, capabilities=capabilities)):
            return dict.fromkeys(paths)
        _raise_general_trouble(described)
    return described


def _raise_general_trouble(described: Mapping[str, Described]) -> None:
    """Raise the last error where none of the last objects had an answer."""
    last = list(described.values())[-TROUBLES_IN_A_ROW:]
    errors = [value for value in last if isinstance(value, SalesforceError) and is_trouble(value)]
    if len(errors) == TROUBLES_IN_A_ROW:
        raise errors[-1]


def _describe_one(sobject: str, path: str) -> Flow[Described]:
    try:
        response = yield Request(path, SObjectAnswer, "describe", about=f"describe of {sobject}")
    except SalesforceError as error:
        if not concerns_one(error):
            raise
        return _unavailable(sobject, error)
    answer: SObjectAnswer = response.content
    return _of_asked(sobject, answer, path)


def _of_asked(sobject: str, answer: SObjectAnswer, path: str) -> Described:
    """Return the sObject, or AnswerTorn where the answer is about another one.

    A cache may have mixed them up. In an org with a namespace the answer has its prefix.
    """
    if answer.name.lower() != sobject.lower() and not answer.name.lower().endswith(f"__{sobject.lower()}"):
        what = f"describe of {sobject}: the answer is about {answer.name[:LONGEST_CODE]}"
        return AnswerTorn(what, remedy=_OTHER_OBJECT, url=path)
    return answer.sobject()


def _described(sobject: str, answer: SubAnswer, path: str) -> Described:
    error = answer.error(path, about=f"describe of {sobject}")
    if error is not None and concerns_all(error):
        raise error
    if error is not None:
        return _unavailable(sobject, error)
    try:
        content, _ = decode(bytes(answer.body), SObjectAnswer)
    except ValueError as cause:
        return AnswerTorn(f"describe of {sobject}: {cause}", url=path)
    return _of_asked(sobject, content, path)


def _unavailable(sobject: str, error: SalesforceError) -> SalesforceError:
    """Return ObjectUnavailable for a path that is not there; other errors stay what they are."""
    if not isinstance(error, ResourceNotFound):
        return error
    status, code = error.values.get("status"), error.values.get("error_code")
    answer = " ".join(str(part) for part in (status, code) if part)
    what = f"{sobject} is off in this org or hidden from this user (describe: {answer})"
    return ObjectUnavailable(what, status=status, error_code=code, url=error.values.get("url"))


def _is_served(described: Mapping[str, Described], *, version: str, capabilities: Capabilities) -> Flow[bool]:
    """Return whether describe is served although none of these objects has one.

    User is an sObject of every real org, and an emulator may list what it has. If both fail, two objects without a
    describe show that the org serves none. One alone may be off, so the next object is asked again.
    """
    proof = described.get(ALWAYS_THERE)
    if proof is None:
        proof = yield from _describe_one(ALWAYS_THERE, _path(ALWAYS_THERE, version))
    if not _is_path_missing(proof) or (yield from _is_listed_one_served(described, version=version)):
        return True
    for sobject in described:
        capabilities.mark_missing_of(sobject, Feature.DESCRIBE)
    return False


def _is_listed_one_served(described: Mapping[str, Described], *, version: str) -> Flow[bool]:
    """Return whether the first other object of the org's own list has a describe."""
    try:
        response = yield Request(
            f"/services/data/v{version}/sobjects", _ListAnswer, "describe", about="the list of objects"
        )
    except SalesforceError as error:
        if not concerns_one(error):
            raise
        return False
    answer: _ListAnswer = response.content
    tried = {*described, ALWAYS_THERE}
    name = next((one.name for one in answer.sobjects if one.name not in tried and _API_NAME.fullmatch(one.name)), None)
    return name is not None and not _is_path_missing((yield from _describe_one(name, _path(name, version))))


def _is_path_missing(value: Described) -> bool:
    return isinstance(value, SalesforceError) and is_path_missing(value)


def _path(sobject: str, version: str) -> str:
    return f"/services/data/v{version}/sobjects/{sobject}/describe"
