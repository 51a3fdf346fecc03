"""Guides for scripts: the same steps with curl, Python and TypeScript. Tests run what is shown."""

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from fastapi import APIRouter, Response

from app.errors import NotFound
from app.languages import noted
from app.web.calls import MEET
from app.web.pages import Route, Shown

routes = APIRouter(route_class=Route, include_in_schema=False)
FILES = {
    "curl": Path(__file__).with_name("guides") / "curl.sh",
    "python": Path(__file__).with_name("guides") / "python.py",
    "typescript": Path(__file__).with_name("guides") / "typescript.ts",
}
TITLES = {"curl": "curl", "python": "Python", "typescript": "TypeScript"}
_MARK = re.compile(r"^(?:#|//): (\w+)\n", re.MULTILINE)


class Step(NamedTuple):
    """What scripts do, whatever they are written in."""

    name: str
    title: str
    text: str


STEPS = (
    Step(
        "token",
        noted("Come in with a token"),
        noted(
            "Whoever administers your unit makes one; it is shown once. Keep it in the environment, not in the script, and ask who you are first."
        ),
    ),
    Step(
        "report",
        noted("Report progress"),
        noted(
            "Reports are appended, never overwritten. An Idempotency-Key is your own name for the request: sent again under it, after a lost answer, it is done once."
        ),
    ),
    Step(
        "batch",
        noted("Send many at once, and go on after a break"),
        noted(
            "Up to 1,000 reports in a call, each answered in its place. With source and external_id a report may be sent again for good: a script that was killed begins anew, and what is there is answered with 200 instead of 201."
        ),
    ),
    Step(
        "read",
        noted("Read the roll-up"),
        noted(
            "The next read has every report. Send the ETag back in If-None-Match: while nothing has moved, the answer is an empty 304."
        ),
    ),
    Step(
        "follow",
        noted("Follow what happens"),
        noted(
            "Every write is an event, without gaps, in the order of commits. Keep next_after and ask from there; or let events/stream send them, or a webhook call you."
        ),
    ),
    Step(
        "errors",
        noted("Decide by the code of an error"),
        noted(
            "Status and code stay; texts are for people and come in your language. After 429 and 503 wait as long as Retry-After says, and send the same again."
        ),
    ),
)


@routes.get("/guides/{name}", dependencies=[MEET])
async def show_guide(name: str, page: Shown) -> Response:
    """One guide."""
    if name not in FILES:
        raise NotFound
    return page.render("guide.html", name=name, titles=TITLES, steps=STEPS, code=snippets(name))


@cache
def snippets(name: str) -> dict[str, str]:
    """What a guide shows, by step."""
    _, *parts = _MARK.split(FILES[name].read_text(encoding="utf-8"))
    return {step: code.rstrip() for step, code in zip(parts[::2], parts[1::2], strict=True)}
