"""When the client tries again, against a server that misbehaves: never where it could do harm."""

import inspect
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
import tenacity

from app.client import (
    AsyncQuickwin,
    NotUnderstood,
    Quickwin,
    RateLimited,
    Refused,
    StaleVersion,
    Unavailable,
    Unreachable,
    failures,
    retries,
)
from app.client.retries import Patience
from tests.support.scripted import BREAK_OFF, Answer, Scripted, problem, scripted

TOKEN = "qw_of_the_tests"
MISSING = object()
UPDATE = {
    "id": "01a20ed8-8524-77a2-bfd4-32a5239ab478", "initiative": "QW-1", "milestone": 1,
    "percent_complete": 60.0, "previous_percent": 0.0, "effective_on": "2022-11-30", "note": None,
    "evidence": [], "source": None, "external_id": None, "reported_by": "r",
    "reported_at": "2026-11-24T18:36:40Z", "verification": "reported", "verified_by": None,
    "verified_at": None, "verification_note": None, "of_a_later_release": [1],
}  # fmt: skip
ROLLUPS = Answer(200, {"items": []})
TAKEN = Answer(201, UPDATE)
GONE = Answer(204, b"")
DATABASE_AWAY = problem(503, "database_unavailable", Retry_After="0")
OUTCOME_UNKNOWN = problem(503, "outcome_unknown", Retry_After="0")
TOO_MANY = problem(429, "rate_limited", Retry_After="0")
PROXY = Answer(502, b"<html>", {"Content-Type": "text/html"})

Operation = Callable[[Any], Any]
Ask = Callable[[Operation], Awaitable[Any]]


def read(quickwin: Any) -> Any:
    return quickwin.rollup_children("32")


def report(quickwin: Any) -> Any:
    return quickwin.report("QW-1", 1, 60)


def put(quickwin: Any) -> Any:
    return quickwin.put_initiative("QW-1", {"title": "T"})


def change(quickwin: Any) -> Any:
    return quickwin.change_initiative("QW-1", {"title": "T"})


def remove(quickwin: Any) -> Any:
    return quickwin.delete_initiative("QW-1", reason="R")


@pytest.fixture(scope="module")
def server() -> Iterator[Scripted]:
    with scripted() as server:
        yield server


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "_backoff", tenacity.wait_random_exponential(0.001, max=0.01))


@pytest.fixture(params=["plain", "waiting"])
async def ask(request: pytest.FixtureRequest, server: Scripted) -> Ask:
    """Asks by a new client of each kind."""

    async def ask(operation: Operation) -> Any:
        if request.param == "plain":
            with Quickwin(server.url, TOKEN, "kpu") as quickwin:
                return operation(quickwin)
        async with AsyncQuickwin(server.url, TOKEN, "kpu") as waiting:
            answer = operation(waiting)
            assert inspect.isawaitable(answer)
            return await answer

    return ask


@pytest.mark.parametrize(
    "trouble", [BREAK_OFF, DATABASE_AWAY, OUTCOME_UNKNOWN, TOO_MANY, PROXY], ids=str
)
@pytest.mark.parametrize(("operation", "answer"), [(read, ROLLUPS), (report, TAKEN)])
async def test_what_has_one_effect_is_sent_until_it_is_answered(
    server: Scripted, ask: Ask, operation: Operation, answer: Answer, trouble: Answer
) -> None:
    server.play(trouble, trouble, answer)
    await ask(operation)
    assert len(server.asked) == 3
    first = server.asked[0]
    assert all((a.path, a.body) == (first.path, first.body) for a in server.asked)
    keys = {asked.headers.get("Idempotency-Key") for asked in server.asked}
    assert len(keys) == 1
    assert (keys == {None}) is (first.method == "GET")


@pytest.mark.parametrize("trouble", [BREAK_OFF, OUTCOME_UNKNOWN, PROXY], ids=str)
@pytest.mark.parametrize("operation", [change, remove])
async def test_a_change_that_may_have_been_made_is_not_sent_again(
    server: Scripted, ask: Ask, operation: Operation, trouble: Answer
) -> None:
    server.play(trouble)
    with pytest.raises((Unreachable, Unavailable, NotUnderstood)) as caught:
        await ask(operation)
    assert len(server.asked) == 1
    assert getattr(caught.value, "was_sent", True)


@pytest.mark.parametrize("trouble", [DATABASE_AWAY, TOO_MANY], ids=str)
async def test_a_change_that_was_not_made_is_sent_again(
    server: Scripted, ask: Ask, trouble: Answer
) -> None:
    server.play(trouble, GONE)
    await ask(remove)
    assert [(a.method, a.headers["If-Match"]) for a in server.asked] == [("DELETE", "*")] * 2
    assert server.asked[0].path.endswith("?reason=R")


