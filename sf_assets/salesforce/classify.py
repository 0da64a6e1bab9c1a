"""What the client makes of one answer: good, or a row of the table of refusals with what the answer said. Pure."""

import re
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from sf_assets.errors import FieldInvalid, SalesforceError
from sf_assets.salesforce.error_table import NO_CODE, Retry, Row, row_for
from sf_assets.salesforce.instance_url import host_of
from sf_assets.salesforce.wire import Request, Response, TransportError

LONGEST_TEXT = 4000
# "No such column 'Foo__c' on entity 'Account'. If you are attempting to use a custom field, …"
_NO_SUCH_COLUMN = re.compile(r"No such column '([^']{1,255})' on (?:entity|sobject of type)")

_QUOTED = re.compile(r"['\"`]([A-Za-z]\w{0,254})['\"`]")
# "\nSELECT Id, Foo__c FROM Account\n           ^\nERROR at Row:1:Column:12\nNo such column …"
_CARET_BLOCK = re.compile(
    r"\s*(?P<near>.*?)\s*\^\s*ERROR at Row:(\d+):Column:(?P<column>\d+)\s*(?P<what>.+)", re.DOTALL
)
_MARK = b"\xef\xbb\xbf"
"""Some gateways begin UTF-8 with it."""


@dataclass(frozen=True)
class ApiRefusal:
    """Why an answer is no good: the row of the table, and the answer's own words."""

    row: Row
    status: int
    code: str
    text: str
    fields: tuple[str, ...] = ()

    @property
    def is_transient(self) -> bool:
        return self.row.retry in (Retry.FAULT, Retry.PUSHBACK)

    def error(self, request: Request, *, after: str = "", attempts: int = 1) -> SalesforceError:
        """The error to raise; its message names the request without any secret, `after` says what was tried.

        `attempts`: how often the request was sent.
        """
        said = " ".join(word for word in (str(self.status or ""), self.code) if word)
        about = f"{request.about}: " if request.about else ""
        what = f"{about}{said}: {self.text}" if self.text else f"{about}{said}"
        values: dict[str, object] = {"status": self.status, "error_code": self.code, "url": request.bare_path}
        values["attempts"] = attempts
        if issubclass(self.row.error, FieldInvalid):
            found = _NO_SUCH_COLUMN.findall(self.text) or _QUOTED.findall(self.text)
            values["columns"] = self.fields or tuple(found)
        place = f" ({request.method} {request.bare_path}{after})"
        asked = f", asked for {request.soql[:LONGEST_TEXT]}" if request.soql else ""
        return self.row.error(what + place + asked, remedy=self.row.remedy, **values)


class _Complaint(msgspec.Struct):
    """One entry of the list that a data call's refusal consists of."""

    errorCode: str = NO_CODE
    message: str = ""
    fields: list[str] | None = None


class _TokenComplaint(msgspec.Struct):
    """The object that a refused login consists of."""

    error: str
    error_description: str = ""


def classify(request: Request, answer: Response | TransportError) -> Response | ApiRefusal:
    """The reply with its content decoded, or why it is none."""
    is_login = request.kind == "login"
    if isinstance(answer, TransportError):
        return ApiRefusal(row_for(0, answer.kind, answer.text, is_login=is_login), 0, answer.kind, answer.text)
    if answer.status != 200:
        return refusal_of(answer.status, answer.body, is_login=is_login, location=answer.headers.get("location"))
    try:
        return replace(answer, content=msgspec.json.decode(answer.body.removeprefix(_MARK), type=request.shape))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        text = f"not the JSON that was asked for ({_kind_of(answer.body)}): {error}"
        return ApiRefusal(row_for(200, NO_CODE, text, is_login=is_login), 200, NO_CODE, text)


def refusal_of(
    status: int, body: bytes | msgspec.Raw, *, is_login: bool = False, location: str | None = None
) -> ApiRefusal:
    """The refusal that a status and body mean, of a whole answer or of one answer inside a composite."""
    complaint = _token_complaint(bytes(body)) if is_login else _complaint(bytes(body))
    text = _sentence(complaint.message) or _kind_of(bytes(body))
    if location is not None:
        text = f"leads to {host_of(location)}"
    row = row_for(status, complaint.errorCode, text, is_login=is_login)
    return ApiRefusal(row, status, complaint.errorCode, text[:LONGEST_TEXT], tuple(complaint.fields or ()))


def _sentence(message: str) -> str:
    """The message with what is wrong first: Salesforce shows the place in the SOQL, over three lines, before it."""
    found = _CARET_BLOCK.fullmatch(message)
    if found is None:
        return message.strip()
    return f"{found['what'].strip()} (column {found['column']}, near: {' '.join(found['near'].split())})"


def _complaint(body: bytes) -> _Complaint:
    told = _decoded(body, list[_Complaint] | _Complaint)
    return (told[0] if told else _Complaint()) if isinstance(told, list) else told or _Complaint()


def _token_complaint(body: bytes) -> _Complaint:
    told = _decoded(body, _TokenComplaint)
    return _Complaint(told.error, told.error_description or told.error) if told else _Complaint()


def _decoded(body: bytes, shape: Any) -> Any:
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _kind_of(body: bytes) -> str:
    if not body.strip():
        return "an empty body"
    kind = "HTML" if body.lstrip().startswith(b"<") else "a foreign body"
    return f"{kind} of {len(body):,} bytes"
