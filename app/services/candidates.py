"""Candidates: what is proposed or shortlisted, side by side and ranked by its scores."""

from typing import Any

from sqlalchemy import ColumnElement, Row, Select, case, func
from sqlalchemy.orm import Session

from app.keyset import Key, paginate, parse_sort
from app.models import Criterion, Initiative, Unit
from app.models.base import refers
from app.models.texts import has
from app.schemas import candidates as wire
from app.schemas.candidates import CandidateStatus
from app.schemas.pages import Page
from app.schemas.scores import CriterionScore
from app.services import access, criteria, scoring, selection
from app.services.access import Scope
from app.services.actors import Actor

_LAST = 2**31 - 1
"""Where those without a rank are put."""


def page(
    session: Session, actor: Actor, institution: str, query: wire.CandidatesQuery
) -> Page[wire.Candidate]:
    """Candidates, filtered; a rank is among all that the filters leave, on whatever page."""
    scope = access.institution(session, actor, institution)
    in_use = criteria.in_use(session, scope)
    ranked = _ranked(scope, in_use, query).subquery("ranked")
    statement = (
        access.visible(scope, Initiative)
        .join(ranked, ranked.c.id == Initiative.id)
        .join(Unit, refers(Initiative.unit_id, Unit))
        .add_columns(Unit.code.label("unit"), ranked.c.points, ranked.c.place)
    )
    sorts: dict[str, Any] = {
        "rank": func.coalesce(ranked.c.place, _LAST, type_=ranked.c.place.type),
        "code": Initiative.code_key,
        "title": Initiative.title,
        "year": Initiative.year,
        "weighted_score": func.coalesce(ranked.c.points, -1, type_=ranked.c.points.type),
    }
    keys = parse_sort(query.sort, sorts, Key(Initiative.code_key, descending=False))
    found = paginate(session, statement, keys, query)
    given = scoring.given(session, scope, [row[0].id for row in found.rows])
    return found.page([_candidate(row, in_use, given) for row in found.rows])


def _ranked(
    scope: Scope, in_use: list[Criterion], query: wire.CandidatesQuery
) -> Select[*tuple[Any, ...]]:
    """(id, points, place) of all that is asked for; equals share a place, nothing given has none."""
    scored = scoring.weighted(scope, in_use).subquery("scored")
    by_points = func.rank().over(order_by=func.coalesce(scored.c.points, -1).desc())
    place = case((scored.c.points.is_not(None), by_points))
    return (
        access.visible(scope, Initiative)
        .with_only_columns(Initiative.id, scored.c.points, place.label("place"))
        .outerjoin(scored, scored.c.initiative_id == Initiative.id)
        .where(*_filters(scope, query))
    )


def _filters(scope: Scope, query: wire.CandidatesQuery) -> list[ColumnElement[bool]]:
    conditions = selection.places(scope, query)
    conditions.append(Initiative.status.in_(query.status or list(CandidateStatus)))
    if query.year:
        conditions.append(Initiative.year.in_(query.year))
    if query.kind:
        conditions.append(Initiative.kind.in_(query.kind))
    if query.q is not None:
        conditions.append(has(query.q, Initiative.title, Initiative.code_key))
    return conditions


def _candidate(
    row: Row[*tuple[Any, ...]], in_use: list[Criterion], given: dict[Any, scoring.Given]
) -> wire.Candidate:
    initiative: Initiative = row[0]
    return wire.Candidate(
        id=initiative.id,
        code=initiative.code,
        title=initiative.title,
        unit=row.unit,
        year=initiative.year,
        kind=initiative.kind,
        origin=initiative.origin,
        status=CandidateStatus(initiative.status),
        start_on=initiative.start_on,
        due_on=initiative.due_on,
        expected_result=initiative.expected_result,
        rank=row.place,
        weighted_score=scoring.percent(row.points),
        criteria=[
            CriterionScore(
                **scoring.told(each, given.get((initiative.id, each.id), scoring.Given()))
            )
            for each in in_use
        ],
    )
