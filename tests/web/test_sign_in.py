"""Signing in and out with a token, at the page for it."""

from collections.abc import Callable

import httpx
import pytest
from fastapi import FastAPI
from starlette.routing import Route as StarletteRoute

from app.api import origins
from app.db import Database
from app.main import create_app
from app.services import sessions
from app.settings import Settings
from app.web.pages import Route
from app.web.sign_in import local
from tests.support.institution import API, Institution
from tests.web.conftest import COOKIE, HOME, Browser

ME = f"{API}/me"


def token_of(client: httpx.AsyncClient) -> str:
    return client.headers["authorization"].removeprefix("Bearer ")


def page_of(institution: Institution) -> str:
    return institution.path.removeprefix(API)


async def test_who_is_not_signed_in_is_led_there_and_back(
    institution: Institution, browser: Browser
) -> None:
    wanted = f"{page_of(institution)}?year=2022&sort=-weight"
    led = await browser.get(wanted)
    assert led.status_code == 303
    form = await browser.get(led.headers["location"], Accept_Language="en")
    assert form.status_code == 200
    assert form.headers["cache-control"] == "no-store"
    assert f'name="next" value="{wanted.replace("&", "&amp;")}"' in form.text
    assert "set-cookie" not in form.headers
    answer = await browser.sign_in(token_of(institution.verifier), wanted)
    assert answer.headers["location"] == wanted
    page = await browser.get(wanted)
    assert page.status_code == 200
    assert "verifier" in page.text
    assert "Cookie" in page.headers["vary"]
    assert (await browser.get(ME)).json()["actor"] == "verifier"


async def test_the_cookie_is_kept_from_scripts_and_other_hosts(
    institution: Institution, browser: Browser
) -> None:
    answer = await browser.sign_in(f"  {token_of(institution.reporter)}\n")
    cookie = answer.headers["set-cookie"]
    name, *attributes = cookie.split("; ")
    assert name == f"{COOKIE}={browser.secret}"
    assert {each.lower() for each in attributes} == {
        "httponly", "max-age=43200", "path=/", "samesite=lax", "secure",
    }  # fmt: skip
    secret = browser.secret
    assert secret is not None
    assert secret not in answer.headers["location"] + answer.text


async def test_a_laptop_works_without_tls(institution: Institution, browser: Browser) -> None:
    browser.client.base_url = httpx.URL("http://localhost:8000")
    answer = await browser.sign_in(token_of(institution.reporter))
    assert answer.headers["set-cookie"].startswith("quickwin=")
    assert "secure" not in answer.headers["set-cookie"].lower()
    browser.client.base_url = httpx.URL("http://quickwin.test")
    for method in ("GET", "POST"):
        answer = await browser.client.request(
            method, "/sign-in", headers={"Sec-Fetch-Site": "same-origin"}
        )
        assert answer.status_code == 403
        assert answer.json()["code"] == "secure_only"


@pytest.mark.parametrize(
    ("token", "status", "told"),
    [
        ("qw_nobody-has-this-token-0123456789", 401, "not valid"),
        ("x" * 900, 401, "not valid"),
        ("", 422, "Enter your token"),
        ("x" * 1_001, 422, "Enter your token"),
        ("\u202e' OR 1=1 --", 401, "not valid"),
    ],
)
async def test_a_wrong_token_is_told(browser: Browser, token: str, status: int, told: str) -> None:
    answer = await browser.post(
        "/sign-in", {"token": token, "next": "/institutions"}, Accept_Language="en"
    )
    assert answer.status_code == status
    assert told in answer.text
    assert 'name="token"' in answer.text
    assert "set-cookie" not in answer.headers
    assert not token or token not in answer.text


async def test_a_form_of_another_kind_is_refused(browser: Browser) -> None:
    for kind, body, status in (
        ("application/json", b"{}", 415), ("multipart/form-data; boundary=x", b"--x--", 415),
        ("application/x-www-form-urlencoded", b"token=a&token=b", 400),
        ("application/x-www-form-urlencoded", b"token=%FF", 400),
        ("application/x-www-form-urlencoded", b"token=\xff", 400),
        ("application/x-www-form-urlencoded", b"token=%00", 400),
        ("application/x-www-form-urlencoded", b"&" .join([b"a=1"] * 200), 400),
        ("application/x-www-form-urlencoded", b"token=" + b"x" * 70_000, 413),
    ):  # fmt: skip
        answer = await browser.client.post(
            "/sign-in", content=body,
            headers={"Content-Type": kind, "Sec-Fetch-Site": "same-origin"},
        )  # fmt: skip
        assert answer.status_code == status, (kind, body[:40])


async def test_nobody_can_prepare_a_session(institution: Institution, browser: Browser) -> None:
    """What a browser brings along is ended, and never what it has afterwards (fixation)."""
    planted = "a" * 43
    browser.bring(planted)
    await browser.sign_in(token_of(institution.reporter))
    first = browser.secret
    assert first not in {None, planted}
    await browser.sign_in(token_of(institution.verifier))
    assert browser.secret not in {None, planted, first}
    assert (await browser.get(ME)).json()["actor"] == "verifier"
    for old in (planted, first):
        browser.bring(old)
        assert (await browser.get(ME)).status_code == 401


