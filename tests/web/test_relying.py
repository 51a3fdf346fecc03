"""Signing in at an OIDC issuer with a browser, and what must let nobody in."""

import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable, Iterator
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import time_machine
from fastapi import FastAPI
from pydantic import ValidationError

from app.api.oidc import Verifier
from app.main import create_app
from app.schemas.events import CatalogueEventQuery
from app.services import feeds
from app.services.actors import SYSTEM
from app.settings import Settings
from app.web.relying import party
from tests.support.application import sum_up_late
from tests.support.institution import API, Institution, Json
from tests.support.issuer import AUDIENCE, CLIENT, LocalIssuer, RsaKey, encoded, running_issuer
from tests.web.conftest import HOME, Browser

ME = f"{API}/me"
FLOW = "__Host-quickwin-sign-in"
HINT = "__Secure-quickwin-issued"
ISSUED = {"oidc_audience": AUDIENCE, "oidc_client_id": CLIENT}
OTHERS = "https://evil.test"


@pytest.fixture(scope="module")
def running() -> Iterator[LocalIssuer]:
    """An issuer on this machine."""
    with running_issuer() as issuer:
        yield issuer


@pytest.fixture(scope="module")
async def relying(configuration: Settings, running: LocalIssuer) -> AsyncIterator[FastAPI]:
    """The application on the tests' database, as a client of the issuer."""
    chosen = configuration.model_dump() | ISSUED | {"oidc_issuer": running.url}
    app = create_app(Settings(**chosen))
    async with app.router.lifespan_context(app):
        sum_up_late(app)
        yield app


@pytest.fixture
async def issuer(running: LocalIssuer, relying: FastAPI) -> LocalIssuer:
    """The issuer, as it is when all is well, and of which nothing is known yet."""
    running.restore()
    await relying.state.oidc.close()
    relying.state.oidc = Verifier(relying.state.settings)
    return running


@pytest.fixture
async def browser(relying: FastAPI) -> AsyncIterator[Browser]:
    """A browser in which nobody is signed in."""
    transport = httpx.ASGITransport(relying, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=HOME) as client:
        yield Browser(client)


@pytest.fixture
async def subject(institution: Institution, issuer: LocalIssuer) -> str:
    """The subject of the institution's reporter, who signs in at the issuer."""
    subject = f"6f1c|{institution.code}"
    await institution.patch("people/reporter", {"oidc_subject": subject})
    issuer.signs_in = {"sub": subject}
    return subject


async def begin(browser: Browser, after: str = "/") -> str:
    """Where the browser is sent to sign in."""
    answer = await browser.get(f"/sign-in/oidc?next={after}")
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def come_back(browser: Browser, address: str) -> httpx.Response:
    """What somebody is answered who comes from the issuer."""
    return await browser.get(
        address, Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate",
        Sec_Fetch_Dest="document", Accept_Language="en",
    )  # fmt: skip


async def refused(browser: Browser, answer: httpx.Response, status: int = 401) -> None:
    """Nobody has come in, and the browser has nothing left of it."""
    assert answer.status_code == status, answer.text
    assert "Sign in at 127.0.0.1" in answer.text
    assert browser.secret is None
    assert browser.client.cookies.get(FLOW) is None
    assert (await browser.get(ME)).status_code == 401


