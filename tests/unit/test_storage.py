"""The storage of files: under a digest there is all of a file or nothing, on the disk and elsewhere."""

import io
import os
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from fsspec.core import url_to_fs

from app.filing import storage
from app.filing.storage import FilesUnavailable, Storage
from app.settings import Settings

HERE = UUID("01a20d0f-7aff-70b8-9c49-d31eb6a5564a")
CONTENT = b"%PDF-1.7\n" + bytes(300_000)
DIGEST = sha256(CONTENT).hexdigest()
KILLED = """
import io, os, signal, sys
from uuid import UUID
from app.filing.storage import Storage

class Sender(io.BytesIO):
    def read(self, size=-1):
        if self.tell():
            os.kill(os.getpid(), signal.SIGKILL)
        return super().read(size)

Storage(sys.argv[1]).put(UUID(sys.argv[2]), sys.argv[3], Sender(bytes(300_000)))
"""


class Broken(io.BytesIO):
    """A file whose reading fails half-way."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell():
            raise OSError("no space left")
        return super().read(size)


def there(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("kind", ["disk", "bucket"])
def test_a_file_is_kept_once(kind: str, tmp_path: Path) -> None:
    place = str(tmp_path / "files") if kind == "disk" else f"memory://{uuid4()}/files"
    stored = Storage(place)
    for _ in range(2):
        stored.put(HERE, DIGEST, io.BytesIO(CONTENT))
        with stored.open(HERE, DIGEST) as file:
            file.seek(9)
            assert file.read() == CONTENT[9:]
    stored.sweep()
    elsewhere = uuid4()
    with pytest.raises(FilesUnavailable):
        stored.open(elsewhere, DIGEST)
    stored.put(elsewhere, DIGEST, io.BytesIO(CONTENT))
    for _ in range(2):
        stored.remove(HERE, DIGEST)
    with stored.open(elsewhere, DIGEST) as file:
        assert file.read(9) == CONTENT[:9]
    if kind == "disk":
        assert there(tmp_path) == [f"files/{elsewhere}/{DIGEST[:2]}/{DIGEST}"]


@pytest.mark.parametrize("kind", ["disk", "bucket"])
def test_a_damaged_file_is_made_good(kind: str, tmp_path: Path) -> None:
    place = str(tmp_path / "files") if kind == "disk" else f"memory://{uuid4()}/files"
    stored = Storage(place)
    assert not stored.is_whole(HERE, DIGEST)
    stored.put(HERE, DIGEST, io.BytesIO(CONTENT))
    assert stored.is_whole(HERE, DIGEST)
    fs, root = url_to_fs(place)
    fs.pipe_file(f"{root}/{HERE}/{DIGEST[:2]}/{DIGEST}", CONTENT[:-1])
    assert not stored.is_whole(HERE, DIGEST)
    stored.put(HERE, DIGEST, io.BytesIO(CONTENT))
    with stored.open(HERE, DIGEST) as file:
        assert file.read() == CONTENT


def test_what_fails_leaves_nothing(tmp_path: Path) -> None:
    stored = Storage(str(tmp_path))
    with pytest.raises(FilesUnavailable):
        stored.put(HERE, DIGEST, Broken(CONTENT))
    assert there(tmp_path) == []
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(FilesUnavailable):
        Storage(str(tmp_path / "file")).put(HERE, DIGEST, io.BytesIO(CONTENT))


def test_a_killed_process_leaves_no_half_file(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), str(HERE), DIGEST], check=False
    )
    assert done.returncode == -9
    (left,) = there(tmp_path)
    assert left.startswith("unfinished/")
    stored = Storage(str(tmp_path))
    stored.put(HERE, DIGEST, io.BytesIO(CONTENT))
    whole = f"{HERE}/{DIGEST[:2]}/{DIGEST}"
    assert (tmp_path / whole).read_bytes() == CONTENT
    stored.sweep()
    assert left in there(tmp_path), "somebody may still be at it"
    long_ago = time.time() - 90_000
    os.utime(tmp_path / left, (long_ago, long_ago))
    stored.sweep()
    assert there(tmp_path) == [whole]


def test_where_files_are(tmp_path: Path) -> None:
    for url, place in (
        (f"sqlite:///{tmp_path}/quickwin.db", tmp_path / "quickwin-files"),
        (f"sqlite:///{tmp_path}/other.sqlite", tmp_path / "other-files"),
        ("postgresql://u:p@localhost/quickwin", Path.cwd() / "quickwin-files"),
    ):
        assert storage.of(Settings(database_url=url)).root == str(place)
    assert storage.of(Settings(files_url=str(tmp_path))).root == str(tmp_path)
    assert there(tmp_path) == []
