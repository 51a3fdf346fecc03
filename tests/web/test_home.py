"""The front door, the page to explore the API, and the guides, as pages."""

import re

import httpx
import pytest
from fastapi import FastAPI

from app.languages import words
from app.schemas.fields import Language
from app.web.scripting import FILES, STEPS, snippets
from tests.conftest import Clients
from tests.support.institution import API, Institution
from tests.web.conftest import Browser

HTML = {"Accept": "text/html"}
PLACES = {
    "/institutions",
    "/docs",
    "/guides/curl",
    "/errors",
    "/redoc",
    "/health/ready",
    "/sign-in",
}


def links(answer: httpx.Response) -> set[str]:
    """Where a page leads."""
    return set(re.findall(r'<a [^>]*href="(/[^"?#]*)', answer.text))


async def test_strangers_are_shown_where_things_are(browser: Browser) -> None:
    answer = await browser.get("/", Accept_Language="en")
    assert answer.status_code == 200
    assert links(answer) >= PLACES
    assert "Your institutions" not in answer.text
    for place in sorted(links(answer)):
        reached = await browser.get(place)
        assert reached.status_code == (303 if place == "/institutions" else 200), place


async def test_who_is_signed_in_finds_their_institutions(
    institution: Institution, browser: Browser
) -> None:
    token = institution.verifier.headers["authorization"].removeprefix("Bearer ")
    await browser.sign_in(token)
    own = institution.path.removeprefix(API)
    answer = await browser.get("/", Accept_Language="id")
    assert "Instansi Anda" in answer.text
    assert {each for each in links(answer) if each.startswith("/institutions/")} == {
        own, f"{own}/initiatives", f"{own}/verifications",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("role", "further"),
    [("viewer", set()), ("reporter", {"reporting"}), ("admin", {"reporting", "verifications"})],
)
async def test_one_is_led_where_one_may_do_something(
    institution: Institution, role: str, further: set[str]
) -> None:
    await institution.unit("a")
    client = await institution.person(f"any-{role}", role, "a")
    answer = await client.get("/", headers=HTML)
    own = institution.path.removeprefix(API)
    led = {each for each in links(answer) if each.startswith("/institutions/")}
    assert led == {own, f"{own}/initiatives"} | {f"{own}/{each}" for each in further}
    for place in sorted(led - {own}):
        assert (await client.get(place, headers=HTML)).status_code == 200, place
    # Of the whole they may not see the overview: they are led to that of what they may.
    answer = await client.get(f"{own}?year=2022", headers=HTML)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{own}/units/a?year=2022")
    assert (await client.get(answer.headers["location"], headers=HTML)).status_code == 200
    await client.aclose()


async def test_one_is_led_to_the_highest_unit_that_is_open(institution: Institution) -> None:
    """Neither to the first by its code, nor to one that is archived while another is open."""
    for code, parent in (("a", None), ("z", None), ("b", "z"), ("y", None)):
        await institution.unit(code, parent)
    client = await institution.person("several", "viewer", "b")
    own = institution.path.removeprefix(API)

    async def led() -> str:
        answer = await client.get(own, headers=HTML)
        assert answer.status_code == 303
        return answer.headers["location"].removeprefix(f"{own}/units/")

    assert await led() == "b"
    for code in ("a", "z", "y"):
        await institution.post("grants", {"person": "several", "role": "viewer", "unit": code})
    assert await led() == "a"
    await institution.patch("units/a", {"archived": True})
    assert await led() == "y"
    await institution.patch("units/y", {"archived": True})
    assert await led() == "z"
    for code in ("b", "z"):
        await institution.patch(f"units/{code}", {"archived": True})
    assert await led() == "a"
    await client.aclose()


async def test_a_session_that_has_ended_is_a_stranger(
    institution: Institution, browser: Browser
) -> None:
    await browser.sign_in(institution.verifier.headers["authorization"].removeprefix("Bearer "))
    browser.bring(f"{browser.secret}x")
    answer = await browser.get("/", Accept_Language="en")
    assert answer.status_code == 200
    assert "Your institutions" not in answer.text
    assert "/sign-in" in links(answer)


@pytest.mark.parametrize("language", list(Language))
async def test_docs_open_with_a_place_for_the_token(
    app: FastAPI, clients: Clients, language: Language
) -> None:
    answer = await clients.nobody.get("/docs", headers=HTML | {"Accept-Language": language})
    text = answer.text
    assert f'<html lang="{language}">' in text
    assert text.count("<head>") == text.count("</head>") == text.count("<body>") == 1
    assert f'<label for="token">{words(language).gettext("Your token")}</label>' in text
    assert text.index('id="token-form"') < text.index('id="swagger-ui"')
    inline = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    assert len(inline) == 1, "Swagger UI's own, which the policy knows by its hash"
    assert answer.headers["content-security-policy"].count("'sha256-") == 1
    known = {
        f"/docs#/{operation['tags'][0]}/{operation['operationId']}"
        for operations in app.openapi()["paths"].values()
        for operation in operations.values()
    }
    calls = re.findall(r'href="(/docs#[^"]+)"', text)
    assert len(calls) == 5
    assert set(calls) <= known


@pytest.mark.parametrize("language", list(Language))
async def test_redoc_stands_below_the_way_back(clients: Clients, language: Language) -> None:
    answer = await clients.nobody.get("/redoc", headers=HTML | {"Accept-Language": language})
    assert f'<html lang="{language}">' in answer.text
    assert f"<title>{words(language).gettext('Read the API')} · Quickwin</title>" in answer.text
    assert links(answer) == {"/", "/docs", "/guides/curl", "/errors", "/openapi.json"}
    assert "<noscript><h1>" in answer.text
    assert '<redoc spec-url="/openapi.json"' in answer.text


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/errors", "/guides/curl"])
async def test_pages_for_all_know_their_reader(
    institution: Institution, browser: Browser, path: str
) -> None:
    """The account's language, and the name; what is wrong with a session is no reason not to read."""
    await institution.patch("people/reporter", {"language": "id"})
    await browser.sign_in(institution.reporter.headers["authorization"].removeprefix("Bearer "))
    own = (await browser.get(path, Accept_Language="en")).text
    assert '<html lang="id">' in own
    assert re.search(r">reporter</(a|span)>", own)
    assert f'action="/language">\n  <input type="hidden" name="next" value="{path}">' in own
    browser.bring(f"{browser.secret}x")
    ended = await browser.get(path, Accept_Language="en")
    assert ended.status_code == 200
    assert '<html lang="en">' in ended.text
    assert "reporter</" not in ended.text


def test_guides_have_the_same_steps() -> None:
    for name in FILES:
        assert list(snippets(name)) == [step.name for step in STEPS], name


@pytest.mark.parametrize("name", [*FILES, "cobol"])
async def test_guides_show_what_is_run(clients: Clients, name: str) -> None:
    answer = await clients.nobody.get(f"/guides/{name}", headers=HTML)
    assert answer.status_code == (200 if name in FILES else 404)
    if name in FILES:
        assert answer.text.count("<h2 ") == len(STEPS)
        assert "QW-2022-014" in answer.text
        assert "#: " not in answer.text
        assert "//: " not in answer.text
