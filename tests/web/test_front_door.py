"""What newcomers are shown works: examples of the document, and guides, against the demo."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.web.scripting import FILES
from tests.conftest import OPERATOR
from tests.generated.conftest import HERE, MODULES, program, run
from tests.support.server import Server, quickwin, serving

__all__ = ["program"]  # a fixture
ACTOR = "QUICKWIN_ADMIN_TOKEN"
"""What the operator's first token is called."""
KNOWN_BY_ID = {
    "report", "dependency", "update", "file", "import_id", "rating", "obstacle", "follow_up",
    "calendar", "deletion", "programme", "assessment", "indicator", "webhook", "secret", "delivery",
    "grant", "token", "publication", "appointment",
}  # fmt: skip
"""Nothing of the demo has such a name: examples of these addresses begin with a list."""
UNTRIED = {"get_baseline", "compare_baseline", "stream_events"}
"""Of no milestone's number, and without an end."""


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a small demo."""
    folder = tmp_path_factory.mktemp("demo")
    url = f"sqlite:///{folder / 'quickwin.db'}"
    loaded = quickwin(url, "demo", "load", "--initiatives", "100")
    assert loaded.returncode == 0, loaded.stderr
    files = {"files_url": folder / "files", "background": "false"}
    with serving(url, folder / "log", token=OPERATOR, rate_limit_failures=0, **files) as server:
        yield server


def asked_of(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each GET as Swagger UI sends it: operation, address and query, by the examples."""
    for path, operations in document["paths"].items():
        operation = operations.get("get")
        if operation is None or operation["operationId"] in UNTRIED:
            continue
        given = {"path": {}, "query": {}, "header": {}, "cookie": {}}
        owed = set()
        for each in operation.get("parameters", []):
            if "example" in each:
                given[each["in"]][each["name"]] = each["example"]
            elif each["required"]:
                owed.add(each["name"])
        if owed:
            assert owed <= KNOWN_BY_ID, f"{path}: no example of {owed}"
            continue
        yield operation["operationId"], path.format(**given["path"]), given["query"]


def test_examples_can_be_tried(demo: Server) -> None:
    headers = {"Authorization": f"Bearer {OPERATOR}"}
    with httpx.Client(base_url=demo.url, headers=headers, timeout=60) as client:
        asked = list(asked_of(client.get("/openapi.json").json()))
        answers = {name: client.get(path, params=query) for name, path, query in asked}
    wrong = {name: answer.text for name, answer in answers.items() if answer.status_code != 200}
    assert wrong == {}
    assert len(answers) > 80
    assert answers["get_unit"].json()["code"] == "32"


@pytest.fixture
def given(demo: Server) -> dict[str, str]:
    """What guides ask for."""
    return os.environ | {"QUICKWIN_SERVER": demo.url, "QUICKWIN_TOKEN": OPERATOR}


def test_the_guide_for_curl(given: dict[str, str]) -> None:
    done = subprocess.run(
        ["bash", "-eu", str(FILES["curl"])], env=given, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"percent_complete":60.0' in done.stdout
    assert '"code":"not_found"' in done.stdout  # of the item
    assert "304\n" in done.stdout
    assert done.stdout.endswith("no such unit, or not for me\n")


def test_the_guide_for_python(given: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, str(FILES["python"])],
        env=given,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    who, reported, taken, refused, stands, event, error = done.stdout.splitlines()
    assert (who, reported) == (ACTOR, "60.0 reported")
    assert taken.split()[0] == "0"
    assert taken.split()[2] == "there"
    assert refused == "1 404 not_found"
    assert float(stands.split()[0]) > 0
    assert "QW-2022-014" in event
    assert error == "not_found"


def test_the_guide_for_typescript(
    program: str, demo: Server, given: dict[str, str], tmp_path: Path
) -> None:
    folder = HERE / "made" / "guide"
    folder.mkdir(parents=True, exist_ok=True)
    document = tmp_path / "document.json"
    document.write_text(httpx.get(f"{demo.url}/openapi.json").text, encoding="utf-8")
    types = str(folder / "made" / "schema.d.ts")
    run(program, str(MODULES / "openapi-typescript/bin/cli.js"), str(document), "-o", types)
    (folder / "guide.ts").write_text(FILES["typescript"].read_text(encoding="utf-8"))
    options = json.loads((HERE / "tsconfig.json").read_text())["compilerOptions"]
    assert options["strict"]
    project = {"compilerOptions": options | {"outDir": "."}, "files": ["guide.ts"]}
    (folder / "tsconfig.json").write_text(json.dumps(project))
    run(program, str(MODULES / "typescript/bin/tsc"), "--project", str(folder))
    done = subprocess.run(
        [program, str(folder / "guide.js")], env=given, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[:2] == [ACTOR, "60 reported"]
    assert lines[3] == "1 404 not_found"
    assert lines[5] == "304"
    assert lines[-1] == "not_found"
