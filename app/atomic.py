"""Files that are there whole and on the disk, or not at all, whoever else writes the same.

A file is written under another name, flushed to the disk and then renamed. The unfinished file is its
own lock: what a killed process has left is overwritten, what another process is writing is not.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EBUSY, EEXIST
from pathlib import Path
from typing import IO, NamedTuple

from filelock import lock_descriptor

UNFINISHED = ".unfinished"


class Claim(NamedTuple):
    """An unfinished file that is this process's alone."""

    path: Path
    descriptor: int


@contextmanager
def written(path: Path) -> Iterator[IO[bytes]]:
    """A new file, which is there once the block has ended well; for its owner alone to read.

    Raises `OSError`, also where there is one of this name, or another process is writing it.
    """
    with claimed(path) as claim:
        if path.exists():
            raise OSError(EEXIST, os.strerror(EEXIST), str(path))
        with os.fdopen(claim.descriptor, "wb", closefd=False) as file:
            file.truncate()
            yield file
            file.flush()
            os.fsync(file.fileno())
        claim.path.rename(path)
        settle(path.parent)


@contextmanager
def claimed(path: Path) -> Iterator[Claim]:
    """The unfinished file of another, as it was left; gone if the block fails.

    Raises `OSError` while another process has it.
    """
    unfinished = path.with_name(path.name + UNFINISHED)
    descriptor = os.open(unfinished, os.O_RDWR | os.O_CREAT, 0o600)
    try:  # the lock goes with the descriptor
        if not lock_descriptor(descriptor, blocking=False) or not _is_at(unfinished, descriptor):
            raise OSError(EBUSY, "Another process is writing it", str(path))
        try:
            os.fchmod(descriptor, 0o600)  # also of one that an earlier process has left
            yield Claim(unfinished, descriptor)
        except BaseException:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise
    finally:
        os.close(descriptor)


def _is_at(path: Path, descriptor: int) -> bool:
    """Whether a file is still where it was opened: whoever had the lock may have moved it away."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def settle(path: Path) -> None:
    """Have the disk keep what was written to a file, or the names in a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
