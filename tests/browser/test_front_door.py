"""What newcomers are shown works: examples of the document, and guides, against the demo."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser

from app.errors import InvalidToken
from app.web.scripting import FILES
from tests.browser.conftest import Place, window
from tests.conftest import OPERATOR
from tests.support import node
from tests.support.node import HERE, MODULES, run

ACTOR = "QUICKWIN_ADMIN_TOKEN"
"""What the operator's first token is called."""
KNOWN_BY_ID = {
    "report", "dependency", "update", "file", "import_id", "rating", "obstacle", "follow_up",
    "calendar", "deletion", "programme", "assessment", "indicator", "webhook", "secret", "delivery",
    "grant", "token", "publication", "appointment", "judgement",
}  # fmt: skip
"""Nothing of the demo has such a name: examples of these addresses begin with a list."""
SETTLED = """isDark =>
    document.documentElement.classList.contains("dark-mode") === isDark
    && document.getAnimations().length === 0"""
"""Swagger UI has turned dark or light: it fades, and is pale on the way."""
UNTRIED = {"get_baseline", "compare_baseline", "stream_events"}
"""Of no milestone's number, and without an end."""


def asked_of(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each GET as Swagger UI sends it: operation, address and query, by the examples."""
    for path, operations in document["paths"].items():
        operation = operations.get("get")
        if operation is None or operation["operationId"] in UNTRIED:
            continue
        given: dict[str, dict[str, Any]] = {"path": {}, "query": {}, "header": {}}
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


def test_examples_can_be_tried(place: Place) -> None:
    headers = {"Authorization": f"Bearer {OPERATOR}"}
    with httpx.Client(base_url=place.url, headers=headers, timeout=60) as client:
        document = client.get("/openapi.json", timeout=120).json()
        asked = list(asked_of(document))
        answers = {name: client.get(path, params=query) for name, path, query in asked}
        body = document["components"]["schemas"]["NewUpdate"]["examples"][0]
        reported = client.post(answers["list_updates"].url, json=body)
    wrong = {name: answer.text for name, answer in answers.items() if answer.status_code != 200}
    assert wrong == {}
    assert reported.status_code == 201, reported.text
    assert len(answers) > 80
    assert answers["get_unit"].json()["code"] == "32"


@pytest.fixture
def given(place: Place) -> dict[str, str]:
    """What guides ask for."""
    return os.environ | {"QUICKWIN_SERVER": place.url, "QUICKWIN_TOKEN": OPERATOR}


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
    assert re.fullmatch(r"\d+ [^/]+/milestones/\d+/updates/[^/]+", event)
    assert error == "not_found"


def test_the_guide_for_typescript(place: Place, given: dict[str, str], tmp_path: Path) -> None:
    program = node.installed()
    folder = HERE / "made" / "guide"
    folder.mkdir(parents=True, exist_ok=True)
    document = tmp_path / "document.json"
    document.write_text(httpx.get(f"{place.url}/openapi.json", timeout=120).text, encoding="utf-8")
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


async def test_redoc_asks_nobody_else(place: Place, chromium: Browser) -> None:
    """Of a small document: to show all operations takes it seconds."""
    small = {"openapi": "3.1.0", "info": {"title": "Quickwin", "version": "1"}, "paths": {
        "/me": {"get": {"operationId": "get_me", "responses": {"200": {"description": "Me"}}}},
    }}  # fmt: skip
    async with window(chromium, place.url, locale="en-GB") as seen:
        await seen.page.route("**/openapi.json", lambda route: route.fulfill(json=small))
        await seen.go("/redoc")
        await seen.page.wait_for_selector("text=API docs by Redocly", timeout=120_000)
        await seen.page.wait_for_selector("h1:has-text('Quickwin')")
        await seen.page.wait_for_load_state("networkidle")
        assert await seen.page.locator("img[alt='redocly logo']").count() == 0
        section = seen.page.locator("[data-section-id='operation/get_me']").first
        assert await section.evaluate("each => getComputedStyle(each).contentVisibility") == "auto"
        assert await seen.page.get_attribute("html", "lang") == "en"
        await seen.page.click("button[value=id]")
        await seen.page.wait_for_url("**/redoc")
        assert await seen.page.get_attribute("html", "lang") == "id"
        assert await seen.page.get_attribute("header a >> nth=0", "href") == "/"
        assert seen.complaints == []
        assert seen.strangers == []


async def test_a_token_is_handed_to_the_calls(place: Place, chromium: Browser, axe: str) -> None:
    async with window(chromium, place.url, locale="en-GB") as seen:
        await seen.go("/docs")
        page = seen.page
        await page.wait_for_selector(".opblock-tag", timeout=120_000)
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme=scheme)
            await page.wait_for_function(SETTLED, arg=scheme == "dark", timeout=60_000)
            assert await seen.faults(axe) == []
        told = page.locator("#token-told")
        await page.fill("#token", "qw_nobody")
        await page.press("#token", "Enter")
        await page.wait_for_selector("#token-told.bad")
        assert await told.inner_text() == InvalidToken().detail
        seen.complaints.clear()  # the browser tells of the 401
        await page.fill("#token", OPERATOR)
        await page.press("#token", "Enter")
        await page.wait_for_selector("#token-told.good")
        assert await told.inner_text() == f"Ready. You are {ACTOR}."
        assert await page.input_value("#token") == ""
        await page.click("text=Who am I >> xpath=.. >> a")
        await page.click("#operations-tokens-get_me .execute")
        answer = page.locator("#operations-tokens-get_me .live-responses-table .response")
        assert f'"actor": "{ACTOR}"' in await answer.inner_text()
        assert seen.complaints == []
        assert seen.strangers == []
