"""Files that are sent and saved while they are read and written: no more than a piece is in memory."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

PIECE = 65_536
BINARY = "application/octet-stream"


def pieces(source: Path) -> Iterator[bytes]:
    """The content of a file, from its beginning."""
    with source.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


async def pieces_waiting(source: Path) -> AsyncIterator[bytes]:
    """The same, while others go on."""
    file = await asyncio.to_thread(source.open, "rb")
    try:
        while piece := await asyncio.to_thread(file.read, PIECE):
            yield piece
    finally:
        await asyncio.to_thread(file.close)


@contextmanager
def replacing(target: Path) -> Iterator[IO[bytes]]:
    """A file that takes the place of the target once it is whole; else nothing is left of it."""
    with NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as file:
        try:
            yield file
            file.close()
            os.replace(file.name, target)  # noqa: PTH105  a name, not a path
        except BaseException:
            with suppress(FileNotFoundError):
                Path(file.name).unlink()
            raise
