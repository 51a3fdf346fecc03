"""The image, built from its recipe and run as it is meant to be: not as root, on a read-only root.

Nothing is pulled: the base is a Debian with Python that mmdebstrap makes. It takes minutes, so it is
done when it is asked for: `QUICKWIN_TEST_CONTAINER` is 1, or a base that was made before, as a tar.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from tests.support.postgres import free_port

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ("buildah", "mmdebstrap", "unshare", "chroot")
STARTS_WITHIN, STOPS_WITHIN = 300.0, 10.0
BASE = "python3-venv,python3-pip,python-is-python3,ca-certificates"
# What a container's runtime does: a root that cannot be written to, its own processes, no other user.
RUN = """
set -e
root=$1; kept=$2; uid=$3; shift 3
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t tmpfs tmpfs "$root/tmp"
mount --bind "$kept" "$root/var/lib/quickwin"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
exec env -i "$@"
"""
pytestmark = [
    pytest.mark.skipif(
        not os.environ.get("QUICKWIN_TEST_CONTAINER"), reason="QUICKWIN_TEST_CONTAINER is not set"
    ),
    pytest.mark.skipif(os.geteuid() != 0, reason="mounts need root"),
    *(
        pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not installed")
        for program in PROGRAMS
    ),
]


class Image(NamedTuple):
    """A built image, as files."""

    root: Path
    config: dict[str, Any]

    def run(self, kept: Path, *command: str) -> subprocess.Popen[bytes]:
        """Run a command of the image as its process 1; `kept` is its volume."""
        user = self.config["User"]
        return subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", RUN, "sh",
             self.root, kept, user, *self.config["Env"],
             "chroot", f"--userspec={user}:{user}", self.root, *command],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    """The image of this tree; everything that was made for it is removed again."""
    folder = tmp_path_factory.mktemp("container")
    buildah: list[str | Path] = [
        "buildah", "--storage-driver", "vfs", "--root", folder / "root", "--runroot", folder / "run",
    ]  # fmt: skip

    def call(*arguments: Any) -> str:
        done = subprocess.run([*buildah, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return str(done.stdout).strip()

    base = Path(os.environ["QUICKWIN_TEST_CONTAINER"])
    if not base.is_file():
        base = folder / "base.tar"
        subprocess.run(
            ["mmdebstrap", "--variant=minbase", f"--include={BASE}", "bookworm", base],
            check=True, capture_output=True,
        )  # fmt: skip
    container = call("from", "scratch")
    call("add", container, base, "/")
    call("commit", "--rm", container, "localhost/python")
    call(
        "build", "--isolation", "chroot", "--format", "docker", *pip_of_this_machine(folder),
        "--build-arg", "PYTHON_IMAGE=localhost/python", "--tag", "localhost/quickwin", ROOT,
    )  # fmt: skip
    container = call("from", "localhost/quickwin")
    config = json.loads(call("inspect", "--type", "image", "localhost/quickwin"))["Docker"]
    try:
        yield Image(Path(call("mount", container)), config["config"])
    finally:
        call("umount", container)
        call("rm", "--all")
        call("rmi", "--all", "--force")


def pip_of_this_machine(folder: Path) -> list[str]:
    """Options that let pip find packages and trust as it does here."""
    certificates = Path(os.environ.get("PIP_CERT", "/etc/ssl/certs/ca-certificates.crt"))
    file = folder / "pip.conf"
    file.write_text("[global]\ncert = /etc/ssl/pip.pem\n", encoding="utf-8")
    return ["-v", f"{certificates}:/etc/ssl/pip.pem:ro", "-v", f"{file}:/etc/pip.conf:ro"]


def inner(process: subprocess.Popen[bytes]) -> int:
    """The process that is process 1 within."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    return int(children.split()[0])


def within(process: subprocess.Popen[bytes], image: Image, *command: str) -> int:
    """Run a command in a running container, as its user; answers the exit status."""
    user = image.config["User"]
    done = subprocess.run(
        ["nsenter", "--target", str(inner(process)), "--mount", "--pid", "env", "-i",
         *image.config["Env"], "chroot", f"--userspec={user}:{user}", image.root, *command],
        check=False, capture_output=True,
    )  # fmt: skip
    return done.returncode


def test_the_image_serves_and_stops(image: Image, tmp_path: Path) -> None:
    assert image.config["User"] not in {"", "0", "root"}
    kept = tmp_path / "kept"
    kept.mkdir()
    shutil.chown(kept, int(image.config["User"]))
    port = free_port()
    command = [*image.config["Entrypoint"], "serve", "--port", str(port), "--workers", "2"]
    server = image.run(kept, *command)
    try:
        wait(server, f"http://127.0.0.1:{port}/health/ready")
        assert Path(f"/proc/{inner(server)}/status").read_text().count("Uid:\t10001\t10001")
        assert sorted(path.name for path in kept.glob("*.db")) == ["quickwin.db"]
        assert within(server, image, "touch", "/tmp/file") == 0  # noqa: S108  the container's own
        assert within(server, image, "touch", "/opt/quickwin/file") != 0
        check = image.config["Healthcheck"]["Test"]
        assert check[0] == "CMD"
        here = [word.replace(":8000/", f":{port}/") for word in check[1:]]
        assert within(server, image, *here) == 0
        told = time.monotonic()
        os.kill(inner(server), signal.SIGTERM)
        server.wait(STOPS_WITHIN)
        assert time.monotonic() - told < STOPS_WITHIN
        assert server.returncode == 0
    finally:
        output = ended(server).decode()
        sys.stdout.write(output)
    assert "Traceback" not in output


def wait(server: subprocess.Popen[bytes], url: str) -> None:
    until = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < until and server.poll() is None:
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("it does not get ready")


def ended(server: subprocess.Popen[bytes]) -> bytes:
    """End it hard, if it is there yet; answers what it has printed."""
    if server.poll() is None:
        os.kill(inner(server), signal.SIGKILL)  # with its process 1 all of a container ends
    return server.communicate()[0]
