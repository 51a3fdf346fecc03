"""Archive files: a zip of JSON Lines, a file for each table, the files that were uploaded, and a manifest.

Both ways a line at a time, so that memory stays flat whatever the size. What is damaged, cut off or
not of this kind is refused: a zip without its end has no directory, each part is checked by its
number of lines and its digest, and nothing is there that the manifest does not name.
"""

import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from io import BufferedIOBase, BufferedReader, RawIOBase
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import IO, Self
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile, ZipInfo

from pydantic import ValidationError

from app.errors import QuickwinError
from app.schemas.archives import Manifest, Part

_MANIFEST = "manifest.json"
_MOST_MANIFEST = 1 << 30
_BUFFER = 1_048_576
_LONGEST_LINE = 256 * 1_048_576
_LEVEL = 3
"""Of compression: the next ones cost twice the time for a tenth of the size."""
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class ArchiveRefused(QuickwinError):
    """This is no whole archive of an institution; nothing was written."""

    status, code, title = 422, "archive_refused", "Archive refused"


class Writer:
    """Writes an archive to a file, part after part, and the manifest at the end."""

    def __init__(self, file: IO[bytes]) -> None:
        self._zip = ZipFile(file, "w", ZIP_DEFLATED, compresslevel=_LEVEL)
        self.parts: dict[str, Part] = {}
        self.files: dict[str, int] = {}
        self.missing: list[str] = []
        """Digests of uploaded files of which there are no bytes."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def add(self, table: str, lines: Iterable[bytes]) -> None:
        """Write the rows of a table, each a line without its end."""
        digest, rows = sha256(), 0
        with self._zip.open(_name(table), "w", force_zip64=True) as part:
            for row in lines:
                line = row + b"\n"
                part.write(line)
                digest.update(line)
                rows += 1
        self.parts[table] = Part(rows=rows, sha256=digest.hexdigest())

    def add_file(self, digest: str, file: IO[bytes]) -> None:
        """Write the bytes of an uploaded file; most are compressed already."""
        part = ZipInfo(_file_name(digest))
        with self._zip.open(part, "w", force_zip64=True) as kept:
            copyfileobj(file, kept, _BUFFER)
            self.files[digest] = file.tell()

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest: without it, there is no archive."""
        self._zip.writestr(_MANIFEST, manifest.model_dump_json(indent=2) + "\n")


class Reader:
    """Reads an archive; raises `ArchiveRefused`."""

    def __init__(self, path: Path) -> None:
        # Ours to close, for a part that was not read to its end would keep it open.
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

    def lines(self, table: str) -> Iterator[bytes]:
        """The rows of a table, none if there is no such part.

        That they are all there and as they were is known at the end, where it is checked.
        """
        part = self.manifest.tables.get(table)
        if part is None:
            return
        digest, rows = sha256(), 0
        with _refusing(), self._zip.open(_name(table)) as unpacked:
            assert isinstance(unpacked, RawIOBase | BufferedIOBase)  # noqa: S101  narrows the type
            file = BufferedReader(unpacked, _BUFFER)  # its lines are the faster ones
            while line := file.readline(_LONGEST_LINE):
                if not line.endswith(b"\n"):
                    raise ArchiveRefused(f"A line of {table} has no end.")
                if b"\\u0000" in line and _NUL.search(line):
                    raise ArchiveRefused(f"There is a NUL character in {table}.")
                digest.update(line)
                rows += 1
                yield line
        if (rows, digest.hexdigest()) != (part.rows, part.sha256):
            raise ArchiveRefused(f"The part {table} is not the one that the manifest names.")

    def files(self) -> Iterator[tuple[str, IO[bytes]]]:
        """The uploaded files, each by its digest; who takes one has had it checked before."""
        for digest, size in self.manifest.files.items():
            with _refusing(), TemporaryFile(prefix="quickwin-") as file:
                found = sha256()
                with self._zip.open(_file_name(digest)) as packed:
                    while piece := packed.read(_BUFFER):
                        found.update(piece)
                        file.write(piece)
                        if file.tell() > size:
                            break
                if (found.hexdigest(), file.tell()) != (digest, size):
                    raise ArchiveRefused("An uploaded file is not the one that the manifest names.")
                file.seek(0)
                yield digest, file

    def _read_manifest(self) -> Manifest:
        names = self._zip.namelist()
        if _MANIFEST not in names:
            raise ArchiveRefused("There is no manifest: this is not an archive of an institution.")
        with _refusing():
            info = self._zip.getinfo(_MANIFEST)
            if info.file_size > _MOST_MANIFEST:
                raise ArchiveRefused("The manifest is not one that this release reads.")
            text = self._zip.read(info)
        try:
            manifest = Manifest.model_validate_json(text)
        except ValidationError as error:
            detail = "The manifest is not one that this release reads."
            raise ArchiveRefused(detail) from error
        parts = [*map(_name, manifest.tables), *map(_file_name, manifest.files)]
        if sorted(names) != sorted([_MANIFEST, *parts]):
            raise ArchiveRefused("The parts are not those that the manifest names.")
        return manifest


def _name(table: str) -> str:
    return f"tables/{table}.jsonl"


def _file_name(digest: str) -> str:
    return f"files/{digest}"


@contextmanager
def _refusing() -> Iterator[None]:
    """What reading a zip can fail with: damage, and kinds of zip that are not ours."""
    try:
        yield
    except (BadZipFile, EOFError, NotImplementedError, RuntimeError, zlib.error) as error:
        raise ArchiveRefused("The file is damaged, cut off, or no archive.") from error
