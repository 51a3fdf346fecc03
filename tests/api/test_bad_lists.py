"""Every list and every single resource of the document, with parameters that do not fit."""

import re
from typing import Any

import pytest
from fastapi import FastAPI

from tests.api.test_bad_bodies import problem, ready, standing
from tests.support.institution import API, Institution

__all__ = ["ready", "standing"]

LISTS = [
    "institutions", "schemes", "schemes/rb-2020/areas", "@/units", "@/people", "@/initiatives",
    "@/initiatives/QW-1/milestones", "@/initiatives/QW-1/milestones/1/updates", "@/updates",
    "@/tokens", "@/initiatives/QW-1/ratings", "@/units/A/ratings", "@/deletions",
    "@/webhooks", "schemes/rb-2020/purposes", "programmes", "instruments", "indicators",
    "indicators/trust-barometer/values", "@/indicators", "@/assessments", "@/follow-ups",
]  # fmt: skip
MISFITS = [
    pytest.param("limit=0", "limit", id="0"),
    pytest.param("limit=201", "limit", id="201"),
    pytest.param("limit=-1", "limit", id="-1"),
    pytest.param("limit=abc", "limit", id="abc"),
    pytest.param("limit=", "limit", id="empty"),
    pytest.param("limit=1.0", "limit", id="1.0"),
    pytest.param("limit=%2B1", "limit", id="+1"),
    pytest.param("limit=100000000000000000000", "limit", id="10^20"),
    pytest.param("limit=%D9%A1", "limit", id="arabic-1"),
    pytest.param("cursor=", "cursor", id="no-cursor"),
    pytest.param("cursor=garbage", "cursor", id="garbage"),
    pytest.param("cursor=W10.x", "cursor", id="unsigned"),
    pytest.param("cursor=" + "x" * 2001, "cursor", id="long-cursor"),
    pytest.param("include_total=maybe", "include_total", id="total"),
    pytest.param("Limit=5", "Limit", id="capital"),
    pytest.param("colour=red", "colour", id="unknown"),
]


def at(institution: Institution, path: str) -> str:
    """An address below the API; `@` is the institution."""
    return f"{API}/{path}".replace("@", f"institutions/{institution.code}")


@pytest.mark.parametrize(("asked", "parameter"), MISFITS)
async def test_every_list(standing: Institution, asked: str, parameter: str) -> None:
    for path in LISTS:
        told = await standing.expect(422, "GET", f"{at(standing, path)}?{asked}")
        assert told["code"] == "invalid"
        assert [place["parameter"] for place in told["errors"]] == [parameter], path


OWN = [
    ("units?sort=size", "sort", "unknown_sort"),
    ("units?sort=code,code", "sort", "unknown_sort"),
    ("units?sort=code,-code", "sort", "unknown_sort"),
    ("units?sort=code,", "sort", "unknown_sort"),
    ("units?sort=--code", "sort", "unknown_sort"),
    ("units?sort=code;drop", "sort", "string_pattern_mismatch"),
    ("initiatives?sort=description", "sort", "unknown_sort"),
    ("people?sort=code", "sort", "extra_forbidden"),
    ("units?q=", "q", "string_too_short"),
    ("units?q=" + "x" * 201, "q", "string_too_long"),
    ("units?archived=perhaps", "archived", "bool_parsing"),
    ("units?kind=Big%20City", "kind", "string_pattern_mismatch"),
    ("units?under=a%2Fb", "under", "string_pattern_mismatch"),
    ("units?updated_since=2022-01-01", "updated_since", "value_error"),
    ("units?updated_since=1650000000", "updated_since", "value_error"),
    ("units?updated_since=0001-01-01T00:00:00%2B14:00", "updated_since", "value_error"),
    ("people?updated_since=9999-12-31T23:59:59-14:00", "updated_since", "value_error"),
    ("initiatives?updated_since=0001-01-01T00:00:00%2B14:00", "updated_since", "value_error"),
    ("updates?since=9999-12-31T23:59:59-14:00", "since", "value_error"),
    ("updates?effective_after=2022-1-1", "effective_after", "value_error"),
    ("updates?verification=true", "verification", "enum"),
    ("initiatives?health=green", "health", "enum"),
    ("initiatives?year=22", "year", "greater_than_equal"),
    ("initiatives?overdue=2", "overdue", "bool_parsing"),
    ("initiatives?due_after=2022-06-30T00:00:00Z", "due_after", "value_error"),
    ("deletions?noun=report", "noun", "enum"),
    ("deletions?subject=a%20b", "subject", "string_pattern_mismatch"),
    ("deletions?since=2022-01-01", "since", "value_error"),
    ("deletions?restored=perhaps", "restored", "bool_parsing"),
    ("events?limit=0", "limit", "greater_than_equal"),
    ("events?after=abc", "after", "value_error"),
    ("events?cursor=x", "cursor", "extra_forbidden"),
    ("rollup?area=gardening", "area", "unknown_area"),
    ("rollup/children?area=gardening", "area", "unknown_area"),
    ("units/A/rollup?area=gardening", "area", "unknown_area"),
    ("rollup/areas?as_of=2099-01-01", "as_of", "in_future"),
    ("units/A/rollup/children?as_of=2099-01-01", "as_of", "in_future"),
    ("rollup?as_of=2022-02-30", "as_of", "date_from_datetime_parsing"),
    ("rollup?as_of=0000-01-01", "as_of", "greater_than_equal"),
    ("rollup?as_of=today", "as_of", "value_error"),
    ("rollup?year=abc", "year", "value_error"),
]


