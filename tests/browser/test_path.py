"""The whole path as two people walk it: sign in, report, verify, and see the number move."""

import httpx
from playwright.async_api import Browser, Route

from tests.browser.conftest import PHONE, Place, window

HERE = "/institutions/kpu/initiatives/path"
FORM = f"{HERE}/milestones/1/report"


async def test_a_report_is_verified_and_the_number_moves(place: Place, chromium: Browser) -> None:
    place.plan("path")
    async with window(chromium, place.url, PHONE) as reporter:
        page = reporter.page
        await reporter.sign_in(place.token("ops-32"))
        await page.click("a[href$='/kpu/reporting']")
        await page.wait_for_url("**/reporting")
        await reporter.take(f"a[href='{FORM}']")
        await page.fill("[name=percent_complete]", "60.5")
        await page.fill("[name=note]", "Loket dibuka")
        await page.click("button.full")
        await page.wait_for_url("**/milestones/1/updates/*", wait_until="commit")
        assert "60,5%" in await page.inner_text("main")
        assert not reporter.complaints
    updates = place.client.get("initiatives/path/milestones/1/updates").json()["items"]
    assert [update["percent_complete"] for update in updates] == [60.5]
    async with window(chromium, place.url, locale="en-GB") as verifier:
        page = verifier.page
        verified = page.locator(".figure", has=page.get_by_text("Verified", exact=True))
        await verifier.sign_in(place.token("apip-1"))
        await verifier.go(HERE)
        assert "60.5%" not in await verified.inner_text()
        await page.click("nav a[href$='/kpu/verifications']")
        await page.wait_for_url("**/verifications")
        await verifier.take(f"a[href*='/updates/{updates[0]['id']}/verification']")
        await page.wait_for_url("**/verification")
        for group in await page.locator("main fieldset").all():
            await group.locator("input[type=radio]").first.check()
        await page.click("button.full")
        await page.wait_for_url("**judged=*", wait_until="commit")
        await verifier.go(HERE)
        assert "60.5%" in await verified.inner_text()
        assert not verifier.complaints
    found = place.client.get("initiatives/path").json()
    assert (found["percent_complete"], found["percent_verified"]) == (60.5, 60.5)


async def test_an_answer_that_is_lost_leads_to_one_report(place: Place, chromium: Browser) -> None:
    place.plan("lost")
    taken: list[int] = []

    async def lose_the_first(route: Route) -> None:
        if route.request.method != "POST" or taken:
            await route.continue_()
            return
        answer = await route.fetch(max_redirects=0)
        taken.append(answer.status)
        await route.abort()

    async with window(chromium, place.url, PHONE) as reporter:
        page = reporter.page
        await reporter.sign_in(place.token("ops-32"))
        await reporter.go(FORM.replace("/path/", "/lost/"))
        await page.route("**/milestones/1/report", lose_the_first)
        await page.fill("[name=percent_complete]", "35")
        await page.click("button.full")
        await page.locator("[data-offline]", has_text="Belum ada jawaban").wait_for(timeout=60_000)
        await page.wait_for_url("**/updates/*", timeout=60_000, wait_until="domcontentloaded")
        told = page.get_by_role("status").filter(has_text="Laporan Anda sudah diterima")
        await told.wait_for(timeout=60_000)
    assert taken == [303]
    updates = place.client.get("initiatives/lost/milestones/1/updates").json()["items"]
    assert [found["percent_complete"] for found in updates] == [35.0]


