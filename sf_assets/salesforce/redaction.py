"""Takes a client's own secrets out of what a refusal quotes, before anything is made of it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import msgspec

from sf_assets.salesforce.composite import CompositeAnswer
from sf_assets.salesforce.wire import Response, TransportError

T = TypeVar("T")


def without(answer: Response | TransportError, secrets: Sequence[str]) -> Response | TransportError:
    """The answer with each secret replaced by an ellipsis; a good reply is left as it is, nothing of it is quoted."""
    if isinstance(answer, TransportError):
        return replace(answer, text=_replaced(answer.text, secrets))
    if answer.status == 200:
        return answer
    return replace(answer, body=_replaced(answer.body.decode("utf-8", "replace"), secrets).encode())


def without_inside(judged: T, secrets: Sequence[str]) -> T:
    """The same, with each secret replaced in the refusals that a composite's good answer holds."""
    if isinstance(judged, Response) and isinstance(judged.content, CompositeAnswer):
        for answer in judged.content.compositeResponse:
            if answer.httpStatusCode != 200:
                answer.body = msgspec.Raw(_replaced(bytes(answer.body).decode("utf-8", "replace"), secrets).encode())
    return judged


def _replaced(text: str, secrets: Sequence[str]) -> str:
    for secret in filter(None, secrets):
        text = text.replace(secret, "…")
    return text
