"""ETags: what is known is not sent again, and what has changed is not overwritten."""

from typing import Any

import pytest

from tests.support.institution import Institution


@pytest.mark.parametrize("path", ["", "/units/A", "/people/reporter", "/initiatives/QW-1",
                                  "/initiatives/QW-1/milestones/1"])  # fmt: skip
async def test_resources_carry_their_version(institution: Institution, path: str) -> None:
    await institution.unit("A")
    await institution.initiative("QW-1", "A", milestones=[{"title": "M", "due_on": "2022-06-30"}])
    address = f"{institution.path}{path}"
    first = await institution.operator.get(address)
    tag = first.headers["etag"]
    assert tag == f'"v{first.json()["version"]}"'
    for known in (tag, f'"v99", {tag}', f"W/{tag}", "*"):
        again = await institution.operator.get(address, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    other = await institution.operator.get(address, headers={"If-None-Match": '"v99"'})
    assert other.json() == first.json()


async def test_a_rollup_is_known_until_something_is_written(institution: Institution) -> None:
    await institution.initiative("QW-1", milestones=[{"title": "M", "due_on": "2022-06-30"}])
    for part in ("", "/children", "/areas"):
        address = f"{institution.path}/rollup{part}"
        first = await institution.operator.get(address)
        if "etag" not in first.headers:
            assert first.json()["items"] == []
            continue
        known = {"If-None-Match": first.headers["etag"]}
        assert (await institution.operator.get(address, headers=known)).status_code == 304
        other = await institution.operator.get(address, params={"year": 2022}, headers=known)
        assert other.status_code == 200
        await institution.report("QW-1", 1, 40, "2022-06-01")
        assert (await institution.operator.get(address, headers=known)).status_code == 200


async def test_a_report_is_in_the_next_read(institution: Institution) -> None:
    await institution.unit("A")
    await institution.unit("A1", "A")
    await institution.initiative("QW-1", "A1", milestones=[{"title": "M", "due_on": "2022-06-30"}])
    for percent in (10, 55.5, 100):
        await institution.report("QW-1", 1, percent)
        for unit in (None, "A", "A1"):
            told = await institution.rollup(unit)
            assert told["percent_complete"] == percent
            assert told["version"] == (await institution.get("events", limit=200))["next_after"]


async def test_creations_say_where_they_are(institution: Institution) -> None:
    answer = await institution.operator.post(
        f"{institution.path}/units", json={"code": "A", "name": "A"}
    )
    assert answer.headers["location"] == f"{institution.path}/units/A"
    assert answer.headers["etag"] == '"v1"'
    assert (await institution.operator.get(answer.headers["location"])).json() == answer.json()


PLACES = ["units/A", "initiatives/QW-1", "initiatives/QW-1/milestones/1", "people/reporter"]


@pytest.fixture
async def planned(institution: Institution) -> Institution:
    """A unit with an initiative of one milestone."""
    await institution.unit("A")
    await institution.initiative("QW-1", "A", milestones=[{"title": "M", "due_on": "2022-06-30"}])
    return institution


def change_of(path: str) -> dict[str, str]:
    return {"name" if path.startswith(("units", "people")) else "title": "Baru"}


@pytest.mark.parametrize("path", PLACES)
async def test_if_match_takes_a_list_of_tags(planned: Institution, path: str) -> None:
    address = f"{planned.path}/{path}"
    body = change_of(path)
    for i, tags in enumerate(('"v1"', '"v9", "v2"', '"v3","v8"', "*"), start=2):
        changed = await planned.expect(200, "PATCH", address, body, if_match=tags)
        assert changed["version"] == i
    for stale in ('"v1"', '"v1", "v2"', '"other"', "v5"):
        told = await planned.expect(412, "PATCH", address, body, if_match=stale)
        assert told["code"] == "stale_version"
    told = await planned.expect(428, "PATCH", address, body)
    assert told["code"] == "version_required"
    await planned.expect(428, "DELETE", address)
    await planned.expect(412, "DELETE", address, if_match='"v1"')
    assert (await planned.get(path))["version"] == 5


@pytest.mark.parametrize("path", PLACES)
async def test_a_change_makes_the_known_unknown(planned: Institution, path: str) -> None:
    address = f"{planned.path}/{path}"
    known = {"If-None-Match": (await planned.operator.get(address)).headers["etag"]}
    changed = await planned.operator.patch(
        address, json=change_of(path), headers={"If-Match": known["If-None-Match"]}
    )
    assert changed.headers["etag"] == '"v2"'
    again = await planned.operator.get(address, headers=known)
    assert (again.status_code, again.headers["etag"]) == (200, '"v2"')
    assert again.json() == changed.json()


@pytest.mark.parametrize("path", ["initiatives/QW-1", "initiatives/QW-1/milestones/1"])
async def test_a_report_and_a_verdict_change_the_tag(planned: Institution, path: str) -> None:
    address = f"{planned.path}/{path}"
    tags = [(await planned.operator.get(address)).headers["etag"]]
    update = await planned.report("QW-1", 1, 40, "2022-06-01")
    tags.append((await planned.operator.get(address)).headers["etag"])
    await planned.verify(update)
    tags.append((await planned.operator.get(address)).headers["etag"])
    assert tags == ['"v1"', '"v2"', '"v3"']


@pytest.mark.parametrize("path", ["rollup", "units/A/rollup", "rollup/children", "rollup/areas"])
async def test_a_rollup_is_told_apart(planned: Institution, path: str) -> None:
    address = f"{planned.path}/{path}"
    asked: tuple[dict[str, Any], ...] = (
        {},
        {"year": 2022},
        {"as_of": "2022-06-01"},
        {"area": "oversight"},
    )
    tags = [(await planned.operator.get(address, params=p)).headers["etag"] for p in asked]
    assert len(set(tags)) == len(asked)
    for p, tag in zip(asked, tags, strict=True):
        known = {"If-None-Match": f'"x", W/{tag}'}
        again = await planned.operator.get(address, params=p, headers=known)
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    await planned.report("QW-1", 1, 40, "2022-06-01")
    fresh = [(await planned.operator.get(address, params=p)).headers["etag"] for p in asked]
    assert not set(fresh) & set(tags)