async def test_a_person_signs_in_and_out(
    browser: Browser, issuer: LocalIssuer, institution: Institution, subject: str
) -> None:
    form = await browser.get("/sign-in?next=/institutions", Accept_Language="en")
    assert 'href="/sign-in/oidc?next=%2Finstitutions"' in form.text
    issuer.described = {"end_session_endpoint": f"{issuer.url}/leave"}
    url = await begin(browser, "/institutions")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert url.startswith(f"{issuer.url}/authorize?")
    assert asked == asked | {
        "response_type": "code", "client_id": CLIENT, "scope": "openid email",
        "redirect_uri": f"{HOME}/sign-in/callback", "code_challenge_method": "S256",
    }  # fmt: skip
    assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) == 43
    answer = await come_back(browser, issuer.authorize(url))
    assert (answer.status_code, answer.headers["location"]) == (303, "/institutions")
    assert browser.client.cookies.get(FLOW) is None
    told = (await browser.get(ME)).json()
    assert (told["actor"], told["signed_in_with"]) == ("reporter", "oidc")
    sent = issuer.redeemed[0]
    challenge = urlsafe_b64encode(sha256(sent["code_verifier"].encode()).digest())
    assert challenge.rstrip(b"=").decode() == asked["code_challenge"]
    assert sent["client_id"] == CLIENT
    left = await browser.post("/sign-out")
    assert left.headers["location"] == "/sign-in?signed_out=oidc"
    assert 'href="/sign-out/oidc"' in (await browser.get("/sign-in?signed_out=oidc")).text
    there = (await browser.get("/sign-out/oidc")).headers["location"]
    assert there.startswith(f"{issuer.url}/leave?")
    assert parse_qs(urlsplit(there).query) == {
        "client_id": [CLIENT], "post_logout_redirect_uri": [f"{HOME}/"],
        "id_token_hint": [issuer.given[0]],
    }  # fmt: skip
    assert browser.client.cookies.get(HINT) is None
    begun = (await institution.get("events", limit=200, type="session.begun"))["items"]
    assert begun[-1]["data"] == {"signed_in_with": "oidc"}


async def test_what_the_issuer_is_told_of_who_signs_out(
    browser: Browser, issuer: LocalIssuer, institution: Institution, subject: str
) -> None:
    """It is theirs alone: kept sealed, for one session, and sent by nobody else's page."""

    async def asked(**headers: str) -> dict[str, list[str]]:
        answer = await browser.get("/sign-out/oidc", **headers)
        assert answer.status_code == 303, answer.text
        assert answer.headers["location"].startswith(f"{issuer.url}/leave?")
        return parse_qs(urlsplit(answer.headers["location"]).query)

    issuer.described = {"end_session_endpoint": f"{issuer.url}/leave"}
    answer = await come_back(browser, issuer.authorize(await begin(browser)))
    (cookie,) = (each for each in answer.headers.get_list("set-cookie") if each.startswith(HINT))
    assert {"httponly", "secure", "path=/sign-out", "max-age=43200"} <= set(
        cookie.lower().split("; ")
    )
    assert issuer.given[0].split(".")[1] not in cookie
    kept = browser.client.cookies.get(HINT) or ""
    assert (await browser.get("/sign-out/oidc", Sec_Fetch_Site="cross-site")).status_code == 403
    left = await browser.post("/sign-out")
    (cookie,) = (each for each in left.headers.get_list("set-cookie") if each.startswith(HINT))
    assert "max-age=600" in cookie.lower()
    assert (await asked())["id_token_hint"] == issuer.given
    assert "id_token_hint" not in await asked()
    assert "id_token_hint" not in await asked(Cookie=f"{HINT}={kept[:-8]}")
    # A longer one than a browser keeps is not told, nor is one of whoever was there before.
    issuer.signs_in = {"sub": subject, "groups": ["g" * 40] * 90}
    browser.client.cookies.set(HINT, kept, domain="quickwin.test", path="/sign-out")
    await come_back(browser, issuer.authorize(await begin(browser)))
    assert browser.client.cookies.get(HINT) is None
    await browser.post("/sign-out")
    assert "id_token_hint" not in await asked()
    browser.client.cookies.set(HINT, kept, domain="quickwin.test", path="/sign-out")
    token = institution.verifier.headers["authorization"].removeprefix("Bearer ")
    await browser.sign_in(token)
    await browser.post("/sign-out")
    assert browser.client.cookies.get(HINT) is None


