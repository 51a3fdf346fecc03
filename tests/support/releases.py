"""The release before this one, as git has it."""

import io
import shutil
import subprocess
import tarfile
from pathlib import Path

from tests.support.migrations import scripts

ROOT = Path(__file__).resolve().parents[2]
_PARTS = ("app", "migrations")


class Unknown(Exception):
    """Nobody knows the release before this one; the message says why."""


def previous() -> str:
    """The newest tag of a release before this commit, else the commit before the newest migration.

    Raises `Unknown` where there is no history, as in an archive, or not enough of it.
    """
    if shutil.which("git") is None:
        raise Unknown("git is not installed")
    if Path(_git("rev-parse", "--show-toplevel") or "/") != ROOT:
        raise Unknown("this is no clone with a history")
    if tag := _git("describe", "--tags", "--abbrev=0", "--match", "v[0-9]*", "HEAD^"):
        return tag
    newest = Path(scripts()[-1].path).relative_to(ROOT).as_posix()
    added = _git("log", "-1", "--diff-filter=A", "--format=%H", "HEAD", "--", newest)
    commit = _git("rev-parse", "--verify", f"{added}^^{{commit}}" if added else "HEAD")
    if not commit:
        raise Unknown("this clone's history ends before the newest migration: it is shallow")
    return commit


def unpack(commit: str, folder: Path) -> None:
    """Lay a release's code into a folder."""
    packed = subprocess.run(
        ["git", "-C", ROOT, "archive", commit, *_PARTS], capture_output=True, check=True
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")


def read(commit: str, path: str) -> str:
    """A file as a release had it; empty where it had none."""
    return _git("show", f"{commit}:{path}")


def _git(*arguments: str) -> str:
    """What git says, or nothing where it refuses."""
    told = subprocess.run(
        ["git", "-C", ROOT, *arguments], capture_output=True, text=True, check=False
    )
    return told.stdout.strip() if told.returncode == 0 else ""
