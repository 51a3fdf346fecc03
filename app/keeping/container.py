"""Backup files: a zip of parts with a manifest at its end.

What was left of one whose process was killed has no directory at its end, and no name that anybody
takes for a backup.
"""

import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import IO, Self
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from pydantic import ValidationError

from app import atomic
from app.schemas.backups import Manifest, Part

_MANIFEST = "manifest.json"
_MOST_MANIFEST = 1 << 30
_BUFFER = 1_048_576
_LEVEL = 1
"""Of compression: SQLite's pages shrink to a ninth, and the next levels cost twice the time."""


class Refused(Exception):
    """This cannot be done, or not with this file; the message says why, in one line."""


class Writer:
    """Writes the parts of a backup, and the manifest at the end."""

    def __init__(self, file: IO[bytes]) -> None:
        self._zip = ZipFile(file, "w", ZIP_DEFLATED, compresslevel=_LEVEL)
        self.parts: dict[str, Part] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # it has failed already, and what is written now is removed
            self.close()

    def close(self) -> None:
        """Write the directory at the end."""
        self._zip.close()

    def add(self, name: str, source: IO[bytes], *, compressed: bool) -> Part:
        """Write a part from where `source` stands; one that is `compressed` already is kept as it is."""
        info = ZipInfo(name)
        info.compress_type = ZIP_STORED if compressed else ZIP_DEFLATED
        with self._zip.open(info, "w", force_zip64=True) as target:
            self.parts[name] = copy(source, target)
        return self.parts[name]

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest: without it, there is no backup."""
        self._zip.writestr(_MANIFEST, manifest.model_dump_json(indent=2) + "\n")


@contextmanager
def written(path: Path) -> Iterator[Writer]:
    """A new backup file, which is there once the block has ended well; raises `OSError`."""
    with atomic.written(path) as file, Writer(file) as writer:
        yield writer
        writer.close()


class Reader:
    """Reads a backup file; raises `Refused` where it is not whole."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        try:
            with _refusing():
                self._zip = ZipFile(self._file)
            self.manifest = self._read_manifest()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def check(self) -> None:
        """Read all of it, and compare it with the manifest."""
        wanted = {_MANIFEST, *self.manifest.parts}
        if sorted(self._zip.namelist()) != sorted(wanted):
            raise Refused("This backup is damaged: its parts are not those of its manifest.")
        for name in self.manifest.parts:
            with open(os.devnull, "wb") as nowhere:  # noqa: PTH123  a device, no path of ours
                self.extract(name, nowhere)

    def extract(self, name: str, target: IO[bytes]) -> None:
        """Write a part to a file, and compare what it was with the manifest."""
        with self.opened(name) as part, _refusing():
            if copy(part, target) != self.manifest.parts[name]:
                raise Refused(f"This backup is damaged: {name} is not what the manifest says.")

    @contextmanager
    def opened(self, name: str) -> Iterator[IO[bytes]]:
        """A part, to be read."""
        with _refusing():
            part = self._zip.open(name)
        with part:
            yield part

    def _read_manifest(self) -> Manifest:
        with _refusing():
            info = self._zip.getinfo(_MANIFEST)
            if info.file_size > _MOST_MANIFEST:
                raise Refused("This is no backup of Quickwin.")
            return Manifest.model_validate_json(self._zip.read(info))


def copy(source: IO[bytes], target: IO[bytes]) -> Part:
    """Copy what is left of a file, and say what it was."""
    digest, size = sha256(), 0
    while some := source.read(_BUFFER):
        target.write(some)
        digest.update(some)
        size += len(some)
    return Part(size=size, sha256=digest.hexdigest())


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except ValidationError as error:
        raise Refused(
            "This is no backup of Quickwin, or one of a newer release that this one cannot read."
        ) from error
    except (BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError, RuntimeError) as error:
        raise Refused("This backup is damaged or cut off, or it is none.") from error