async def test_a_session_ends_when_its_person_is_another(
    browser: Browser, issuer: LocalIssuer, institution: Institution, subject: str
) -> None:
    await come_back(browser, issuer.authorize(await begin(browser)))
    assert (await browser.get(ME)).status_code == 200
    await institution.patch("people/reporter", {"active": False})
    assert (await browser.get(ME)).status_code == 401
    await institution.patch("people/reporter", {"active": True})
    assert (await browser.get(ME)).status_code == 200
    await institution.patch("people/reporter", {"oidc_subject": None})
    assert (await browser.get(ME)).status_code == 401
    await institution.patch("people/verifier", {"oidc_subject": subject})
    assert (await browser.get(ME)).status_code == 401


async def test_a_session_lasts_no_longer_than_that_of_the_issuer(
    browser: Browser, issuer: LocalIssuer, subject: str
) -> None:
    issuer.signs_in["session_expiry"] = int(time.time()) + 900
    await come_back(browser, issuer.authorize(await begin(browser)))
    assert (await browser.get(ME)).status_code == 200
    with time_machine.travel(time.time() + 1_000):
        assert (await browser.get(ME)).status_code == 401
    browser.bring(None)
    issuer.signs_in["session_expiry"] = int(time.time()) - 1
    await refused(browser, await come_back(browser, issuer.authorize(await begin(browser))), 403)


async def test_a_client_has_a_secret(
    browser: Browser, issuer: LocalIssuer, relying: FastAPI, subject: str
) -> None:
    issuer.secret = "a secret/with: signs%"
    plain = relying.state.relying
    chosen = relying.state.settings.model_dump() | {"oidc_client_secret": issuer.secret}
    relying.state.relying = await party(Settings(**chosen), relying.state.database)
    try:
        answer = await come_back(browser, issuer.authorize(await begin(browser)))
        assert answer.status_code == 303
        assert "client_secret" not in issuer.redeemed[0]
    finally:
        relying.state.relying = plain
    browser.bring(None)
    await refused(browser, await come_back(browser, issuer.authorize(await begin(browser))))


async def test_who_is_unknown_here_is_told_so(browser: Browser, issuer: LocalIssuer) -> None:
    issuer.signs_in = {"sub": "somebody that nobody here knows"}
    answer = await come_back(browser, issuer.authorize(await begin(browser)))
    assert "known there, but to nobody here" in answer.text
    await refused(browser, answer, 403)


@pytest.mark.parametrize("error", ["access_denied", "<script>", "server_error"])
async def test_who_is_not_let_in_is_told_so(
    browser: Browser, relying: FastAPI, issuer: LocalIssuer, subject: str, error: str
) -> None:
    await relying.state.strangers.close()
    address = issuer.authorize(await begin(browser), code="", error=error, error_description=error)
    answer = await come_back(browser, address)
    assert "You were not let in there." in answer.text
    assert "<script" not in answer.text
    await refused(browser, answer, 403)
    state = await begin(browser)
    await refused(browser, await come_back(browser, issuer.authorize(state, code="guessed")))
    await relying.state.strangers.close()
    feed = relying.state.database.read(
        feeds.of_catalogue, SYSTEM, CatalogueEventQuery(type=["access.refused"], sort="-sequence")
    )
    assert (await feed).items[0].data["ways"] == {"oidc": 2}


ANSWERS: dict[str, dict[str, str]] = {
    "state missing": {"state": ""},
    "state wrong": {"state": "x" * 43},
    "state beyond ASCII": {"state": "é"},
    "issuer missing": {"iss": ""},
    "other issuer": {"iss": OTHERS},
    "other issuer's error": {"iss": OTHERS, "error": "access_denied"},
    "code missing": {"code": ""},
    "code wrong": {"code": "guessed"},
    "code too long": {"code": "x" * 5_000},
    "code with a line": {"code": "a\r\nb"},
}


@pytest.mark.parametrize("said", ANSWERS.values(), ids=ANSWERS)
async def test_answers_that_let_nobody_in(
    browser: Browser, issuer: LocalIssuer, subject: str, said: dict[str, str]
) -> None:
    address = issuer.authorize(await begin(browser), **said)
    await refused(browser, await come_back(browser, address))


