"""Programmes: led by one institution, carried out in others, summed over those that one sees."""

from collections.abc import AsyncIterator

import httpx
import pytest

from app.db import Database
from tests.api.test_query_counts import statements
from tests.support.institution import API, Institution, Json

NAMES = {"id": "Program", "en": "Programme"}
PLAN = [{"title": "M", "due_on": "2022-06-30"}]


@pytest.fixture
async def carrier(institution: Institution) -> AsyncIterator[Institution]:
    """An institution that carries the programme out."""
    made = Institution(f"{institution.code}-b", institution.operator, institution._transport)  # noqa: SLF001
    await made.create()
    yield made
    await made.close()


@pytest.fixture
async def programme(institution: Institution, carrier: Institution) -> str:
    """A programme that the one leads and the other carries out; its path."""
    body = {
        "code": f"P-{institution.code}", "name": NAMES, "level": "meso", "lead": institution.code,
        "carriers": [carrier.code], "from_year": 2022, "to_year": 2024,
    }  # fmt: skip
    made = await institution.expect(201, "POST", f"{API}/programmes", body)
    assert made == made | body
    return f"{API}/programmes/{made['code']}"


@pytest.fixture
async def admin(institution: Institution) -> AsyncIterator[httpx.AsyncClient]:
    """An admin of the leading institution."""
    client = await institution.person("boss", "admin")
    yield client
    await client.aclose()


async def outsider(institution: Institution) -> Institution:
    """An institution that is not in the programme."""
    made = Institution(f"{institution.code}-c", institution.operator, institution._transport)  # noqa: SLF001
    await made.create()
    return made


async def test_who_sees_and_changes_it(
    institution: Institution, carrier: Institution, programme: str, admin: httpx.AsyncClient
) -> None:
    other = await outsider(institution)
    found = await institution.expect(200, "GET", programme)
    for client in (institution.reporter, carrier.reporter, admin):
        assert await institution.expect(200, "GET", programme, client=client) == found
        listed = await institution.expect(200, "GET", f"{API}/programmes", client=client)
        assert listed["items"] == [found]
    changes: Json = {"name": {"id": "Baru", "en": "New"}, "to_year": None, "level": None}
    for client, status in (
        (institution.reporter, 403),
        (carrier.reporter, 403),
        (other.reporter, 404),
    ):
        await institution.expect(status, "PATCH", programme, changes, if_match="*", client=client)
    await institution.expect(404, "GET", programme, client=other.reporter)
    assert (await institution.expect(200, "GET", f"{API}/programmes", client=other.reporter))[
        "items"
    ] == []
    await institution.expect(412, "PATCH", programme, changes, if_match='"v7"', client=admin)
    changed = await institution.expect(
        200, "PATCH", programme, changes, if_match='"v1"', client=admin
    )
    assert changed == found | changes | {"version": 2, "updated_at": changed["updated_at"]}
    event = (await institution.get("events", sort="-sequence", limit=1))["items"][0]
    assert (event["type"], event["subject"]) == ("programme.changed", found["code"])
    assert event["changes"]["level"] == {"before": "meso", "after": None}
    assert event["changes"]["to_year"] == {"before": 2024, "after": None}
    # What an admin does not see stays or goes; it is added by an operator, as is another lead.
    for body, status in (
        ({"carriers": [other.code]}, 422), ({"carriers": ["nowhere"]}, 422), ({"lead": other.code}, 422),
        ({"carriers": [carrier.code, institution.code]}, 200), ({"carriers": [institution.code]}, 200),
        ({"carriers": [carrier.code]}, 422), ({"to_year": 2021}, 422), ({"level": "capable"}, 422),
    ):  # fmt: skip
        await institution.expect(status, "PATCH", programme, body, if_match="*", client=admin)
    await institution.expect(404, "GET", programme, client=carrier.reporter)
    moved = await institution.expect(
        200, "PATCH", programme, {"lead": other.code, "carriers": [other.code]}, if_match="*"
    )
    assert (moved["lead"], moved["carriers"]) == (other.code, [other.code])
    await institution.expect(404, "PATCH", programme, {}, if_match="*", client=admin)
    await other.close()


async def test_who_creates_it(
    institution: Institution, carrier: Institution, programme: str, admin: httpx.AsyncClient
) -> None:
    path, new = f"{API}/programmes", {"name": NAMES, "from_year": 2025}
    mine = {**new, "code": f"m-{institution.code}", "lead": institution.code}
    await institution.expect(403, "POST", path, mine, client=institution.reporter)
    made = await institution.expect(201, "POST", path, mine, client=admin)
    assert (made["level"], made["carriers"], made["to_year"]) == (None, [], None)
    for body, status in (
        (mine, 409), ({**mine, "code": "x", "lead": carrier.code}, 422),
        ({**mine, "code": "x", "carriers": [carrier.code]}, 422), ({**mine, "to_year": 2024}, 422),
    ):  # fmt: skip
        await institution.expect(status, "POST", path, body, client=admin)
    for asked, count in (({"year": 2023}, 1), ({"year": 2030}, 1), ({"level": "meso"}, 1), ({}, 2)):
        listed = await institution.expect(200, "GET", path, parameters=asked, client=admin)
        assert len(listed["items"]) == count, asked


async def pages(
    institution: Institution, programme: str, client: httpx.AsyncClient | None
) -> tuple[Json, Json]:
    """The two pages of a list of two."""
    path, asked = f"{programme}/rollup/institutions", {"limit": 1, "include_total": "true"}
    first = await institution.expect(200, "GET", path, parameters=asked, client=client)
    asked |= {"cursor": first["next_cursor"]}
    return first, await institution.expect(200, "GET", path, parameters=asked, client=client)


