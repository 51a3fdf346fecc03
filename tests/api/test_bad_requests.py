"""Addresses, parameters, versions and states that do not fit: a clear 4xx, nothing written."""

import re
from typing import Any

import pytest

from tests.api.test_bad_bodies import problem, ready, standing
from tests.support.institution import API, Institution, Json

__all__ = ["ready", "standing"]


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("initiatives?colour=red", "colour"),
        ("initiatives?limit=0", "limit"),
        ("initiatives?limit=201", "limit"),
        ("initiatives?limit=abc", "limit"),
        ("initiatives?limit=1_0", "limit"),
        ("initiatives?sort=colour", "sort"),
        ("initiatives?sort=code,-code", "sort"),
        ("initiatives?sort=", "sort"),
        ("initiatives?cursor=garbage", "cursor"),
        ("initiatives?cursor=%F0%9F%99%82", "cursor"),
        ("initiatives?status=done", "status"),
        ("initiatives?year=0", "year"),
        ("initiatives?due_before=2022-02-30", "due_before"),
        ("initiatives?updated_since=yesterday", "updated_since"),
        ("initiatives?q=%00", "q"),
        ("units/A?colour=red", "colour"),
        ("rollup?as_of=2099-01-01", "as_of"),
        ("rollup?area=gardening", "area"),
        ("rollup?year=2022.5", "year"),
        ("rollup?colour=red", "colour"),
        ("events?after=-1", "after"),
        ("events?after=9223372036854775808", "after"),
    ],
)
async def test_invalid_parameters(standing: Institution, path: str, parameter: str) -> None:
    told = await standing.expect(422, "GET", f"{standing.path}/{path}")
    assert parameter in [place.get("parameter", parameter) for place in told["errors"]] or (
        parameter == "q"
    )


async def test_cursors_belong_to_their_list(ready: Institution) -> None:
    await ready.unit("B")
    cursor = (await ready.get("units", limit=1))["next_cursor"]
    for path, more in (
        ("people", {}),
        ("units", {"sort": "-code"}),
        ("units", {"q": "unit"}),
    ):
        parameters: dict[str, Any] = {"limit": 1, "cursor": cursor, **more}
        told = await ready.expect(422, "GET", f"{ready.path}/{path}", parameters=parameters)
        assert told["errors"][0]["code"] == "bad_cursor"
    tampered = ("A" if cursor[0] != "A" else "B") + cursor[1:]
    await ready.expect(422, "GET", f"{ready.path}/units", parameters={"cursor": tampered})


@pytest.mark.parametrize(
    "path",
    [
        "nowhere", "units/nowhere", "units/a%00b", "units/%F0%9F%99%82", "initiatives/QW-2",
        "initiatives/QW-1/milestones/0", "initiatives/QW-1/milestones/abc",
        "initiatives/QW-1/milestones/100000000000000000000", "initiatives/QW-1/milestones/2",
        "initiatives/QW-1/milestones/1/updates/abc", "units/01a20d0f-7aff-70b8-9c49-d31eb6a5564a",
        "units/nowhere/rollup", f"units/{'x' * 65}",
    ],
)  # fmt: skip
async def test_what_is_not_there(standing: Institution, path: str) -> None:
    told = await standing.expect(404, "GET", f"{standing.path}/{path}")
    assert told["code"] == "not_found"


async def test_methods_that_an_address_lacks(standing: Institution) -> None:
    answer = await standing.operator.delete(f"{standing.path}/rollup")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"
    assert problem(answer)["code"] == "method_not_allowed"


async def test_versions_are_asked_for(ready: Institution) -> None:
    path = f"{ready.path}/units/A"
    assert (await ready.expect(428, "PATCH", path, {"name": "B"}))["code"] == "version_required"
    for stale in ('"v9"', "garbage", 'W/"v9"', '"v2", "v3"'):
        told = await ready.expect(412, "PATCH", path, {"name": "B"}, if_match=stale)
        assert told["code"] == "stale_version"
    assert (await ready.expect(200, "PATCH", path, {"name": "B"}, if_match='"v7", "v1"'))[
        "version"
    ] == 2


