"""A report as Chromium prints it to a PDF: A4, with headings to jump to, and tables that break well."""

from io import BytesIO
from unicodedata import normalize

import pytest
from playwright.async_api import Browser
from pypdf import PageObject, PdfReader
from pypdf.generic import Destination, DictionaryObject

from tests.browser.conftest import Place, window
from tests.browser.test_pages import KPU

REPORT = f"{KPU}/units/kpu/report?period=2024-B06"
A4 = (595, 842)
"""Points; as our sheet says, where a printer would take another."""
SAYS = {
    "id-ID": ("Laporan kemajuan quick win", "Unit di bawahnya", "B06 tahun 2024"),
    "en-GB": ("Progress report on quick wins", "Units below", "B06 of 2024"),
}
TEXTS = """(all, selector) => [...document.querySelectorAll(selector)]
    .filter((each) => each.checkVisibility())
    .map((each) => all ? [...each.cells].filter((cell) => cell.checkVisibility() && !cell.querySelector(".unseen"))
        .map((cell) => cell.innerText).join(" ") : each.innerText)"""


def plain(text: str) -> str:
    """A text as it is compared: without ligatures and spaces, since lines break at hyphens too."""
    return "".join(normalize("NFKC", text).split())


def outline(found: list[Destination | list[object]], level: int = 1) -> list[tuple[int, str]]:
    """The headings to jump to, with their levels; one that is drawn twice is told twice in one."""
    listed: list[tuple[int, str]] = []
    for each in found:
        if isinstance(each, Destination):
            listed.append((level, plain(str(each.title))))
        else:
            listed += outline(each, level + 1)  # type: ignore[arg-type]
    return listed


def size(page: PageObject) -> tuple[int, int]:
    return round(float(page.mediabox.width)), round(float(page.mediabox.height))


@pytest.mark.parametrize("language", SAYS)
async def test_a_report_becomes_a_good_pdf(
    place: Place, chromium: Browser, operator_token: str, language: str
) -> None:
    headline, below, period = SAYS[language]
    async with window(chromium, place.url, locale=language) as seen:
        await seen.sign_in(operator_token)
        await seen.go(REPORT)
        page = seen.page
        made = await page.pdf(
            prefer_css_page_size=True, print_background=True, tagged=True, outline=True
        )
        await page.emulate_media(media="print")
        headings = await page.evaluate(f"({TEXTS})(false, 'main h2')")
        rows = await page.evaluate(f"({TEXTS})(true, 'main tbody tr')")
        [head] = await page.evaluate(f"({TEXTS})(true, '[aria-label=\"{below}\"] thead tr')")
        units = await page.evaluate(f"({TEXTS})(true, '[aria-label=\"{below}\"] tbody tr')")
    paper = PdfReader(BytesIO(made))
    assert {size(each) for each in paper.pages} == {A4}
    root = paper.root_object
    assert str(root["/Lang"]) == language[:2]
    marks = root["/MarkInfo"]
    assert isinstance(marks, DictionaryObject)
    assert marks["/Marked"]
    first, *others = outline(paper.outline)  # type: ignore[arg-type]
    assert first == (1, plain(headline))
    assert [level for level, _ in others] == [2] * len(headings)
    for (_, told), heading in zip(others, headings, strict=True):
        assert told in {plain(heading), plain(heading) * 2}
    assert below in headings
    texts = [plain(each.extract_text()) for each in paper.pages]
    assert plain(period) in texts[0]
    # A row whose beginning and end are on different pages is on none.
    assert len(rows) > len(units) > 30
    cut = [row for row in rows if not any(plain(row) in text for text in texts)]
    assert cut == []
    with_units = [text for text in texts if any(plain(row) in text for row in units)]
    assert len(with_units) > 1
    assert [text for text in with_units if plain(head) not in text] == []