async def test_a_verdict_without_a_network_is_given_once_when_it_is_back(
    place: Place, chromium: Browser
) -> None:
    place.plan("verdict")
    at = "initiatives/verdict/milestones/1/updates"
    made = place.client.post(at, json={"percent_complete": 30})
    assert made.status_code == 201, made.text
    async with window(chromium, place.url, PHONE) as verifier:
        page, case = verifier.page, f"/institutions/kpu/updates/{made.json()['id']}/verification"
        await verifier.sign_in(place.token("apip-1"))
        await verifier.go(case)
        await page.check("[name=quality][value=no]")
        await page.fill("[name=note]", "Belum lengkap")
        await verifier.go(case)  # what was typed is there again, under the new form's key
        assert await page.is_checked("[name=quality][value=no]")
        assert await page.input_value("[name=note]") == "Belum lengkap"
        await page.check("[name=verdict][value=returned]")
        await verifier.context.set_offline(True)
        await page.click("button.full")
        await page.locator("[data-offline]", has_text="Belum ada jawaban").wait_for(timeout=60_000)
        await verifier.context.set_offline(False)
        await page.wait_for_url("**judged=*", timeout=60_000, wait_until="commit")
    (update,) = place.client.get(at).json()["items"]
    assert [(each["verdict"], each["quality"]) for each in update["verifications"]] == [
        ("returned", False)
    ]


async def test_what_is_sent_without_a_network_is_sent_once_when_it_is_back(
    place: Place, chromium: Browser
) -> None:
    place.plan("offline")
    form = FORM.replace("/path/", "/offline/")
    async with window(chromium, place.url, PHONE) as reporter:
        page = reporter.page
        await reporter.sign_in(place.token("ops-32"))
        await reporter.go(form)
        await reporter.context.set_offline(True)
        await page.fill("[name=percent_complete]", "25")
        await page.fill("[name=note]", "Di lapangan")
        await page.click("button.full")
        await page.wait_for_timeout(300)
        assert place.client.get("initiatives/offline/milestones/1/updates").json()["items"] == []
        await reporter.context.set_offline(False)
        await page.wait_for_url("**/updates/*", timeout=60_000, wait_until="commit")
    updates = place.client.get("initiatives/offline/milestones/1/updates").json()["items"]
    assert [(found["percent_complete"], found["note"]) for found in updates] == [
        (25.0, "Di lapangan")
    ]


async def test_a_page_left_open_follows_what_changes(
    place: Place, chromium: Browser, operator_token: str
) -> None:
    place.plan("open")
    here = HERE.replace("/path", "/open")
    async with window(chromium, place.url) as seen:
        await seen.sign_in(operator_token)
        await seen.go(here)
        assert "37,5%" not in await seen.page.inner_text("main")
        answer = place.client.post(
            "initiatives/open/milestones/1/updates", json={"percent_complete": 37.5}
        )
        assert answer.status_code == 201
        await seen.page.locator("main", has_text="37,5%").wait_for(timeout=60_000)


async def test_a_page_left_open_says_when_it_hears_nothing_more(
    place: Place, chromium: Browser, operator_token: str
) -> None:
    async with window(chromium, place.url, locale="en-GB") as seen:
        await seen.sign_in(operator_token)
        async with seen.page.expect_response("**/events/stream*", timeout=60_000):
            await seen.go("/institutions/kpu")
        told = seen.page.get_by_role("status")
        await seen.context.set_offline(True)
        await told.filter(has_text="may be out of date").wait_for(timeout=60_000)
        await seen.context.set_offline(False)
        await told.filter(has_text="The connection is back.").wait_for(timeout=60_000)
        follows = seen.page.get_by_text("This page follows what is reported.")
        await follows.wait_for(timeout=60_000)
        other = httpx.Client(base_url=place.url, headers={"Sec-Fetch-Site": "same-origin"})
        (cookie,) = [each for each in await seen.context.cookies() if each["name"] == "quickwin"]
        other.cookies.set("quickwin", cookie["value"])
        assert other.post("/sign-out").status_code == 303
        other.close()
        await seen.context.set_offline(True)
        await seen.page.wait_for_function("!navigator.onLine", timeout=60_000)
        await seen.context.set_offline(False)
        await told.filter(has_text="You are not signed in any more").wait_for(timeout=60_000)
        assert await told.get_by_role("link").get_attribute("href") == (
            "/sign-in?next=%2Finstitutions%2Fkpu"
        )
        assert not await follows.is_visible()
