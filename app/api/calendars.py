"""Calendars over HTTP."""

import hashlib
from typing import Annotated
from uuid import UUID

from anyio import to_thread
from fastapi import Path, Query, Request, Response

from app import __version__, db
from app.api import answers, ical, origins
from app.api.calls import Call, CallUnlessKeyed, InstitutionPath, router
from app.schemas.calendars import (
    Calendar,
    CalendarQuery,
    CalendarsQuery,
    IssuedCalendar,
    NewCalendar,
)
from app.schemas.pages import Page
from app.services import calendars
from app.services.calendars import Shown

routes = router("/institutions/{institution}", "calendars")
CalendarPath = Annotated[UUID, Path(description="Id of the calendar feed.")]


class ICalendar(Response):
    """A calendar."""

    media_type = ical.MEDIA_TYPE


@routes.post("/calendars", status_code=201)
async def create_calendar(
    call: Call,
    institution: InstitutionPath,
    new: NewCalendar,
    request: Request,
    response: Response,
) -> IssuedCalendar:
    """A feed for calendar programs, at an address that is a secret and is shown this once.

    It shows what you may see, at the time of reading; nothing else can be done with it.
    """
    made = await call.write(calendars.create, institution, new)
    answers.locate(response, "institutions", institution, "calendars", str(made.id))
    return made.model_copy(update={"url": f"{origins.own(request)}{answers.API}{made.url}"})


@routes.get("/calendars")
async def list_calendars(
    call: Call,
    institution: InstitutionPath,
    query: Annotated[CalendarsQuery, Query()],
    request: Request,
    response: Response,
) -> Page[Calendar]:
    """Your own feeds, and those of people whose tokens you may read; without their addresses."""
    return answers.paged(request, response, await call.read(calendars.page, institution, query))


@routes.get("/calendars/{calendar}")
async def get_calendar(
    call: Call, institution: InstitutionPath, calendar: CalendarPath
) -> Calendar:
    """One feed, without its address."""
    return await call.read(calendars.get, institution, calendar)


@routes.delete("/calendars/{calendar}", status_code=204)
async def revoke_calendar(call: Call, institution: InstitutionPath, calendar: CalendarPath) -> None:
    """Make a feed's address worthless from the next request on."""
    await call.write(calendars.revoke, institution, calendar)


@routes.get(
    "/calendar.ics",
    response_class=ICalendar,
    responses={200: {"content": {ical.MEDIA_TYPE: {"schema": {"type": "string"}}}}},
    openapi_extra={"security": [{}]},
)
async def read_calendar(
    call: CallUnlessKeyed,
    institution: InstitutionPath,
    query: Annotated[CalendarQuery, Query()],
    request: Request,
) -> ICalendar:
    """Due dates, stages and reporting periods as iCalendar, for whoever has a token or a feed's key.

    A milestone or initiative is an event of a whole day, a stage of all its days, a reporting period one
    of its window and one of its last day. What is done is marked, what was dropped or cancelled is
    `CANCELLED`, what is not decided yet `TENTATIVE`. Of more than 1,000, those that are due last.
    """
    if call is None:
        database: db.Database = request.app.state.database
        shown = await database.read(calendars.of_key, institution, query)
    else:
        shown = await call.read(calendars.shown, institution, query)
    tag = _tag(shown)
    answers.unless_known(request, tag)
    # In a thread: a thousand dates take a while, and nobody else shall wait.
    body = await to_thread.run_sync(ical.render, shown)
    return ICalendar(body, headers={"ETag": tag})


def _tag(shown: Shown) -> str:
    """ETag of what is shown; to know it, nothing need be rendered."""
    return f'"{hashlib.sha256(f"{__version__} {shown!r}".encode()).hexdigest()[:32]}"'
