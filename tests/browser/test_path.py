"""The whole path as two people walk it: sign in, report, verify, and see the number move."""

from typing import Any

from playwright.async_api import Browser

from tests.browser.conftest import PHONE, Place, window

PLAN = {
    "code": "path", "title": "Loket satu pintu", "unit": "32", "year": 2026, "status": "active",
    "areas": ["public-service"], "owners": [{"person": "sek-32", "role": "accountable"}],
    "milestones": [{"title": "Buka loket", "due_on": "2026-06-30"}],
}  # fmt: skip
HERE = "/institutions/kpu/initiatives/path"
FORM = f"{HERE}/milestones/1/report"


def _plan(place: Place, code: str) -> None:
    reason: dict[str, Any] = {"reason": "Untuk uji coba"}
    answer = place.client.put(f"initiatives/{code}", json=PLAN | reason | {"code": code})
    assert answer.status_code in {200, 201}, answer.text


async def test_a_report_is_verified_and_the_number_moves(place: Place, chromium: Browser) -> None:
    _plan(place, "path")
    async with window(chromium, place.url, PHONE) as reporter:
        page = reporter.page
        await reporter.sign_in(place.token("ops-32"))
        await reporter.go(FORM)
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
        await verifier.sign_in(place.token("apip-1"))
        await verifier.go(f"/institutions/kpu/updates/{updates[0]['id']}/verification")
        for group in await page.locator("main fieldset").all():
            await group.locator("input[type=radio]").first.check()
        await page.click("button.full")
        await page.wait_for_load_state()
        await verifier.go(HERE)
        assert "60.5%" in await page.inner_text(".figures")
        assert not verifier.complaints
    found = place.client.get("initiatives/path").json()
    assert (found["percent_complete"], found["percent_verified"]) == (60.5, 60.5)


async def test_what_is_sent_without_a_network_is_sent_once_when_it_is_back(
    place: Place, chromium: Browser
) -> None:
    _plan(place, "offline")
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
    _plan(place, "open")
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
