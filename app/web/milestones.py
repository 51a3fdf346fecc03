"""One milestone of a quick win, with all its reports."""

from datetime import date
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Query, Response
from sqlalchemy.orm import Session

from app.api.calls import InitiativePath, InstitutionPath, MilestoneNumber
from app.schemas.fields import Names
from app.schemas.milestones import Milestone
from app.schemas.pages import Page
from app.schemas.updates import Update
from app.services import access, milestones, policies, portfolio, units, updates
from app.services.access import Node
from app.services.actors import Actor
from app.web.calls import PageCall
from app.web.pages import Route, Shown
from app.web.views import PagedView

routes = APIRouter(
    prefix="/institutions/{institution}/initiatives/{initiative}/milestones",
    route_class=Route,
    include_in_schema=False,
)


class Told(NamedTuple):
    """What the page of a milestone shows, from one snapshot."""

    institution: str
    time_zone: str
    today: date
    initiative: Node
    above: list[Node]
    milestone: Milestone
    reports: Page[Update]
    people: dict[str, str]
    kinds: dict[str, Names]


@routes.get("/{number}")
async def show_milestone(
    call: PageCall,
    page: Shown,
    institution: InstitutionPath,
    initiative: InitiativePath,
    number: MilestoneNumber,
    query: Annotated[PagedView, Query()],
) -> Response:
    """One milestone with its reports, the newest first."""
    found = await call.read(_told, institution, initiative, number, query)
    return page.render(
        "milestone.html", institution=found.institution, found=found, as_of=query.as_of
    )


def _told(
    session: Session, actor: Actor, institution: str, key: str, number: int, query: PagedView
) -> Told:
    milestone, _ = milestones.get(session, actor, institution, key, number)
    reports = updates.page(session, actor, institution, key, number, query)
    scope = access.institution(session, actor, institution)
    initiative, unit = portfolio.heading(session, scope, key)
    return Told(
        institution=scope.code,
        time_zone=scope.time_zone,
        today=scope.today(),
        initiative=initiative,
        above=[*units.ancestors(session, scope, unit.id), unit],
        milestone=milestone,
        reports=reports,
        people=updates.names(session, scope, reports.items),
        kinds=policies.kinds(scope),
    )
