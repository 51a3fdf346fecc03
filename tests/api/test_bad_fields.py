"""Numbers, words, dates and instants out of range in creations, changes and replacements."""

from typing import Any

import pytest

from tests.api.test_bad_bodies import INITIATIVE, JSON, REPORT, problem, standing
from tests.support.institution import API, Institution

__all__ = ["standing"]

QW = "initiatives/QW-1"
PLAN = f"{QW}/milestones"
NAMES = {"id": "x", "en": "x"}
TWICE = [{"title": "M", "due_on": "2022-01-01", "number": 2}] * 2
TOKEN = {"person": "reporter", "name": "n"}

RAW = [
    pytest.param(b'{"percent_complete": Infinity}', 422, "/percent_complete", "not_a_number", id="infinity"),
    pytest.param(b'{"percent_complete": 1e-400}', 422, "/percent_complete", "decimal_max_places", id="1e-400"),
    pytest.param(b'{"percent_complete": 1e99999999999999999999}', 400, None, None, id="exponent"),
    pytest.param(b'{"percent_complete": 1e-99999999999999999999}', 400, None, None, id="-exponent"),
    pytest.param(b'{"percent_complete": -1' + b"0" * 5000 + b"}", 400, None, None, id="-10^5000"),
    pytest.param(b'{"note": "a\\u0000", "percent_complete": 5}', 422, "/note", "nul_character", id="nul"),
    pytest.param(b'{"note": "\\udc00\\ud800"}', 422, "/note", "lone_surrogate", id="surrogates"),
    pytest.param(b'{"a/b~c": 1, "a/b~c": 2}', 422, "/a~1b~0c", "duplicate_key", id="escaped"),
    pytest.param(b'{"evidence": [{"x": {"y": 1, "y": 1}}]}', 422, "/evidence/0/x/y", "duplicate_key", id="nested"),
    pytest.param(b"[" * 17 + b"]" * 17, 422, "/0" * 16, "too_deep", id="depth-17"),
    pytest.param(b'{"a":' * 100_000 + b"1" + b"}" * 100_000, 400, None, None, id="depth-100000"),
    pytest.param(b'{"percent_complete": 5} {}', 400, None, None, id="more"),
    pytest.param(b"{'percent_complete': 5}", 400, None, None, id="quotes"),
    pytest.param(b"   ", 400, None, None, id="blank"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "status", "pointer", "code"), RAW)
async def test_raw_bodies(
    standing: Institution, body: bytes, status: int, pointer: str | None, code: str | None
) -> None:
    before = (await standing.rollup())["version"]
    answer = await standing.operator.post(f"{standing.path}/{REPORT}", content=body, headers=JSON)
    assert answer.status_code == status, answer.text
    told = problem(answer)
    assert told["code"] == ("invalid" if status == 422 else "malformed_body")
    if pointer is not None:
        assert (pointer, code) in [(at["pointer"], at["code"]) for at in told["errors"]]
    assert (await standing.rollup())["version"] == before


def case(method: str, path: str, body: dict[str, Any], pointer: str, code: str) -> Any:
    """A case that is named by what it sends."""
    name = f"{method}-{path.replace('/', '.')}-{pointer.removeprefix('/').replace('/', '.')}-{code}"
    return pytest.param(method, path, body, pointer, code, id=name)