async def test_signing_out_ends_the_session(institution: Institution, browser: Browser) -> None:
    await browser.sign_in(token_of(institution.reporter))
    secret = browser.secret or ""
    answer = await browser.post("/sign-out")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?signed_out=yes")
    assert answer.headers["clear-site-data"] == '"cache", "storage"'
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert browser.secret is None
    browser.bring(secret)
    assert (await browser.get(ME)).status_code == 401
    assert (await browser.get(page_of(institution))).status_code == 303
    assert (await browser.post("/sign-out")).status_code == 303
    told = await browser.get("/sign-in?signed_out=yes", Accept_Language="en")
    assert "You have signed out." in told.text
    kinds = [kind for kind in await institution.written() if kind.startswith("session.")]
    assert kinds == ["session.ended", "session.begun"]


async def test_signing_out_everywhere_is_of_oneself(
    institution: Institution, browsers: Callable[[], Browser]
) -> None:
    token = token_of(institution.reporter)
    phone, laptop, other = browsers(), browsers(), browsers()
    await phone.sign_in(token)
    await laptop.sign_in(token)
    await other.sign_in(token_of(institution.verifier))
    assert (await phone.post("/sign-out", {"everywhere": "yes"})).status_code == 303
    assert (await laptop.get(ME)).status_code == 401
    assert (await other.get(ME)).status_code == 200
    ended = (await institution.get("events", limit=200, type="session.ended"))["items"]
    assert [(event["actor"], event["data"]) for event in ended] == [("reporter", {"sessions": 2})]
    operators = [browsers(), browsers()]
    for each in operators:
        await each.sign_in(token_of(institution.operator))
    await operators[0].post("/sign-out", {"everywhere": "yes"})
    assert [(await each.get(ME)).status_code for each in operators] == [401, 401]


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/language"])
@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({"Sec-Fetch-Site": "cross-site", "Origin": HOME}, True),
        ({"Sec-Fetch-Site": "same-site"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Origin": "https://evil.test"}, True),
        ({"Origin": "null"}, True),
        ({}, True),
        ({"Origin": HOME}, False),
        ({"Sec-Fetch-Site": "same-origin"}, False),
    ],
)
async def test_other_sites_send_no_forms(
    institution: Institution, browser: Browser, path: str, headers: dict[str, str], *, refused: bool
) -> None:
    await browser.sign_in(token_of(institution.reporter))
    form = {"/sign-in": {"token": "qw_x"}, "/language": {"language": "en"}}.get(path, {})
    answer = await browser.client.post(path, data=form, headers=headers)
    if refused:
        assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")
        assert (await browser.get(ME)).status_code == 200
    else:
        assert answer.status_code == (401 if path == "/sign-in" else 303)


async def test_a_page_is_linked_to_but_not_embedded(
    institution: Institution, browser: Browser
) -> None:
    await browser.sign_in(token_of(institution.reporter))
    for mode, dest, status in (
        ("navigate", "document", 200), ("navigate", "iframe", 403), ("no-cors", "image", 403),
        ("cors", "empty", 403),
    ):  # fmt: skip
        answer = await browser.get(
            page_of(institution), Sec_Fetch_Site="cross-site", Sec_Fetch_Mode=mode,
            Sec_Fetch_Dest=dest,
        )  # fmt: skip
        assert answer.status_code == status, (mode, dest)


def test_every_page_with_an_effect_is_guarded(app: FastAPI) -> None:
    """Each route beside the API that does something refuses what other sites send."""
    assert not any(hasattr(route, "original_router") for route in app.routes), "look into it too"
    unsafe = {
        route.path: route
        for route in app.routes
        if isinstance(route, StarletteRoute)
        and not route.path.startswith(f"{API}/")
        and set(route.methods or ()) - origins.SAFE
    }
    assert unsafe.keys() >= {"/sign-in", "/sign-out", "/language"}
    assert all(isinstance(route, Route) for route in unsafe.values())


@pytest.mark.parametrize(
    "elsewhere",
    [
        "//evil.test", "/\\evil.test", "\\\\evil.test", "https:evil.test", "https://evil.test",
        "javascript:alert(1)", "/\t/evil.test", "/\n/evil.test", "evil.test", "", " /x", "///x",
        "/x\r\nSet-Cookie: a=b", "/é", "/" + "x" * 2_001, "/sign-in", "/sign-out-\x00",
        "data:text/html,x", "?next=//evil.test", "@evil.test", "/x\\y",
    ],
)  # fmt: skip
async def test_one_is_led_to_pages_of_ours_alone(browser: Browser, elsewhere: str) -> None:
    assert local(elsewhere) == "/"
    answer = await browser.post("/language", {"language": "en", "next": elsewhere})
    assert answer.status_code in {303, 400}
    assert answer.headers.get("location", "/") == "/"


