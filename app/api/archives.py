"""The archive of an institution over HTTP."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from tempfile import TemporaryFile
from threading import Event
from typing import IO

from fastapi import Request, Response
from starlette.requests import ClientDisconnect

from app.api.calls import Call, InstitutionPath, router
from app.api.downloads import Download, pieces_of
from app.services import packing

MEDIA_TYPE = "application/zip"
_LOOK_SECONDS = 1.0
routes = router("/institutions/{institution}/exports", "exports")


@routes.get(
    "/archive",
    response_class=Response,
    responses={200: {"content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}}},
)
async def export_archive(call: Call, institution: InstitutionPath, request: Request) -> Response:
    """The whole institution as one archive, as it is at one moment; `quickwin import` takes it in.

    For admins of the root. A zip of JSON Lines: units, people, grants, initiatives, milestones,
    reports, uploaded files, ratings, frozen reports, deletions and events; no tokens. Uploaded files
    whose bytes are lost are named in `manifest.json`, as `missing`. It is made first, one at a time
    for each process, so large ones begin late: about a minute for a million rows.
    """
    scope = await call.read(packing.allowed, institution)
    pieces = _pieces(call, institution, request)
    await anext(pieces)
    return Download(pieces, f"{scope.code}-archive-{scope.today()}.zip", MEDIA_TYPE)


async def _pieces(call: Call, institution: str, request: Request) -> AsyncGenerator[bytes, None]:
    """The pieces of an archive; before them an empty one, once it is made."""
    with TemporaryFile(prefix="quickwin-") as file:
        await _make(call, institution, request, file)
        yield b""
        async for piece in pieces_of(file):
            if await request.is_disconnected():
                raise ClientDisconnect
            yield piece


async def _make(call: Call, institution: str, request: Request, file: IO[bytes]) -> None:
    """Write it, unless who asked for it goes away."""
    is_gone = Event()

    async def watch() -> None:
        while not await request.is_disconnected():  # noqa: ASYNC110  nobody says so by himself
            await asyncio.sleep(_LOOK_SECONDS)
        is_gone.set()

    def look(_table: str, _done: int, _total: int) -> None:
        if is_gone.is_set():
            raise ClientDisconnect

    watching = asyncio.create_task(watch())
    try:
        await call.read_apart(packing.pack, institution, file, look)
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
