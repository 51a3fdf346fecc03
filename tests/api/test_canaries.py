"""Secrets stay where they belong: they are in no log, no event and no problem."""

import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr, ValidationError
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.services import tokens
from app.settings import Settings
from tests.conftest import OPERATOR
from tests.support.institution import API, Institution
from tests.support.postgres import free_port
from tests.support.server import environment

CANARY = "canary-0c5f9d2b7e"


def fail_with_a_message(_: Session, *__: object) -> None:
    raise RuntimeError(CANARY)


def fail_in_a_chain(_: Session, *__: object) -> None:
    try:
        raise ValueError(CANARY)  # noqa: TRY301  a cause
    except ValueError as error:
        raise KeyError(CANARY) from error


def fail_in_the_database(session: Session, *_: object) -> None:
    session.execute(text("SELECT * FROM nothing WHERE secret = :secret"), {"secret": CANARY})


@pytest.mark.parametrize("verb", [fail_with_a_message, fail_in_a_chain, fail_in_the_database])
async def test_an_error_is_logged_without_its_message(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, verb: Any
) -> None:
    monkeypatch.setattr(tokens, "me", verb)
    headers = {"Authorization": f"Bearer {OPERATOR}", "X-Secret": CANARY}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        with caplog.at_level(logging.DEBUG):
            answer = await client.get(f"{API}/me", headers=headers)
    assert answer.status_code in (500, 503)
    assert answer.json()["request_id"] in caplog.text
    assert verb.__name__ in caplog.text  # the place is there
    for told in (answer.text, caplog.text):
        assert CANARY not in told
        assert OPERATOR not in told


async def test_a_token_is_in_its_answer_alone(
    institution: Institution, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        made = await institution.post("tokens", {"person": "reporter", "name": "new"})
        events = await institution.get("events", limit=200)
        listed = await institution.get("tokens")
    assert made["token"].startswith("qw_")
    for told in (str(events), str(listed), caplog.text):
        assert made["token"] not in told


@pytest.mark.parametrize(
    "url", ["postgresql://u:{}@127.0.0.1:{}/x", "{}://u:{}@x:{}", "postgresql://u:{}@127.0.0.1:p{}/x"]
)  # fmt: skip
def test_the_password_of_the_database_is_not_printed(tmp_path: Path, url: str) -> None:
    given = url.replace("{}://", "mysql://").format(CANARY, free_port())
    done = subprocess.run(
        [sys.executable, "-m", "app", "db", "upgrade"], cwd=tmp_path,
        env=environment(given, None), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert CANARY not in done.stdout + done.stderr


def test_settings_do_not_show_their_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"postgresql://u:{CANARY}@x/y"
    shown = Settings(
        database_url=url, admin_token=SecretStr(CANARY * 2), cursor_key=SecretStr(CANARY),
        rate_limit_storage=SecretStr(f"redis://:{CANARY}@x"),
    )  # fmt: skip
    assert CANARY not in repr(shown)
    monkeypatch.setenv("QUICKWIN_ADMIN_TOKEN", CANARY)  # too short
    with pytest.raises(ValidationError) as refused:
        Settings()
    assert CANARY not in str(refused.value)
