"""What is shipped to run it elsewhere: the image's recipe, the unit, the compose example."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from app import cli, configuration
from app.serving import LAST_SECONDS
from app.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
UNIT = ROOT / "app" / "deploy" / "quickwin.service"
README = (ROOT / "README.md").read_text(encoding="utf-8")
HADOLINT = Path(sys.executable).with_name("hadolint")
INSTALLED = "/opt/quickwin/bin/quickwin"


def accepted(arguments: list[str]) -> dict[str, Any]:
    """What a command line means; fails where `quickwin` would refuse it."""
    command: Any = typer.main.get_command(cli.app)
    name, *rest = arguments
    found: dict[str, Any] = command.commands[name].make_context(name, rest).params
    return found


def instructions(name: str) -> list[str]:
    joined = re.sub(r"\\\n\s*", " ", DOCKERFILE)
    return re.findall(rf"^\s*{name}\s+(.*)$", joined, re.MULTILINE)


@pytest.mark.skipif(not HADOLINT.exists(), reason="hadolint is not packaged for this machine")
def test_the_image_is_linted() -> None:
    done = subprocess.run(
        [HADOLINT, ROOT / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_the_image_is_as_we_want_it() -> None:
    image, extras = instructions("ARG")
    assert extras == "EXTRAS=otel,redis,s3"  # what settings name
    assert re.fullmatch(r"PYTHON_IMAGE=\S+/python:3\.\d+-slim-\w+(@sha256:\w{64})?", image)
    assert [each.split()[0] for each in instructions("FROM")] == ["${PYTHON_IMAGE}"] * 2
    assert instructions("USER") == ["10001"]
    assert instructions("STOPSIGNAL") == ["SIGTERM"]
    for name in (
        "ENTRYPOINT",
        "CMD",
    ):  # as words: a shell would be process 1, and keep signals to itself
        assert all(json.loads(each) for each in instructions(name))
    entry, command = instructions("ENTRYPOINT"), instructions("CMD")[-1]
    assert [json.loads(each) for each in entry] == [["quickwin"]]
    assert accepted(json.loads(command))["host"] == "0.0.0.0"  # noqa: S104  within its own network
    assert "curl" not in DOCKERFILE
    assert f":{instructions('EXPOSE')[0]}/health/ready" in DOCKERFILE


def unit() -> dict[str, list[str]]:
    """Settings of the unit by name."""
    found: dict[str, list[str]] = {}
    for line in UNIT.read_text(encoding="utf-8").splitlines():
        name, is_set, value = line.partition("=")
        if is_set and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def test_the_unit_starts_and_stops_what_there_is() -> None:
    found = unit()
    program, *arguments = found["ExecStart"][0].split()
    assert (program, accepted(arguments)["workers"]) == (INSTALLED, 4)
    assert found["KillMode"] == ["mixed"]
    (grace,) = map(float, found["TimeoutStopSec"])
    assert grace > Settings.model_fields["shutdown_seconds"].default + LAST_SECONDS + 2
    assert found["RestartPreventExitStatus"] == ["2"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    """Here Python stands for the program, and root for its user."""
    text = UNIT.read_text(encoding="utf-8").replace(INSTALLED, sys.executable)
    here = tmp_path / UNIT.name
    here.write_text(text.replace("User=quickwin", "User=root"), encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", here], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_compose_example_runs_what_there_is() -> None:
    (example,) = re.findall(r"^```yaml\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    compose = yaml.safe_load(example)
    ours = compose["services"]["quickwin"]
    assert configuration.unknown(ours["environment"]) == []
    assert accepted(ours["command"])["workers"] > 1
    assert (ours["read_only"], ours["tmpfs"]) == (True, ["/tmp"])  # noqa: S108  the container's own
    assert ours["ports"][0].endswith(f":{instructions('EXPOSE')[0]}")
    assert f":{instructions('VOLUME')[0]}" in ours["volumes"][0]
    assert ours["depends_on"]["database"]["condition"] == "service_healthy"
    assert "healthcheck" in compose["services"]["database"]
    mounted = [
        each.partition(":")[0] for s in compose["services"].values() for each in s["volumes"]
    ]
    assert sorted(mounted) == sorted(compose["volumes"])