FIELDS = [
    case("POST", PLAN, {"title": "M", "due_on": "2022-01-01", "color": 1}, "/color", "extra_forbidden"),
    case("POST", PLAN, {"title": "M"}, "/due_on", "missing"),
    case("POST", PLAN, {"title": "M", "due_on": None}, "/due_on", "value_error"),
    case("POST", PLAN, {"title": "M", "due_on": "1899-12-31"}, "/due_on", "greater_than_equal"),
    case("POST", PLAN, {"title": "M", "due_on": "2200-01-01"}, "/due_on", "less_than_equal"),
    case("POST", PLAN, {"title": "M", "due_on": "2022-01-01", "number": 1}, "/number", "number_taken"),
    case("POST", PLAN, {"title": "M", "due_on": "2022-01-01", "number": 0}, "/number", "greater_than_equal"),
    case("POST", PLAN, {"title": "M", "due_on": "2022-01-01", "number": 10000}, "/number", "less_than_equal"),
    case("POST", PLAN, {"title": "M", "due_on": "2022-01-01", "weight": 1.0}, "/weight", "int_type"),
    case("POST", PLAN, {"title": "M", "due_on": "2022-01-01", "technique": "x"}, "/technique", "enum"),
    case("PATCH", f"{PLAN}/1", {"weight": True}, "/weight", "int_type"),
    case("PATCH", f"{PLAN}/1", {"weight": None}, "/weight", "int_type"),
    case("PATCH", f"{PLAN}/1", {"percent_complete": 100}, "/percent_complete", "extra_forbidden"),
    case("PATCH", f"{PLAN}/1", {"status": "done"}, "/status", "status_is_computed"),
    case("PATCH", QW, {"weight": 1001}, "/weight", "less_than_equal"),
    case("PATCH", QW, {"code": "QW-2"}, "/code", "extra_forbidden"),
    case("PATCH", QW, {"start_on": "2022-05-05", "due_on": "2022-05-04"}, "/due_on", "due_before_start"),
    case("PATCH", QW, {"areas": ["oversight", "gardening"]}, "/areas/1", "unknown_area"),
    case("PATCH", QW, {"areas": ["oversight"] * 21}, "/areas", "too_long"),
    case("PATCH", QW, {"unit": "nowhere"}, "/unit", "unknown_unit"),
    case("PATCH", QW, {"owners": []}, "/owners", "accountable_owner_missing"),
    case("PATCH", QW, {"owners": [{"person": "reporter", "role": "accountable"},
                                  {"person": "reporter", "role": "supporting"}]},
         "/owners/1/person", "repeated_owner"),
    case("PATCH", QW, {"owners": [{"person": p, "role": "accountable"} for p in ("reporter", "verifier")]},
         "/owners/1/role", "two_accountable_owners"),
    case("PATCH", QW, {"owners": [{"person": "nobody", "role": "accountable"}]},
         "/owners/0/person", "unknown_person"),
    case("PUT", QW, {**INITIATIVE, "code": "QW-2"}, "/code", "code_mismatch"),
    case("PUT", "initiatives/QW-9", {**INITIATIVE, "milestones": TWICE}, "/milestones/1/number", "number_taken"),
    case("POST", "initiatives", {**INITIATIVE, "milestones": TWICE}, "/milestones/1/number", "number_taken"),
    case("POST", "initiatives", {**INITIATIVE, "milestones": [{"title": "M", "due_on": "2022-01-01"}] * 201},
         "/milestones", "too_long"),
    case("POST", "initiatives", {**INITIATIVE, "owners": [{"person": "verifier", "role": "accountable", "x": 1}]},
         "/owners/0/x", "extra_forbidden"),
    case("POST", "initiatives", {**INITIATIVE, "status": "active",
                                 "owners": [{"person": "verifier", "role": "supporting"}]},
         "/owners", "accountable_owner_missing"),
    case("POST", REPORT, {"percent_complete": 5, "external_id": "1"}, "", "value_error"),
    case("POST", REPORT, {"percent_complete": 5, "effective_on": "2099-01-01"}, "/effective_on", "in_future"),
    case("POST", REPORT, {"percent_complete": [5]}, "/percent_complete", "value_error"),
    case("POST", REPORT, {"percent_complete": 5, "note": "x" * 10_001}, "/note", "string_too_long"),
    case("POST", REPORT, {"percent_complete": 5, "evidence": [{"title": "t", "url": "https://a b"}]},
         "/evidence/0/url", "string_pattern_mismatch"),
    case("POST", "people", {"code": "p", "name": "P", "active": "yes"}, "/active", "bool_type"),
    case("POST", "people", {"code": "p", "name": "P", "active": 1}, "/active", "bool_type"),
    case("POST", "people", {"code": "p", "name": " \u2028 "}, "/name", "string_too_short"),
    case("PATCH", "people/reporter", {"active": "no"}, "/active", "bool_type"),
    case("PATCH", "people/reporter", {"unit": "nowhere"}, "/unit", "unknown_unit"),
    case("POST", "units", {"code": "p\n", "name": "P"}, "/code", "string_pattern_mismatch"),
    case("POST", "units", {"code": "p", "name": "P", "kind": "Big City"}, "/kind", "string_pattern_mismatch"),
    case("PATCH", "units/A", {"code": None}, "/code", "string_type"),
    case("PATCH", "units/A", {"code": "..."}, "/code", "value_error"),
    case("PATCH", "units/A", {"parent": "A"}, "/parent", "extra_forbidden"),
    case("PATCH", "units/A", {"archived": "true"}, "/archived", "bool_type"),
    *[case("PATCH", "units/A", {"archived_at": instant}, "/archived_at", "value_error") for instant in
      (12345, True, "2022-01-01", "2022-01-01T00:00:00", "2022-01-01 00:00:00Z",
       "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2199-12-31T23:59:59-01:00")],
    case("PATCH", "units/A", {"archived_at": "2022-02-30T00:00:00Z"}, "/archived_at", "datetime_from_date_parsing"),
    case("POST", "units/A/move", {"parent": "nowhere"}, "/parent", "unknown_unit"),
    case("POST", "units/A/move", {}, "/parent", "missing"),
    case("POST", "tokens", {"person": "nobody", "name": "n"}, "/person", "unknown_person"),
    case("POST", "tokens", {**TOKEN, "expires_at": "9999-12-31T23:59:59-14:00"}, "/expires_at", "value_error"),
    case("POST", "tokens", {**TOKEN, "expires_at": 1_700_000_000}, "/expires_at", "value_error"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "pointer", "code"), FIELDS)