async def test_another_institution_is_out_of_reach(ready: Institution) -> None:
    other = Institution(f"{ready.code}-other", ready.operator, ready._transport)  # noqa: SLF001
    await other.create()
    theirs = await other.unit("theirs")
    for reference in ("theirs", theirs["id"]):
        body = {"code": "QW-9", "title": "T", "unit": reference, "year": 2022}
        told = await ready.expect(422, "POST", f"{ready.path}/initiatives", body)
        assert told["errors"][0]["pointer"] == "/unit"
        await ready.expect(404, "GET", f"{ready.path}/units/{reference}")
    told = await ready.expect(404, "GET", other.path, client=ready.reporter)
    assert told["code"] == "not_found"
    listed = await ready.expect(200, "GET", f"{API}/institutions", client=ready.reporter)
    assert [item["code"] for item in listed["items"]] == [ready.code]
    scheme: Json = {"code": "x", "name": {"id": "x", "en": "x"}, "from_year": 2020}
    for path, new in (("institutions", {"code": "x", "name": "X"}), ("schemes", scheme)):
        await ready.expect(403, "POST", f"{API}/{path}", new, client=ready.reporter)
    await other.close()


async def test_the_tree_stays_a_tree(ready: Institution) -> None:
    await ready.unit("A1", "A")
    for unit, parent, code in (
        ("A", "A", "unit_cycle"),
        ("A", "A1", "unit_cycle"),
        (ready.code, "A", "root_unit"),
    ):
        told = await ready.expect(
            409, "POST", f"{ready.path}/units/{unit}/move", {"parent": parent}
        )
        assert told["code"] == code
    assert (await ready.patch(f"units/{ready.code}", {"archived": True}, 409))[
        "code"
    ] == "root_unit"
    assert (await ready.delete(f"units/{ready.code}", 409))["code"] == "root_unit"
    assert (await ready.delete("units/A", 409))["code"] == "in_use"


async def test_an_archived_unit_takes_nothing_new(ready: Institution) -> None:
    await ready.unit("B")
    await ready.patch("units/B", {"archived": True})
    for path, body, pointer in (
        ("initiatives", {"code": "QW-9", "title": "T", "unit": "B", "year": 2022}, "/unit"),
        ("people", {"code": "p", "name": "P", "unit": "B"}, "/unit"),
        ("units", {"code": "B1", "name": "B1", "parent": "B"}, "/parent"),
    ):
        told = await ready.expect(422, "POST", f"{ready.path}/{path}", body)
        assert told["errors"][0] | {"detail": ""} == {
            "pointer": pointer, "code": "archived_unit", "detail": "",
        }  # fmt: skip


async def test_reasons_and_states_are_owed(ready: Institution) -> None:
    plan = "initiatives/QW-1/milestones"
    assert (await ready.patch("initiatives/QW-1", {"status": "completed"}, 409))[
        "code"
    ] == "status_conflict"
    assert (await ready.patch("initiatives/QW-1", {"status": "proposed"}, 409))[
        "code"
    ] == "status_conflict"
    await ready.patch(f"{plan}/1", {"status": "done"}, 422)
    for path, changes in (
        ("initiatives/QW-1", {"status": "cancelled"}),
        (f"{plan}/1", {"status": "dropped"}),
    ):
        told = await ready.patch(path, changes, 422)
        assert told["errors"][0]["code"] == "reason_owed"
    await ready.patch(f"{plan}/1", {"baseline_due_on": "2022-06-30"})
    told = await ready.patch(f"{plan}/1", {"due_on": "2022-07-30"}, 422)
    assert told["errors"][0]["code"] == "reason_owed"
    await ready.patch(f"{plan}/1", {"due_on": "2022-07-30", "reason": "Late tender"})