@pytest.mark.parametrize("here", ["/", "/institutions/kpu?a=//b&c=%5C%2F", "/%2F%2Fevil.test"])
async def test_one_is_led_back(browser: Browser, here: str) -> None:
    answer = await browser.post("/language", {"language": "en", "next": here})
    assert answer.headers["location"] == here
    assert httpx.URL(HOME).join(here).host == "quickwin.test"


async def test_a_language_is_chosen(browser: Browser) -> None:
    assert '<html lang="id">' in (await browser.get("/")).text
    assert '<html lang="en">' in (await browser.get("/", Accept_Language="en")).text
    await browser.post("/language", {"language": "id"})
    assert '<html lang="id">' in (await browser.get("/", Accept_Language="en")).text
    answer = await browser.post("/language", {"language": "fr"})
    assert answer.status_code == 422


async def test_an_account_has_a_language(
    institution: Institution, browser: Browser, browsers: Callable[[], Browser]
) -> None:
    """It goes before what a browser prefers, and behind what is chosen in it."""
    token, page = token_of(institution.reporter), page_of(institution)
    await institution.patch("people/reporter", {"language": "en"})
    await browser.sign_in(token)
    assert '<html lang="en">' in (await browser.get(page, Accept_Language="id")).text
    await browser.post("/language", {"language": "id"})
    assert '<html lang="id">' in (await browser.get(page, Accept_Language="en")).text
    assert (await institution.get("people/reporter"))["language"] == "id"
    other = browsers()
    await other.sign_in(token)
    assert '<html lang="id">' in (await other.get(page, Accept_Language="en")).text
    changed = (await institution.get("events", limit=200, type="person.changed"))["items"][-1]
    assert changed["actor"] == "reporter"
    assert changed["changes"] == {"language": {"before": "en", "after": "id"}}
    await institution.patch("people/reporter", {"language": None})
    assert '<html lang="en">' in (await other.get(page, Accept_Language="en")).text


async def test_the_api_follows_the_account(institution: Institution, browser: Browser) -> None:
    """Before what a browser prefers, and behind what a program asks for."""
    await institution.patch("people/reporter", {"language": "id"})
    await browser.sign_in(token_of(institution.reporter))
    late, chart = (
        f"{institution.path}/rollup{what}" for what in ("?as_of=2190-01-01", "/badge.svg")
    )
    program = institution.reporter
    for answers, language in (
        ([await browser.get(late, Accept="*/*"), await browser.get(chart)], "id"),
        ([await program.get(late), await program.get(chart)], "id"),
        (
            [await program.get(each, headers={"Accept-Language": "en"}) for each in (late, chart)],
            "en",
        ),
        ([await browser.get(chart, Accept_Language="en")], "id"),
        ([await browser.get(f"{chart}?language=en", Accept_Language="id")], "en"),
    ):
        assert [answer.headers["content-language"] for answer in answers] == [language] * len(
            answers
        )
    batch = {"items": [{"initiative": "none", "milestone": 1, "percent_complete": 1}]}
    told = (await program.post(f"{institution.path}/updates", json=batch)).json()
    assert told["results"][0]["problem"]["title"] == "Tidak ditemukan"


async def test_pages_keep_a_session_going(
    institution: Institution, browser: Browser, database: Database
) -> None:
    """A person's pages do, what a script asks for does not."""
    await browser.sign_in(token_of(institution.reporter))
    secret = browser.secret or ""

    async def last_used() -> float:
        visit = await database.read(sessions.identify(secret))
        return visit.last_used_at.timestamp()

    begun = await last_used()
    settings = browser.client._transport.app.state  # type: ignore[attr-defined]  # noqa: SLF001
    chosen = settings.settings
    settings.settings = chosen.model_copy(update={"session_idle_seconds": 0.001})
    try:
        page = page_of(institution)
        await browser.get(page, Sec_Fetch_Dest="empty")
        await browser.get(ME)
        assert await last_used() == begun
        settings.settings = chosen.model_copy(update={"session_idle_seconds": 7_200})
        await browser.get(page, Sec_Fetch_Dest="document")
        assert await last_used() == begun  # it is no news yet
    finally:
        settings.settings = chosen


async def test_tries_are_limited_as_those_of_the_api_are(configuration: Settings) -> None:
    chosen = configuration.model_copy(update={"rate_limit_failures": 3, "background": False})
    app = create_app(chosen)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url=HOME) as client,
    ):
        browser = Browser(client)
        statuses = [
            (await browser.post("/sign-in", {"token": "qw_wrong"})).status_code for _ in range(5)
        ]
        assert statuses == [401, 401, 401, 429, 429]
        over = await browser.post("/sign-in", {"token": "qw_wrong"})
        assert int(over.headers["retry-after"]) >= 1
        assert "<html" in over.text
        assert (await browser.get(ME, Authorization="Bearer x")).status_code == 429
        assert (await browser.get("/")).status_code == 200
