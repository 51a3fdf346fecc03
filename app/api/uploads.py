"""Files that are sent: taken piece by piece into a file without a name, which is gone in the end."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from tempfile import TemporaryFile
from typing import IO, NamedTuple

from anyio import to_thread
from fastapi import Request

from app.api.bodies import pieces
from app.filing.content import FileRefused
from app.filing.storage import FilesUnavailable


class Upload(NamedTuple):
    """A file as it has arrived."""

    file: IO[bytes]
    size: int
    digest: str
    """SHA-256, hex."""


@asynccontextmanager
async def received(request: Request, most: int) -> AsyncIterator[Upload]:
    """The body of an endpoint that `is_streamed`, at most so many bytes; never in memory as a whole.

    Raises `TooLarge`, `FileRefused` for none at all, and `FilesUnavailable` where the disk is full.
    """
    digest, size = hashlib.sha256(), 0
    with TemporaryFile(prefix="quickwin-") as file:
        async for piece in pieces(request, most):
            digest.update(piece)
            size += len(piece)
            try:
                await to_thread.run_sync(file.write, piece)
            except OSError as error:
                raise FilesUnavailable from error
        if not size:
            raise FileRefused("This file is empty.")
        # What stands for the body, where a request is compared with the one before under its key.
        request._body = digest.hexdigest().encode()  # noqa: SLF001
        yield Upload(file, size, digest.hexdigest())
