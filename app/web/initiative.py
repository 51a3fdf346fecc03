"""One quick win, with all that is known of it."""

from datetime import date
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Query, Response
from sqlalchemy.orm import Session

from app.api.calls import InitiativePath, InstitutionPath
from app.charts.plans import agreed_before
from app.schemas.decrees import Decree
from app.schemas.dependencies import Dependency, InitiativeDependencyQuery
from app.schemas.events import EventQuery, Events, Sequence
from app.schemas.explanations import InitiativeExplanation, InitiativeExplanationQuery
from app.schemas.fields import Names
from app.schemas.initiatives import InitiativeWithPlan
from app.schemas.obstacles import Obstacle, ObstaclesQuery
from app.schemas.pages import ChangesPaging
from app.schemas.permissions import Permission
from app.schemas.programmes import Programme
from app.schemas.publications import Publication
from app.schemas.stages import Stage, StageQuery
from app.schemas.updates import Update, UpdateQuery
from app.services import (
    access,
    decrees,
    dependencies,
    explanations,
    feeds,
    people,
    policies,
    portfolio,
    programmes,
    publications,
    purposes,
    register,
    rights,
    schemes,
    stages,
    units,
    updates,
)
from app.services.access import Node, Scope
from app.services.actors import Actor
from app.web import steps
from app.web.calls import PageCall
from app.web.pages import Route, Shown
from app.web.steps import Step
from app.web.views import View

routes = APIRouter(
    prefix="/institutions/{institution}/initiatives", route_class=Route, include_in_schema=False
)
_REPORTS, _EVENTS, _MOST = 10, 20, 200
"""What is shown at first: of reports, of the history, and of whatever else."""
_KINDS = [
    "initiative.created", "initiative.loaded", "initiative.changed", "initiative.replaced", "initiative.rated",
    "initiative.baselined", "initiative.scored", "initiative.score_withdrawn", "initiative.judged",
    "initiative.deleted", "initiative.restored", "milestone.created", "milestone.changed", "milestone.deleted", "milestone.restored",
    "update.reported", "update.verified", "update.returned", "dependency.created", "dependency.deleted",
    "publication.created", "publication.changed", "publication.deleted",
]  # fmt: skip
"""What is told in its history: a unit may have the same code."""


class InitiativePageQuery(View):
    """From where its history is told, and to where the page leads back."""

    history: Sequence | None = None
    """The event before which the history goes on; the newest first if left out."""


class Known(NamedTuple):
    """What codes on the page are called, as far as the reader may see it."""

    people: dict[str, str]
    units: dict[str, str]
    """Units to which obstacles were handed."""
    areas: dict[str, Names]
    purposes: dict[str, Names]
    kinds: dict[str, Names]
    """Kinds of evidence."""
    decree: Decree | None
    programme: Programme | None

    def person(self, code: str) -> str:
        """A person's name; the code, or the name of a token, where no such person is seen."""
        return self.people.get(code, code)


class Told(NamedTuple):
    """What the page of an initiative shows, from one snapshot."""

    institution: str
    time_zone: str
    today: date
    initiative: InitiativeWithPlan
    above: list[Node]
    known: Known
    stages: list[Stage]
    explanation: InitiativeExplanation
    reports: list[Update]
    obstacles: list[Obstacle]
    dependencies: list[Dependency]
    publications: list[Publication]
    history: Events | None
    """None for those who may not read events: they are told the steps."""
    steps: list[Step]

    @property
    def is_agreed_anew(self) -> bool:
        """Whether a milestone has another day in the newest baseline than in its first."""
        return any(map(agreed_before, self.initiative.plan))

    @property
    def older(self) -> int | None:
        """From where the history goes on, if it may."""
        if self.history is None or len(self.history.items) < _EVENTS:
            return None
        return self.history.next_after


@routes.get("/{initiative}")
async def show_initiative(
    call: PageCall,
    page: Shown,
    institution: InstitutionPath,
    initiative: InitiativePath,
    query: Annotated[InitiativePageQuery, Query()],
) -> Response:
    """One quick win."""
    found = await call.read(_told, institution, initiative, query)
    return page.render(
        "initiative.html", institution=found.institution, found=found, as_of=query.as_of
    )


def _told(
    session: Session, actor: Actor, institution: str, key: str, query: InitiativePageQuery
) -> Told:
    found, _ = portfolio.get(session, actor, institution, key)
    scope = access.institution(session, actor, institution)
    asked = (session, actor, institution, found.code)
    _, unit = portfolio.heading(session, scope, found.code)
    reports = updates.feed(
        session, actor, institution, UpdateQuery(initiative=[found.code], limit=steps.MOST)
    ).items
    obstacles = register.page(
        session, actor, institution, ObstaclesQuery(initiative=[found.code], limit=_MOST)
    ).items
    history: Events | None = None
    taken: list[Step] = []
    if rights.covers(session, scope.id, actor.reach(Permission.EVENTS_READ), unit.id):
        history = _history(session, actor, institution, found, query)
    else:
        taken = steps.latest(*asked, reports)
    return Told(
        institution=scope.code,
        time_zone=scope.time_zone,
        today=scope.today(),
        initiative=found,
        above=[*units.ancestors(session, scope, unit.id), unit],
        known=_known(session, actor, scope, found, reports, obstacles, history, taken),
        stages=stages.page(session, actor, institution, StageQuery(limit=_MOST)).items,
        explanation=explanations.of_initiative(*asked, InitiativeExplanationQuery()),
        reports=reports[:_REPORTS],
        obstacles=obstacles,
        dependencies=dependencies.page_of_initiative(
            *asked, InitiativeDependencyQuery(limit=_MOST)
        ).items,
        publications=publications.page(*asked, ChangesPaging(limit=_MOST)).items,
        history=history,
        steps=taken,
    )


def _history(
    session: Session,
    actor: Actor,
    institution: str,
    found: InitiativeWithPlan,
    query: InitiativePageQuery,
) -> Events:
    asked = EventQuery(
        subject=found.code, type=_KINDS, after=query.history, limit=_EVENTS, sort="-sequence"
    )
    return feeds.of_institution(session, actor, institution, asked)


def _known(
    session: Session,
    actor: Actor,
    scope: Scope,
    found: InitiativeWithPlan,
    reports: list[Update],
    obstacles: list[Obstacle],
    history: Events | None,
    taken: list[Step],
) -> Known:
    codes = {owner.person for owner in found.owners}
    codes |= updates.people_of(reports)
    codes |= {each.actor for each in history.items} if history else {each.by for each in taken}
    if found.rating:
        codes.add(found.rating.judged_by)
    served = [*found.outcomes, *found.strategies, *([found.level] if found.level else [])]
    return Known(
        people=people.names(session, scope, codes),
        units=units.names(
            session, scope, {each.escalation.to for each in obstacles if each.escalation}
        ),
        areas=schemes.area_names(session, found.areas),
        purposes=purposes.names(session, served),
        kinds=policies.kinds(scope),
        decree=decrees.get(session, actor, str(scope.id), found.decree) if found.decree else None,
        programme=programmes.get(session, actor, found.programme) if found.programme else None,
    )