@pytest.mark.parametrize(("path", "parameter", "code"), OWN)
async def test_own_parameters(standing: Institution, path: str, parameter: str, code: str) -> None:
    told = await standing.expect(422, "GET", f"{standing.path}/{path}")
    assert told["code"] == "invalid"
    assert told["errors"][0]["parameter"] == parameter
    assert code in {place["code"] for place in told["errors"]}, told


async def test_cursors_are_of_one_list_and_one_question(ready: Institution) -> None:
    for code in ("QW-2", "QW-3"):
        await ready.initiative(code, milestones=[{"title": "M", "due_on": "2022-06-30"}] * 2)
    await ready.report("QW-2", 1, 5, "2022-05-01")
    await ready.report("QW-2", 1, 6, "2022-05-02")
    cursors: dict[str, str] = {}
    for path in ("initiatives", "people", "updates", "tokens", "initiatives/QW-2/milestones"):
        cursors[path] = (await ready.get(path, limit=1))["next_cursor"]
        assert cursors[path]
    for of, cursor in cursors.items():
        for path in cursors.keys() - {of}:
            told = await ready.expect(422, "GET", f"{ready.path}/{path}?cursor={cursor}")
            assert told["errors"][0] | {"detail": ""} == {
                "parameter": "cursor", "code": "bad_cursor", "detail": "",
            }  # fmt: skip
    cursor = cursors["initiatives"]
    for more in ("sort=-code", "year=2022", "unit=A", "subtree=false", "q=x", "stale=false"):
        await ready.expect(422, "GET", f"{ready.path}/initiatives?{more}&cursor={cursor}")
    payload, signature = cursor.rsplit(".", 1)
    for bad in (payload, f".{signature}", f"{payload}x.{signature}", cursor * 2, cursor.swapcase()):
        told = await ready.expect(422, "GET", f"{ready.path}/initiatives?cursor={bad}")
        assert told["errors"][0]["code"] == "bad_cursor"
    await ready.get("initiatives", limit=200, cursor=cursor)  # as it is, at another limit


def addresses(document: dict[str, Any], institution: Institution) -> list[tuple[str, list[str]]]:
    """Every path below the API with the names of what is there, and its methods."""
    names = {
        "institution": institution.code, "unit": "A", "person": "reporter", "scheme": "rb-2020",
        "area": "oversight", "initiative": "QW-1", "number": "1", "format": "csv",
    }  # fmt: skip
    nowhere = "01a20d0f-7aff-70b8-9c49-d31eb6a5564a"
    return [
        (re.sub(r"{(\w+)}", lambda found: names.get(found[1], nowhere), path), list(operations))
        for path, operations in document["paths"].items()
        if path.startswith(API)
    ]


async def test_no_address_takes_unknown_parameters(standing: Institution, app: FastAPI) -> None:
    for path, methods in addresses(app.openapi(), standing):
        for method in set(methods) & {"get", "delete"}:
            answer = await standing.operator.request(
                method, path, params={"colour": "red"}, headers={"If-Match": "*"}
            )
            assert answer.status_code == 422, (method, path, answer.text)
            assert "colour" in [at.get("parameter") for at in problem(answer)["errors"]]


async def test_every_address_names_its_methods(standing: Institution, app: FastAPI) -> None:
    # These are addresses of their own, and might be an import's or an appointment's.
    hidden = {
        f"{standing.path}/imports/template.xlsx": ["delete"],
        f"{standing.path}/appointments/renewal": ["get", "patch", "delete"],
        f"{standing.path}/periods/standard": ["get", "patch", "delete"],
        f"{standing.path}/stages/standard": ["get", "patch", "delete"],
    }
    for path, methods in addresses(app.openapi(), standing):
        for method in {"get", "post", "put", "patch", "delete"} - {*methods, *hidden.get(path, ())}:
            answer = await standing.operator.request(method, path)
            assert answer.status_code == 405, (method, path, answer.text)
            assert problem(answer)["code"] == "method_not_allowed"
            allowed = set(answer.headers["allow"].lower().split(", "))
            assert allowed == {*methods, *(["head"] if "get" in methods else [])}, (method, path)


@pytest.mark.parametrize(
    "path",
    [
        "nowhere", "units/A/nowhere", "units/a%2Fb", "units/%00", "units/..%2F..%2Fhealth",
        "units/A%20", "people/nobody", "people/%F0%9F%99%82", "people/a%E2%80%8Bb",
        "initiatives/%ED%A0%80", "initiatives/QW-1/milestones/-1",
        "initiatives/QW-1/milestones/1.0", "initiatives/QW-1/milestones/10000",
        "initiatives/QW-1/milestones/%D9%A1", "initiatives/QW-1/milestones/0/updates",
        "initiatives/QW-1/milestones/1/updates/01a20d0f-7aff-70b8-9c49-d31eb6a5564a",
        "initiatives/nowhere/milestones", "units/nowhere/rollup/children",
        "units/nowhere/rollup/areas",
    ],
)  # fmt: skip
async def test_addresses_that_lead_nowhere(standing: Institution, path: str) -> None:
    told = await standing.expect(404, "GET", f"{standing.path}/{path}")
    assert told["code"] == "not_found"


async def test_outside_of_the_institution_too(standing: Institution) -> None:
    for path in ("/api", API, f"{API}/", f"{API}/institutions/nowhere", f"{API}/schemes/x/areas",
                 f"{API}/schemes/rb-2020/areas/gardening", "/api/v2/institutions", "/%00"):  # fmt: skip
        assert (await standing.expect(404, "GET", path))["code"] == "not_found"
