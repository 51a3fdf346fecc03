"""What a signed-in browser may do, and until when; the cookie is made without any page."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import time_machine
from sqlalchemy import func, select

from app.db import Database
from app.keeping import retention
from app.models import BrowserSession
from app.models.base import now
from app.services import actors, sessions
from app.services.sessions import Lifetime
from app.services.sign_in import Identity
from tests.conftest import OPERATOR
from tests.support.institution import API, Institution
from tests.web.conftest import COOKIE, HOME, Browser

LIFETIME = Lifetime(timedelta(hours=12), timedelta(hours=2))
ME = f"{API}/me"
SignIn = Callable[..., Awaitable[Browser]]


@pytest.fixture
def signed_in(database: Database, browsers: Callable[[], Browser]) -> SignIn:
    """Browsers that are signed in with a token."""

    async def sign_in(token: str) -> Browser:
        secret = await database.write(sessions.begin_with_token, token, LIFETIME)
        browser = browsers()
        browser.bring(secret)
        return browser

    return sign_in


def token_of(client: httpx.AsyncClient) -> str:
    return client.headers["authorization"].removeprefix("Bearer ")


async def test_a_browser_is_whoever_signed_in_and_no_more(
    institution: Institution, signed_in: SignIn
) -> None:
    body = {"person": "reporter", "name": "narrow", "scopes": ["plans:read"]}
    narrow = (await institution.post("tokens", body))["token"]
    for token in (OPERATOR, token_of(institution.reporter), narrow):
        async with institution.client(token) as client:
            told = await client.get(ME)
        answer = await (await signed_in(token)).get(ME)
        assert answer.status_code == 200
        assert answer.json() == told.json()
        assert "Cookie" in answer.headers["vary"]
        assert "access-control-allow-credentials" not in answer.headers


async def test_no_session_is_written_down(
    institution: Institution, signed_in: SignIn, database: Database
) -> None:
    """A digest alone is kept: whoever reads the database cannot become anybody."""
    browser = await signed_in(token_of(institution.reporter))
    secret = browser.secret
    assert secret is not None
    assert len(secret) == 43  # 256 bits in base64

    rows = await database.read(
        lambda session: session.execute(
            select(BrowserSession.__table__).where(BrowserSession.digest == actors.digest(secret))
        ).all()
    )
    assert len(rows) == 1
    assert secret not in str(rows)
    browser.bring(rows[0].digest)
    assert (await browser.get(ME)).status_code == 401
    events = (await institution.get("events", limit=200))["items"]
    assert secret not in str(events)
    begun = [event for event in events if event["type"] == "session.begun"]
    assert [(event["actor"], event["data"]) for event in begun] == [
        ("reporter", {"signed_in_with": "api_token"})
    ]


async def test_a_token_goes_before_a_cookie(institution: Institution, signed_in: SignIn) -> None:
    browser = await signed_in(OPERATOR)
    own = await browser.get(ME, Authorization=f"Bearer {token_of(institution.reporter)}")
    assert own.json()["actor"] == "reporter"
    for header in ("Bearer nobody", "Bearer ", "Basic b3BlcmF0b3I6"):
        assert (await browser.get(ME, Authorization=header)).status_code == 401, header


async def test_a_cookie_changes_nothing_through_the_api(
    institution: Institution, signed_in: SignIn
) -> None:
    browser = await signed_in(OPERATOR)
    before = await institution.written()
    for method, path in (
        ("POST", f"{institution.path}/units"), ("PUT", f"{institution.path}/initiatives/X"),
        ("PATCH", f"{institution.path}/people/reporter"),
        ("DELETE", f"{institution.path}/people/reporter"),
        ("POST", f"{institution.path}/tokens"),
    ):  # fmt: skip
        answer = await browser.client.request(
            method, path, json={}, headers={"Sec-Fetch-Site": "same-origin", "If-Match": "*"}
        )
        assert answer.status_code == 401, (method, path)
    assert await institution.written() == before


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": HOME}, 403),
        ({"Sec-Fetch-Site": "nonsense"}, 403),
        ({}, 200),
        ({"Origin": HOME}, 200),
        ({"Origin": "https://evil.test"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": HOME.replace("https", "http")}, 403),
    ],
)
async def test_other_sites_read_nothing(
    institution: Institution, signed_in: SignIn, headers: dict[str, str], status: int
) -> None:
    browser = await signed_in(token_of(institution.reporter))
    answer = await browser.client.get(ME, headers=headers)
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["code"] == "cross_site"
    by_token = await institution.reporter.get(ME, headers=headers)
    assert by_token.status_code == 200  # programs say what they like


@pytest.mark.parametrize(
    ("home", "name", "status"),
    [
        (HOME, COOKIE, 200),
        (HOME, "quickwin", 401),  # any host of the same site could have set this one
        ("http://localhost:8000", "quickwin", 200),
        ("http://127.0.0.1", "quickwin", 200),
        ("http://[::1]:8000", "quickwin", 200),
        ("http://localhost", COOKIE, 401),
        ("http://quickwin.test", "quickwin", 401),  # anybody could read along
        ("http://quickwin.test", COOKIE, 401),
    ],
)
async def test_cookies_are_taken_where_nobody_reads_along(
    institution: Institution, signed_in: SignIn, home: str, name: str, status: int
) -> None:
    browser = await signed_in(token_of(institution.reporter))
    headers = {"Cookie": f"{name}={browser.secret}"}
    browser.client.cookies.clear()
    answer = await browser.client.get(f"{home}{ME}", headers=headers)
    assert answer.status_code == status


async def test_what_ends_a_token_ends_its_sessions_at_once(
    institution: Institution, signed_in: SignIn
) -> None:
    issued = await institution.post("tokens", {"person": "reporter", "name": "laptop"})
    address = f"tokens/{issued['id']}"
    browser = await signed_in(issued["token"])
    assert (await browser.get(ME)).status_code == 200
    rotated = await institution.expect(200, "POST", f"{institution.path}/{address}/rotation")
    assert (await browser.get(ME)).status_code == 401
    browser = await signed_in(rotated["token"])
    await institution.patch("people/reporter", {"active": False})
    answer = await browser.get(ME)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    await institution.patch("people/reporter", {"active": True})
    assert (await browser.get(ME)).status_code == 200
    await institution.delete(address)
    assert (await browser.get(ME)).status_code == 401


async def test_rights_are_those_of_now(institution: Institution, signed_in: SignIn) -> None:
    browser = await signed_in(token_of(institution.verifier))
    assert [r["role"] for r in (await browser.get(ME)).json()["rights"]] == ["verifier"]
    grants = (await institution.get("grants"))["items"]
    mine = next(grant for grant in grants if grant["person"] == "verifier")
    await institution.expect(204, "DELETE", f"{institution.path}/grants/{mine['id']}")
    assert (await browser.get(ME)).json()["rights"] == []


async def test_one_sees_where_one_is_signed_in_and_ends_it(
    institution: Institution, signed_in: SignIn
) -> None:
    """One's own alone; to end another's is to end nothing."""
    for client in (institution.reporter, institution.operator):
        mine, lost = [await signed_in(token_of(client)) for _ in range(2)]
        other = await signed_in(token_of(institution.verifier))
        page = (await mine.get("/sessions", Accept_Language="en")).text
        assert page.count("this browser") == 1
        ends = re.findall(r'action="(/sessions/[^"]+/end)"', page)
        assert len(ends) >= 1, "the other browser of theirs"
        assert 'name="everywhere" value="yes"' in page
        assert (await other.post(ends[0])).status_code == 303
        assert (await lost.get(ME)).status_code == 200
        for address in ends:
            answer = await mine.post(address)
            assert (answer.status_code, answer.headers["location"]) == (303, "/sessions")
        assert (await lost.get(ME)).status_code == 401
        for one in (mine, other):
            assert (await one.get(ME)).status_code == 200
        assert "/end" not in (await mine.get("/sessions")).text
    ended = (await institution.get("events", limit=200, type="session.ended"))["items"]
    assert [(event["actor"], event["data"]) for event in ended] == [("reporter", {"sessions": 1})]


async def test_a_program_is_signed_in_nowhere(institution: Institution) -> None:
    page = await institution.reporter.get(
        "/sessions", headers={"Accept": "text/html", "Accept-Language": "en"}
    )
    assert "You are signed in nowhere" in page.text


async def test_a_session_ends_when_it_is_not_used(
    institution: Institution, signed_in: SignIn, database: Database
) -> None:
    """Data that a page asks for by itself are no use: only pages keep a session going."""
    begun = datetime(2030, 1, 1, 8, tzinfo=UTC)
    with time_machine.travel(begun, tick=False) as clock:
        browser = await signed_in(token_of(institution.reporter))
        clock.shift(timedelta(hours=1, minutes=59))
        assert (await browser.get(ME)).status_code == 200
        clock.shift(timedelta(minutes=2))
        assert (await browser.get(ME)).status_code == 401

        secret = await database.write(
            sessions.begin_with_token, token_of(institution.reporter), LIFETIME
        )
        for hour in range(1, 12):
            clock.shift(timedelta(hours=1))
            visit = await database.read(sessions.identify(secret))
            assert sessions.is_use_news(visit, LIFETIME), hour
            await database.write(sessions.used, visit, LIFETIME)
        assert not sessions.is_use_news(await database.read(sessions.identify(secret)), LIFETIME)
        clock.shift(timedelta(minutes=59))
        await database.write(sessions.used, visit, LIFETIME)
        browser.bring(secret)
        assert (await browser.get(ME)).status_code == 200
        clock.shift(timedelta(minutes=2))  # twelve hours are the most, however much it is used
        assert (await browser.get(ME)).status_code == 401
        await database.write(sessions.used, visit, LIFETIME)
        assert (await browser.get(ME)).status_code == 401


async def test_a_session_ends_with_its_token(institution: Institution, signed_in: SignIn) -> None:
    ends = (now() + timedelta(hours=1)).isoformat()
    issued = await institution.post(
        "tokens", {"person": "reporter", "name": "short", "expires_at": ends}
    )
    browser = await signed_in(issued["token"])
    await signed_in(token_of(institution.reporter))
    page = (await browser.get("/sessions", Accept_Language="en")).text
    short, long = page.index("Ends at the latest on "), page.index(" if it is not used")
    assert long < page.index("this browser") < short
    with time_machine.travel(now() + timedelta(minutes=59)):
        assert (await browser.get(ME)).status_code == 200
    with time_machine.travel(now() + timedelta(minutes=61)):
        assert (await browser.get(ME)).status_code == 401


async def test_what_has_ended_is_removed(
    institution: Institution, signed_in: SignIn, database: Database
) -> None:
    async def count() -> int:
        return await database.read(
            lambda session: session.execute(
                select(func.count()).select_from(BrowserSession)
            ).scalar_one()
        )

    browser = await signed_in(token_of(institution.reporter))
    await retention.exhaust(database, sessions.forget)
    assert (await browser.get(ME)).status_code == 200
    before = await count()
    assert before >= 1
    with time_machine.travel(now() + timedelta(days=9_999)):
        assert await retention.exhaust(database, sessions.forget) == before
    assert await count() == 0


async def test_who_has_signed_in_can_be_deleted(
    institution: Institution, database: Database
) -> None:
    """That somebody came in is no trace of work: their sessions go along, and do not come back."""
    subject = f"sub of {institution.code}"
    await institution.post("people", {"code": "ani", "name": "Ani", "oidc_subject": subject})
    identity = Identity(subject, None, (now() + timedelta(hours=1)).timestamp())
    secret = await database.write(sessions.begin_with_oidc, identity, LIFETIME)
    assert (await database.read(sessions.identify(secret))).actor.name == "ani"
    await institution.delete("people/ani")
    kept = (await institution.get("deletions"))["items"][0]["id"]
    path = f"{institution.path}/deletions/{kept}/restoration"
    await institution.expect(201, "POST", path)
    left = await database.read(
        lambda session: session.execute(
            select(BrowserSession.id).where(BrowserSession.digest == actors.digest(secret))
        ).all()
    )
    assert left == []
