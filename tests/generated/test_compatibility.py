"""The document breaks no client of the one that was accepted; and the comparison would see it."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.generated.__main__ import ACCEPTED, accepted, current
from tests.generated.compatibility import broken, essence
from tests.support import releases

Json = dict[str, Any]
_NEW = ("paths", "/api/v1/institutions/{institution}/initiatives", "post")
_LIST = (*_NEW[:2], "get")


@pytest.fixture(scope="module")
def whole() -> Json:
    found: Json = essence(current())
    return found


@pytest.fixture(scope="module")
def document(whole: Json) -> Json:
    """Enough of it."""
    paths = {
        path: operations
        for path, operations in whole["paths"].items()
        if path.endswith(("/initiatives", "/units", "/units/{unit}", "/me", "/live"))
    }  # fmt: skip
    return whole | {"paths": paths}


def test_clients_of_the_accepted_document_go_on_working(whole: Json) -> None:
    wrong = broken(accepted(), whole)
    assert not wrong, "If this must be, accept it: python -m tests.generated\n" + "\n".join(wrong)


BROKEN: dict[str, str] = {}
"""What is broken on purpose since the release before, as `broken` says it, each with the reason."""


def test_clients_of_the_release_before_go_on_working(whole: Json) -> None:
    """To accept a document anew is not enough: what that breaks is said here until it is released."""
    try:
        before = releases.read(releases.previous(), ACCEPTED.relative_to(releases.ROOT).as_posix())
    except releases.Unknown as error:
        pytest.skip(f"the previous release is not known: {error}")
    assert set(broken(json.loads(before), whole)) == BROKEN.keys()


def at(document: Json, *steps: Any) -> Any:
    for step in steps:
        document = document[step]
    return document


def schema(name: str, *steps: Any) -> tuple[Any, ...]:
    return ("components", "schemas", name, *steps)


def parameter(document: Json, name: str) -> Json:
    found: Json = next(each for each in at(document, *_LIST, "parameters") if each["name"] == name)
    return found


def drop(*steps: Any) -> Callable[[Json], object]:
    return lambda document: at(document, *steps[:-1]).pop(steps[-1])


def put(*steps: Any, value: Any) -> Callable[[Json], object]:
    return lambda document: at(document, *steps[:-1]).__setitem__(steps[-1], value)


def remove(*steps: Any) -> Callable[[Json], object]:
    return lambda document: at(document, *steps[:-1]).remove(steps[-1])


NEW, TOLD = "NewInitiative", "Initiative"
BREAKING: dict[str, Callable[[Json], object]] = {
    "a path is gone": drop("paths", "/api/v1/me"),
    "a method is gone": drop(*_NEW),
    "an operation has another name": put(*_NEW, "operationId", value="add_initiative"),
    "a status is gone": drop(*_NEW, "responses", "201"),
    "a media type of an answer is gone": drop(*_LIST, "responses", "200", "content", "application/json"),
    "a body is owed": lambda d: at(d, "paths", "/api/v1/me", "get").update(
        requestBody={"required": True, "content": {}}
    ),
    "a token is owed": put("paths", "/health/live", "get", "security", value=[{"token": []}]),
    "a parameter is gone": lambda d: at(d, *_LIST, "parameters").remove(parameter(d, "health")),
    "a parameter is owed": lambda d: parameter(d, "sort").update(required=True),
    "a new parameter is owed": lambda d: at(d, *_LIST, "parameters").append(
        {"in": "query", "name": "new", "required": True, "schema": {}}
    ),
    "a parameter has another type": lambda d: parameter(d, "limit")["schema"].update(type="string"),
    "a limit is lower": lambda d: parameter(d, "limit")["schema"].update(maximum=100),
    "a field is not taken": drop(*schema(NEW, "properties", "weight")),
    "a field is owed": lambda d: at(d, *schema(NEW, "required")).append("weight"),
    "an enum takes less": remove(*schema("InitiativeStatus", "enum"), "shortlisted"),
    "a text must be shorter": put(*schema(NEW, "properties", "title", "maxLength"), value=100),
    "a text has another pattern": put(*schema(NEW, "properties", "code", "pattern"), value="^x$"),
    "null is not taken": lambda d: at(d, *schema(NEW, "properties", "due_on", "anyOf")).pop(),
    "a field of a patch is gone": drop(*schema("UnitChanges", "properties", "kind")),
    "an answer's field is gone": lambda d: (
        drop(*schema(TOLD, "properties", "health"))(d), remove(*schema(TOLD, "required"), "health")(d)
    ),
    "an answer's field may be missing": remove(*schema(TOLD, "required"), "title"),
    "an answer's optional field is gone": drop(*schema("Page_Unit_", "properties", "total")),
    "an answer's field has another type": put(*schema(TOLD, "properties", "weight", "type"), value="string"),
    "an answer's field may be null": put(
        *schema(TOLD, "properties", "title"), value={"anyOf": [{"type": "string"}, {"type": "null"}]}
    ),
    "an answer's field has another format": drop(*schema(TOLD, "properties", "id", "format")),
    "an answer's items have another type": put(*schema(TOLD, "properties", "tags", "items"), value={"type": "integer"}),
    "a field far inside is gone": drop(*schema("MilestoneCounts", "properties", "overdue")),
}  # fmt: skip
HARMLESS: dict[str, Callable[[Json], object]] = {
    "nothing": lambda _: None,
    "a new path": put("paths", "/new", value={"get": {}}),
    "a new parameter": lambda d: at(d, *_LIST, "parameters").append(
        {"in": "query", "name": "new", "schema": {"type": "string"}}
    ),
    "a new field": put(*schema(NEW, "properties", "new"), value={"type": "string"}),
    "a field is not owed": remove(*schema(NEW, "required"), "year"),
    "a text may be longer": put(*schema(NEW, "properties", "title", "maxLength"), value=600),
    "a new value in answers": lambda d: at(d, *schema("Health", "enum")).append("unknown"),
    "a new value in requests": lambda d: at(d, *schema("Role", "enum")).append("guest"),
    "a new field in answers": put(*schema(TOLD, "properties", "new"), value={"type": "string"}),
    "a number that is whole": put(*schema(TOLD, "properties", "percent_complete", "anyOf", 0, "type"), value="integer"),
    "never null": lambda d: at(d, *schema(TOLD, "properties", "due_on", "anyOf")).pop(),
}  # fmt: skip


@pytest.mark.parametrize("name", BREAKING)
def test_what_breaks_is_seen(document: Json, name: str) -> None:
    changed = copy.deepcopy(document)
    BREAKING[name](changed)
    assert broken(document, changed)


@pytest.mark.parametrize("name", HARMLESS)
def test_what_does_not_break_is_let_pass(document: Json, name: str) -> None:
    changed = copy.deepcopy(document)
    HARMLESS[name](changed)
    assert broken(document, changed) == []
