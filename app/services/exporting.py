"""Exports: what one is called, and the roll-ups of a whole subtree.

The rows of the other exports are those of their lists, page by page, so filters and rights have one
form. Each page is a transaction of its own: nobody holds a connection while a client reads slowly,
and who is locked out meanwhile gets no further page.
"""

from datetime import date
from typing import NamedTuple

from sqlalchemy.orm import Session

from app.keyset import Key, paginate
from app.models import Unit
from app.schemas import rollups as wire
from app.schemas.exports import MissingOfPeriodQuery, RollupsQuery
from app.schemas.pages import Page
from app.schemas.periods import MissingReport
from app.services import access, obligations, rollups
from app.services.access import Node
from app.services.actors import Actor


class Heading(NamedTuple):
    """What an export is of."""

    institution: str
    """Its code."""
    today: date
    """In the institution's time zone."""


def heading(session: Session, actor: Actor, institution: str) -> Heading:
    """What an export is of, if the actor may see the institution; raises `NotFound`."""
    scope = access.institution(session, actor, institution)
    return Heading(scope.code, scope.today())


def missing(
    session: Session, actor: Actor, institution: str, query: MissingOfPeriodQuery
) -> Page[MissingReport]:
    """The list to chase of a period that the query names."""
    return obligations.missing(session, actor, institution, query.period, query)


def subtree(
    session: Session, actor: Actor, institution: str, query: RollupsQuery
) -> Page[wire.Rollup]:
    """The roll-ups of a unit and of each unit below it, by code; all of a page of one moment."""
    asked = rollups.resolve(session, actor, institution, query.unit, query)
    below = access.below(asked.scope, [str(asked.unit.id)])
    units = (
        access.visible(asked.scope, Unit)
        .where(Unit.id.in_(below))
        .with_only_columns(Unit.id, Unit.code, Unit.name)
    )
    found = paginate(session, units, [Key(Unit.code_key, descending=False)], query)
    nodes = [Node(*row[:3]) for row in found.rows]
    area_id, area = asked.area
    figures = rollups.figures(session, asked, [node.id for node in nodes], [area_id])
    return found.page(
        [rollups.shape(asked, node, area, figures.get((node.id, area_id))) for node in nodes]
    )
