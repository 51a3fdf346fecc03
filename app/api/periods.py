"""Reporting periods over HTTP."""

from typing import Annotated

from fastapi import Path, Query, Request, Response

from app.api import answers
from app.api.answers import IfMatch, Removal
from app.api.calls import Call, InstitutionPath, router
from app.schemas.pages import Page
from app.schemas.periods import (
    Closing,
    MissingQuery,
    MissingReport,
    NewPeriod,
    NewReopening,
    Period,
    PeriodChanges,
    Periods,
    PeriodsQuery,
    PeriodStanding,
    StandardPeriods,
    StandingQuery,
)
from app.services import closing, obligations, periods, standings

routes = router("/institutions/{institution}/periods", "periods")
PeriodPath = Annotated[str, Path(description="Code or id of the period.", max_length=64)]


@routes.post("", status_code=201)
async def create_period(
    call: Call, institution: InstitutionPath, new: NewPeriod, response: Response
) -> Period:
    """Add a reporting period. Its days overlap with those of no other one (`periods_overlap`)."""
    made = await call.write(periods.create, institution, new)
    return answers.created(response, made, "institutions", institution, "periods", made.code)


@routes.post("/standard", status_code=201)
async def create_standard_periods(
    call: Call, institution: InstitutionPath, new: StandardPeriods, response: Response
) -> Periods:
    """Add B03, B06, B09 and B12 of a year, all or none: `2026-B03` is about January to March.

    Each opens a week before its last day, closes `days_to_report` after it, and reminds a week and
    a day before it closes. Change what your institution does otherwise.
    """
    made = await call.write(periods.create_standard, institution, new)
    answers.locate(response, "institutions", institution, f"periods?year={new.year}")
    return made


@routes.get("")
async def list_periods(
    call: Call,
    institution: InstitutionPath,
    query: Annotated[PeriodsQuery, Query()],
    request: Request,
    response: Response,
) -> Page[Period]:
    """Reporting periods, filtered; the earliest days first."""
    return answers.paged(request, response, await call.read(periods.page, institution, query))


@routes.get("/{period}")
async def get_period(
    call: Call,
    institution: InstitutionPath,
    period: PeriodPath,
    response: Response,
) -> Period:
    """One reporting period. Its `state` also changes with the day."""
    return answers.tagged(response, await call.read(periods.get, institution, period))


@routes.patch("/{period}")
async def change_period(
    call: Call,
    institution: InstitutionPath,
    period: PeriodPath,
    changes: PeriodChanges,
    expected: IfMatch,
    response: Response,
) -> Period:
    """Change a period. Days and window of a closed one stay as they are (`status_conflict`)."""
    changed = await call.write(periods.change, institution, period, changes, expected)
    return answers.tagged(response, changed)


@routes.delete("/{period}", status_code=204)
async def delete_period(
    call: Call,
    institution: InstitutionPath,
    period: PeriodPath,
    expected: IfMatch,
    removal: Annotated[Removal, Query()],
) -> None:
    """Remove a period that was never closed and by which no report was late; else `in_use`."""
    await call.write(periods.delete, institution, period, expected, removal.reason)


@routes.post("/{period}/close")
async def close_period(
    call: Call, institution: InstitutionPath, period: PeriodPath, asked: Closing, response: Response
) -> Period:
    """Close a period whose days are over, before its window ends or where it does not by itself.

    The institution's numbers as of its last day are frozen as a report, which supersedes that of an
    earlier close; and reports on its days are refused from now on (409 `period_locked`), unless
    `locks` is false. You also need `reports:freeze`.
    """
    return answers.tagged(response, await call.write(closing.close, institution, period, asked))


@routes.post("/{period}/reopening")
async def reopen_period(
    call: Call,
    institution: InstitutionPath,
    period: PeriodPath,
    asked: NewReopening,
    response: Response,
) -> Period:
    """Let reports on a closed period's days in again, up to a day and including it.

    They are flagged `late`. On the day after, the period is closed again: what is frozen then
    supersedes the report of the first close.
    """
    return answers.tagged(response, await call.write(closing.reopen, institution, period, asked))


@routes.get("/{period}/standing")
async def get_period_standing(
    call: Call,
    institution: InstitutionPath,
    period: PeriodPath,
    query: Annotated[StandingQuery, Query()],
) -> PeriodStanding:
    """Who has reported and who has not, by the units below one; go down with `unit`.

    A report is owed for each initiative that is active or on hold, of the period's year, begun by
    its last day, and with a live milestone that was not done before its first. What has been
    cancelled or completed since owes nothing more: `at_close` of the period has what was told then.
    """
    return await call.read(standings.standing, institution, period, query)


@routes.get("/{period}/missing")
async def list_missing_reports(
    call: Call,
    institution: InstitutionPath,
    period: PeriodPath,
    query: Annotated[MissingQuery, Query()],
    request: Request,
    response: Response,
) -> Page[MissingReport]:
    """Whom to ask: initiatives that owe a report and have none, with who is accountable."""
    page = await call.read(obligations.missing, institution, period, query)
    return answers.paged(request, response, page)
