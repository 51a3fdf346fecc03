"""Which initiatives: the filters of their list, shared by all that selects them."""

from datetime import timedelta
from typing import NamedTuple, Protocol

from sqlalchemy import ColumnElement, and_, func, select

from app.models import (
    ClosingVerdict,
    Decree,
    Designation,
    Initiative,
    InitiativeArea,
    InitiativeOwner,
    InitiativeProgramme,
    InitiativePurpose,
    InitiativeTag,
    Judgement,
    Person,
    Programme,
    Purpose,
    ReformArea,
    Template,
)
from app.models.base import now, refers
from app.models.texts import has
from app.rollup import queries
from app.rollup.contribution import COUNTED
from app.schemas import initiatives as wire
from app.schemas.fields import Health, InitiativeStatus
from app.schemas.purposes import PurposeKind
from app.services import access, naming, policies, ratings, stage_links
from app.services.access import Scope


def filters(scope: Scope, query: wire.InitiativeQuery) -> list[ColumnElement[bool]]:
    """Conditions of a list of initiatives."""
    conditions = places(scope, query)
    if query.tag:
        conditions.append(
            Initiative.id.in_(
                select(InitiativeTag.initiative_id).where(
                    access.within(scope, InitiativeTag), InitiativeTag.tag.in_(query.tag)
                )
            )
        )
    if query.decree:
        conditions.append(
            Initiative.id.in_(
                select(Designation.initiative_id)
                .join(Decree, refers(Designation.decree_id, Decree))
                .where(access.within(scope, Designation), naming.named_any(Decree, query.decree))
            )
        )
    if query.template:
        conditions.append(
            Initiative.template_id.in_(
                select(Template.id).where(
                    access.within(scope, Template), naming.named_any(Template, query.template)
                )
            )
        )
    conditions += _purposes(scope, query) + _verdicts(scope, query)
    if query.stage:
        conditions.append(Initiative.id.in_(stage_links.linked(scope, query.stage)))
    conditions += [
        getattr(Initiative, name).in_(values)
        for name in ("year", "status", "kind", "origin", "rating")
        if (values := getattr(query, name))
    ]
    if query.due_before is not None:
        conditions.append(Initiative.due_on < query.due_before)
    if query.due_after is not None:
        conditions.append(Initiative.due_on > query.due_after)
    if query.updated_since is not None:
        conditions.append(Initiative.updated_at >= query.updated_since)
    if query.q is not None:
        conditions.append(has(query.q, Initiative.title, Initiative.code_key))
    return [*conditions, *_by_numbers(scope, query)]


class _Placed(Protocol):
    @property
    def unit(self) -> list[str]: ...
    @property
    def subtree(self) -> bool: ...
    @property
    def area(self) -> list[str]: ...
    @property
    def owner(self) -> list[str]: ...


class Place(NamedTuple):
    """Where initiatives are, what they serve, and whose they are, for whoever asks for nothing more."""

    unit: list[str] = []  # noqa: RUF012  never changed
    owner: list[str] = []  # noqa: RUF012  never changed
    subtree: bool = True
    area: list[str] = []  # noqa: RUF012  never changed


def places(scope: Scope, query: _Placed) -> list[ColumnElement[bool]]:
    """Conditions on where initiatives are, what they serve, and whose they are."""
    conditions: list[ColumnElement[bool]] = []
    if query.unit:
        units = access.below(scope, query.unit, subtree=query.subtree)
        conditions.append(Initiative.unit_id.in_(units))
    if query.area:
        conditions.append(
            Initiative.id.in_(
                select(InitiativeArea.initiative_id)
                .join(ReformArea, ReformArea.id == InitiativeArea.area_id)
                .where(
                    access.within(scope, InitiativeArea), naming.named_any(ReformArea, query.area)
                )
            )
        )
    if query.owner:
        conditions.append(
            Initiative.id.in_(
                select(InitiativeOwner.initiative_id)
                .join(
                    Person,
                    refers(InitiativeOwner.person_id, Person),
                )
                .where(access.within(scope, InitiativeOwner), naming.named_any(Person, query.owner))
            )
        )
    return conditions


def _purposes(scope: Scope, query: wire.InitiativeQuery) -> list[ColumnElement[bool]]:
    """Conditions on the purposes that initiatives serve, and on their programme."""
    conditions: list[ColumnElement[bool]] = []
    for kind in PurposeKind:
        if keys := getattr(query, kind.value):
            serving = (
                select(InitiativePurpose.initiative_id)
                .join(Purpose, Purpose.id == InitiativePurpose.purpose_id)
                .where(
                    access.within(scope, InitiativePurpose),
                    InitiativePurpose.kind == kind,
                    naming.named_any(Purpose, keys),
                )
            )
            conditions.append(Initiative.id.in_(serving))
    if query.programme:
        belonging = (
            select(InitiativeProgramme.initiative_id)
            .join(Programme, Programme.id == InitiativeProgramme.programme_id)
            .where(
                access.within(scope, InitiativeProgramme),
                naming.named_any(Programme, query.programme),
            )
        )
        conditions.append(Initiative.id.in_(belonging))
    return conditions


def _verdicts(scope: Scope, query: wire.InitiativeQuery) -> list[ColumnElement[bool]]:
    """Conditions on the closing verdicts that stand."""
    standing = select(Judgement.initiative_id).where(
        access.within(scope, Judgement), Judgement.stands
    )
    conditions: list[ColumnElement[bool]] = []
    if query.verdict:
        given = standing.join(ClosingVerdict, ClosingVerdict.id == Judgement.verdict_id).where(
            naming.named_any(ClosingVerdict, query.verdict)
        )
        conditions.append(Initiative.id.in_(given))
    if query.has_verdict is not None:
        has_verdict = Initiative.id.in_(standing)
        conditions.append(has_verdict if query.has_verdict else ~has_verdict)
    return conditions


def _by_numbers(scope: Scope, query: wire.InitiativeQuery) -> list[ColumnElement[bool]]:
    """Filters by numbers of today, by what is kept of each initiative."""
    conditions: list[ColumnElement[bool]] = []
    today = scope.today()
    if query.health or query.rating_differs is not None:
        health = queries.health_of_initiative(scope.id, today, policies.thresholds(scope))
        if query.health:
            conditions.append(health.in_([value.value for value in query.health]))
        if query.health == [Health.NOT_STARTED]:
            # It follows; what is planned of the others need then not be looked at.
            conditions.append(Initiative.earned == 0)
        if query.rating_differs is not None:
            is_different = ratings.differs(health)
            conditions.append(is_different if query.rating_differs else ~is_different)
    if query.overdue is not None:
        is_overdue = and_(Initiative.status.in_(COUNTED), queries.any_overdue(today))
        conditions.append(is_overdue if query.overdue else ~is_overdue)
    if query.due_within is not None:
        until = today + timedelta(days=query.due_within)
        conditions += [Initiative.status.in_(COUNTED), queries.any_due(scope.id, today, until)]
    if query.stale is not None:
        conditions.append(is_stale(scope) if query.stale else ~is_stale(scope))
    return conditions


def is_stale(scope: Scope) -> ColumnElement[bool]:
    """Whether the initiative at hand is active, unfinished, and silent for longer than allowed."""
    since = now() - timedelta(days=policies.policy(scope).stale_after_days)
    return and_(
        Initiative.status == InitiativeStatus.ACTIVE,
        func.coalesce(Initiative.last_reported_at, Initiative.created_at) < since,
        Initiative.done < Initiative.milestones,
    )
