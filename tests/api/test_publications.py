"""Publications: what was told of an initiative, kept by who may change it."""

import pytest

from tests.api.test_bad_state import told
from tests.support.institution import Institution, Json

TOLD: Json = {
    "title": "SIAKBA dipakai", "said": "Satu pintu", "published_on": "2022-10-04",
    "channel": "Siaran pers", "url": "https://example.org/siaran",
}  # fmt: skip
OF = "initiatives/QW-1/publications"


@pytest.fixture
async def ready(institution: Institution) -> Institution:
    """A unit with an initiative, which a planner may change and the reporter may not."""
    await institution.unit("A")
    await institution.initiative("QW-1", "A")
    return institution


async def test_a_publication_is_kept_corrected_and_forgotten(ready: Institution) -> None:
    answer = await ready.operator.post(f"{ready.path}/{OF}", json=TOLD)
    made = answer.json()
    assert (answer.status_code, answer.headers["etag"]) == (201, '"v1"')
    assert answer.headers["location"] == f"{ready.path}/{OF}/{made['id']}"
    assert {name: made[name] for name in TOLD} == TOLD
    at = f"{OF}/{made['id']}"
    assert await ready.get(at) == made
    changed = await ready.patch(at, {"url": None, "title": "Lain", "reason": "Keliru"})
    assert (changed["url"], changed["title"], changed["version"]) == (None, "Lain", 2)
    event = (await ready.get("events", limit=1, sort="-sequence"))["items"][0]
    assert event["type"] == "publication.changed"
    assert event["subject"] == f"QW-1/publications/{made['id']}"
    assert event["unit_id"] == (await ready.get("units/A"))["id"]
    assert event["changes"]["url"] == {"before": TOLD["url"], "after": None}
    await ready.delete(f"{at}?reason=Dicabut")
    event = (await ready.get("events", limit=1, sort="-sequence"))["items"][0]
    assert (event["type"], event["data"]["title"]) == ("publication.deleted", "Lain")
    await ready.expect(404, "GET", f"{ready.path}/{at}")


async def test_the_newest_comes_first_and_today_is_the_default(ready: Institution) -> None:
    for day in ("2022-01-01", "2022-03-01", "2022-02-01"):
        await ready.post(OF, {"title": day, "published_on": day})
    latest = await ready.post(OF, {"title": "today"})
    assert latest["published_on"] == (await ready.rollup())["as_of"]
    first = await ready.get(OF, limit=2, include_total=True)
    rest = await ready.get(OF, limit=2, cursor=first["next_cursor"])
    titles = [item["title"] for item in first["items"] + rest["items"]]
    assert titles == ["today", "2022-03-01", "2022-02-01", "2022-01-01"]
    assert first["total"] == 4
    assert (await ready.get(OF, updated_since="2190-01-01T00:00:00Z"))["items"] == []


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"published_on": "2190-01-01"}, "/published_on", "in_future"),
        ({"published_on": "4 Oktober"}, "/published_on", "value_error"),
        ({"title": " "}, "/title", "string_too_short"),
        ({"title": None}, "/title", "string_type"),
        ({"url": "javascript:alert(1)"}, "/url", "value_error"),
        ({"channel": "a\nb"}, "/channel", "value_error"),
        ({"said": "x" * 10_001}, "/said", "string_too_long"),
        ({"place": "Jakarta"}, "/place", "extra_forbidden"),
    ],
)
async def test_bad_publications(ready: Institution, changes: Json, pointer: str, code: str) -> None:
    content = await ready.expect(422, "POST", f"{ready.path}/{OF}", {**TOLD, **changes})
    assert told(content)["errors"] == [(pointer, code)]
    made = await ready.post(OF, TOLD)
    content = await ready.patch(f"{OF}/{made['id']}", changes, 422)
    assert told(content)["errors"] == [(pointer, code)]


async def test_who_may_change_the_initiative_may_publish(ready: Institution) -> None:
    planner = await ready.person("planner", "planner", "A")
    stranger = await ready.person("stranger", "planner")
    at = f"{ready.path}/{OF}"
    made = await ready.expect(201, "POST", at, TOLD, client=planner)
    await ready.expect(403, "POST", at, TOLD, client=ready.reporter)
    await ready.expect(403, "DELETE", f"{at}/{made['id']}", if_match="*", client=ready.reporter)
    assert len((await ready.expect(200, "GET", at, client=ready.reporter))["items"]) == 1
    await ready.expect(412, "PATCH", f"{at}/{made['id']}", {}, if_match='"v9"', client=planner)
    await ready.initiative("QW-2", "A")
    elsewhere = f"{ready.path}/initiatives/QW-2/publications/{made['id']}"
    await ready.expect(404, "GET", elsewhere, client=stranger)
    for client in (planner, stranger):
        await client.aclose()


async def test_they_go_and_come_back_with_their_initiative(ready: Institution) -> None:
    made = await ready.post(OF, TOLD)
    await ready.patch("initiatives/QW-1", {"public": True})
    await ready.delete("initiatives/QW-1")
    deleted = (await ready.get("deletions"))["items"][0]
    await ready.post(f"deletions/{deleted['id']}/restoration", {})
    back = (await ready.get(OF))["items"]
    assert [each["id"] for each in back] == [made["id"]]
    assert (await ready.get("initiatives/QW-1"))["public"] is True
