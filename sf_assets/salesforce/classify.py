"""Classify an answer: a good one with its content, or a refusal with its row of the error table. Pure."""

import re
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from sf_assets.errors import FieldInvalid, SalesforceError
from sf_assets.salesforce.error_row import LEADS_TO, NO_CODE, Retry, Row
from sf_assets.salesforce.instance_url import host_of
from sf_assets.salesforce.json_text import repair_text
from sf_assets.salesforce.limits import LONGEST_CODE, LONGEST_TEXT
from sf_assets.salesforce.token_errors import row_for
from sf_assets.salesforce.wire import Request, Response, TransportError

# "No such column 'Foo__c' on entity 'Account'. If you are attempting to use a custom field, …"
_NO_SUCH_COLUMN = re.compile(r"No such column '([^']{1,255})' on (?:entity|sobject of type)")
_QUOTED = re.compile(r"['\"`]([A-Za-z]\w{0,254})['\"`]")
_PLACE = re.compile(r"ERROR at Row:\d{1,9}:Column:(\d{1,9})")
_TITLE = re.compile(r"<title[^<>]{0,100}>([^<]{1,200})", re.IGNORECASE)
_CHARSET = re.compile(r"charset\s?=\s?[\"']?(iso-8859-1|latin-?1|windows-1252|cp1252)\b", re.IGNORECASE)
HEAD_BYTES = 20_000
"""Bytes of a foreign body that are looked at."""
LONGEST_PLAIN = 300
"""Bytes of a plain text that a message quotes."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class ApiRefusal:
    """A refused request: its row of the error table, and the status, code and text of the answer."""

    row: Row
    status: int
    code: str
    text: str
    fields: tuple[str, ...] = ()

    @property
    def is_transient(self) -> bool:
        """Whether the request is worth sending again after a pause."""
        return self.row.retry in (Retry.FAULT, Retry.PUSHBACK)

    def error(self, request: Request, *, after: str = "", attempts: int = 1) -> SalesforceError:
        """Return the error to raise; `after` describes the attempts for the message."""
        answer = " ".join(word for word in (str(self.status or ""), self.code) if word)
        about = f"{request.about}: " if request.about else ""
        what = f"{about}{answer}: {self.text}" if self.text else f"{about}{answer}"
        values: dict[str, object] = {"status": self.status, "error_code": self.code, "url": request.bare_path}
        values["attempts"] = attempts
        if issubclass(self.row.error, FieldInvalid):
            values["columns"] = self.fields or _columns_in(self.text)
        place = f" ({request.method} {request.bare_path}{after})"
        query = f", asked for {request.soql[:LONGEST_TEXT]}" if request.soql else ""
        return self.row.error(what + place + query, remedy=self.row.remedy, **values)


def _columns_in(text: str) -> tuple[str, ...]:
    return tuple(_NO_SUCH_COLUMN.findall(text) or _QUOTED.findall(text))


class _Complaint(msgspec.Struct):
    """One entry of the list that the refusal of a data call consists of."""

    errorCode: str | None = NO_CODE
    message: str | None = ""
    fields: list[str] | None = None


class _TokenComplaint(msgspec.Struct):
    """The object that a refused login consists of."""

    error: str
    error_description: str | None = ""


def classify(request: Request, answer: Response | TransportError) -> Response | ApiRefusal:
    """Return the answer with its content decoded, or the refusal."""
    is_login = request.kind == "login"
    if isinstance(answer, TransportError):
        row = row_for(0, answer.kind, answer.text, is_login=is_login)
        return ApiRefusal(row, 0, answer.kind, answer.text[:LONGEST_TEXT])
    if answer.status == 204 and request.method == "DELETE":
        return answer
    if answer.status != 200:
        return refusal_of(answer.status, answer.body, is_login=is_login, location=answer.headers.get("location"))
    try:
        content, repaired = _content(answer, request.shape)
    except ValueError as error:
        refusal = refusal_of(answer.status, answer.body, is_login=is_login)
        if refusal.code:
            return refusal
        text = f"not what was asked for ({_kind_of(answer.body)}): {error}"
        return ApiRefusal(row_for(200, NO_CODE, text, is_login=is_login), 200, NO_CODE, text[:LONGEST_TEXT])
    return replace(answer, content=content, repaired=repaired)


def _content(answer: Response, shape: Any) -> tuple[Any, int]:
    """Return the content of a good answer, and the number of its repaired characters."""
    if shape is not bytes:
        return decode(_as_utf8(answer), shape)
    if answer.body[:HEAD_BYTES].lstrip().startswith(b"<"):
        raise ValueError("a web page")
    return None, 0


def _as_utf8(answer: Response) -> bytes:
    """Return the body as UTF-8; an org or a gateway may declare Latin-1 in `Content-Type`."""
    declared = _CHARSET.search(answer.headers.get("content-type", "")[:LONGEST_CODE])
    if declared is None or answer.body.isascii() or "\ufffd" not in answer.body.decode("utf-8", "replace"):
        return answer.body
    return answer.body.decode("cp1252", "replace").encode()


def decode(body: bytes, shape: Any) -> tuple[Any, int]:
    """Decode JSON; return the value and the number of characters that became U+FFFD.

    Salesforce cuts texts between the halves of an emoji, and some gateways send bytes that are not UTF-8.
    Raises: ValueError for anything that is not JSON of this shape, also for nesting that is too deep.
    """
    body = body.removeprefix(_BYTE_ORDER_MARK)
    try:
        _ = body.isascii() or body.decode()  # msgspec does not check the bytes of what stays raw
        return _strict(body, shape), 0
    except ValueError as error:
        repaired, characters = repair_text(body)
        if not characters:
            raise ValueError(str(error)) from None  # a UnicodeDecodeError holds the body
        return _strict(repaired, shape), characters


def _strict(body: bytes, shape: Any) -> Any:
    try:
        return msgspec.json.decode(body, type=shape)
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError, OverflowError) as error:
        raise ValueError(str(error)[:LONGEST_TEXT]) from None


def refusal_of(
    status: int, body: bytes | msgspec.Raw, *, is_login: bool = False, location: str | None = None
) -> ApiRefusal:
    """Return the refusal that a status and body mean.

    The body is that of a whole answer, or of one inside a composite."""
    complaint = _token_complaint(bytes(body)) if is_login else _complaint(bytes(body))
    code = (complaint.errorCode or NO_CODE)[:LONGEST_CODE]
    text = _sentence((complaint.message or "")[:LONGEST_TEXT]) or _kind_of(bytes(body))
    if location is not None:
        text = f"{LEADS_TO} {_target(location)}"
    is_refused_with_200 = status < 300 and code  # some gateways answer 200 and put the refusal into the body
    row = row_for(400 if is_refused_with_200 else status, code, text, is_login=is_login)
    fields = tuple(name[:LONGEST_CODE] for name in (complaint.fields or ())[:LONGEST_CODE])
    return ApiRefusal(row, status, code, text, fields)


def _target(location: str) -> str:
    """Return where a redirect leads: a host, or a path of this host."""
    if location.startswith("/") and not location.startswith("//"):
        return f"{location.partition('?')[0][:LONGEST_CODE]} of the same host"
    return host_of(location)


def _sentence(message: str) -> str:
    r"""Return a message with the error first.

    Salesforce puts three lines with the place in the SOQL before it:
    "\nSELECT Id, Foo__c FROM Account\n           ^\nERROR at Row:1:Column:12\nNo such column …"
    """
    place = _PLACE.search(message)
    near, caret, rest = message[: place.start() if place else 0].rpartition("^")
    what = message[place.end() :].strip() if place else ""
    if not place or not caret or rest.strip() or not what:
        return message.strip()
    return f"{what} (column {place[1]}, near: {' '.join(near.split())})"


def _complaint(body: bytes) -> _Complaint:
    decoded = _lenient(body, list[_Complaint] | _Complaint)
    return (decoded[0] if decoded else _Complaint()) if isinstance(decoded, list) else decoded or _Complaint()


def _token_complaint(body: bytes) -> _Complaint:
    decoded = _lenient(body, _TokenComplaint)
    if decoded is None:
        return _complaint(body)
    return _Complaint(decoded.error, decoded.error_description or decoded.error)


def _lenient(body: bytes, shape: Any) -> Any:
    try:
        return decode(body, shape)[0]
    except ValueError:
        return None


def _kind_of(body: bytes) -> str:
    """Describe a body that is not Salesforce's JSON.

    The description has its kind, the title of a page, or a short text."""
    head = body[:HEAD_BYTES].decode("utf-8", "replace").strip()
    if not head:
        return "an empty body"
    if not head.startswith("<"):
        is_text = len(body) <= LONGEST_PLAIN and head.isprintable() and head[0] not in "[{"
        return f"{head!r}" if is_text else f"a foreign body of {len(body):,} bytes"
    if head.startswith("<?xml"):
        return f"XML of {len(body):,} bytes"
    title = _TITLE.search(head)
    about = f" with the title {' '.join(title[1].split())!r}" if title else ""
    maintenance = " about maintenance" if "maintenance" in head.lower() else ""
    return f"HTML of {len(body):,} bytes{about}{maintenance}"
