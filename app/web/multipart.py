"""Forms that bring files: `multipart/form-data`, read within bounds and never in memory as a whole."""

import hashlib
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from email.message import Message
from typing import IO, NamedTuple

from anyio import to_thread
from fastapi import Request, UploadFile
from starlette.datastructures import Headers
from starlette.datastructures import UploadFile as Part
from starlette.formparsers import MultiPartException, MultiPartParser

from app.api.bodies import is_utf8
from app.api.refusals import TooLarge, Unreadable, UnsupportedMediaType
from app.api.uploads import Upload

MOST_FILES = 5
"""Files that one form brings."""
_MOST_FIELDS = 400
_LARGEST_FIELD = 65_536
_FIELDS = 1_048_576
"""Bytes for all that is no file; fields stand before the files in our forms."""
_PIECE = 1_048_576


class SentFile(NamedTuple):
    """A file of a form."""

    name: str
    upload: Upload


class Sent(NamedTuple):
    """What a form sent."""

    fields: dict[str, list[str]]
    files: list[SentFile]
    is_cut: bool
    """Whether it was larger than may be: the fields are there, the files are not."""

    def one(self, name: str) -> str:
        """A field that is there once; empty if it is not there."""
        return self.fields.get(name, [""])[-1].strip()


@asynccontextmanager
async def received(request: Request, largest_file: int) -> AsyncIterator[Sent]:
    """A form with at most `MOST_FILES` files, gone in the end. Raises `Unreadable` and the like."""
    header = Message()
    header["content-type"] = request.headers.get("content-type", "")
    if header.get_content_type() != "multipart/form-data" or not is_utf8(header):
        raise UnsupportedMediaType
    most = MOST_FILES * largest_file + _FIELDS
    header.del_param("charset")  # of two that are named the parser would take the last
    parser = MultiPartParser(
        Headers({"content-type": header["content-type"]}),
        _pieces(request, most),
        max_files=MOST_FILES,
        max_fields=_MOST_FIELDS,
        max_part_size=_LARGEST_FIELD,
    )
    is_cut = False
    try:
        await parser.parse()
    except MultiPartException as error:
        raise Unreadable from error
    except TooLarge:
        is_cut = True  # the parser has closed the files
    parts = [part for _, part in parser.items if isinstance(part, Part)]
    try:
        fields: defaultdict[str, list[str]] = defaultdict(list)
        for name, value in parser.items:
            if isinstance(value, str):
                fields[name].append(_plain(value))
        files = [] if is_cut else [await _measured(part) for part in parts if part.filename]
        yield Sent(dict(fields), files, is_cut)
    finally:
        for part in parts:
            await part.close()


def _plain(value: str) -> str:
    """A field with the ends of lines that the rest of the service has."""
    if "\x00" in value:
        detail = "A NUL character cannot be stored."
        raise Unreadable(detail)
    return value.replace("\r\n", "\n")


async def _pieces(request: Request, most: int) -> AsyncGenerator[bytes, None]:
    declared = request.headers.get("content-length", "0")
    is_known = declared.isdecimal() and int(declared[:20]) <= most
    left = most if is_known else _FIELDS  # what was typed is worth keeping
    async for piece in request.stream():
        left -= len(piece)
        yield piece
        if left < 0:
            raise TooLarge


async def _measured(part: UploadFile | Part) -> SentFile:
    def measure(file: IO[bytes]) -> Upload:
        digest, size = hashlib.sha256(), 0
        while piece := file.read(_PIECE):
            digest.update(piece)
            size += len(piece)
        file.seek(0)
        return Upload(file, size, digest.hexdigest())

    return SentFile((part.filename or "")[:500], await to_thread.run_sync(measure, part.file))
