"""Databases that are made once for a run of the suite and copied: to migrate one takes seconds."""

import os
import shutil
from pathlib import Path

import pytest
from filelock import FileLock

from tests.support.server import quickwin


class Originals:
    """SQLite files that the workers of a run make together, each when it is first asked for."""

    def __init__(self, factory: pytest.TempPathFactory) -> None:
        own = factory.getbasetemp()
        # Beside xdist, workers have folders of their own in one that is the run's.
        self._folder = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own

    def migrated(self, path: Path) -> str:
        """The URL of an empty database in a new file."""
        return self._copy("migrated", path, "db", "upgrade")

    def demo(self, path: Path, initiatives: int) -> str:
        """The URL of one with all units of the demo, and so many of its initiatives."""
        given = "demo", "load", "--initiatives", str(initiatives)
        return self._copy(f"demo-{initiatives}", path, *given)

    def _copy(self, name: str, path: Path, *command: str) -> str:
        """The URL of a copy of what a command of `quickwin` makes, with the files beside it."""
        original = self._folder / f"{name}.db"
        with FileLock(f"{original}.lock"):
            if not original.exists():
                unfinished = original.with_suffix(".part")
                made = quickwin(f"sqlite:///{unfinished}", *command)
                assert made.returncode == 0, made.stderr
                unfinished.rename(original)
        shutil.copyfile(original, path)
        if _files(original).exists():
            shutil.copytree(_files(original), _files(path))
        return f"sqlite:///{path}"


def _files(database: Path) -> Path:
    """Where uploaded files are kept, if nothing is set."""
    return database.with_name(f"{database.stem}-files")