async def test_reports_have_their_place(ready: Institution) -> None:
    report = await ready.report("QW-1", 1, 40, "2022-05-01")
    path = f"{ready.path}/{'initiatives/QW-1/milestones/1'}"
    verdict = f"{path}/updates/{report['id']}/verification"
    await ready.post("grants", {"person": "reporter", "role": "verifier"})
    told = await ready.expect(403, "POST", verdict, {"verdict": "verified"}, client=ready.reporter)
    assert told["code"] == "own_report"
    told = await ready.expect(422, "POST", verdict, {"verdict": "returned"}, client=ready.verifier)
    assert told["errors"][0]["code"] == "note_owed"
    assert (await ready.delete("initiatives/QW-1/milestones/1", 409))["code"] == "in_use"
    assert (await ready.delete("people/reporter", 409))["code"] == "in_use"
    await ready.patch("initiatives/QW-1/milestones/1", {"status": "dropped", "reason": "Moved"})
    told = await ready.expect(409, "POST", f"{path}/updates", {"percent_complete": 5})
    assert told["code"] == "not_reportable"
    await ready.patch("initiatives/QW-1", {"status": "cancelled", "reason": "No budget"})
    await ready.patch("initiatives/QW-1/milestones/1", {"status": "pending"})
    told = await ready.expect(409, "POST", f"{path}/updates", {"percent_complete": 5})
    assert told["code"] == "not_reportable"


async def test_codes_are_taken_once(ready: Institution) -> None:
    for path, body in (
        ("units", {"code": "a", "name": "A again"}),
        ("people", {"code": "REPORTER", "name": "R"}),
        ("initiatives", {"code": "qw-1", "title": "T", "unit": "A", "year": 2022}),
    ):
        assert (await ready.expect(409, "POST", f"{ready.path}/{path}", body))[
            "code"
        ] == "code_taken"


async def test_no_address_answers_without_a_token(ready: Institution, app: Any) -> None:
    document = app.openapi()
    for path, operations in document["paths"].items():
        if not path.startswith(API) or path.startswith(f"{API}/public/"):
            continue
        address = path
        for name in ("institution", "unit", "person", "scheme", "area", "initiative"):
            address = address.replace(f"{{{name}}}", "x")
        address = address.replace("{number}", "1")
        address = address.replace("{format}", "csv")
        address = re.sub(r"{\w+}", "01a20d0f-7aff-70b8-9c49-d31eb6a5564a", address)
        for method, operation in operations.items():
            taken = operation.get("requestBody", {}).get("content", {})
            kind = next(iter(taken), "application/json")
            sent = {} if kind == "application/json" else {"Content-Type": kind}
            for headers in (
                {},
                {"Authorization": "Bearer qw_wrong"},
                {"Authorization": "Basic eDp5"},
            ):
                answer = await ready.reporter.request(
                    method, address, headers={"Authorization": "", **sent, **headers},
                    json=None if method in ("get", "delete") else {},
                )  # fmt: skip
                # A wrong token shows in the transaction: what is missing may be told before.
                early = {422, 428} if "qw" in str(headers) else set()
                assert answer.status_code in {401} | early, (method, path)
                if answer.status_code == 401:
                    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_nothing_is_found_by_what_only_looks_like_its_code(institution: Institution) -> None:
    """Unicode has letters and digits that others of it make ASCII: the sign of the kelvin is one."""
    unit = await institution.unit("K-1")
    full_width = chr(ord("0") + 0xFEE0)
    for key in ("\u212a-1", unit["id"].replace("0", full_width, 1)):
        await institution.expect(404, "GET", f"{institution.path}/units/{key}")
        people = f"{institution.path}/people"
        body = {"code": "p", "name": "P", "unit": key}
        await institution.expect(422, "POST", people, body)
    assert (await institution.get("units/k-1"))["code"] == "K-1"
    assert (await institution.get(f"units/{unit['id'].upper()}"))["code"] == "K-1"