async def test_fields(
    standing: Institution, method: str, path: str, body: dict[str, Any], pointer: str, code: str
) -> None:
    before = (await standing.rollup())["version"]
    told = await standing.expect(
        422, method, f"{standing.path}/{path}", body, if_match="*" if method == "PATCH" else None
    )
    assert told["code"] == "invalid"
    assert (pointer, code) in [(at["pointer"], at["code"]) for at in told["errors"]]
    assert (await standing.rollup())["version"] == before


POLICY: list[tuple[dict[str, Any], str]] = [
    ({"on_track_from": 11}, "/policy/on_track_from"),
    ({"on_track_from": "0.9"}, "/policy/on_track_from"),
    ({"on_track_from": True}, "/policy/on_track_from"),
    ({"on_track_from": 0.95001}, "/policy/on_track_from"),
    ({"stale_after_days": 0}, "/policy/stale_after_days"),
    ({"stale_after_days": 45.0}, "/policy/stale_after_days"),
    ({"on_track_from": 0.5}, "/policy"),  # below the default of at_risk_from
    ({"mood": "good"}, "/policy/mood"),
]


@pytest.mark.parametrize(("policy", "pointer"), POLICY)
async def test_policies(standing: Institution, policy: dict[str, Any], pointer: str) -> None:
    told = await standing.expect(422, "PATCH", standing.path, {"policy": policy}, if_match="*")
    assert [place["pointer"] for place in told["errors"]] == [pointer]


SCHEME: list[tuple[str, dict[str, Any], str]] = [
    ("", {"code": "s", "name": NAMES, "from_year": 2025, "to_year": 2024}, ""),
    ("", {"code": "s", "name": {"id": "x"}, "from_year": 2025}, "/name/en"),
    ("", {"code": "s", "name": "x", "from_year": 2025}, "/name"),
    ("/rb-2020/areas", {"code": "never-seen"}, "/name"),
    ("/rb-2020/areas", {"code": "a", "name": NAMES, "compliance_weight": 100.01}, "/compliance_weight"),
    ("/rb-2020/areas", {"code": "a", "name": NAMES, "position": 0}, "/position"),
    ("/rb-2020/areas", {"code": "a", "name": NAMES, "aliases": [""]}, "/aliases/0"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "body", "pointer"), SCHEME)
async def test_schemes(
    standing: Institution, path: str, body: dict[str, Any], pointer: str
) -> None:
    told = await standing.expect(422, "POST", f"{API}/schemes{path}", body)
    assert [place["pointer"] for place in told["errors"]] == [pointer]
