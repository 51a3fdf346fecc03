"""The line that each request leaves in the log."""

import json
import logging
from typing import Any, Literal

import httpx
import pytest
from fastapi import FastAPI

from app.logs import Lines
from tests.conftest import OPERATOR, Clients
from tests.support.institution import API, Institution

CANARY = "canary-5e0c2b71"
FIELDS = {
    "level", "logger", "event", "timestamp", "request_id", "method", "route", "status", "duration_ms",
    "bytes", "actor", "actor_type", "institution", "unit",
}  # fmt: skip

FORMS: tuple[Literal["json", "text"], ...] = ("json", "text")


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    form = Lines("json")
    return [json.loads(form.format(each)) for each in caplog.records if each.name == "app.access"]


async def test_a_line_says_who_asked_for_what(
    clients: Clients, institution: Institution, caplog: pytest.LogCaptureFixture
) -> None:
    reporter = await institution.get("people/reporter")
    with caplog.at_level(logging.INFO):
        answer = await institution.reporter.get(f"{institution.path}/units/{institution.code}")
        await clients.operator.post(f"{institution.path}/units", json={"code": "A", "name": "A"})
        await clients.nobody.get(f"{institution.path}/units")
        await clients.nobody.get("/health/live")
    read, written, refused = lines(caplog)
    assert set(read) == FIELDS
    assert read["request_id"] == answer.headers["x-request-id"]
    assert (read["method"], read["status"]) == ("GET", 200)
    assert read["route"] == f"{API}/institutions/{{institution}}/units/{{unit}}"
    assert read["bytes"] == len(answer.content)
    assert 0 < read["duration_ms"] < 60_000
    assert (read["actor"], read["actor_type"]) == (reporter["id"], "person")
    assert (read["institution"], read["unit"]) == (institution.code, institution.code)
    assert (written["method"], written["status"]) == ("POST", 201)
    assert (written["actor_type"], written["unit"]) == ("operator", None)
    assert (refused["status"], refused["actor"], refused["actor_type"]) == (401, None, None)


async def test_machines_that_ask_again_and_again_are_told_when_debugging(
    clients: Clients, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        await clients.nobody.get("/health/live")
    (line,) = lines(caplog)
    assert (line["level"], line["route"]) == ("debug", "/health/live")


@pytest.mark.parametrize(
    "path",
    [
        f"/institutions/{CANARY}/units/{CANARY}",
        f"/institutions/{CANARY}%20x/units/{CANARY}%1b[31m",
        f"/nowhere/{CANARY}",
        f"/institutions/{CANARY * 6}/people",
        "/me",
    ],
)
async def test_what_is_sent_is_in_no_line(
    app: FastAPI, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    """Nor what is known of who sends it, but their id."""
    headers = {
        "Authorization": f"Bearer {OPERATOR}", "Cookie": f"quickwin={CANARY}", "X-Secret": CANARY,
        "User-Agent": f"{CANARY}@example.org", "Referer": f"https://x/{CANARY}", "X-Request-ID": f"{CANARY}!",
        "Idempotency-Key": CANARY,
    }  # fmt: skip
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://test"
    ) as client:
        with caplog.at_level(logging.DEBUG):
            for method in ("GET", "POST"):
                await client.request(
                    method, f"{API}{path}?key={CANARY}&{CANARY}={CANARY}", headers=headers,
                    json={CANARY: f"{CANARY}@example.org"},
                )  # fmt: skip
    assert len(lines(caplog)) == 2
    ours = [each for each in caplog.records if not each.name.startswith("httpx")]  # the client's
    told = "".join(Lines(form).format(each) for each in ours for form in FORMS)
    assert CANARY not in told
    assert OPERATOR not in told