ID_TOKENS: dict[str, Callable[[LocalIssuer, Json], str]] = {
    "nonce wrong": lambda issuer, claims: issuer.signed(claims | {"nonce": "x"}, header=JWT),
    "nonce missing": lambda issuer, claims: issuer.signed(without(claims, "nonce"), header=JWT),
    "other issuer": lambda issuer, claims: issuer.signed(claims | {"iss": OTHERS}, header=JWT),
    "other audience": lambda issuer, claims: issuer.signed(claims | {"aud": AUDIENCE}, header=JWT),
    "several without azp": lambda issuer, claims: issuer.signed(
        claims | {"aud": [CLIENT, AUDIENCE]}, header=JWT
    ),
    "other azp": lambda issuer, claims: issuer.signed(claims | {"azp": "other"}, header=JWT),
    "expired": lambda issuer, claims: issuer.signed(
        claims | {"exp": int(time.time()) - 60}, header=JWT
    ),
    "no expiry": lambda issuer, claims: issuer.signed(without(claims, "exp"), header=JWT),
    "of the future": lambda issuer, claims: issuer.signed(
        claims | {"iat": int(time.time()) + 600}, header=JWT
    ),
    "no subject": lambda issuer, claims: issuer.signed(without(claims, "sub"), header=JWT),
    "hash of another": lambda issuer, claims: issuer.signed(
        claims | {"at_hash": encoded(sha256(b"other").digest()[:16])}, header=JWT
    ),
    "hash of no text": lambda issuer, claims: issuer.signed(claims | {"at_hash": [1]}, header=JWT),
    "unsigned": lambda _, claims: f"{encoded({'alg': 'none', 'kid': 'rsa-1'})}.{encoded(claims)}.",
    "own key": lambda _, claims: signed_by_stranger(claims),
    "other kind": lambda issuer, claims: issuer.signed(claims),  # at+jwt
    "refresh token": lambda issuer, claims: issuer.signed(claims | {"typ": "Refresh"}, header=JWT),
    "no token": lambda _, __: "x",
}
JWT: Json = {"typ": "JWT"}
_STRANGER = RsaKey("rsa-1")


def without(claims: Json, name: str) -> Json:
    return {key: value for key, value in claims.items() if key != name}


def signed_by_stranger(claims: Json) -> str:
    content = f"{encoded({'alg': 'RS256', 'kid': 'rsa-1', 'typ': 'JWT'})}.{encoded(claims)}"
    return f"{content}.{encoded(_STRANGER.sign(content.encode()))}"


@pytest.mark.parametrize("made", ID_TOKENS.values(), ids=ID_TOKENS)
async def test_id_tokens_that_let_nobody_in(
    browser: Browser, issuer: LocalIssuer, subject: str, made: Callable[[LocalIssuer, Json], str]
) -> None:
    issuer.alters_id_token = lambda claims: made(issuer, claims)
    await refused(browser, await come_back(browser, issuer.authorize(await begin(browser))))


async def test_the_right_hash_and_party_let_somebody_in(
    browser: Browser, issuer: LocalIssuer, subject: str
) -> None:
    right = {
        "at_hash": encoded(sha256(b"opaque").digest()[:16]), "azp": CLIENT,
        "aud": [CLIENT, AUDIENCE],
    }  # fmt: skip
    issuer.alters_id_token = lambda claims: issuer.signed(claims | right, header=JWT)
    answer = await come_back(browser, issuer.authorize(await begin(browser)))
    assert answer.status_code == 303


async def test_an_answer_counts_once(browser: Browser, issuer: LocalIssuer, subject: str) -> None:
    """Neither the address nor the code lets anybody in again; not even with the flow's own cookie."""
    url = await begin(browser)
    flow = browser.client.cookies.get(FLOW)
    address = issuer.authorize(url)
    assert (await come_back(browser, address)).status_code == 303
    browser.bring(None)
    await refused(browser, await come_back(browser, address))
    browser.client.cookies.set(FLOW, flow or "", domain="quickwin.test")
    await refused(browser, await come_back(browser, address))