async def test_a_put_is_sent_again_unless_it_names_a_version(server: Scripted, ask: Ask) -> None:
    server.play(BREAK_OFF, problem(404, "not_found"))
    with pytest.raises(Refused):
        await ask(put)
    assert len(server.asked) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 412, 422, 500])
async def test_what_will_not_change_is_not_sent_again(
    server: Scripted, ask: Ask, status: int
) -> None:
    server.play(problem(status, "some_code"))
    with pytest.raises(Refused) as caught:
        await ask(read)
    assert (caught.value.status, caught.value.code) == (status, "some_code")
    assert isinstance(caught.value, StaleVersion) is (status == 412)
    assert len(server.asked) == 1


async def test_it_waits_as_long_as_it_is_told(server: Scripted, ask: Ask) -> None:
    server.play(problem(429, "rate_limited", Retry_After="1"), ROLLUPS)
    began = time.monotonic()
    await ask(read)
    assert 1.0 <= time.monotonic() - began < 2.0


async def test_it_does_not_wait_longer_than_its_patience(server: Scripted, ask: Ask) -> None:
    server.play(problem(429, "rate_limited", Retry_After="3600"))
    began = time.monotonic()
    with pytest.raises(RateLimited) as caught:
        await ask(read)
    assert caught.value.retry_after == 3600
    assert time.monotonic() - began < 1.0


async def test_it_gives_up_after_some_tries(server: Scripted, ask: Ask) -> None:
    server.play(*[BREAK_OFF] * 6)
    with pytest.raises(Unreachable):
        await ask(read)
    assert len(server.asked) == 6


async def test_a_server_that_is_not_there_is_told_apart() -> None:
    with (
        Quickwin("http://127.0.0.1:1", TOKEN, "kpu", patience=Patience(tries=2)) as quickwin,
        pytest.raises(Unreachable) as caught,
    ):
        quickwin.delete_initiative("QW-1")
    assert caught.value.was_sent is False
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, b"<html>", {"Content-Type": "text/html"}),
        Answer(200, {"items": 1}),
        Answer(307, b"", {"Location": "http://127.0.0.1:1/"}),
        Answer(403, b"blocked", {"Content-Type": "text/plain"}),
        Answer(403, {"title": "another's"}, {"Content-Type": "application/problem+json"}),
    ],
    ids=str,
)
async def test_what_is_not_quickwins_is_told_so(server: Scripted, ask: Ask, answer: Answer) -> None:
    server.play(answer)
    with pytest.raises(NotUnderstood) as caught:
        await ask(read)
    assert caught.value.status == answer.status
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("told", "least", "most"),
    [
        (None, 0, 0),
        ("7", 7, 7),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
        ("Wed, 21 Oct 2199 07:28:00 GMT", 10**9, 10**10),
        ("Wed, 21 Oct 2199 07:28:00 -0000", 10**9, 10**10),
        ("soon", 0, 0),
        ("-1", 0, 0),
        ("²", 0, 0),
        ("9" * 400, 10**8, 10**9),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", 0, 0),  # no clock has so many years
    ],
)
def test_retry_after_is_seconds_or_a_date(told: str | None, least: float, most: float) -> None:
    assert least <= failures.seconds(told) <= most


@pytest.mark.parametrize(
    ("server_", "token"),
    [("localhost:8000", TOKEN), ("ftp://h", TOKEN), ("http://u:p@h", TOKEN), ("", TOKEN),
     ("http://h", ""), ("http://h", "a b"), ("http://h", "a\nb"), ("http://h", "é")],
)  # fmt: skip
def test_an_address_and_a_token_are_looked_at_first(server_: str, token: str) -> None:
    with pytest.raises(ValueError, match=r"server|token") as caught:
        Quickwin(server_, token)
    assert not token or token not in str(caught.value)


@pytest.mark.parametrize("code", ["", ".", ".."])
def test_no_name_leads_to_another_address(server: Scripted, code: str) -> None:
    with Quickwin(server.url, TOKEN, "kpu") as quickwin, pytest.raises(ValueError, match="dots"):
        quickwin.delete_initiative(code)


def test_names_are_quoted(server: Scripted) -> None:
    server.play(problem(404, "not_found"))
    with Quickwin(server.url, TOKEN, "kpu") as quickwin, pytest.raises(Refused):
        quickwin.unit("../a?b#c/%2e")
    assert server.asked[0].path == "/api/v1/institutions/kpu/units/..%2Fa%3Fb%23c%2F%252e"


def test_an_institution_is_needed(server: Scripted) -> None:
    with Quickwin(server.url, TOKEN) as quickwin, pytest.raises(ValueError, match="institution"):
        quickwin.rollup()
