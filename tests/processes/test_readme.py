"""The README's commands and its tour, run as a newcomer would run them, in a fresh environment."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.postgres import free_port

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
VOLATILE = [
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "ID"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "INSTANT"),
    (re.compile(r'"digest":"[0-9a-f]{64}"'), "DIGEST"),
    (re.compile(r'"next_cursor":"[^"]+"'), "CURSOR"),
    (re.compile(r"qw_[0-9A-Za-z]+_[0-9A-Za-z…]+"), "TOKEN"),
    (re.compile(r'"digest":"[0-9a-f]{64}"'), "DIGEST"),
]


def command_of(section: str) -> str:
    """The command line of a section."""
    found = re.search(rf"^## {section}$.*?^```sh\n(.*?)\n```$", README, re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


def tour() -> Iterator[tuple[str, str]]:
    """Each line that the tour types, and what it shows."""
    for block in re.findall(r"^```console\n(.*?)\n```$", README, re.MULTILINE | re.DOTALL):
        for step in block.split("\n$ "):
            typed, _, shown = step.removeprefix("$ ").partition("\n")
            yield typed, shown


def steady(text: str) -> str:
    for pattern, name in VOLATILE:
        text = pattern.sub(name, text)
    return text


def test_the_test_command_is_what_ci_runs() -> None:
    assert command_of("Test").endswith("-m pytest -n auto")
    assert "README.md" in (ROOT / ".ci" / "run").read_text()


@pytest.mark.skipif(shutil.which("curl") is None, reason="the tour is typed with curl")
def test_a_newcomer_gets_what_the_readme_shows(tmp_path: Path) -> None:
    project = tmp_path / "quickwin"
    project.mkdir()
    for name in ("app", "migrations"):
        shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "requirements.lock", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, project)
    port = free_port()
    plain = {
        k: v
        for k, v in os.environ.items()
        if not k.startswith(("QUICKWIN_", "VIRTUAL_ENV", "PYTHON"))
    }
    log = tmp_path / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            ["bash", "-c", f"{command_of('Run')} --port {port}"],
            cwd=project, env=plain, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    try:
        for _ in range(1_200):
            assert server.poll() is None, log.read_text()
            try:
                httpx.get(f"http://127.0.0.1:{port}/health/ready")
                break
            except httpx.TransportError:
                time.sleep(0.25)
        token = re.search(r"shown this once:\s+(qw_\S+)", log.read_text())
        assert token, log.read_text()
        assert f"http://127.0.0.1:{port}/docs" in log.read_text()
        assert "missing" not in log.read_text()  # all of the demo is there
        script, expected = [], []
        for typed, shown in tour():
            script.append(typed.replace(":8000/", f":{port}/") + "; echo")
            expected.append(shown)
        done = subprocess.run(
            ["bash", "-c", "\n".join(script)], env=plain | {"TOKEN": token[1]},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert steady(done.stdout).split("\n")[:-1] == [steady(shown) for shown in expected]
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(20)
