"""Redaction of a run's log, at the one place that each message, event and traceback of a run passes.

Dagster sends all of them through the handlers and loggers of the run's log manager: lines of `context.log`, metadata,
check results, failures with their tracebacks. From there they reach the event storage, the console and the compute log.
"""

import logging
from typing import Any

import dagster as dg
from dagster._core.log_manager import LOG_RECORD_EVENT_ATTR, LOG_RECORD_METADATA_ATTR

from sf_assets.errors.redaction import hide_secrets


class RunLogFilter(logging.Filter):
    """A filter that removes secrets from a record of Dagster, its event included."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the record; every record passes."""
        record.msg, record.args = hide_secrets(record.getMessage()), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = hide_secrets(record.exc_text)
        _redact_event(record)
        return True


def redact_run_log(log: Any) -> None:
    """Redact what a run logs from now on. `log`: the log manager of any resource or step of the run.

    Dagster has no public way to filter events. The managers of a run's steps share these handlers and loggers.
    """
    handler = getattr(log, "_dagster_handler", None)
    for sink in (*getattr(handler, "_handlers", ()), *getattr(handler, "_loggers", ())):
        if not any(isinstance(one, RunLogFilter) for one in sink.filters):
            sink.addFilter(RunLogFilter())


def _redact_event(record: logging.LogRecord) -> None:
    values = getattr(record, LOG_RECORD_METADATA_ATTR, None)
    if values is None:
        return
    values["orig_message"] = hide_secrets(values["orig_message"])
    if event := values["dagster_event"]:
        values["dagster_event"] = _without_secrets(event)
        setattr(record, LOG_RECORD_EVENT_ATTR, values["dagster_event"])


def _without_secrets(event: dg.DagsterEvent) -> dg.DagsterEvent:
    text = dg.serialize_value(event)
    visible = hide_secrets(text)
    return event if visible == text else dg.deserialize_value(visible, dg.DagsterEvent)