async def test_nobody_is_signed_in_by_somebody_else(
    browser: Browser, relying: FastAPI, issuer: LocalIssuer, subject: str
) -> None:
    """Login CSRF: an attacker's answer in a browser that did not ask, or asked for another."""
    transport = httpx.ASGITransport(relying, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=HOME) as client:
        attackers = issuer.authorize(await begin(Browser(client)))
    await refused(browser, await come_back(browser, attackers))
    await begin(browser)
    await refused(browser, await come_back(browser, attackers))
    for forged in ("x", "gAAAAAB" + "x" * 100, "%00"):
        await refused(browser, await come_back_with(browser, attackers, forged))


async def test_a_sign_in_is_over_after_ten_minutes(
    browser: Browser, issuer: LocalIssuer, subject: str
) -> None:
    address = issuer.authorize(await begin(browser))
    kept = browser.client.cookies.get(FLOW) or ""
    with time_machine.travel(time.time() + 601):
        answer = await come_back_with(browser, address, kept)
    await refused(browser, answer)


async def come_back_with(browser: Browser, address: str, flow: str) -> httpx.Response:
    """With a cookie that a browser would have thrown away."""
    return await browser.get(address, Cookie=f"{FLOW}={flow}", Accept_Language="en")


async def test_other_sites_begin_nothing(browser: Browser, issuer: LocalIssuer) -> None:
    answer = await browser.get("/sign-in/oidc", Sec_Fetch_Site="cross-site")
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("after", ["//evil.test", "/%5Cevil.test", "https:evil.test", "%2F%2Fevil"])
async def test_one_comes_back_to_pages_of_ours(
    browser: Browser, issuer: LocalIssuer, subject: str, after: str
) -> None:
    answer = await come_back(browser, issuer.authorize(await begin(browser, after)))
    assert answer.headers["location"] == "/"


@pytest.mark.parametrize(
    "answer",
    [
        (500, {}, b""), (302, {"Location": OTHERS}, b""), (200, {}, b"x" * 300_000),
    ],
)  # fmt: skip
async def test_an_issuer_that_is_away_is_told(
    browser: Browser, issuer: LocalIssuer, subject: str, answer: Any
) -> None:
    address = issuer.authorize(await begin(browser))
    issuer.answers["/token"] = answer
    await refused(browser, await come_back(browser, address), 503)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"id_token": 1}', b'{"id_token": "\\ud800"}', b"\xff"]
)
async def test_answers_that_are_none(
    browser: Browser, issuer: LocalIssuer, subject: str, body: bytes
) -> None:
    address = issuer.authorize(await begin(browser))
    issuer.answers["/token"] = (200, {}, body)
    await refused(browser, await come_back(browser, address))


async def test_an_issuer_without_pages_is_no_place_to_sign_in(
    browser: Browser, issuer: LocalIssuer
) -> None:
    issuer.described = {"authorization_endpoint": "http://plain.test/authorize"}
    answer = await browser.get("/sign-in/oidc", Accept_Language="en")
    assert answer.status_code == 503
    assert "does not answer" in answer.text
    assert (await browser.get("/sign-out/oidc")).status_code == 503


async def test_without_a_client_there_is_no_such_page(app: FastAPI) -> None:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=HOME) as client:
        for path in ("/sign-in/oidc", "/sign-in/callback", "/sign-out/oidc"):
            assert (await Browser(client).get(path)).status_code == 404


@pytest.mark.parametrize(
    "chosen",
    [
        {"oidc_client_id": "pages"},
        {"oidc_client_secret": "secret"},
        {**ISSUED, "oidc_issuer": OTHERS, "oidc_audience": CLIENT, "oidc_plain_jwt": True},
        {**ISSUED, "oidc_issuer": OTHERS, "oidc_scopes": "email"},
    ],
)
def test_settings_that_fit_nothing_are_refused(chosen: Json) -> None:
    with pytest.raises(ValidationError):
        Settings(**chosen)
