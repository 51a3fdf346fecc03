"""Where files are kept: one object for each digest and institution, on the disk or elsewhere.

By fsspec, so a bucket takes nothing but another address. An object is written under a name that
nobody asks for and then renamed: under a digest there is all of it or nothing, whenever a process
ends.
"""

import hashlib
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from errno import EIO
from pathlib import Path
from typing import IO, Any
from uuid import UUID, uuid4

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem
from sqlalchemy import make_url

from app.errors import QuickwinError
from app.settings import Settings

KEY = "storage"
"""Where `Session.info` holds the storage."""
_UNFINISHED = "unfinished"
_PIECE = 5 * 2**20
"""Bytes that travel to and from a bucket at a time; it takes no smaller ones, and s3fs holds 50 MiB."""
_GIVEN_UP = timedelta(days=1)
"""An object that is unfinished for so long was left by a process that is gone."""
_log = logging.getLogger(__name__)


class FilesUnavailable(QuickwinError):
    """The storage of files does not answer at the moment; nothing was kept. Try again."""

    status, code, title = 503, "files_unavailable", "Files unavailable"

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "5"})


class Storage:
    """Objects by institution and digest; its calls block, and raise `FilesUnavailable`."""

    def __init__(self, address: str) -> None:
        """`address` is a folder, or a URL that fsspec knows; raises `ImportError` without its package."""
        # What is there, other processes change too: no listing is remembered.
        fs, root = url_to_fs(address, use_listings_cache=False)
        self._fs: Any = fs  # fsspec has no types
        self.is_local = isinstance(fs, LocalFileSystem)
        """Whether it is a folder."""
        self.root: str = root
        """The folder, without what the URL says of where it is."""

    def put(self, institution_id: UUID, digest: str, file: IO[bytes]) -> None:
        """Keep a file from where it stands, unless it is there already and whole."""
        target = self._path(institution_id, digest)
        if self.is_whole(institution_id, digest):
            return
        unfinished = f"{self.root}/{_UNFINISHED}/{uuid4().hex}"
        with _available():
            if self.is_local:  # a bucket has no folders, and would be made by asking for them
                for path in (target, unfinished):
                    self._fs.makedirs(path.rpartition("/")[0], exist_ok=True)
            try:
                with self._fs.open(unfinished, "wb", block_size=_PIECE) as sink:
                    shutil.copyfileobj(file, sink)
                    if self.is_local:
                        sink.flush()
                        os.fsync(sink.fileno())  # else a name could outlive its content
                self._fs.mv(unfinished, target)
            except BaseException:
                with suppress(Exception):
                    self._fs.rm(unfinished)
                raise

    def open(self, institution_id: UUID, digest: str) -> IO[bytes]:
        """A file that is kept, to be read and closed by the caller."""
        with _available():
            path = self._path(institution_id, digest)
            opened: IO[bytes] = self._fs.open(path, "rb", block_size=_PIECE)
            return opened

    def is_whole(self, institution_id: UUID, digest: str) -> bool:
        """Whether a file is there, and all of it is what its digest says."""
        with _available():
            try:
                with self._fs.open(
                    self._path(institution_id, digest), "rb", block_size=_PIECE
                ) as file:
                    return hashlib.file_digest(file, "sha256").hexdigest() == digest
            except FileNotFoundError:
                return False

    def remove(self, institution_id: UUID, digest: str) -> None:
        """Remove a file, if it is there."""
        with _available(), suppress(FileNotFoundError):
            self._fs.rm(self._path(institution_id, digest))

    def sweep(self) -> None:
        """Remove what processes that are gone have not finished."""
        with _available(), suppress(FileNotFoundError):
            for path in self._fs.ls(f"{self.root}/{_UNFINISHED}", detail=False):
                with suppress(FileNotFoundError):  # somebody else sweeps too
                    if datetime.now(UTC) - _in_utc(self._fs.modified(path)) > _GIVEN_UP:
                        self._fs.rm(path)

    def probe(self) -> None:
        """Write, read and remove something, as of a file; raises `FilesUnavailable` with the cause."""
        path, written = f"{self.root}/{_UNFINISHED}/{uuid4().hex}", b"quickwin"
        with _available():
            if self.is_local:
                self._fs.makedirs(path.rpartition("/")[0], exist_ok=True)
            try:
                self._fs.pipe_file(path, written)
                found: bytes = self._fs.cat_file(path)
            finally:
                with suppress(FileNotFoundError):
                    self._fs.rm(path)
            if found != written:
                raise OSError(EIO, "what was read is not what was written")

    def _path(self, institution_id: UUID, digest: str) -> str:
        return f"{self.root}/{institution_id}/{digest[:2]}/{digest}"


def of(settings: Settings) -> Storage:
    """The storage that is set; beside an SQLite database, and else in the working folder."""
    if settings.files_url is not None:
        return Storage(settings.files_url)
    is_file = settings.database_url.startswith("sqlite")
    named = make_url(settings.database_url).database if is_file else None
    database = Path(named or "quickwin.db")
    return Storage(str(database.with_name(f"{database.stem}-files").resolve()))


def held(info: dict[str, Any]) -> Storage:
    """The storage that the sessions of this process know, from their `info`."""
    found: Storage = info[KEY]
    return found


def _in_utc(instant: datetime) -> datetime:
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


@contextmanager
def _available() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        _log.warning("the storage of files fails: %s", type(error).__qualname__)
        raise FilesUnavailable from error
