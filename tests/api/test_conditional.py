"""ETags: what is known is not sent again, and what has changed is not overwritten."""

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
