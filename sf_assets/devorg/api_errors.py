"""Refusals of the org in Salesforce's words: a status and a list of one error."""

import json
from dataclasses import dataclass

SNIPPET = 60
APPEND_C = (
    "be sure to append the '__c' after the {} name. Please reference your WSDL or the describe call for the appropriate"
    " names."
)


@dataclass(eq=False)
class Refusal(Exception):
    """A refused data call. `fields` is in the body only if it is given."""

    status: int
    error_code: str
    message: str
    fields: tuple[str, ...] = ()

    def body(self) -> bytes:
        error: dict[str, object] = {"message": self.message, "errorCode": self.error_code}
        if self.fields:
            error["fields"] = list(self.fields)
        return json.dumps([error], ensure_ascii=False).encode()


def session_invalid() -> Refusal:
    return Refusal(401, "INVALID_SESSION_ID", "Session expired or invalid")


def session_useless() -> Refusal:
    """Return the 401 that a new login does not cure."""
    return Refusal(401, "INVALID_SESSION_ID", "This session is not valid for use with the REST API")


def auth_header_invalid() -> Refusal:
    return Refusal(401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE")


def api_disabled() -> Refusal:
    return Refusal(403, "API_DISABLED_FOR_ORG", "The REST API is not enabled for this Organization.")


def quota_spent() -> Refusal:
    return Refusal(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")


def too_many_requests() -> Refusal:
    """Return the refusal of a gateway; Salesforce's own table has no 429."""
    return Refusal(429, "TOO_MANY_REQUESTS", "Too many requests.")


def unknown_exception(error: Exception) -> Refusal:
    """Return the refusal for an error of the practice org itself, or of a hook."""
    return Refusal(500, "UNKNOWN_EXCEPTION", f"An unexpected error occurred: {type(error).__name__}: {error}")


def not_found() -> Refusal:
    return Refusal(404, "NOT_FOUND", "The requested resource does not exist")


def query_timeout() -> Refusal:
    return Refusal(400, "QUERY_TIMEOUT", "Your query request was running for too long.")


def too_complicated() -> Refusal:
    message = "Query is either selecting too many fields or the filter conditions are too complicated."
    return Refusal(400, "QUERY_TOO_COMPLICATED", message)


def locator_invalid() -> Refusal:
    return Refusal(400, "INVALID_QUERY_LOCATOR", "invalid query locator")


def method_not_allowed(method: str, allowed: str) -> Refusal:
    return Refusal(405, "METHOD_NOT_ALLOWED", f"HTTP Method '{method}' not allowed. Allowed are {allowed}")


def unsupported(what: str) -> Refusal:
    """Return the refusal of what the practice org does not support.

    A real org may support it.
    """
    return Refusal(400, "PRACTICE_ORG_UNSUPPORTED", f"The practice org does not support {what}; see docs/devorg.md.")


def malformed(message: str) -> Refusal:
    return Refusal(400, "MALFORMED_QUERY", message)


def at_place(soql: str, at: int, message: str) -> str:
    """Return a message under the piece of the statement that it is about.

    A caret marks the place; `at` counts characters from 0.
    """
    start = max(0, at - SNIPPET)
    line = " ".join(soql[start : at + SNIPPET].splitlines())
    return f"\n{line}\n{' ' * (at - start)}^\nERROR at Row:1:Column:{at + 1}\n{message}"


def no_such_column(soql: str, at: int, *, column: str, sobject: str) -> Refusal:
    message = f"No such column '{column}' on entity '{sobject}'. If you are attempting to use a custom field, "
    return Refusal(400, "INVALID_FIELD", at_place(soql, at, message + APPEND_C.format("custom field")))


def no_such_object(soql: str, at: int, *, sobject: str) -> Refusal:
    message = f"sObject type '{sobject}' is not supported. If you are attempting to use a custom object, "
    return Refusal(400, "INVALID_TYPE", at_place(soql, at, message + APPEND_C.format("entity")))


def field_refused(soql: str, at: int, message: str) -> Refusal:
    return Refusal(400, "INVALID_FIELD", at_place(soql, at, message))


def unexpected_token(soql: str, at: int, token: str) -> Refusal:
    message = f"unexpected token: '{token}'" if token else "unexpected token: '<EOF>'"
    return malformed(at_place(soql, at, message))
