"""Takes a client's own secrets out of what a refusal quotes, before anything is made of it."""

from collections.abc import Sequence
from dataclasses import replace

from sf_assets.salesforce.wire import Fault, Reply


def without(answer: Reply | Fault, secrets: Sequence[str]) -> Reply | Fault:
    """The answer with each secret replaced by an ellipsis; a good reply is left as it is, nothing of it is quoted."""
    if isinstance(answer, Fault):
        return replace(answer, text=_replaced(answer.text, secrets))
    if answer.status == 200:
        return answer
    return replace(answer, body=_replaced(answer.body.decode("utf-8", "replace"), secrets).encode())


def _replaced(text: str, secrets: Sequence[str]) -> str:
    for secret in filter(None, secrets):
        text = text.replace(secret, "…")
    return text
