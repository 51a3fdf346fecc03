"""Frozen reports over HTTP."""

import base64
from typing import Annotated
from uuid import UUID

from anyio import to_thread
from fastapi import Path, Query, Request, Response

from app.api import answers, spreadsheets
from app.api.calls import Call, InstitutionPath, router
from app.api.spreadsheets import Spreadsheet
from app.schemas.differences import Difference, DifferenceQuery
from app.schemas.pages import Page
from app.schemas.reports import NewReport, Report, ReportContent, ReportQuery, ReportWithContent
from app.services import differences, reports
from app.services.reports import Told

routes = router("/institutions/{institution}/reports", "reports")
ReportPath = Annotated[UUID, Path(description="Id of the frozen report.")]


@routes.post("", status_code=201)
async def freeze_report(
    call: Call, institution: InstitutionPath, new: NewReport, response: Response
) -> Report:
    """Keep the numbers of a unit as they are now, for ever; its content is at the report's address."""
    made = await call.write(reports.freeze, institution, new)
    answers.locate(response, "institutions", institution, "reports", str(made.id))
    response.headers["ETag"] = _tag(made)
    return made


@routes.get("")
async def list_reports(
    call: Call,
    institution: InstitutionPath,
    query: Annotated[ReportQuery, Query()],
    request: Request,
    response: Response,
) -> Page[Report]:
    """Frozen reports without their content, filtered; newest first."""
    return answers.paged(request, response, await call.read(reports.page, institution, query))


@routes.get("/{report}")
async def get_report(
    call: Call,
    institution: InstitutionPath,
    report: ReportPath,
    request: Request,
    response: Response,
) -> ReportWithContent:
    """One frozen report with all that was told."""
    found = await call.read(reports.get, institution, report)
    answers.known_as(request, response, _tag(found))
    return found


@routes.get("/{report}/content", responses={200: {"model": ReportContent}})
async def download_report(
    call: Call, institution: InstitutionPath, report: ReportPath, request: Request
) -> Response:
    """What was told, as canonical JSON (RFC 8785): the bytes that the digest is made of."""
    told = await call.read(reports.download, institution, report)
    headers = _as_file(request, told, "json")
    # RFC 9530; `digest` has the same in hex, as sha256sum prints it.
    encoded = base64.b64encode(bytes.fromhex(told.report.digest)).decode()
    headers["Repr-Digest"] = f"sha-256=:{encoded}:"
    return Response(told.canonical, headers=headers, media_type="application/json")


@routes.get(
    "/{report}/content.xlsx",
    response_class=Spreadsheet,
    responses={
        200: {
            "content": {Spreadsheet.media_type: {"schema": {"type": "string", "format": "binary"}}}
        }
    },
)
async def download_report_spreadsheet(
    call: Call, institution: InstitutionPath, report: ReportPath, request: Request
) -> Response:
    """What was told, as a spreadsheet: summary, children, areas and overdue milestones."""
    told = await call.read(reports.download, institution, report)
    headers = _as_file(request, told, "xlsx")
    # In a thread: a long list of overdue milestones takes a while, and nobody else shall wait.
    return Spreadsheet(await to_thread.run_sync(_render, told), headers=headers)


@routes.get("/{report}/difference")
async def get_report_difference(
    call: Call,
    institution: InstitutionPath,
    report: ReportPath,
    query: Annotated[DifferenceQuery, Query()],
) -> Difference:
    """What is different from another report on the same unit and year, or from the present state."""
    return await call.read(differences.get, institution, report, query)


def _render(told: Told) -> bytes:
    return spreadsheets.render(told.content, told.report.digest)


def _tag(report: Report) -> str:
    # All that can change of a report is that another supersedes it.
    return f'"{report.digest}.{report.superseded_by or "stands"}"'


def _as_file(request: Request, told: Told, ending: str) -> dict[str, str]:
    """Headers of a file that is saved; 304 where the client has it."""
    report = told.report
    tag = f'"{report.digest}.{ending}"'
    answers.unless_known(request, tag)
    name = f"{told.institution}-{report.unit}-{report.as_of}-{report.digest[:8]}.{ending}"
    return answers.as_file(name) | {"ETag": tag}