async def test_it_is_summed_across_institutions(
    institution: Institution, carrier: Institution, programme: str, database: Database
) -> None:
    code = programme.rpartition("/")[2]
    other = await outsider(institution)
    await other.initiative("QW-1")
    told = await other.patch("initiatives/QW-1", {"programme": code}, 422)
    assert told["errors"][0]["code"] == "unknown_programme"
    for n, (where, weight, percent) in enumerate(
        ((institution, 2, 25), (carrier, 3, 50), (carrier, 2, 0)), start=1
    ):
        made = await where.initiative(f"QW-{n}", milestones=PLAN, weight=weight, programme=code)
        assert made["programme"] == code
        await where.report(f"QW-{n}", 1, percent, "2022-06-01")
    await carrier.initiative("QW-4", milestones=PLAN, status="proposed", programme=code)
    await carrier.initiative("QW-5", milestones=PLAN, year=2023, programme=code)
    await carrier.initiative("QW-6", milestones=PLAN, weight=9)

    async def rollup(client: httpx.AsyncClient | None = None, **asked: int) -> Json:
        return await institution.expect(
            200, "GET", f"{programme}/rollup", parameters=asked, client=client
        )

    whole = await rollup()
    # (2 × 25 + 3 × 50 + 2 × 0 + 1 × 0) ÷ 8
    assert whole == whole | {
        "programme": code, "institutions": 2, "initiatives": 4, "weight": 8, "percent_complete": 25.0,
        "percent_verified": 0.0, "milestones": 4, "done": 0, "year": None,
    }  # fmt: skip
    assert (await rollup(year=2022))["percent_complete"] == 28.57
    empty = await rollup(year=1999)
    assert (empty["institutions"], empty["initiatives"], empty["percent_complete"]) == (2, 0, None)
    for client in (institution.reporter, carrier.reporter):
        assert await rollup(client) == whole
    with statements(database) as heard:
        each = await institution.expect(200, "GET", f"{programme}/rollup/institutions")
    assert len(heard) <= 5
    assert [
        (at["institution"], at["leads"], at["carries"], at["weight"], at["percent_complete"])
        for at in each["items"]
    ] == [(institution.code, True, False, 2, 25.0), (carrier.code, False, True, 6, 25.0)]
    for asked in (None, institution.reporter):
        first, last = await pages(institution, programme, asked)
        assert [*first["items"], *last["items"]] == each["items"]
        assert (first["total"], last["next_cursor"]) == (2, None)
    own = await institution.expect(
        200, "GET", f"{programme}/rollup/institutions", client=carrier.reporter
    )
    assert own["items"] == each["items"][1:]
    found = (await carrier.get("initiatives", programme=code.lower(), sort="-code"))["items"]
    assert [at["code"] for at in found] == ["QW-5", "QW-4", "QW-3", "QW-2"]
    # An institution with initiatives in it stays.
    body: Json = {"carriers": []}
    told_in_use = await institution.expect(409, "PATCH", programme, body, if_match="*")
    assert told_in_use["code"] == "in_use"
    await institution.expect(404, "GET", f"{programme}/rollup", client=other.reporter)
    await other.close()


async def test_the_sums_are_for_who_reads_the_whole(
    institution: Institution, carrier: Institution, programme: str
) -> None:
    """Of the leading institution each one's, of a carrier its own; nothing else of a tenant is shown."""
    code = programme.rpartition("/")[2]
    second = await outsider(institution)
    await institution.expect(
        200, "PATCH", programme, {"carriers": [carrier.code, second.code]}, if_match="*"
    )
    for where, weight in ((institution, 1), (carrier, 2), (second, 4)):
        await where.unit("A")
        await where.initiative("QW-1", "A", milestones=PLAN, weight=weight, programme=code)
        await where.initiative("QW-2", milestones=PLAN, weight=100)
    in_part = [await where.person("part", "admin", "A") for where in (institution, carrier)]
    rollup, each = f"{programme}/rollup", f"{programme}/rollup/institutions"
    for client in in_part:
        assert (await institution.expect(200, "GET", rollup, client=client))["weight"] == 0
        listed = await institution.expect(
            200, "GET", each, parameters={"include_total": "true"}, client=client
        )
        assert (listed["items"], listed["total"]) == ([], 0)
        await client.aclose()
    for where, weights in ((institution, [1, 2, 4]), (carrier, [2]), (second, [4])):
        total = await institution.expect(200, "GET", rollup, client=where.reporter)
        assert (total["institutions"], total["weight"]) == (3, 7)
        listed = await institution.expect(200, "GET", each, client=where.reporter)
        assert [item["weight"] for item in listed["items"]] == weights
    # To lead one programme is to see nothing of another one's institutions, nor of theirs outside it.
    for client, path in (
        (institution.reporter, f"{carrier.path}/initiatives/QW-1"),
        (institution.reporter, f"{carrier.path}/rollup"),
        (institution.reporter, f"{carrier.path}/units/A"),
        (carrier.reporter, f"{institution.path}/rollup"),
    ):
        await institution.expect(404, "GET", path, client=client)
    # Whoever is taken out of it is an outsider again; who leads no more sees no other's.
    moved = {"lead": carrier.code, "carriers": [institution.code, second.code]}
    await institution.expect(200, "PATCH", programme, moved, if_match="*")
    listed = await institution.expect(200, "GET", each, client=institution.reporter)
    assert [item["weight"] for item in listed["items"]] == [1]
    listed = await institution.expect(200, "GET", each, client=carrier.reporter)
    assert [item["weight"] for item in listed["items"]] == [1, 2, 4]
    await second.close()
