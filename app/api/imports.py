"""Imports of spreadsheets over HTTP."""

import hashlib
from typing import Annotated, Any
from uuid import UUID

from anyio import to_thread
from fastapi import Path, Query, Request, Response

from app.api import answers, bodies
from app.api.bodies import File
from app.api.calls import Call, InstitutionPath, router
from app.api.problems import language_of
from app.api.spreadsheets import MEDIA_TYPE, Spreadsheet
from app.languages import FALLBACK, words
from app.schemas.fields import Language
from app.schemas.imports import (
    UNFINISHED,
    AnnotatedQuery,
    Import,
    ImportQuery,
    ImportSummary,
    NewImport,
    NotedImport,
    Say,
    SheetFormat,
    TemplateQuery,
)
from app.schemas.pages import Page
from app.services import imports
from app.services.importing import RowRefused
from app.services.imports import Submitted
from app.settings import settings
from app.spreadsheets import annotated, process, template

routes = router("/institutions/{institution}/imports", "imports")
ImportPath = Annotated[UUID, Path(description="Id of the import.")]

_TYPES = (
    MEDIA_TYPE,
    "text/csv",
    "application/octet-stream",
    "application/vnd.ms-excel",  # what browsers on Windows say of .csv
    "application/vnd.ms-excel.sheet.macroenabled.12",  # to be told what is wrong with it
    "application/x-www-form-urlencoded",  # what curl says of --data-binary
)
"""Which sort of file it is, the file itself says; browsers and curl know no better."""
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_BODY = {
    "requestBody": {
        "required": True,
        "description": "The file itself: a workbook (.xlsx), or CSV in UTF-8. At most 10 MiB.",
        "content": dict.fromkeys(_TYPES[:4], _BINARY),
    }
}
_WORKBOOK: dict[int | str, dict[str, Any]] = {200: {"content": {MEDIA_TYPE: _BINARY}}}


@routes.get("/template.xlsx", response_class=Spreadsheet, responses=_WORKBOOK)
async def download_import_template(
    call: Call, institution: InstitutionPath, query: Annotated[TemplateQuery, Query()]
) -> Response:
    """A form to fill in: one row for one initiative, with your units, people and areas to choose from.

    `B03`, `B06`, `B09` and `B12` take the target by the end of March, June, September and December,
    cumulative and in percent; what each adds becomes a milestone that is due on that day.
    """
    offer = await call.read(imports.offer, institution, query.unit)
    content = await to_thread.run_sync(template.render, offer, query.language)
    return Spreadsheet(content, headers=answers.as_file(f"{offer.institution}-template.xlsx"))


@routes.post("", status_code=201, responses={202: {"model": Import}}, openapi_extra=_BODY)
@bodies.is_file(process.MOST_BYTES, *_TYPES)
async def submit_import(
    call: Call,
    institution: InstitutionPath,
    query: Annotated[NewImport, Query()],
    file: File,
    request: Request,
    response: Response,
) -> Import:
    """Check or apply a spreadsheet: create or change the initiatives of its rows, by their codes.

    The first visible sheet is read; headings are those of the template in either language, in any
    order. A column that is not there leaves its field alone; an empty cell empties it, but for the
    status and the targets, which stay. Nothing is deleted. Of formulas the saved values count.

    All rows are applied, or none: with one wrong row the status is `refused`. Up to 500 rows are
    dealt with at once (201); more are queued (202), and `Location` says where to look.
    """
    await call.read(imports.allowed, institution)
    sheet = await process.read(file, settings().import_read_seconds)
    digest = hashlib.sha256(file).hexdigest()
    given = Submitted(query.mode, SheetFormat(sheet.format), digest, sheet.rows, sheet.content)
    try:
        made = await call.write(imports.submit, institution, given)
    except RowRefused as refused:
        made = await call.write(imports.keep_refused, institution, given, refused.outcome)
    answers.locate(response, "institutions", institution, "imports", str(made.id))
    if made.status in UNFINISHED:
        response.status_code = 202
        response.headers["Retry-After"] = "2"
    return _told(request, response, made)


@routes.get("")
async def list_imports(
    call: Call,
    institution: InstitutionPath,
    query: Annotated[ImportQuery, Query()],
    request: Request,
    response: Response,
) -> Page[ImportSummary]:
    """Your imports, newest first; all of them, for admins of the whole institution."""
    found = await call.read(imports.page, institution, query)
    say = _say(request, response)
    items = [each.told(say) for each in found.items]
    return answers.paged(request, response, found.model_copy(update={"items": items}))


@routes.get("/{import_id}")
async def get_import(
    call: Call,
    institution: InstitutionPath,
    import_id: ImportPath,
    request: Request,
    response: Response,
) -> Import:
    """One import: how far it is, what becomes of each row, and what is wrong with which cell."""
    return _told(request, response, await call.read(imports.get, institution, import_id))


@routes.get("/{import_id}/annotated.xlsx", response_class=Spreadsheet, responses=_WORKBOOK)
async def download_annotated_import(
    call: Call,
    institution: InstitutionPath,
    import_id: ImportPath,
    query: Annotated[AnnotatedQuery, Query()],
    request: Request,
) -> Response:
    """The sheet as it was read, with what becomes of each row beside it; wrong cells are red.

    404 while there is nothing to tell yet.
    """
    kept = await call.read(imports.annotated, institution, import_id)
    language = query.language or language_of(request, FALLBACK)
    content = await to_thread.run_sync(_annotate, kept, language)
    name = f"{kept.institution}-import-{import_id}.xlsx"
    headers = answers.as_file(name) | {"Content-Language": language.value}
    return Spreadsheet(content, headers=headers | {"Vary": "Accept-Language"})


@routes.delete("/{import_id}", status_code=204)
async def cancel_import(call: Call, institution: InstitutionPath, import_id: ImportPath) -> None:
    """Cancel an import that is queued or running: nothing of it is written.

    409 `import_finished` once it has ended, whatever its status.
    """
    await call.write(imports.cancel, institution, import_id)


def _annotate(kept: imports.Kept, language: Language) -> bytes:
    shape = kept.shape.whole(words(language).say)
    return annotated.render(process.opened(kept.content), shape, language)


def _told(request: Request, response: Response, found: NotedImport) -> Import:
    return found.whole(_say(request, response))


def _say(request: Request, response: Response) -> Say:
    """How messages are told to whoever asks, which the answer says."""
    language = language_of(request)
    response.headers.update({"Content-Language": language.value, "Vary": "Accept-Language"})
    return words(language).say
