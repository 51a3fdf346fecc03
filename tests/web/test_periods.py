"""Reporting periods as pages: which there are, who has reported on one, and whom to ask."""

import pytest

from app.languages import words
from app.schemas.fields import Language
from tests.support.institution import API, Institution
from tests.web.test_initiatives import PAGE, shown

SAID = words(Language.EN)
PERIOD = "periods/2022-B06"


@pytest.fixture
async def owing(institution: Institution) -> Institution:
    """An institution of whose three initiatives one has reported on its second quarter."""
    await institution.unit("a")
    await institution.unit("b")
    await institution.person("asked", "reporter", "a")
    await institution.post("periods/standard", {"year": 2022, "closes_by_itself": False})
    owners = [{"person": "asked", "role": "accountable"}]
    step = [{"title": "Step", "due_on": "2022-12-31"}]
    await institution.initiative("A-1", "a", title="Has reported", milestones=step)
    await institution.initiative("A-2", "a", title="Is <silent>", owners=owners, milestones=step)
    await institution.initiative("B-1", "b", title="Is silent too", milestones=step)
    await institution.report("A-1", 1, 40, "2022-05-01")
    return institution


async def test_a_period_tells_who_has_reported_and_whom_to_ask(owing: Institution) -> None:
    page = await shown(owing, PERIOD)
    standing = await owing.get(f"{PERIOD}/standing")
    assert standing["total"]["owing"] == 3
    for each in [standing["own"], *standing["items"]]:
        counts = [SAID.number(each[name]) for name in ("owing", "in_time", "late")]
        row = "\n".join(f'<td class="number">{count}</td>' for count in counts)
        assert row in page, each
    assert f"<dd>{SAID.percent(standing['total']['percent_reported'])} " in page
    for unit in ("a", "b"):
        assert f'href="/institutions/{owing.code}/{PERIOD}?unit={unit}"' in page
    missing = (await owing.get(f"{PERIOD}/missing"))["items"]
    assert [each["initiative"] for each in missing] == ["A-2", "B-1"]
    asked = page[page.index("Whom to ask") :]
    assert "Is &lt;silent&gt;" in asked
    assert "Is silent too" in asked
    assert "Has reported" not in asked
    assert missing[0]["accountable"]["name"] in asked
    assert f'<td class="number">{SAID.number(missing[0]["days_late"])}</td>' in asked
    below = await shown(owing, f"{PERIOD}?unit=a&sort=-initiative", language="id")
    assert "Yang perlu ditanya" in below
    asked_for = "period=2022-B06&amp;unit=a&amp;sort=-initiative"
    assert f'/api/v1/institutions/{owing.code}/exports/missing.xlsx?{asked_for}"' in below
    assert "Is &lt;silent&gt;" in below
    assert "Is silent too" not in below
    first = await shown(owing, f"{PERIOD}?limit=1")
    assert "Is silent too" not in first
    assert 'rel="next"' in first
    await shown(owing, "periods/2022-B07", 404)
    await shown(owing, f"{PERIOD}?unit=none", 404)
    await shown(owing, f"{PERIOD}?sort=nothing", 422)


async def test_one_is_led_from_the_overview_to_the_last_period(owing: Institution) -> None:
    assert f"/{PERIOD}?unit=a" in await shown(owing, "units/a?as_of=2022-08-31")
    assert "/periods?unit=a" in await shown(owing, "units/a?since=2022-03-31")
    listed = await shown(owing, "periods?unit=a")
    assert listed.index("B12 of 2022") < listed.index("B06 of 2022")
    assert f'href="/institutions/{owing.code}/{PERIOD}?unit=a"' in listed
    assert "Over, not closed" in listed
    assert "B06 of 2022" not in await shown(owing, "periods?state=upcoming")


async def test_a_period_shows_what_one_may_see(owing: Institution) -> None:
    viewer = await owing.person("viewer", "viewer", "b")
    await shown(owing, f"{PERIOD}?unit=a", 404, viewer)
    page = await shown(owing, f"{PERIOD}?unit=b", client=viewer)
    assert "Is silent too" in page
    assert "Is &lt;silent&gt;" not in page
    own = owing.path.removeprefix(API)
    for asked, led in (
        ("periods", "periods?unit=b"), (PERIOD, f"{PERIOD}?unit=b"),
        (f"{PERIOD}?sort=-unit", f"{PERIOD}?sort=-unit&unit=b"),
    ):  # fmt: skip
        answer = await viewer.get(f"{own}/{asked}", headers=PAGE)
        assert (answer.status_code, answer.headers["location"]) == (303, f"{own}/{led}")
        await shown(owing, led, client=viewer)
    assert f'href="{own}/{PERIOD}?unit=b"' in await shown(owing, "periods?unit=b", client=viewer)
    await viewer.aclose()
    nobody = await owing.person("nobody")
    assert "B06 of 2022" in await shown(owing, "periods", client=nobody)
    await shown(owing, PERIOD, 404, nobody)
    await nobody.aclose()
