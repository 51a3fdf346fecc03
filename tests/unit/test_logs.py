"""Lines of the log: JSON for programs, text for people, and nothing secret in either."""

import json
import logging
import sys
from contextlib import suppress
from datetime import datetime
from io import StringIO
from pathlib import Path

import pytest

from app import logs
from app.logs import Lines
from app.seen import REQUEST_ID
from app.settings import Settings

SECRETS = [
    "qw_0356fuZEoLmjHcZsbC8M9F_ruAW9c2Rg",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "Bearer abc.def",
    "Basic dXNlcjpwYXNz",
    "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
    "postgresql://quickwin:geheim@db/quickwin",
    "https://x/calendar.ics?unit=A&key=geheim",
    "/sign-in/oidc/callback?code=geheim&state=geheim",
    "siti.rahma@kpu.go.id",
]
HIDDEN = {"qw_", "whsec_", "abc", "dXNl", "eyJ", "geheim", "siti"}


@pytest.fixture(autouse=True)
def _no_request() -> None:
    """Nobody's request is served: an earlier test's may have been, in this very task."""
    REQUEST_ID.set(None)


def record(message: object, error: BaseException | None = None) -> logging.LogRecord:
    raised = None if error is None else (type(error), error, error.__traceback__)
    return logging.LogRecord("app.x", logging.WARNING, "", 0, message, None, raised)


@pytest.mark.parametrize("secret", SECRETS)
def test_what_looks_secret_is_hidden(secret: str) -> None:
    for form in ("json", "text"):
        line = Lines(form).format(record(f"before {secret} after"))
        assert "before " in line
        assert " after" in line
        assert "[hidden]" in line
        assert not [each for each in HIDDEN if each in line]


def test_what_does_not_is_not() -> None:
    plain = "request 01a2299b-36d2 from 192.0.2.1: GET /api/v1/institutions/kpu?limit=20, 3 tokens"
    assert logs.redacted(plain) == plain


def test_a_line_says_when_and_whose() -> None:
    token = REQUEST_ID.set("find-me")
    try:
        line = json.loads(Lines("json").format(record("something\nhappened")))
    finally:
        REQUEST_ID.reset(token)
    assert datetime.fromisoformat(line.pop("timestamp")).utcoffset() is not None
    assert line == {
        "event": "something\nhappened", "level": "warning", "logger": "app.x", "request_id": "find-me"
    }  # fmt: skip


def test_an_error_is_told_without_its_message() -> None:
    try:
        raise ValueError(SECRETS[-1])  # noqa: TRY301  as it happens
    except ValueError as error:
        caught = error
    for form in ("json", "text"):
        line = Lines(form).format(record("failed", caught))
        assert "builtins.ValueError" in line
        assert "test_an_error_is_told_without_its_message" in line
        assert "siti" not in line


def test_a_terminal_is_told_nothing_but_text() -> None:
    evil = "a\x1b[2Jb\x9bc"
    for message in (evil, {"event": "request", "unit": evil}):
        line = Lines("text").format(record(message))
        assert "\x1b[2J" not in line
        assert "\x9b" not in line
        assert "a\\x1b[2Jb\\x9bc" in line


def test_the_form_follows_where_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def form(chosen: str) -> str:
        settings = Settings.model_validate({"log_format": chosen})
        return str(logs.configuration(settings)["formatters"]["lines"]["form"])

    for is_terminal in (True, False):
        monkeypatch.setattr(sys.stderr, "isatty", lambda it=is_terminal: it)
        assert form("auto") == ("text" if is_terminal else "json")
        assert (form("json"), form("text")) == ("json", "text")


def test_what_is_logged_is_written_in_whole_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that come with their fields too, past the records that others make."""
    written = StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    monkeypatch.setattr(logs.Stderr, "present", None)
    handler = logs.Stderr()
    handler.setFormatter(Lines("json"))
    handler.handle(record("first"))
    logs.entry(logging.getLogger("app.x"), logging.WARNING, {"event": "second", "number": 2})
    first, second = map(json.loads, written.getvalue().splitlines())
    assert first.pop("timestamp") <= second.pop("timestamp")
    assert first == {"event": "first", "level": "warning", "logger": "app.x"}
    assert second == {"event": "second", "level": "warning", "logger": "app.x", "number": 2}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_log_that_cannot_be_written_is_nobodys_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """A statement that is told as slow, for one, goes on."""
    with Path("/dev/full").open("w", encoding="utf-8", buffering=1) as full:
        monkeypatch.setattr(sys, "stderr", full)
        monkeypatch.setattr(logs.Stderr, "present", None)
        told = logs.Stderr()
        told.setFormatter(Lines("json"))
        told.tell("app.slow", logging.WARNING, {"event": "slow statement"})
        monkeypatch.undo()
        with suppress(OSError):  # what it has not taken yet
            full.close()
