"""Every operation, tried by everybody: what they get, what they see, and what stays as it was."""

from typing import Any

import httpx
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db import Database
from app.models import Event
from app.models.institutions import InstitutionClock
from app.schemas.fields import CODE_PATTERN
from tests.security.actors import PLACES, READ, SPECS, UNITS, Spec
from tests.security.conftest import Described
from tests.security.operations import TABLE, Operation
from tests.security.world import Actor, World, mark, placeholders
from tests.support.institution import API

_TARGET = "A1"
_NO_REFERENCE = {
    "area", "areas", "code", "external_id", "reference_code", "scheme", "source",
    "level", "outcome", "outcomes", "programme", "strategies", "strategy", "lead", "carriers",
    "component", "instrument", "parent", "period", "template", "verdict",
}  # fmt: skip
"""Fields that look like a reference: catalogues are public, templates and periods known to all of an institution, programmes those of an institution (in
test_programmes), and the others are a thing's own."""
_TRIED_ELSEWHERE = {"create_obstacle /unit", "escalate_obstacle /to"}
"""References in place of another one, or to what is always above: in tests/api/test_obstacles."""
_MARKED = (READ, "tokens:read", "initiatives:change", "webhooks:read")
_WRITERS_ALONE = {
    f"{role} {place}"
    for role in ("reporter", "planner", "verifier")
    for place in ("parent", "root", "descendant")
}
"""Whose reading says no more than that of viewers and admins at the same places."""


_counted: dict[Database, tuple[int, int]] = {}


async def written(database: Database) -> int:
    """How many writes there are, of all institutions and above them; attempts that were denied aside.

    Every event moves a clock, so they are counted again only when the clocks have moved.
    """

    def count(session: Session) -> tuple[int, int]:
        clocks = session.execute(select(func.sum(InstitutionClock.sequence))).scalar_one()
        if database in _counted and _counted[database][0] == clocks:
            return _counted[database]
        told = select(func.count()).where(Event.type.not_like("access.denied%"))
        return clocks, session.execute(told).scalar_one()

    _counted[database] = await database.read(count)
    return _counted[database][1]


def expected(spec: Spec, operation: Operation) -> int:
    """The status that somebody ought to get for what belongs to A1: the first that holds."""
    unit = "R" if operation.on in {"root", "institution"} else _TARGET
    place = UNITS[unit][1] if operation.on == "above" else unit
    sees = operation.on == "institution" or spec.holds(operation.seen_with, unit)

    def may_in(unit: str) -> bool:
        return all(spec.holds(permission, unit) for permission in operation.needs)

    rules = (
        (operation.on == "public", operation.allowed),
        (spec.kind == "nobody", 401),
        (spec.kind == "operator" or operation.on == "anyone", operation.allowed),
        (operation.on == "operator", 403),
        (spec.kind == "foreign", operation.elsewhere),
        (operation.on == "member", operation.allowed),
        (operation.on == "somewhere" and any(map(may_in, UNITS)), operation.allowed),
        (operation.on == "somewhere", operation.refused),
        (not sees, operation.unseen),
        (not may_in(place), operation.refused),
    )
    return next((status for holds, status in rules if holds), operation.allowed)


async def attempt(
    world: World, actor: Actor, described: Described, operation: Operation, status: int
) -> httpx.Response:
    """One request by somebody, with a new thing where success would use it up."""
    things = dict(world.things[_TARGET])
    if operation.fresh and status == operation.allowed:
        things |= await world.fresh(operation.fresh)
    known = {parameter["name"] for parameter in described.parameters}
    most = {"limit": 200} if "limit" in known else {}
    return await world.send(
        actor.client, described.method, described.path, operation, things, parameters=most
    )


def test_every_operation_is_here(operations: dict[str, Described]) -> None:
    unknown = {
        f"{name} ({found.method.upper()} {found.path})"
        for name, found in operations.items()
        if name not in TABLE
    }
    assert not unknown, "Say in tests/security/operations.py who may use these, and on what."
    assert not TABLE.keys() - operations.keys(), "These are in the table, but not in the document."


def test_every_reference_is_here(
    operations: dict[str, Described], document: dict[str, Any]
) -> None:
    """Each place of the document where an id or a code can stand is filled in by the table."""
    missing = []
    for name, described in operations.items():
        operation = TABLE[name]
        queries = {
            parameter["name"]
            for parameter in described.parameters
            if parameter["in"] == "query"
            and list(_references(document, parameter["schema"], parameter["name"]))
        }
        missing += [f"{name}?{query}=" for query in queries - operation.filters.keys()]
        if described.body and "application/json" in described.body["content"]:
            schema = described.body["content"]["application/json"]["schema"]
            told = set(_references(document, schema, "", _named_by(operation.body)))
            missing += [f"{name} {place}" for place in told]
    assert set(missing) == _TRIED_ELSEWHERE, (
        "Fill in these references in tests/security/operations.py."
    )


