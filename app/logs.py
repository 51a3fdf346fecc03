"""Logs: lines on stderr, JSON for programs and text on a terminal, and nothing secret in them.

Everything that is logged comes this way, what libraries say too: from the loggers of `logging`, by
structlog's processors. A line that has its fields already (`entry`) goes straight to the end.
"""

import json
import logging
import re
import sys
import traceback
from contextlib import nullcontext, suppress
from typing import Any, ClassVar, Literal, TextIO

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger

from app.seen import REQUEST_ID
from app.settings import Settings

_HIDDEN = "[hidden]"
_SECRETS = re.compile(
    r"""
      \b(?:qw|whsec)_[\w+/=-]{8,}                  # tokens and webhooks' secrets of ours
    | (?<=\bBearer\ )\S+ | (?<=\bBasic\ )\S+
    | (?<![\w-])eyJ[\w-]{8,}+\.[\w-]++\.[\w-]*      # JWTs
    | (?<=://)[^/@\s:]*:[^/@\s]*(?=@)              # a user and a password in an address
    | (?<=[?&])(?:key|code|state|token|[a-z_]*(?:secret|password|token|signature))=[^&\s"']*
    | (?<![\w.+-])[\w.+-]++@[\w-]+\.[\w.-]+          # e-mail
    """,
    re.VERBOSE | re.IGNORECASE,
)
_UNPRINTABLE = {code: f"\\x{code:02x}" for code in (*range(9), *range(11, 32), *range(127, 160))}
"""What could tell a terminal to do something; tabs and new lines stay."""


def configuration(chosen: Settings) -> dict[str, Any]:
    """For `logging.config.dictConfig`: of this process, and of those that it starts."""
    is_json = chosen.log_format == "json" or (
        chosen.log_format == "auto" and not sys.stderr.isatty()
    )
    level = chosen.log_level.upper()
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": "app.logs.Lines", "form": "json" if is_json else "text"}},
        "handlers": {"stderr": {"class": "app.logs.Stderr", "formatter": "lines"}},
        # Libraries tell addresses with their queries below this level.
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {name: {"level": level} for name in ("app", "uvicorn")},
    }


def entry(logger: logging.Logger, level: int, fields: EventDict) -> None:
    """Log an event by its fields, of which the caller knows that they are fit to be told.

    Each request does: where the log is ours, no record is made for handlers that are not there.
    """
    if Stderr.present is None:
        logger.handle(logging.LogRecord(logger.name, level, "", 0, fields, None, None))
    else:
        Stderr.present.tell(logger.name, level, fields)


def places(error: BaseException) -> str:
    """Where an error came from, cause first: places and types.

    Never its message, which may hold what a client sent, or a password of ours.
    """
    kind = f"{type(error).__module__}.{type(error).__qualname__}"
    own = f"{''.join(traceback.format_tb(error.__traceback__))}{kind}"
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return own if cause is None else f"{places(cause)}\n{own}"


def redacted(text: str) -> str:
    """A text without what looks like a token, a password, a signed address or an e-mail address."""
    return _SECRETS.sub(_HIDDEN, text)


class Lines(ProcessorFormatter):
    """Makes a line of whatever is logged."""

    def __init__(self, form: Literal["json", "text"]) -> None:
        self._last: list[Processor] = (
            [structlog.processors.JSONRenderer(lambda event, **_: _ENCODE(event))]
            if form == "json"
            else [_printable, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
        )
        super().__init__(
            foreign_pre_chain=[_ADD_TIME, _add_level, _add_request, _without_secrets],
            processors=[ProcessorFormatter.remove_processors_meta, *self._last],
        )

    def format(self, record: logging.LogRecord) -> str:
        """One line, or for a terminal several."""
        if not isinstance(record.msg, dict):
            return super().format(record)
        return self.line(record.name, record.levelno, record.msg)

    def line(self, name: str, level: int, fields: EventDict) -> str:
        """An event by its fields."""
        event = {"level": _LEVELS[level], "logger": name, **fields}
        line: Any = _ADD_TIME(None, "", event)
        for process in self._last:
            line = process(None, "", line)
        return str(line)


class Stderr(logging.StreamHandler[TextIO]):
    """Writes the process's log."""

    present: ClassVar["Stderr | None"] = None
    """That of this process, once it is configured."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)
        Stderr.present = self

    def tell(self, name: str, level: int, fields: EventDict) -> None:
        """Write an event, as `emit` would its record."""
        assert isinstance(self.formatter, Lines)  # noqa: S101  as configured above
        # A full disk behind the log, or a reader of it that is gone, ends nobody's work.
        with self.lock or nullcontext(), suppress(OSError):
            self.stream.write(self.formatter.line(name, level, fields) + "\n")
            self.stream.flush()


_ENCODE = json.JSONEncoder(default=repr, check_circular=False).encode
_LEVELS = {level: name.lower() for name, level in logging.getLevelNamesMapping().items()}
_ADD_TIME = structlog.processors.TimeStamper(fmt="iso", utc=True)


def _add_level(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    record: logging.LogRecord = event["_record"]
    return {"level": record.levelname.lower(), "logger": record.name, **event}


def _add_request(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    request_id = REQUEST_ID.get()
    return event if request_id is None else {"request_id": request_id, **event}


def _without_secrets(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    event["event"] = redacted(event["event"])
    error = event.pop("exc_info", None)
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["exception"] = places(error)
    return event


def _printable(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return {
        name: value.translate(_UNPRINTABLE) if isinstance(value, str) else value
        for name, value in event.items()
    }
