"""A client that is generated from the document compiles under `strict`, and works; and linters pass."""

import json
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from tests.conftest import OPERATOR
from tests.support.node import HERE, MODULES, run
from tests.support.originals import Originals
from tests.support.server import serving

MADE = HERE / "made"
OWNERS = [{"person": "owner", "role": "accountable"}]


@pytest.fixture
def document(app: FastAPI, tmp_path: Path) -> Path:
    """The document as a file."""
    file = tmp_path / "document.json"
    file.write_text(json.dumps(app.openapi()), encoding="utf-8")
    return file


@pytest.mark.parametrize("configuration", ["sqlite"], indirect=True)
def test_a_generated_client_compiles_and_works(
    program: str, document: Path, tmp_path: Path, originals: Originals
) -> None:
    made = str(MADE / "schema.d.ts")
    run(program, str(MODULES / "openapi-typescript/bin/cli.js"), str(document), "-o", made)
    run(program, str(MODULES / "typescript/bin/tsc"), "--project", ".")
    url = originals.migrated(tmp_path / "quickwin.db")
    with serving(url, tmp_path / "log", token=OPERATOR, background="false") as server:
        plan = [{"title": "M", "due_on": "2022-06-30", "technique": "percent"}]
        initiative = {"code": "QW-1", "title": "T", "unit": "kpu", "year": 2022, "milestones": plan}
        for path, body in (
            ("", {"code": "kpu", "name": "KPU"}),
            ("/kpu/people", {"code": "owner", "name": "Owner"}),
            ("/kpu/initiatives", initiative | {"status": "active", "owners": OWNERS}),
        ):
            made = f"{server.url}/api/v1/institutions{path}"
            headers = {"Authorization": f"Bearer {OPERATOR}"}
            httpx.post(made, json=body, headers=headers).raise_for_status()
        arguments = (server.url, OPERATOR, "kpu", "QW-1", "1")
        assert run(program, "made/program/program.js", *arguments).splitlines() == [
            "0.00 % off_track",
            "1",
            "60 reported",
            "422 invalid /percent_complete",
            "Renamed",
        ]


@pytest.mark.parametrize("configuration", ["sqlite"], indirect=True)
def test_redocly_and_spectral_find_nothing(program: str, document: Path) -> None:
    assert run(program, "lint.mjs", str(document)) == ""