def _named_by(body: Any, at: str = "") -> set[str]:
    """Places of a template that hold a placeholder."""
    if isinstance(body, dict):
        return set().union(*(_named_by(value, f"{at}/{name}") for name, value in body.items()))
    if isinstance(body, list):
        return set().union(*(_named_by(value, at) for value in body))
    return {at} if placeholders(body) else set()


def _references(
    document: dict[str, Any], schema: Any, at: str, known: set[str] | None = None
) -> list[str]:
    """Places of a schema where a code or an id stands, without those that are known."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return _references(document, document["components"]["schemas"][name], at, known)
    inner = [*schema.get("anyOf", []), *([schema["items"]] if "items" in schema else [])]
    found = [place for each in inner for place in _references(document, each, at, known)]
    for name, each in schema.get("properties", {}).items():
        found += _references(document, each, f"{at}/{name}", known)
    is_reference = schema.get("format") == "uuid" or schema.get("pattern") == CODE_PATTERN
    if is_reference and at.rpartition("/")[2] not in _NO_REFERENCE and at not in (known or ()):
        found.append(at)
    return found


_ON_SQLITE_ALONE = {
    *(f"{role} {place}" for role in ("reporter", "planner", "verifier") for place in PLACES),
    *(f"viewer {place}" for place in ("parent", "root", "descendant")),
    *(name for name in SPECS if "token" in name),
}
"""What roles and scopes allow is computed here; where they are held, the database says. There that is
tried by admins everywhere, and by viewers where they see all or nothing."""


@pytest.mark.parametrize("name", SPECS)
async def test_the_matrix(
    world: World, database: Database, operations: dict[str, Described], name: str
) -> None:
    """Everybody gets the status of the table, sees nothing else, and changes nothing else."""
    if name in _ON_SQLITE_ALONE and not database.is_sqlite:
        pytest.skip("tried on SQLite: the difference is not the database's")
    actor, wrong = world.actors[name], []
    refused: list[str] = []
    """Writes that were refused since it was last looked at what is written."""
    before = 0
    for operation_id, operation in TABLE.items():
        described = operations[operation_id]
        if described.method == "get" and name in _WRITERS_ALONE:
            continue
        status = expected(actor.spec, operation)
        place = f"{operation_id} by {name}"
        if described.method != "get":
            if status < 400:
                wrong += await written_since(database, before, refused)
                refused = []
            else:
                before = before if refused else await written(database)
                refused.append(place)
        answer = await attempt(world, actor, described, operation, status)
        if answer.status_code != status:
            wrong.append(f"{place}: {answer.status_code}, not {status}: {answer.text[:300]}")
        wrong += [f"{place}: shows {text}" for text in actor.leaks(answer)]
    wrong += await written_since(database, before, refused)
    assert not wrong, "\n".join(wrong)


async def written_since(database: Database, before: int, refused: list[str]) -> list[str]:
    """What is wrong, if one of some refused writes was written all the same."""
    if not refused or await written(database) == before:
        return []
    return [f"one of these was written: {', '.join(refused)}"]


async def test_the_marks_are_there_to_be_seen(
    world: World, operations: dict[str, Described]
) -> None:
    """Else no leak could be found: what may see A1 does show its marks, wherever they belong."""
    silent = {
        "get_institution", "get_institution_s_curve", "get_institution_attention", "get_grant",
        "get_institution_rollup", "get_institution_rollup_areas", "list_grants", "stream_events", "list_imports",
        "get_institution_rollup_children", "get_institution_explanation",
        "draw_institution_s_curve", "draw_institution_rollup_children", "draw_institution_badge",
        "list_deliveries", "get_delivery",
        "list_criteria", "get_criterion", "list_decrees", "get_decree",
        "list_team_roles", "get_team_role", "list_appointments", "get_appointment",
        "list_templates", "get_template", "compare_baseline",
        "get_programme", "get_programme_rollup",
        "list_programme_rollups", "list_assessments", "get_assessment", "get_index",
        "list_stages", "get_stage", "list_stage_loads",
        "list_periods", "get_period", "get_period_standing",
    }  # fmt: skip
    silent_ones = set()
    for operation_id, operation in TABLE.items():
        described = operations[operation_id]
        if described.method == "get" and operation.on in {"unit", "root", "member", "somewhere"}:
            answer = await attempt(world, world.actors["operator"], described, operation, 200)
            told = world.actors["without roles"].leaks(answer)
            marks = {mark(_TARGET, what) for what in _MARKED}
            marks.add(mark("A11"))
            if not marks & set(told):
                silent_ones.add(operation_id)
    assert silent_ones == silent


@pytest.mark.parametrize("name", [name for name, spec in SPECS.items() if spec.kind == "person"])
async def test_sums_are_of_what_may_be_seen(world: World, name: str) -> None:
    """Across institutions: all of one's own, or nothing of it."""
    actor = world.actors[name]
    sees_all = actor.spec.holds("plans:read", "R")
    whole = (await actor.client.get(f"{API}/rollup")).json()
    each = (await actor.client.get(f"{API}/rollup/institutions")).json()["items"]
    assert whole["institutions"] == len(each) == sees_all
    assert bool(whole["weight"]) == bool(whole["version"]) == sees_all
