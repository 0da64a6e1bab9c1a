"""`POST /composite`: up to 25 GETs in one call, of which at most five are queries; each answers for itself."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from sf_assets.errors import (
    AccessDenied,
    AnswerTorn,
    ApiDisabled,
    OrgBusy,
    QueryRefused,
    ResourceNotFound,
    SalesforceError,
)
from sf_assets.salesforce.classify import ApiRefusal, refusal_of
from sf_assets.salesforce.wire import Capabilities, Flow, Request

DESCRIBES = 25
QUERIES = 5


class SubAnswer(msgspec.Struct):
    """The answer to one of the GETs."""

    httpStatusCode: int
    referenceId: str
    body: msgspec.Raw = msgspec.Raw(b"null")


class CompositeAnswer(msgspec.Struct):
    """The outer answer: its status is 200 even where GETs inside were refused."""

    compositeResponse: list[SubAnswer]

    def transient(self) -> ApiRefusal | None:
        """The first refusal inside for which the whole call is worth sending again."""
        refused = (answer for answer in self.compositeResponse if answer.httpStatusCode != 200)
        refusals = (refusal_of(answer.httpStatusCode, answer.body) for answer in refused)
        return next((refusal for refusal in refusals if refusal.is_transient), None)


Group = tuple[list[SubAnswer], datetime]


def composite(paths: Sequence[str], *, version: str, about: str) -> Flow[Group]:
    """Send the GETs in one call; their answers in the same order, and when the call was sent."""
    entries = [{"method": "GET", "url": path, "referenceId": f"r{number}"} for number, path in enumerate(paths)]
    request = Request(
        f"/services/data/v{version}/composite",
        CompositeAnswer,
        "composite",
        method="POST",
        body=msgspec.json.encode({"compositeRequest": entries}),
        content_type="application/json",
        about=about,
    )
    reply = yield request
    told = {answer.referenceId: answer for answer in reply.content.compositeResponse}
    if set(told) != {entry["referenceId"] for entry in entries}:
        raise AnswerTorn(f"{about}: composite answered {len(told)} of {len(entries)} requests", url=request.path)
    return [told[entry["referenceId"]] for entry in entries], reply.sent_at


def composite_if_served(
    paths: Sequence[str], *, version: str, about: str, services: Capabilities, only_way: bool = False
) -> Flow[Group | None]:
    """The answers, or None where this org or gateway does not take composites (noted, and not tried again).

    Unless it is the `only_way`, one whose answer never comes whole counts as not taken too.
    """
    if not services.has("composite"):
        return None
    try:
        return (yield from composite(paths, version=version, about=about))
    except SalesforceError as error:
        if not is_not_served(error) and (only_way or not _never_came(error)):
            raise
    services.refuse("composite")
    return None


def is_not_served(error: SalesforceError) -> bool:
    """Whether an error of a whole call says that the path is not served: 404, 405, 400, 403 for want of a feature."""
    return isinstance(error, ResourceNotFound | QueryRefused | AccessDenied) and not isinstance(error, ApiDisabled)


def _never_came(error: SalesforceError) -> bool:
    """Whether no try brought a composite's answer: its GETs one by one are smaller, and say more of the org."""
    return isinstance(error, AnswerTorn) or (isinstance(error, OrgBusy) and error.values.get("status") == 500)


def error_of(answer: SubAnswer, path: str, *, about: str, soql: str = "") -> SalesforceError | None:
    """The error that the answer to one GET means, or None for a good one."""
    if answer.httpStatusCode == 200:
        return None
    return refusal_of(answer.httpStatusCode, answer.body).error(
        Request(path, None, "composite", about=about, soql=soql)
    )
