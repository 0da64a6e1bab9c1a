"""`POST /composite`: up to 25 GETs in one call, at most five of them queries; each has its own answer."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from sf_assets.errors import AnswerTorn, SalesforceError
from sf_assets.salesforce.capabilities import Capabilities, Feature, is_path_missing, is_trouble
from sf_assets.salesforce.classify import ApiRefusal, refusal_of
from sf_assets.salesforce.wire import Flow, Request


class SubAnswer(msgspec.Struct):
    """The answer to one of the GETs."""

    httpStatusCode: int
    referenceId: str | None = None
    body: msgspec.Raw = msgspec.Raw(b"null")

    def error(self, path: str, *, about: str, soql: str = "") -> SalesforceError | None:
        """Return the error of the answer, or None for a good one."""
        if self.httpStatusCode == 200:
            return None
        request = Request(path, None, "composite", about=about, soql=soql)
        return refusal_of(self.httpStatusCode, self.body).error(request)


class CompositeAnswer(msgspec.Struct):
    """The outer answer: its status is 200 even where GETs inside were refused."""

    compositeResponse: list[SubAnswer]

    def transient_refusal(self) -> ApiRefusal | None:
        """Return the first refusal inside that is worth sending the whole call again, or None."""
        refused = (answer for answer in self.compositeResponse if answer.httpStatusCode != 200)
        refusals = (refusal_of(answer.httpStatusCode, answer.body) for answer in refused)
        return next((refusal for refusal in refusals if refusal.is_transient), None)


Group = tuple[list[SubAnswer], datetime]


def composite(paths: Sequence[str], *, version: str, about: str) -> Flow[Group]:
    """Send the GETs in one call; return their answers and the time of sending."""
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
    response = yield request
    _raise_refusal_of_all(response.content, request)
    answers = {answer.referenceId: answer for answer in response.content.compositeResponse}
    if set(answers) != {entry["referenceId"] for entry in entries}:
        raise AnswerTorn(f"{about}: composite answered {len(answers)} of {len(entries)} requests", url=request.path)
    return [answers[entry["referenceId"]] for entry in entries], response.sent_at


def _raise_refusal_of_all(content: CompositeAnswer, request: Request) -> None:
    """Raise the refusal of the whole call: an answer without a referenceId."""
    for answer in content.compositeResponse:
        if answer.referenceId is None and answer.httpStatusCode != 200:
            raise refusal_of(answer.httpStatusCode, answer.body).error(request)


def composite_if_served(
    paths: Sequence[str], *, version: str, about: str, capabilities: Capabilities, only_way: bool = False
) -> Flow[Group | None]:
    """Send the GETs in one call; return None where composites are not served.

    Unless it is the `only_way`, a composite that is never answered counts as not served too: single GETs are
    smaller, and show which of them is in trouble.
    """
    if not capabilities.has(Feature.COMPOSITE):
        return None
    try:
        group = yield from composite(paths, version=version, about=about)
    except SalesforceError as error:
        if not is_path_missing(error) and (only_way or not is_trouble(error)):
            raise
        capabilities.mark_missing(Feature.COMPOSITE)
        return None
    capabilities.mark_served(Feature.COMPOSITE)
    return group
