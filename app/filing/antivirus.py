"""Asks ClamAV's daemon whether a file is clean, by its INSTREAM command (clamd(8)).

The file goes over a socket, so the scanner may run elsewhere and needs no right to our files.
"""

import asyncio
import logging
from struct import pack
from typing import IO
from urllib.parse import urlsplit

from anyio import to_thread

from app.errors import QuickwinError
from app.filing.content import FileRefused

_PIECE = 65_536
_MOST_REPLY = 4_096
_log = logging.getLogger(__name__)
_SILENCE = (
    OSError, TimeoutError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError,
)  # fmt: skip
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Infected(FileRefused):
    """The scanner has found something harmful in this file; it was not kept."""

    code = "infected"


class ScannerUnavailable(QuickwinError):
    """The scanner does not answer at the moment, and no file is kept unseen. Try again."""

    status, code, title = 503, "scanner_unavailable", "Scanner unavailable"

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "30"})


async def check(file: IO[bytes], scanner: str, seconds: float) -> None:
    """Let the scanner at `tcp://HOST:PORT` or `unix:///SOCKET` see a file from its beginning.

    Raises `Infected`, and `ScannerUnavailable` for whatever is not a clear answer in time.
    """
    try:
        async with asyncio.timeout(seconds):
            reply = await _ask(file, scanner)
    except _SILENCE as error:
        _log.warning("the scanner does not answer: %s", type(error).__qualname__)
        raise ScannerUnavailable from error
    if reply.endswith(b"FOUND\0"):
        raise Infected
    if reply != b"stream: OK\0":
        _log.warning("the scanner refuses to say: is its StreamMaxLength too small?")
        raise ScannerUnavailable


async def _ask(file: IO[bytes], scanner: str) -> bytes:
    reader, writer = await _connect(scanner)
    try:
        writer.write(b"zINSTREAM\0")
        await to_thread.run_sync(file.seek, 0)
        while piece := await to_thread.run_sync(file.read, _PIECE):
            writer.write(pack(">I", len(piece)) + piece)
            await writer.drain()
        writer.write(pack(">I", 0))
        await writer.drain()
        return await reader.readuntil(b"\0")
    finally:
        writer.close()


async def _connect(scanner: str) -> Streams:
    address = urlsplit(scanner)
    if address.scheme == "unix":
        return await asyncio.open_unix_connection(address.path, limit=_MOST_REPLY)
    return await asyncio.open_connection(address.hostname, address.port, limit=_MOST_REPLY)
