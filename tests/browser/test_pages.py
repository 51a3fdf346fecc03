"""Every page in both languages, light and dark, on a phone and on a desk: whole, and open to all."""

import gzip
import os
from pathlib import Path

import pytest
from playwright.async_api import Browser

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
    "guide": "/guides/typescript",
    "report": f"{KPU}/units/32/report?year=2022&as_of=2022-11-30",
    "my milestones": f"{KPU}/reporting",
    "report form": f"{KPU}/initiatives/QW-2022-014/milestones/3/report",
    "verifications": f"{KPU}/verifications",
    "errors": "/errors",
    "nowhere": "/nowhere",
}
PICTURES = os.environ.get("QUICKWIN_PICTURES")
"""A folder for pictures of all pages, in all looks, for somebody who wants to see them."""
LOOKS = {
    "id-light-phone": ("id-ID", "light", PHONE),
    "en-dark-desk": ("en-GB", "dark", DESKTOP),
} | ({} if PICTURES is None else {
    "id-light-desk": ("id-ID", "light", DESKTOP),
    "en-dark-phone": ("en-GB", "dark", PHONE),
})  # fmt: skip
A4 = (680, 980)
"""What is within the margins, in CSS pixels."""
ON_PAPER = """() => [...document.querySelectorAll("main *, nav, form, button")]
    .filter((each) => each.checkVisibility({ visibilityProperty: true }) && !each.closest("svg, .unseen"))
    .filter((each) => each.matches("nav, form, button")
        || each.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .map((each) => each.outerHTML.slice(0, 120))"""
"""What is beyond the paper's edge, or to be clicked."""
LARGEST = 100_000
"""Bytes of a page as it is sent, compressed."""


@pytest.mark.parametrize("look", LOOKS)
async def test_pages_are_whole_and_open_to_all(
    place: Place, chromium: Browser, axe: str, operator_token: str, look: str
) -> None:
    language, scheme, size = LOOKS[look]
    wrong: list[str] = []
    async with window(chromium, place.url, size, locale=language, color_scheme=scheme) as seen:
        await seen.sign_in(operator_token)
        for name, path in PAGES.items():
            await seen.go(path)
            page = seen.page
            if PICTURES:
                picture = Path(PICTURES) / f"{name}-{look}.png"
                await page.screenshot(path=picture, full_page=True)
            lang = await page.get_attribute("html", "lang")
            if lang != language[:2]:
                wrong.append(f"{name}: speaks {lang}")
            if await page.locator("h1").count() != 1:
                wrong.append(f"{name}: has not one heading of the first level")
            if await page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                wrong.append(f"{name}: is wider than the window")
            sent = len(gzip.compress((await page.content()).encode()))
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


async def test_pages_need_no_script(place: Place, chromium: Browser, operator_token: str) -> None:
    async with window(chromium, place.url, java_script_enabled=False) as seen:
        await seen.sign_in(operator_token)
        await seen.go(KPU)
        await seen.page.click("text=KPU Provinsi Jawa Barat")
        assert await seen.page.inner_text("h1") == "KPU Provinsi Jawa Barat"
        await seen.page.fill("[name=year]", "2022")
        await seen.page.press("[name=year]", "Enter")
        await seen.page.wait_for_url("**/units/32?year=2022")
        await seen.page.click("thead a >> nth=0")
        assert "sort=" in seen.page.url
        assert "year=2022" in seen.page.url


async def test_one_gets_everywhere_by_keyboard(
    place: Place, chromium: Browser, operator_token: str
) -> None:
    async with window(chromium, place.url, locale="en-GB") as seen:
        page, press = seen.page, seen.page.keyboard.press
        await seen.go("/sign-in")
        await press("Tab")
        assert await page.evaluate("document.activeElement.className") == "skip"
        await press("Enter")
        for _ in range(12):
            await press("Tab")
            if await page.evaluate("document.activeElement.id") == "token":
                break
        await page.keyboard.type(operator_token)
        await press("Enter")
        await page.wait_for_url(f"{place.url}/")
        await seen.go(KPU)
        reached: set[str] = set()
        for _ in range(60):
            await press("Tab")
            reached.add(await page.evaluate("document.activeElement.textContent.trim()"))
            outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", await page.evaluate("document.activeElement.outerHTML")
        assert {"Initiatives", "Bahasa Indonesia", "Show", "KPU Provinsi Aceh"} & reached
        assert {"Initiatives", "Show"} <= reached


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
