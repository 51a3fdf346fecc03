"""Every page in both languages, light and dark, on a phone and on a desk: whole, and open to all."""

import itertools
import os
from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Browser, Response

from tests.browser.conftest import DESKTOP, PHONE, Place, window

KPU = "/institutions/kpu"
PAGES = {
    "sign-in": "/sign-in",
    "home": "/",
    "institutions": "/institutions",
    "institution": KPU,
    "unit": f"{KPU}/units/32?as_of=2022-11-30&sort=-overdue",
    "initiatives": f"{KPU}/initiatives?unit=32",
    "initiative": f"{KPU}/initiatives/QW-2022-014",
    "milestone": f"{KPU}/initiatives/QW-2022-014/milestones/3",
    "guide, curl": "/guides/curl",
    "guide, Python": "/guides/python",
    "guide, TypeScript": "/guides/typescript",
    "sessions": "/sessions",
    "report": f"{KPU}/units/32/report?since=2022-06-30&as_of=2022-11-30",
    "period": f"{KPU}/periods/2024-B09?unit=32",
    "my milestones": f"{KPU}/reporting",
    "report form": f"{KPU}/initiatives/QW-2022-014/milestones/3/report",
    "verifications": f"{KPU}/verifications",
    "errors": "/errors",
    "nowhere": "/nowhere",
}
PICTURES = os.environ.get("QUICKWIN_PICTURES")
"""A folder for pictures of all pages, in all looks, for somebody who wants to see them."""
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
LOOKS = list(itertools.product(("id", "en"), SCHEMES, (PHONE, DESKTOP)))
TURNS = range(len(LOOKS)) if PICTURES else (0, len(LOOKS) - 1)
"""A page is looked at in two looks that have nothing in common, and all looks come up among the pages."""
A4 = (680, 980)
"""What is within the margins, in CSS pixels."""
ON_PAPER = """() => [...document.querySelectorAll("main *, nav, form, button")]
    .filter((each) => each.checkVisibility({ visibilityProperty: true }) && !each.closest("svg, .unseen"))
    .filter((each) => each.matches("nav, form, button")
        || each.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .map((each) => each.outerHTML.slice(0, 120))"""
"""What is beyond the paper's edge, or to be clicked."""
LARGEST = 15_000
"""Bytes of a page as it is sent, packed: what the README says of the demo."""


async def packed(answer: Response | None) -> int:
    """The bytes that a page has come in; more than any may have, if it came plain."""
    assert answer is not None
    if await answer.header_value("content-encoding") != "gzip":
        return 10 * LARGEST
    return (await answer.request.sizes())["responseBodySize"]


@pytest.fixture(scope="session")
def found(place: Place) -> dict[str, str]:
    """Pages whose addresses are known by their ids alone."""
    place.plan("pages")
    update = {"percent_complete": 45, "note": "Loket dibuka"}
    made = place.client.post("initiatives/pages/milestones/1/updates", json=update)
    frozen = place.client.post("reports", json={"title": "Triwulan", "unit": "32"})
    assert (made.status_code, frozen.status_code) == (201, 201), made.text + frozen.text
    update_id = made.json()["id"]
    return {
        "verification": f"{KPU}/updates/{update_id}/verification",
        "receipt": f"{KPU}/initiatives/pages/milestones/1/updates/{update_id}",
        "frozen report": f"{KPU}/reports/{frozen.json()['id']}",
    }


@pytest.mark.parametrize("turn", TURNS)
async def test_pages_are_whole_and_open_to_all(
    place: Place,
    chromium: Browser,
    axe: str,
    operator_token: str,
    found: dict[str, str],
    turn: int,
) -> None:
    wrong: list[str] = []
    async with window(chromium, place.url) as seen:
        await seen.sign_in(operator_token)
        page = seen.page
        for number, (name, path) in enumerate((PAGES | found).items()):
            language, scheme, (width, height) = LOOKS[number % len(LOOKS) ^ turn]
            await seen.speak(language)
            await page.emulate_media(color_scheme=scheme)
            await page.set_viewport_size({"width": width, "height": height})
            sent = await packed(await seen.go(path))
            if PICTURES:
                picture = f"{name}-{language}-{scheme}-{width}.png"
                await page.screenshot(path=Path(PICTURES) / picture, full_page=True)
            lang = await page.get_attribute("html", "lang")
            if lang != language:
                wrong.append(f"{name}: speaks {lang}")
            if await page.locator("h1").count() != 1:
                wrong.append(f"{name}: has not one heading of the first level")
            if await page.locator("script:not([defer])").count():
                wrong.append(f"{name}: waits for a script before it is shown")
            if await page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                wrong.append(f"{name}: is wider than the window")
            if sent > LARGEST:
                wrong.append(f"{name}: {sent} bytes")
            wrong += [f"{name}: {fault}" for fault in await seen.faults(axe)]
            said = [text for text in seen.complaints if name != "nowhere"]
            wrong += [f"{name}: {text}" for text in said]
            seen.complaints.clear()
    assert not wrong, "\n".join(wrong)
    assert not seen.strangers


async def test_nothing_is_cut_off_on_paper(
    place: Place, chromium: Browser, operator_token: str
) -> None:
    wrong: dict[str, list[str]] = {}
    async with window(chromium, place.url, A4) as seen:
        await seen.sign_in(operator_token)
        await seen.page.emulate_media(media="print")
        for name in ("institution", "unit", "initiatives", "initiative", "report"):
            await seen.go(PAGES[name])
            if found := await seen.page.evaluate(ON_PAPER):
                wrong[name] = found
    assert not wrong


async def test_a_choice_of_language_stays(
    place: Place, chromium: Browser, operator_token: str
) -> None:
    async with window(chromium, place.url, locale="id-ID") as seen:
        await seen.sign_in(operator_token)
        await seen.go(f"{KPU}/units/32?year=2022")
        await seen.page.click("button[value=en]")
        assert seen.page.url.endswith("/units/32?year=2022")
        assert await seen.page.get_attribute("html", "lang") == "en"
        await seen.go(KPU)
        assert await seen.page.get_attribute("html", "lang") == "en"
