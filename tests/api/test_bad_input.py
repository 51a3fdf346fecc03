"""Input that would do harm half-way: other tenants' records, plans that fail late, odd addresses.

Every refusal is a problem with a stable code and its place, and leaves no trace: neither an event
nor a row.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI

from tests.api.test_bad_bodies import INITIATIVE, JSON, REPORT, problem, ready, standing
from tests.api.test_bad_state import told
from tests.support.institution import API, Institution, Json
from tests.support.posts import PERIOD

__all__ = ["ready", "standing"]

QW = "initiatives/QW-1"
M = {"title": "M", "due_on": "2022-01-01"}
WHOLE: Json = {
    **INITIATIVE, "code": "QW-1", "owners": [{"person": "reporter", "role": "accountable"}],
}  # fmt: skip


@asynccontextmanager
async def untouched(institution: Institution) -> AsyncIterator[None]:
    """Insist that nothing is written meanwhile: the event sequence, units, people, initiatives."""

    async def look() -> list[Any]:
        version = (await institution.rollup())["version"]
        assert (await institution.get("events", after=version))["items"] == []
        lists = [await institution.get(path, limit=200) for path in ("units", "people")]
        plan = await institution.get(QW)
        plan.pop("overdue_days", None)
        return [version, *lists, plan, await institution.get(f"{REPORT}")]

    before = await look()
    yield
    assert await look() == before


LATE: list[tuple[str, str, Json, int, str, str]] = [
    # What is wrong comes after something that could have been written.
    ("POST", "initiatives", {**INITIATIVE, "milestones": [M, {**M, "number": 1}]},
     422, "/milestones/1/number", "number_taken"),
    ("PUT", "initiatives/QW-9", {**INITIATIVE, "milestones": [{**M, "number": 2}, {**M, "number": 2}]},
     422, "/milestones/1/number", "number_taken"),
    ("PUT", QW, {**WHOLE, "milestones": [{**M, "number": 2}, {**M, "number": 2}]},
     422, "/milestones/1/number", "number_taken"),
    ("PUT", QW, {**WHOLE, "title": "New", "areas": ["gardening"]},
     422, "/areas/0", "unknown_area"),
    ("PUT", QW, {**WHOLE, "owners": []}, 422, "/owners", "accountable_owner_missing"),
    ("PATCH", QW, {"title": "New", "areas": ["oversight", "gardening"]}, 422, "/areas/1", "unknown_area"),
    ("PATCH", QW, {"title": "New", "tags": ["ok", "Not ok"]}, 422, "/tags/1", "string_pattern_mismatch"),
    ("PATCH", QW, {"weight": 7, "owners": [{"person": "reporter", "role": "accountable"},
                                           {"person": "nobody", "role": "supporting"}]},
     422, "/owners/1/person", "unknown_person"),
    ("PATCH", "people/reporter", {"name": "New", "unit": "nowhere"}, 422, "/unit", "unknown_unit"),
    ("PATCH", "", {"name": "New", "scheme": "nothing"}, 422, "/scheme", "unknown_scheme"),
    ("PATCH", "", {"policy": {"on_track_from": 0.5, "at_risk_from": 0.51}}, 422, "/policy", "value_error"),
    ("POST", "initiatives", {**INITIATIVE, "owners": [{"person": f"p{i}", "role": "supporting"}
                                                      for i in range(201)]},
     422, "/owners", "too_long"),
    ("POST", REPORT, {"percent_complete": 5, "evidence": [{"title": "t", "url": "https://a.b"}] * 51},
     422, "/evidence", "too_long"),
    ("POST", REPORT, {"percent_complete": 5, "evidence": [{"title": "t", "url": "https://a.b"},
                                                          {"title": "t", "url": "javascript:alert(1)"}]},
     422, "/evidence/1/url", "value_error"),
    ("POST", REPORT, {"percent_complete": 5, "external_id": "a b", "source": "s"},
     422, "/external_id", "string_pattern_mismatch"),
    ("PUT", "initiatives/a%20b", {**INITIATIVE, "code": "a b"}, 422, "/code", "string_pattern_mismatch"),
    ("PUT", "initiatives/...", {**INITIATIVE, "code": "..."}, 422, "/code", "value_error"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "status", "pointer", "code"), LATE)
async def test_nothing_is_half_written(
    standing: Institution, method: str, path: str, body: Json, status: int, pointer: str, code: str
) -> None:
    async with untouched(standing):
        content = await standing.expect(
            status,
            method,
            f"{standing.path}/{path}".rstrip("/"),
            body,
            if_match="*" if method == "PATCH" else None,
        )
        assert content["code"] == "invalid"
        assert (pointer, code) in told(content)["errors"]


DEEP = [
    # The shapes' limit is 16 levels; from where on Python's reader gives up differs by version.
    pytest.param(b'{"note": ' + b"[" * 500 + b"]" * 500 + b"}", {(422, "invalid")}, id="500"),
    pytest.param(
        b'{"note": ' + b"[" * 1_000 + b"]" * 1_000 + b"}",
        {(422, "invalid"), (400, "malformed_body")},
        id="1,000",
    ),
    pytest.param(
        b'{"note": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        {(400, "malformed_body")},
        id="100,000",
    ),
    pytest.param(b"[" * 100_000, {(400, "malformed_body")}, id="100,000-open"),
]


@pytest.mark.parametrize(("body", "expected"), DEEP)
async def test_depth(standing: Institution, body: bytes, expected: set[tuple[int, str]]) -> None:
    async with untouched(standing):
        for method, path in (("POST", REPORT), ("PATCH", QW), ("PUT", QW)):
            answer = await standing.operator.request(
                method, f"{standing.path}/{path}", content=body, headers={**JSON, "If-Match": "*"}
            )
            content = problem(answer)
            assert (content["status"], content["code"]) in expected
            if content["status"] == 422:
                assert [at["code"] for at in content["errors"]] == ["too_deep"]
                assert len(content["errors"][0]["pointer"]) <= 200


@pytest.mark.parametrize("path", ["units", "people", "initiatives"])
@pytest.mark.parametrize("name", ["q", "cursor", "colour"])
async def test_nul_in_parameters(standing: Institution, path: str, name: str) -> None:
    content = await standing.expect(422, "GET", f"{standing.path}/{path}?{name}=a%00b")
    assert [at["parameter"] for at in content["errors"]] == [name]


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("rollup?area=oversight&area=accountability", "area"),
        ("rollup/children?year=2022&year=2023", "year"),
        ("units/A/rollup/areas?as_of=2022-01-01&as_of=2022-01-01", "as_of"),
        ("initiatives?sort=code&sort=-code", "sort"),
        ("initiatives?q=a&q=b", "q"),
        ("initiatives?year=2022&year=2023&overdue=true&overdue=false", "overdue"),
        ("units?limit=5&limit=6", "limit"),
        ("events?after=1&after=2", "after"),
    ],
)
async def test_what_takes_one_value_takes_no_second(
    standing: Institution, asked: str, name: str
) -> None:
    content = await standing.expect(422, "GET", f"{standing.path}/{asked}")
    assert told(content) == {"code": "invalid", "errors": [(name, "repeated_parameter")]}


@pytest.mark.parametrize(
    "path",
    ["institutions/", "schemes/", "me/", "@/", "@/units/", "@/units/A/", "@/rollup/", "@/events/"],
)
async def test_a_slash_at_the_end_leads_nowhere(standing: Institution, path: str) -> None:
    for method in ("GET", "POST"):
        address = f"{API}/{path}".replace("@", f"institutions/{standing.code}")
        content = await standing.expect(404, method, address, {} if method == "POST" else None)
        assert content["code"] == "not_found"


@pytest.fixture
async def other(ready: Institution) -> AsyncIterator[tuple[Institution, Json]]:
    """Another institution, with a unit, a person and an initiative; and their ids."""
    made = Institution(f"{ready.code}-x", ready.operator, ready._transport)  # noqa: SLF001
    await made.create()
    ids = {
        "unit": (await made.unit("theirs"))["id"],
        "person": (await made.get("people/verifier"))["id"],
        "initiative": (await made.initiative("QW-X", "theirs", milestones=[M]))["id"],
    }
    yield made, ids
    await made.close()


async def test_references_stay_within_the_institution(
    ready: Institution, other: tuple[Institution, Json]
) -> None:
    _, ids = other
    owner = {"person": ids["person"], "role": "accountable"}
    cases: list[tuple[str, str, Json, str, str]] = [
        case
        for unit in ("theirs", ids["unit"])
        for case in (
            ("POST", "initiatives", {**INITIATIVE, "unit": unit}, "/unit", "unknown_unit"),
            ("PUT", QW, {**WHOLE, "unit": unit}, "/unit", "unknown_unit"),
            ("PATCH", QW, {"unit": unit}, "/unit", "unknown_unit"),
            ("POST", "people", {"code": "p", "name": "P", "unit": unit}, "/unit", "unknown_unit"),
            ("PATCH", "people/reporter", {"unit": unit}, "/unit", "unknown_unit"),
            (
                "POST",
                "units",
                {"code": "u", "name": "U", "parent": unit},
                "/parent",
                "unknown_unit",
            ),
            ("POST", "units/A/move", {"parent": unit}, "/parent", "unknown_unit"),
            ("POST", "units/A/merge", {"into": unit}, "/into", "unknown_unit"),
        )
    ]
    cases += [
        ("PATCH", QW, {"owners": [owner]}, "/owners/0/person", "unknown_person"),
        ("POST", "initiatives", {**INITIATIVE, "owners": [owner]}, "/owners/0/person", "unknown_person"),
        ("POST", "tokens", {"person": ids["person"], "name": "n"}, "/person", "unknown_person"),
    ]  # fmt: skip
    async with untouched(ready):
        for method, path, body, pointer, code in cases:
            content = await ready.expect(
                422,
                method,
                f"{ready.path}/{path}",
                body,
                if_match="*" if method == "PATCH" else None,
            )
            assert told(content) == {"code": "invalid", "errors": [(pointer, code)]}, (path, body)
        for noun, plural in (
            ("unit", "units"),
            ("person", "people"),
            ("initiative", "initiatives"),
        ):
            for method in ("GET", "PATCH", "DELETE"):
                content = await ready.expect(
                    404,
                    method,
                    f"{ready.path}/{plural}/{ids[noun]}",
                    {} if method == "PATCH" else None,
                    if_match="*",
                )
                assert content["code"] == "not_found"
        for asked in ({"unit": ids["unit"]}, {"owner": ids["person"]}):
            assert (await ready.get("initiatives", **asked))["items"] == []


def _takes_a_file(operation: Json) -> bool:
    content = operation.get("requestBody", {}).get("content", {"application/json": {}})
    return "application/json" not in content


async def test_another_institution_does_not_exist_for_a_person(
    ready: Institution, other: tuple[Institution, Json], app: FastAPI
) -> None:
    theirs, _ = other
    names = {
        "institution": theirs.code, "unit": "theirs", "person": "verifier", "number": "1",
        "initiative": "QW-X", "label": "2022",
    }  # fmt: skip
    nowhere = "01a20d0f-7aff-70b8-9c49-d31eb6a5564a"
    bodies: dict[str, Json] = {
        "POST …": {}, "units": {"code": "n", "name": "N"}, "people": {"code": "n", "name": "N"},
        "initiatives": {**INITIATIVE, "unit": "theirs"}, "milestones": M, "move": {"parent": "theirs"},
        "merge": {"into": "theirs"}, "ratings": {"rating": "green", "reason": "x"},
        "batch": {"items": [5]}, "grants": {"person": "verifier", "role": "viewer"}, "updates": {"percent_complete": 5}, "verification": {"verdict": "verified"},
        "tokens": {"person": "verifier", "name": "n"}, "reports": {"title": "T"}, "restoration": {}, "rotation": {},
        "QW-X": {**INITIATIVE, "code": "QW-X"}, "calendars": {"name": "N"},
        "publications": {"title": "T"}, "verdicts": {"verdict": "met-fast", "note": "N"},
        "stages": {
            "code": "n", "calendar": "c", "name": {"id": "N", "en": "N"}, "starts_on": "2022-01-01",
            "ends_on": "2022-01-01",
        },
        "webhooks": {"url": "https://hooks.invalid/"}, "secrets": {}, "redelivery": {}, "test": {},
        "replay": {"after": 0},
        "criteria": {"code": "n", "name": {"id": "N", "en": "N"}},
        "designations": {"items": [5]},
        "decrees": {"code": "n", "number": "1", "issued_on": "2022-01-17", "signer": "S", "title": "T"},
        nowhere: {"score": 1},
        "baselines": {"reason": "x"},
        "templates": {"code": "n", "title": "N"},
        "dependencies": {"predecessor": "QW-X"},
        "copies": {"units": ["theirs"], "year": 2022, "code": "{unit}"},
        "team-roles": {"code": "n", "name": {"id": "N", "en": "N"}},
        "appointments": {"person": "verifier", "role": "n", "year": 2022},
        "renewal": {"from_year": 2022, "to_year": 2023},
        "2022": {"starts_on": "2022-01-01", "ends_on": "2022-01-31"},
        "indicators": {"code": "n", "name": {"id": "N", "en": "N"}, "unit_of_measure": "%"},
        "assessments": {"instrument": "n", "score_year": 2022, "assessor": "self", "score": 5},
        "obstacles": {"title": "T", "unit": "theirs"}, "decision": {"decision": "Y"},
        "escalation": {"reason": "x"}, "follow-ups": {"action": "x"}, "periods": PERIOD, "standard": {"year": 2021}, "calendar": {"calendar": "pemilu-2024"}, "close": {},
        "reopening": {"reason": "x", "until": "2199-12-31"},
    }  # fmt: skip
    before = await theirs.written()
    for template, operations in app.openapi()["paths"].items():
        if "{institution}" not in template:
            continue
        path = re.sub(r"{(\w+)}", lambda found: names.get(found[1], nowhere), template)
        for method, operation in operations.items():
            if _takes_a_file(operation):
                continue  # in test_imports
            owed = [
                at["name"]
                for at in operation["parameters"]
                if at.get("in") == "query" and at["required"]
            ]
            noun = "batch" if template.endswith("{institution}/updates") else path.rsplit("/", 1)[1]
            noun = "calendar" if template.endswith("/stages/standard") else noun
            body = bodies[noun] if method in ("post", "put") else {}
            content = await ready.expect(
                404,
                method.upper(),
                path,
                body if method not in ("get", "delete") else None,
                client=ready.reporter,
                if_match="*",
                parameters={
                    name: {"from": "2022-01-01", "dimension": "tag", "period": "2021-B03"}[name]
                    for name in owed
                },
            )
            assert content["code"] == "not_found", (method, path)
            assert theirs.code not in str(content)
    assert await theirs.written() == before


async def test_wildcards_are_letters(ready: Institution) -> None:
    for code, title in (("p1", "Capaian 100% tuntas"), ("p2", "Capaian 100 tuntas"),
                        ("p_3", "snake_case"), ("pX3", "snakeXcase"), ("p4", "back\\slash")):  # fmt: skip
        await ready.initiative(code, title=title)
        await ready.post("units", {"code": f"u{code}", "name": title})
        await ready.post("people", {"code": code, "name": title})
    for q, found in (
        ("100%", {"p1"}), ("%", {"p1"}), ("e_c", {"p_3"}), ("P_", {"p_3"}), ("\\", {"p4"}),
        ("1__", set()), ("[a-z]", set()), ("'", set()), ('"', set()),
    ):  # fmt: skip
        for path, prefix in (("initiatives", ""), ("units", "u"), ("people", "")):
            items = (await ready.get(path, q=q))["items"]
            assert {item["code"] for item in items} == {prefix + code for code in found}, (path, q)


async def test_a_part_is_found_whatever_its_case(ready: Institution) -> None:
    titles = {"s1": "Layanan CAFÉ", "s2": "layanan café", "s3": "Отчёт", "s4": "Layanan cafe"}
    for code, title in titles.items():
        await ready.initiative(code, title=title)
        await ready.post("units", {"code": f"u{code}", "name": title})
    for q, found in (
        ("lAYANAN", {"s1", "s2", "s4"}), ("Café", {"s1", "s2"}), ("CAFÉ", {"s1", "s2"}),
        ("cafe", {"s4"}), ("ОТЧ", {"s3"}), ("отч", {"s3"}), ("S3", {"s3"}), ("ÉS", set()),
    ):  # fmt: skip
        for path, prefix in (("initiatives", ""), ("units", "u")):
            items = (await ready.get(path, q=q))["items"]
            assert {item["code"] for item in items} == {prefix + code for code in found}, (path, q)
    every = "".join(chr(n) for n in range(0xC0, 0x600) if chr(n).isalpha())
    for path in ("initiatives", "units", "people", "decrees", "candidates"):
        for start in range(0, len(every), 200):
            assert (await ready.get(path, q=every[start : start + 200]))["items"] == []


async def test_people_in_use_stay(ready: Institution) -> None:
    await ready.post("people", {"code": "owner", "name": "O"})
    owners = [{"person": "owner", "role": "accountable"}]
    await ready.initiative("owned", owners=owners)
    await ready.post("people", {"code": "holder", "name": "H"})
    await ready.post("tokens", {"person": "holder", "name": "n"})
    async with untouched(ready):
        for person in ("owner", "holder"):
            assert (await ready.delete(f"people/{person}", 409))["code"] == "in_use"
