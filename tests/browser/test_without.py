"""Without JavaScript, and by keyboard alone: nobody is kept out of the work itself."""

import pytest
from playwright.async_api import Browser, FilePayload

from tests.browser.conftest import Place, Window, window

KPU = "/institutions/kpu"
FOCUSED = """wanted => {
    const here = document.activeElement;
    const { outlineStyle, outlineWidth } = getComputedStyle(here);
    const { width, height, right, bottom } = here.getBoundingClientRect();
    const isShown = outlineStyle !== "none" && parseFloat(outlineWidth) >= 2
        && width > 0 && height > 0 && right > 0 && bottom > 0;
    return [here === document.body || isShown ? "" : here.outerHTML.slice(0, 200), here.matches(wanted)];
}"""
"""What has focus, if one cannot see that it has; and whether it is what is wanted."""
MOST_STEPS = 200


@pytest.fixture
def reported(place: Place) -> str:
    """A report of somebody's that waits for a verdict; its id."""
    place.plan("without")
    answer = place.client.post(
        "initiatives/without/milestones/1/updates",
        json={"percent_complete": 30},
        headers={"Authorization": f"Bearer {place.token('ops-32')}"},
    )
    assert answer.status_code == 201, answer.text
    update: str = answer.json()["id"]
    return update


async def test_pages_and_forms_need_no_script(
    place: Place, chromium: Browser, operator_token: str, reported: str
) -> None:
    form = f"{KPU}/initiatives/without/milestones/1/report"
    async with window(chromium, place.url, java_script_enabled=False) as seen:
        page = seen.page
        await seen.sign_in(operator_token)

        await seen.go(KPU)
        assert await page.locator("main svg").count() >= 1
        await page.click("text=KPU Provinsi Jawa Barat")
        assert await page.inner_text("h1") == "KPU Provinsi Jawa Barat"
        await page.fill("[name=year]", "2022")
        await page.press("[name=year]", "Enter")
        await page.wait_for_url("**/units/32?year=2022")
        await page.click("thead a >> nth=0")
        assert "sort=" in page.url
        assert "year=2022" in page.url

        await seen.go(f"{KPU}/initiatives?unit=32")
        await page.fill("[name=q]", "satu pintu")
        await page.click("main form button >> nth=0")
        assert "unit=32" in page.url
        assert "q=satu" in page.url
        await page.click("a[href$='/initiatives/without']")
        assert "Loket satu pintu" in await page.inner_text("h1")
        assert await page.locator("main svg:visible").count() >= 1

        await seen.go(form)
        await page.fill("[name=percent_complete]", "70")
        await page.fill("[name=note]", "Berita acara terlampir")
        await page.fill("[name=link_title] >> nth=0", "Foto loket")
        await page.fill("[name=link_url] >> nth=0", "https://example.org/loket")
        content = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
        file: FilePayload = {
            "name": "berita-acara.pdf", "mimeType": "application/pdf", "buffer": content,
        }  # fmt: skip
        await page.set_input_files("[name=file]", file)
        await page.click("button.full")
        assert f"{form.removesuffix('report')}updates/" in page.url, await page.inner_text("main")
        assert "70%" in await page.inner_text("main")
        assert await page.locator("[role=status] strong").is_visible()

        await seen.go(f"{KPU}/updates/{reported}/verification")
        await page.check("[name=quality][value=yes]")
        await page.check("[name=verdict][value=verified]")
        await page.click("button.full")
        assert "judged=" in page.url

        await page.click("form[action='/sign-out'] button")
        assert page.url.startswith(f"{place.url}/sign-in")
        await seen.go(KPU)
        assert page.url.startswith(f"{place.url}/sign-in")
        assert not seen.complaints
    newest, first = sorted(
        place.client.get("initiatives/without/milestones/1/updates").json()["items"],
        key=lambda update: -update["percent_complete"],
    )
    assert newest["percent_complete"] == 70.0
    assert {each["title"] for each in newest["evidence"]} == {"Foto loket", "berita-acara.pdf"}
    assert (first["id"], first["verification"]) == (reported, "verified")


async def reach(seen: Window, wanted: str) -> None:
    """Press Tab until it is there; what has focus can be seen at each step."""
    for _ in range(MOST_STEPS):
        await seen.page.keyboard.press("Tab")
        unseen, is_there = await seen.page.evaluate(FOCUSED, wanted)
        assert not unseen, unseen
        if is_there:
            return
    raise AssertionError(f"{wanted} is not reached at {seen.page.url}")


async def enter(seen: Window, wanted: str, leads: str) -> None:
    """Reach what is wanted, and press Enter on it."""
    await reach(seen, wanted)
    await seen.page.keyboard.press("Enter")
    await seen.page.wait_for_url(leads, timeout=60_000, wait_until="domcontentloaded")


async def sign_in_by_keyboard(seen: Window, token: str) -> None:
    """Past the navigation by the skip link."""
    await seen.go("/sign-in")
    await reach(seen, "a")
    assert await seen.page.evaluate("document.activeElement.className") == "skip"
    await seen.page.keyboard.press("Enter")
    await reach(seen, "main *")  # the very next that takes focus
    await seen.page.keyboard.type(token)
    await enter(seen, "main button", f"{seen.url}/")


async def test_one_reports_and_verifies_by_keyboard_alone(place: Place, chromium: Browser) -> None:
    place.plan("keys", due_on="2020-01-31")  # the first to report on
    form = f"a[href='{KPU}/initiatives/keys/milestones/1/report']"
    async with window(chromium, place.url, locale="en-GB") as reporter:
        keyboard = reporter.page.keyboard
        await sign_in_by_keyboard(reporter, place.token("ops-32"))
        await enter(reporter, "a[href$='/kpu/reporting']", "**/reporting")
        await enter(reporter, form, "**/keys/milestones/1/report")
        await reach(reporter, "[name=percent_complete]")
        await keyboard.press("Control+A")
        await keyboard.type("55.5")
        await reach(reporter, "[name=note]")
        await keyboard.type("By keyboard")
        await enter(reporter, "button.full", "**/keys/milestones/1/updates/*")
        assert not reporter.complaints
    (update,) = place.client.get("initiatives/keys/milestones/1/updates").json()["items"]
    assert (update["percent_complete"], update["note"]) == (55.5, "By keyboard")
    async with window(chromium, place.url, locale="en-GB") as verifier:
        keyboard = verifier.page.keyboard
        await sign_in_by_keyboard(verifier, place.token("apip-1"))
        await enter(verifier, "a[href$='/kpu/verifications']", "**/verifications")
        await reach(verifier, "main a[href$='/verification']")  # the oldest; ours is pages behind
        await verifier.go(f"{KPU}/updates/{update['id']}/verification")
        for question in ("executed_as_planned", "output_reached", "quality", "on_time", "verdict"):
            await reach(verifier, f"[name={question}]")
            await keyboard.press("Space")
        await enter(verifier, "button.full", "**judged=*")
        await reach(verifier, "a[href$='/kpu/initiatives']")  # and on it goes
        assert not verifier.complaints
    (update,) = place.client.get("initiatives/keys/milestones/1/updates").json()["items"]
    assert update["verification"] == "verified"
    assert update["verifications"][0]["quality"] is True
