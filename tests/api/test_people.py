"""People: addresses, merge patches, filters, and what their deletion keeps."""

import pytest

from tests.support.institution import Institution, Json

BUDI: Json = {
    "code": "Budi.1", "name": "Budi", "email": "budi@kpu.example", "unit": "A1",
    "position": "Kasubag",
}  # fmt: skip


@pytest.fixture
async def staffed(institution: Institution) -> Institution:
    """Units A ─ A1 and B, and Budi in A1."""
    for code, parent in (("A", None), ("A1", "A"), ("B", None)):
        await institution.unit(code, parent)
    await institution.post("people", BUDI)
    return institution


async def test_creation_says_everything(institution: Institution) -> None:
    body = {"code": "siti", "name": "Siti Rahma"}
    answer = await institution.operator.post(f"{institution.path}/people", json=body)
    made = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{institution.path}/people/siti"
    assert answer.headers["etag"] == '"v1"'
    assert made == made | body | {
        "email": None, "position": None, "unit": None, "active": True, "version": 1,
    }  # fmt: skip
    assert (await institution.operator.get(answer.headers["location"])).json() == made


async def test_a_code_in_any_case_or_the_id(staffed: Institution) -> None:
    made = await staffed.get("people/Budi.1")
    assert made == made | BUDI
    for key in ("budi.1", "BUDI.1", made["id"], made["id"].upper()):
        assert await staffed.get(f"people/{key}") == made


PATCHES: list[tuple[Json, Json]] = [
    ({}, {}),
    ({"email": None}, {"email": None}),
    ({"position": None, "unit": None}, {"position": None, "unit": None}),
    ({"unit": "a"}, {"unit": "A"}),
    ({"active": False, "reason": "Retired"}, {"active": False}),
    ({"name": "Budi S.", "email": "b@kpu.example"}, {"name": "Budi S.", "email": "b@kpu.example"}),
]


@pytest.mark.parametrize(("changes", "expected"), PATCHES)
async def test_merge_patches(staffed: Institution, changes: Json, expected: Json) -> None:
    before = await staffed.get("people/budi.1")
    after = await staffed.expect(
        200, "PATCH", f"{staffed.path}/people/budi.1", changes, if_match='"v1"'
    )
    assert after["updated_at"] > before["updated_at"]
    assert after == before | {"version": 2, "updated_at": after["updated_at"]} | expected
    assert await staffed.get("people/budi.1") == after
    event = (await staffed.get("events", limit=200))["items"][-1]
    assert (event["type"], event["subject"], event["data"]) == ("person.changed", "Budi.1", changes)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, "ani Budi.1 reporter verifier"),
        ({"unit": "A"}, "Budi.1"),
        ({"unit": ["A1", "B"]}, "ani Budi.1"),
        ({"unit": "nowhere"}, ""),
        ({"active": False}, "ani"),
        ({"active": True, "q": "R"}, "reporter verifier"),
        ({"q": "budi"}, "Budi.1"),
        ({"q": "WIDYA"}, "ani"),
        ({"updated_since": "2199-01-01T00:00:00Z"}, ""),
    ],
)
async def test_filters(staffed: Institution, asked: Json, expected: str) -> None:
    await staffed.post("people", {"code": "ani", "name": "Widya", "unit": "B", "active": False})
    found = await staffed.get("people", include_total=True, **asked)
    assert [person["code"] for person in found["items"]] == expected.split()
    assert found["total"] == len(expected.split())


async def test_deletion_keeps_what_was_there(staffed: Institution) -> None:
    await staffed.expect(
        204,
        "DELETE",
        f"{staffed.path}/people/BUDI.1",
        parameters={"reason": "Twice"},
        if_match='"v1"',
    )
    await staffed.expect(404, "GET", f"{staffed.path}/people/budi.1")
    event = (await staffed.get("events", limit=200))["items"][-1]
    assert (event["type"], event["actor"]) == ("person.deleted", "QUICKWIN_ADMIN_TOKEN")
    assert event["data"] == event["data"] | BUDI | {"reason": "Twice"}


async def test_the_unit_follows_its_new_code(staffed: Institution) -> None:
    address = f"{staffed.path}/people/budi.1"
    known = (await staffed.operator.get(address)).headers["etag"]
    await staffed.patch("units/A1", {"code": "A-1"})
    answer = await staffed.operator.get(address, headers={"If-None-Match": known})
    assert (answer.status_code, answer.json()["unit"]) == (200, "A-1")


async def test_an_inactive_person_keeps_their_history(institution: Institution) -> None:
    await institution.initiative("QW-1", milestones=[{"title": "M", "due_on": "2022-06-30"}])
    report = await institution.report("QW-1", 1, 40, "2022-06-01")
    await institution.patch("people/reporter", {"active": False})
    found = await institution.get("initiatives/QW-1")
    assert found["owners"] == [{"person": "reporter", "role": "accountable"}]
    listed = (await institution.get("updates"))["items"]
    assert [(update["id"], update["reported_by"]) for update in listed] == [
        (report["id"], "reporter")
    ]
