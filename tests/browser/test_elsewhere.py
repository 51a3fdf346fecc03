"""Charts that are not public, in pages of ours and of other origins."""

import re
from pathlib import Path

from playwright.async_api import Browser, Page

from tests.browser.conftest import PORTAL, Place, window

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
CHARTS = ("badge.svg", "s-curve.svg?width=340", "children.svg?limit=3")
IN_AN_IMAGE = """async chart => {
    const image = new Image();
    image.src = chart;
    return image.decode().then(() => image.naturalWidth, () => 0);
}"""


def shown_by_hand() -> str:
    """What the README shows, called."""
    (script,) = re.findall(r"^```js\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return (
        f"async ([chart, token]) => {{ {script} const image = new Image();"
        " return showChart(image, chart, token)"
        ".then(() => [image.naturalWidth, image.alt], failed => [0, failed.message]); }"
    )


async def test_private_charts_are_shown_where_one_may_see_them(
    place: Place, chromium: Browser
) -> None:
    reader = place.token("ops-32")
    charts = [f"{place.url}/api/v1/institutions/kpu/units/32/rollup/{chart}" for chart in CHARTS]
    async with window(chromium, place.url, locale="en-GB") as seen:
        await seen.sign_in(reader)
        for chart in charts:
            assert await seen.page.evaluate(IN_AN_IMAGE, chart) >= 80, chart
        page = await open_portal(await seen.context.new_page(), place.url)
        assert await page.evaluate(IN_AN_IMAGE, charts[0]) == 0  # the session stays at home
        for chart in charts:
            width, told = await page.evaluate(shown_by_hand(), [chart, reader])
            assert width >= 80, told
            assert "KPU Provinsi Jawa Barat" in told
        width, told = await page.evaluate(shown_by_hand(), [charts[0], "qw_nobody"])
        assert width == 0
        assert "token" in told


async def open_portal(page: Page, api: str) -> Page:
    """A page of another origin with a policy of its own."""
    policy = f"default-src 'none'; connect-src {api}; img-src blob: {api}"
    await page.route(
        f"{PORTAL}/**",
        lambda route: route.fulfill(
            body="<!doctype html><title>Portal</title>",
            content_type="text/html",
            headers={"Content-Security-Policy": policy},
        ),
    )
    await page.goto(f"{PORTAL}/")
    return page
