"""Uploaded files over HTTP."""

import re
from collections.abc import AsyncGenerator
from typing import IO, Annotated, Any
from uuid import UUID

from anyio import to_thread
from fastapi import Header, Path, Query, Request, Response

from app import db
from app.api import answers, bodies, uploads
from app.api.calls import Call, InstitutionPath, router
from app.api.downloads import Download
from app.api.problems import MEDIA_TYPE
from app.api.refusals import RangeNotSatisfiable
from app.api.uploads import Upload
from app.filing import antivirus, content, storage
from app.filing.storage import Storage
from app.schemas.files import File, NewFile
from app.services import files
from app.services.access import Scope
from app.services.actors import Actor
from app.services.files import Received
from app.settings import Settings

routes = router("/institutions/{institution}/files", "files")
FilePath = Annotated[UUID, Path(description="Id of the file.")]

_TYPES = (
    *content.KINDS,
    "application/octet-stream",
    "application/x-www-form-urlencoded",  # what curl says of --data-binary
)
"""Which sort of file it is, the file itself says; browsers and curl know no better."""
_BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
_BODY = {
    "requestBody": {
        "required": True,
        "description": "The file itself: PDF, an image, or a document of Office or OpenDocument.",
        "content": dict.fromkeys(_TYPES[:-1], _BINARY),
    }
}
_ANY_KIND = {"content": dict.fromkeys(content.KINDS, _BINARY)}
_CONTENT: dict[int | str, dict[str, Any]] = {
    200: _ANY_KIND,
    206: {"description": "The part that was asked for", **_ANY_KIND},
    416: {
        "description": "There is no such part",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    },
}
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
_PIECE = 65_536
_SANDBOX = "default-src 'none'; frame-ancestors 'none'; sandbox"


@routes.post("", status_code=201, openapi_extra=_BODY)
@bodies.is_streamed(*_TYPES)
async def upload_file(
    call: Call,
    institution: InstitutionPath,
    query: Annotated[NewFile, Query()],
    request: Request,
    response: Response,
) -> File:
    """Send a document, to be named as evidence of a report: the file itself is the body.

    What it is, its content says: PDF, images, and documents of Office and OpenDocument, without
    macros. It is kept by its digest, after the antivirus scanner has seen it where there is one, and
    goes after a day unless a report names it. `422`: `file_refused`, `has_macros` or `infected`.
    """
    scope = await call.read(files.allowed, institution)
    chosen: Settings = request.app.state.settings
    async with uploads.received(request, chosen.max_file_bytes) as upload:
        made = await keep(request, call, scope, institution, upload, query.name)
    answers.locate(response, "institutions", institution, "files", str(made.id))
    return made


async def keep(
    request: Request,
    call: db.Call[Actor],
    scope: Scope,
    institution: str,
    upload: Upload,
    name: str,
) -> File:
    """Judge a file that has arrived, store its bytes, and keep it for a report to name.

    Raises what `upload_file` answers.
    """
    chosen: Settings = request.app.state.settings
    database: db.Database = request.app.state.database
    kind = await to_thread.run_sync(content.kind_of, upload.file)
    if chosen.antivirus_url is not None:
        await antivirus.check(upload.file, chosen.antivirus_url, chosen.antivirus_seconds)
    await database.write(files.expect, scope.id, upload.digest)
    await to_thread.run_sync(upload.file.seek, 0)
    put = _storage(request).put
    await to_thread.run_sync(put, scope.id, upload.digest, upload.file)
    new = Received(name, kind, upload.size, upload.digest)
    return await call.write(files.keep, institution, new)


@routes.get("/{file}")
async def get_file(call: Call, institution: InstitutionPath, file: FilePath) -> File:
    """What is known of a file: one's own, or evidence of a report that one may see."""
    return await call.read(files.get, institution, file)


@routes.get("/{file}/content", response_class=Response, responses=_CONTENT)
async def download_file(
    call: Call,
    institution: InstitutionPath,
    file: FilePath,
    request: Request,
    wanted: Annotated[
        str | None, Header(alias="Range", description="One part, such as `bytes=0-1023`.")
    ] = None,
) -> Response:
    """A file as it was sent, to be saved: nothing in it is run or shown by this service."""
    institution_id, found = await call.read(files.find, institution, file)
    tag = f'"{found.digest}"'
    answers.unless_known(request, tag)
    # Of another version there is no part: If-Range names the one that the client has.
    is_same = request.headers.get("if-range", tag) == tag
    part = _part(wanted, found.size) if wanted and is_same else None
    start, end = part or (0, found.size)
    opened = await to_thread.run_sync(_open, _storage(request), institution_id, found.digest, start)
    answer = Download(_pieces(opened, end - start), found.name, found.media_type)
    answer.headers.update(
        {
            "ETag": tag,
            "Accept-Ranges": "bytes",
            "Content-Length": str(end - start),
            "Content-Security-Policy": _SANDBOX,
        }
    )
    if part is not None:
        answer.status_code = 206
        answer.headers["Content-Range"] = f"bytes {start}-{end - 1}/{found.size}"
    return answer


def _storage(request: Request) -> Storage:
    database: db.Database = request.app.state.database
    return storage.held(database.session_info)


def _part(wanted: str, size: int) -> tuple[int, int] | None:
    """Where the part that is asked for begins, and where it has ended; None where all is sent.

    Several parts, and what is not understood, may be answered by the whole (RFC 9110, 14.2).
    """
    asked = _RANGE.fullmatch(wanted.strip())
    if asked is None or not (asked[1] or asked[2]):
        return None
    if not asked[1]:
        start, end = max(0, size - int(asked[2])), size
    else:
        start, end = int(asked[1]), min(size, int(asked[2] or size) + 1)
        if asked[2] and int(asked[2]) < start:
            return None
    if start >= size:
        raise RangeNotSatisfiable(headers={"Content-Range": f"bytes */{size}"})
    return start, end


def _open(stored: Storage, institution_id: UUID, digest: str, start: int) -> IO[bytes]:
    opened = stored.open(institution_id, digest)
    opened.seek(start)
    return opened


async def _pieces(opened: IO[bytes], left: int) -> AsyncGenerator[bytes, None]:
    try:
        while left and (piece := await to_thread.run_sync(opened.read, min(_PIECE, left))):
            left -= len(piece)
            yield piece
    finally:
        await to_thread.run_sync(opened.close)
