"""Changes: what moved a number between two dates."""

from typing import Any, NamedTuple

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from app.errors import Invalid
from app.keyset import Key, paginate, paginate_sorted
from app.models import Initiative
from app.rollup import movements, queries
from app.rollup.contribution import COUNTED, Change
from app.rollup.figures import Figures, share_of
from app.rollup.points import BAC_PER_WEIGHT, percent
from app.schemas import explanations as wire
from app.schemas.rollups import RollupQuery
from app.services import curves, explanations, rollups
from app.services.access import Node
from app.services.actors import Actor
from app.services.rollups import Asked


class _Stretch(NamedTuple):
    """A unit's numbers at both ends."""

    node: Node
    kind: wire.Kind
    bac: int
    before: int
    after: int

    def key(self) -> list[Any]:
        """The largest move first."""
        return [-abs(self.after - self.before), self.kind, self.node.code]


def get(
    session: Session, actor: Actor, institution: str, unit: str | None, query: wire.ChangesQuery
) -> wire.Changes:
    """What moved a unit's percent complete between the ends of two days.

    By unit it is read from the ledger; by initiative and milestone the cost grows with the
    milestones of the subtree that have a report between the dates.
    """
    plain = RollupQuery(year=query.year, area=query.area)
    asked = rollups.resolve(session, actor, institution, unit, plain)
    to = query.to or asked.as_of
    if to > asked.as_of:
        raise Invalid.parameter("to", "in_future", "to cannot be in the future.")
    curves.span(query.from_, to)
    asked = asked._replace(as_of=to)
    units = _units(session, asked, query)
    whole = units[0]
    if query.level is wire.Level.UNIT:
        moved = [each for each in units[1:] if each.after != each.before]
        about = f"changes {asked.unit.id}"
        page = paginate_sorted(session, about, moved, _Stretch.key, query)
        items = [_of_unit(each, whole) for each in page.rows]
    else:
        page, items = _fine(session, asked, query, whole)
    return wire.Changes.model_validate(
        {
            "institution": asked.scope.code,
            "unit": asked.unit.code,
            "unit_name": asked.unit.name,
            "year": asked.year,
            "area": asked.area[1],
            "version": asked.version,
            "from": query.from_,
            "to": to,
            "level": query.level,
            "before": share_of(whole.before, whole.bac),
            "after": share_of(whole.after, whole.bac),
            "change": share_of(whole.after - whole.before, whole.bac),
            "bac": whole.bac,
            "earned_value": whole.after - whole.before,
            "items": items,
            "next_cursor": page.next_cursor,
            "total": page.total,
        }
    )


def _units(session: Session, asked: Asked, query: wire.ChangesQuery) -> list[_Stretch]:
    """The unit with all below it, the units directly below, and its own initiatives together."""
    nodes = [asked.unit]
    if query.level is wire.Level.UNIT:
        nodes += rollups.children(session, asked)
    area_id, ids = asked.area[0], [node.id for node in nodes]
    then = queries.changes(session, asked.scope.id, ids, [area_id], asked.year, query.from_)
    found = rollups.figures(session, asked, ids, [area_id])
    stretches = [
        _Stretch(
            node,
            wire.Kind.UNIT,
            found.get((node.id, area_id), Figures()).totals.bac,
            then.get((node.id, area_id), Change()).earned,
            found.get((node.id, area_id), Figures()).to_date.earned,
        )
        for node in nodes
    ]
    whole, *below = stretches
    own = whole._replace(
        kind=wire.Kind.OWN,
        bac=whole.bac - sum(each.bac for each in below),
        before=whole.before - sum(each.before for each in below),
        after=whole.after - sum(each.after for each in below),
    )
    return [*stretches, own]


def _of_unit(moved: _Stretch, whole: _Stretch) -> wire.Move:
    return wire.Move(
        kind=moved.kind,
        code=moved.node.code,
        name=moved.node.name,
        unit=moved.node.code,
        initiative=None,
        before=share_of(moved.before, moved.bac),
        after=share_of(moved.after, moved.bac),
        change=percent(moved.after - moved.before, whole.bac),
        earned_value=moved.after - moved.before,
    )


def _fine(
    session: Session, asked: Asked, query: wire.ChangesQuery, whole: _Stretch
) -> tuple[Any, list[wire.Move]]:
    """A page of moves by initiative or milestone."""
    initiatives = select(Initiative.id).where(
        *rollups.initiatives(asked), Initiative.status.in_(COUNTED)
    )
    is_milestones = query.level is wire.Level.MILESTONE
    find = movements.of_milestones if is_milestones else movements.of_initiatives
    moves = find(asked.scope.id, initiatives, query.from_, asked.as_of)
    keys = [
        Key(func.abs(moves.c.value, type_=moves.c.value.type), descending=True),
        Key(moves.c.initiative, descending=False),
        *([Key(moves.c.number, descending=False)] if is_milestones else []),
    ]
    page = paginate(session, select(moves), keys, query)
    if is_milestones:
        return page, [_of_milestone(row, whole) for row in page.rows]
    ids = [row.initiative_id for row in page.rows]
    ends = explanations.on_date(session, asked, ids)
    return page, [_of_initiative(row, ends[row.initiative_id].earned, whole) for row in page.rows]


def _of_milestone(row: Row[*tuple[Any, ...]], whole: _Stretch) -> wire.Move:
    return wire.Move(
        kind=wire.Kind.MILESTONE,
        code=str(row.number),
        name=row.title,
        unit=row.unit,
        initiative=row.initiative,
        before=row.before / 100,
        after=row.after / 100,
        change=percent(row.value, whole.bac),
        earned_value=row.value,
    )


def _of_initiative(row: Row[*tuple[Any, ...]], after: int, whole: _Stretch) -> wire.Move:
    bac = row.weight * BAC_PER_WEIGHT
    return wire.Move(
        kind=wire.Kind.INITIATIVE,
        code=row.initiative,
        name=row.initiative_title,
        unit=row.unit,
        initiative=None,
        before=percent(after - row.value, bac),
        after=percent(after, bac),
        change=percent(row.value, whole.bac),
        earned_value=row.value,
    )
