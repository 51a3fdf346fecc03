"""Archive files by themselves: how much a manifest may name, and when it is too much."""

from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from uuid import uuid4
from zipfile import ZipFile

import pytest

from app.archive import ArchiveRefused, Reader, Writer
from app.schemas.archives import Manifest

FILES = 15_000
"""Their manifest is larger than a mebibyte."""


def test_as_many_files_as_an_institution_has(tmp_path: Path) -> None:
    path = tmp_path / "archive.zip"
    contents = {sha256(content).hexdigest(): content for content in map(bytes_of, range(FILES))}
    with path.open("wb") as file, Writer(file) as writer:
        for digest, content in contents.items():
            writer.add_file(digest, BytesIO(content))
        writer.finish(manifest(files=writer.files))
    with Reader(path) as reader:
        for digest, kept in reader.files():
            assert kept.read() == contents.pop(digest)
    assert not contents


def bytes_of(number: int) -> bytes:
    return b"%PDF-" + str(number).encode()


def manifest(**parts: dict[str, int]) -> Manifest:
    return Manifest.model_validate(
        {
            "release": "1", "revision": "0001", "institution": "kpu", "institution_id": uuid4(),
            "exported_at": datetime.now(UTC), "sequence": 0, "head": "0" * 64, "tables": {}, **parts,
        }
    )  # fmt: skip


def test_a_manifest_that_would_fill_the_memory_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "archive.zip"
    with ZipFile(path, "w") as file:
        file.writestr("manifest.json", "{}")
        file.filelist[0].file_size = 2 << 30  # as its directory has it
    with pytest.raises(ArchiveRefused, match="not one that this release reads"):
        Reader(path)
