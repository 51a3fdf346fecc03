"""Lists: pages by key, sorts, filters, totals, and what they cost."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.institution import API, Institution


async def pages(institution: Institution, path: str, **asked: Any) -> AsyncIterator[list[Any]]:
    """Page after page, by the Link header."""
    answer = await institution.operator.get(f"{institution.path}/{path}", params=asked)
    while True:
        yield answer.json()["items"]
        if answer.json()["next_cursor"] is None:
            assert "link" not in answer.headers
            return
        link = answer.headers["link"]
        assert link.endswith('>; rel="next"')
        answer = await institution.operator.get(link[1 : link.index(">")])


@pytest.mark.parametrize(
    "sort",
    [
        "code",
        "-code",
        "year,-weight",
        "-due_on,title",
        "-last_reported_at",
        "-status,created_at",
        "start_on,-updated_at",
    ],
)
async def test_pages_hold_everything_once(institution: Institution, sort: str) -> None:
    for i in range(11):
        due_on = f"2022-0{1 + i % 3}-01" if i % 4 else None
        await institution.initiative(f"QW-{i}", year=2022 + i % 2, weight=1 + i % 3, due_on=due_on)
    whole = (await institution.get("initiatives", sort=sort, limit=200))["items"]
    paged = [
        item["code"]
        async for page in pages(institution, "initiatives", sort=sort, limit=3)
        for item in page
    ]
    assert paged == [item["code"] for item in whole]
    assert len(set(paged)) == 11
    keys = [(item["year"], -item["weight"]) for item in whole]
    if sort == "year,-weight":
        assert keys == sorted(keys)


async def test_rows_that_come_between_pages_hide_nothing(institution: Institution) -> None:
    for i in range(6):
        await institution.unit(f"u{i}5")
    seen = []
    fresh = iter(("u00", "u31", "u99", "u98", "u97"))
    async for page in pages(institution, "units", limit=2, parent=institution.code):
        seen += [item["code"] for item in page]
        new = next(fresh, None)
        if new:
            await institution.unit(new)
    assert len(seen) == len(set(seen))
    assert {f"u{i}5" for i in range(6)} <= set(seen)


async def test_totals_are_counted_on_request(institution: Institution) -> None:
    for i in range(4):
        await institution.unit(f"u{i}")
    assert (await institution.get("units", limit=2))["total"] is None
    assert (await institution.get("units", limit=2, include_total=True))["total"] == 5


@pytest.fixture(scope="module")
async def portfolio(shared: Institution) -> Institution:
    """Initiatives of every sort."""
    for unit, parent in (("A", None), ("A1", "A"), ("B", None)):
        await shared.unit(unit, parent)
    late = [{"title": "M", "due_on": "2022-06-30"}]
    coming = [{"title": "M", "due_on": "2199-06-30"}]
    await shared.initiative("late", "A", milestones=late, due_on="2022-07-01", tags=["x"])
    await shared.initiative("done", "A1", milestones=late, areas=["oversight"])
    await shared.report("done", 1, 100, "2022-06-01")
    await shared.initiative("coming", "B", year=2023, milestones=coming, due_on="2199-07-01")
    await shared.initiative("held", "B", status="on_hold", milestones=late, areas=["oversight"])
    await shared.report("held", 1, 90, "2022-06-01")
    await shared.initiative("empty", "A", kind="innovation", origin="mandated")
    proposed = [{"person": "verifier", "role": "supporting"}]
    await shared.initiative("idea", "A", status="proposed", owners=proposed, milestones=late)
    return shared


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, {"late", "done", "coming", "held", "empty", "idea"}),
        ({"unit": "A"}, {"late", "done", "empty", "idea"}),
        ({"unit": "A", "subtree": False}, {"late", "empty", "idea"}),
        ({"unit": ["A1", "B"]}, {"done", "coming", "held"}),
        ({"area": "oversight"}, {"done", "held"}),
        ({"year": 2023}, {"coming"}),
        ({"status": ["on_hold", "proposed"]}, {"held", "idea"}),
        ({"kind": "innovation"}, {"empty"}),
        ({"origin": "mandated"}, {"empty"}),
        ({"owner": "verifier"}, {"idea"}),
        ({"tag": "x"}, {"late"}),
        ({"health": "off_track"}, {"late"}),
        ({"health": "at_risk"}, {"held"}),
        ({"health": ["completed", "not_started"]}, {"done", "coming"}),
        ({"health": "not_measurable"}, {"empty", "idea"}),
        ({"overdue": True}, {"late", "held"}),
        ({"overdue": False}, {"done", "coming", "empty", "idea"}),
        ({"stale": True}, set()),
        ({"stale": False, "unit": "B"}, {"coming", "held"}),
        ({"due_before": "2022-07-02"}, {"late"}),
        ({"due_after": "2022-07-01"}, {"coming"}),
        ({"updated_since": "2022-01-01T00:00:00+07:00", "unit": "B"}, {"coming", "held"}),
        ({"updated_since": "2199-01-01T00:00:00Z"}, set()),
        ({"q": "INITIATIVE l"}, {"late"}),
        ({"q": "%"}, set()),
        ({"q": "_"}, set()),
    ],
)
async def test_filters(portfolio: Institution, asked: dict[str, Any], expected: set[str]) -> None:
    found = await portfolio.get("initiatives", **asked, include_total=True)
    assert {item["code"] for item in found["items"]} == expected
    assert found["total"] == len(expected)


async def walk(institution: Institution, path: str, **asked: Any) -> list[Any]:
    return [item async for page in pages(institution, path, **asked) for item in page]


@pytest.mark.parametrize(
    "path", ["units", "people", "tokens", "updates", "initiatives/A/milestones"]
)
async def test_every_list_pages(institution: Institution, path: str) -> None:
    await institution.initiative("A")
    for i in range(7):
        await institution.unit(f"u{i}")
        await institution.post("people", {"code": f"p{i}", "name": "P"})
        await institution.post("tokens", {"person": f"p{i}", "name": "t"})
        await institution.milestone("A", "2022-06-30")
        await institution.report("A", 1, i, "2022-06-01")
    whole = (await institution.get(path, limit=200))["items"]
    assert len(whole) >= 7
    for limit in (1, 3, len(whole), 200):
        assert await walk(institution, path, limit=limit) == whole


@pytest.mark.parametrize("sort", ["-weight,title", "weight,-year,-title", "-title", "-year,weight"])
async def test_sorts_are_those_of_python(institution: Institution, sort: str) -> None:
    for i in range(9):
        await institution.initiative(
            f"QW-{i}", year=2022 + i % 2, weight=1 + i % 3, title="cab"[i % 3]
        )
    expected = sorted((await institution.get("initiatives"))["items"], key=lambda i: str(i["code"]))
    for name in reversed(sort.split(",")):
        field = name.removeprefix("-")
        expected.sort(key=lambda item: item[field], reverse=name.startswith("-"))
    assert await walk(institution, "initiatives", sort=sort, limit=2) == expected


async def test_new_reports_do_not_shift_the_pages(institution: Institution) -> None:
    await institution.initiative("A", milestones=[{"title": "M", "due_on": "2022-06-30"}])
    made = [(await institution.report("A", 1, i, "2022-06-01"))["id"] for i in range(6)]
    seen = []
    async for page in pages(institution, "updates", limit=2):
        seen += [item["id"] for item in page]
        await institution.report("A", 1, 50, "2022-06-01")
    assert seen == made[::-1]


async def test_codes_are_one_in_any_case_and_ids_do_too(institution: Institution) -> None:
    await institution.unit("Aa")
    await institution.initiative("Qw-1", "aA", milestones=[{"title": "M", "due_on": "2022-06-30"}])
    for noun, code in (("units", "AA"), ("initiatives", "QW-1"), ("people", "REPORTER")):
        found = await institution.get(f"{noun}/{code}")
        assert found["code"].upper() == code
        assert await institution.get(f"{noun}/{found['id']}") == found
        assert await institution.get(f"{noun}/{found['id'].upper()}") == found
    unit, person = await institution.get("units/aa"), await institution.get("people/reporter")
    for asked in ({"unit": "AA"}, {"unit": unit["id"]}, {"owner": person["id"]}):
        found = await institution.get("initiatives", **asked)
        assert [item["code"] for item in found["items"]] == ["Qw-1"]
    assert (await institution.get("initiatives/QW-1/milestones"))["items"][0]["number"] == 1


async def test_what_changed_since_is_enough_to_keep_a_copy(institution: Institution) -> None:
    """Of each list that has `updated_since`, what changed behind an instant, and nothing else."""
    plan = [{"title": "M", "due_on": "2022-06-30"}]
    for code in ("QW-1", "QW-2"):
        await institution.initiative(code, milestones=plan)
    old = await institution.report("QW-1", 1, 10, "2022-06-01")
    older = await institution.report("QW-2", 1, 10, "2022-06-01")
    since = datetime.now(UTC).isoformat()
    await institution.verify(old)
    new = await institution.report("QW-1", 1, 20, "2022-06-02")
    await institution.patch("people/reporter", {"position": "Kasubag"})
    await institution.unit("A")

    async def changed(path: str, since: str = since) -> set[Any]:
        items = (await institution.get(path, updated_since=since, limit=200))["items"]
        return {item.get("code", item["id"]) for item in items}

    milestone = (await institution.get("initiatives/QW-1/milestones/1"))["id"]
    expected: dict[str, set[Any]] = {
        "initiatives": {"QW-1"},
        "initiatives/QW-1/milestones": {milestone},
        "initiatives/QW-2/milestones": set(),
        "milestones": {milestone},
        "updates": {old["id"], new["id"]},
        "people": {"reporter"},
        "units": {"A"},
    }
    assert {path: await changed(path) for path in expected} == expected
    assert older["id"] in await changed("updates", "2022-01-01T00:00:00Z")
    later = {"updated_since": "2199-01-01T00:00:00Z"}
    body = {"name": "Baru"}
    await institution.expect(200, "PATCH", institution.path, body, if_match="*")
    for path, count in (("institutions", 1), ("schemes", 1), ("schemes/rb-2020/areas", 8)):
        url = f"{API}/{path}"
        empty = await institution.expect(200, "GET", url, parameters=later)
        assert empty["items"] == []
        early = {"updated_since": "2022-01-01T00:00:00Z", "limit": 200}
        whole = await institution.expect(200, "GET", url, parameters=early)
        assert len(whole["items"]) >= count
    asked = {"updated_since": since, "limit": 200}
    found = await institution.expect(200, "GET", f"{API}/institutions", parameters=asked)
    assert institution.code in {item["code"] for item in found["items"]}
