"""One row of the table of refusals, and what the client does about it."""

from dataclasses import dataclass
from enum import Enum

from sf_assets.errors import SalesforceError


class Retry(Enum):
    """What the client does about a refusal before it raises the error."""

    NEVER = "never"
    FAULT = "after a growing pause with jitter"
    PUSHBACK = "at a lower rate, after Retry-After"
    LOGIN = "once, after a new login, if the token had worked before"


@dataclass(frozen=True)
class Row:
    """One refusal: `status` and `code` (None: any) and, where one code has two meanings, a piece of its text.

    `attempts` bounds the sendings of one request; None leaves them to the bound in time. `source` names the page or
    report that the row rests on.
    """

    status: int | range | None
    code: str | frozenset[str] | None
    error: type[SalesforceError]
    retry: Retry = Retry.NEVER
    attempts: int | None = None
    text: str | None = None
    when: str = ""
    remedy: str | None = None
    source: str = ""

    def fits(self, status: int, code: str, text: str) -> bool:
        """Return whether the row is about this refusal."""
        status_range = self.status if isinstance(self.status, range) else (self.status,)
        has_status = self.status is None or status in status_range
        has_code = self.code is None or code == self.code or (isinstance(self.code, frozenset) and code in self.code)
        return has_status and has_code and (self.text is None or self.text.lower() in text.lower())


NO_CODE = ""
"""The code of an answer without Salesforce's JSON: a page of HTML, or nothing."""

LEADS_TO = "leads to"
"""How the text of a redirect begins; a 3xx without `Location` has another text."""

# Sources of the rows
REST = "REST guide, Status Codes"
CODES = "partner WSDL 48.0, ExceptionCode"
STATUS_CODES = "partner WSDL 48.0, StatusCode"
LIMITS = "Limits guide, API requests"
OAUTH = "Help, OAuth flow errors"
HTTP = "RFC 9110"
OWN = "the client's transport"
