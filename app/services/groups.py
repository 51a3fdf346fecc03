"""Grouped reads over initiatives: the numbers of a unit by owner, status, tag and so on."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    String,
    and_,
    case,
    cast,
    func,
    null,
    select,
    true,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.keyset import Key, paginate
from app.models import (
    ClosingVerdict,
    Initiative,
    InitiativeOwner,
    InitiativeProgramme,
    InitiativePurpose,
    InitiativeTag,
    Judgement,
    Person,
    Programme,
    Purpose,
)
from app.rollup.contribution import COUNTED
from app.rollup.figures import share_of
from app.rollup.points import BAC_PER_WEIGHT, percent
from app.schemas import groups as wire
from app.schemas.fields import InitiativeStatus, Names
from app.schemas.groups import Dimension
from app.schemas.purposes import PurposeKind
from app.schemas.rollups import RollupQuery
from app.services import access, rollups
from app.services.actors import Actor
from app.services.rollups import Asked

_SEVERAL = (Dimension.OWNER, Dimension.TAG, Dimension.OUTCOME, Dimension.STRATEGY)
_COLUMNS: dict[Dimension, InstrumentedAttribute[Any]] = {
    Dimension.STATUS: Initiative.status,
    Dimension.ORIGIN: Initiative.origin,
    Dimension.KIND: Initiative.kind,
    Dimension.YEAR: Initiative.year,
}
_Catalogue = type[Purpose | Programme | ClosingVerdict]
_CATALOGUES: dict[Dimension, tuple[_Catalogue, Any, ColumnElement[bool]]] = {
    **{
        Dimension(kind.value): (
            Purpose, InitiativePurpose.purpose_id, InitiativePurpose.kind == kind,
        )
        for kind in PurposeKind
    },
    Dimension.PROGRAMME: (Programme, InitiativeProgramme.programme_id, true()),
    Dimension.VERDICT: (ClosingVerdict, Judgement.verdict_id, and_(Judgement.stands, true())),
}  # fmt: skip
_NO_NAMES = (null().label("name_id"), null().label("name_en"))
_AS_THEY_ARE = (
    "initiatives", "active", "on_hold", "completed", "measured", "weight", "milestones", "done",
)  # fmt: skip


def get(
    session: Session, actor: Actor, institution: str, unit: str | None, query: wire.GroupsQuery
) -> wire.Groups:
    """The numbers of a unit with all below it, by a dimension; of today.

    The cost grows with the counted initiatives of the subtree; milestones are not read.
    """
    plain = RollupQuery(year=query.year, area=query.area)
    asked = rollups.resolve(session, actor, institution, unit, plain)
    area_id = asked.area[0]
    whole = rollups.figures(session, asked, [asked.unit.id], [area_id]).get(
        (asked.unit.id, area_id)
    )
    groups = _grouped(asked, query.dimension).subquery("groups")
    keys = [
        Key(groups.c.weight, descending=True),
        Key(func.coalesce(groups.c.key, "", type_=String()), descending=False),
    ]
    page = paginate(session, select(groups), keys, query)
    bac = whole.totals.bac if whole else 0
    return wire.Groups(
        institution=asked.scope.code,
        unit=asked.unit.code,
        unit_name=asked.unit.name,
        year=asked.year,
        area=asked.area[1],
        as_of=asked.as_of,
        version=asked.version,
        dimension=query.dimension,
        adds_up=query.dimension not in _SEVERAL,
        items=[_group(row, bac) for row in page.rows],
        next_cursor=page.next_cursor,
        total=page.total,
    )


def _group(row: Any, whole: int) -> wire.Group:  # noqa: ANN401  a row of `_grouped`
    return wire.Group(
        key=row.key,
        name=row.name,
        names=Names(id=row.name_id, en=row.name_en) if row.name_id else None,
        share=share_of(row.weight * BAC_PER_WEIGHT, whole),
        **shape(row),
    )


def shape(row: Any) -> dict[str, Any]:  # noqa: ANN401  a row with the columns of `numbers`
    """The numbers of a group as they are answered: exact ratios of sums, rounded once."""
    bac = row.weight * BAC_PER_WEIGHT
    return {
        **{name: getattr(row, name) for name in _AS_THEY_ARE},
        "percent_complete": percent(row.earned, bac) if bac else None,
        "percent_verified": percent(row.verified, bac) if bac else None,
    }


def _grouped(asked: Asked, dimension: Dimension) -> Select[*tuple[Any, ...]]:
    counted = [*rollups.initiatives(asked), Initiative.status.in_(COUNTED)]
    sums = numbers()
    if dimension in _CATALOGUES:
        return _by_catalogue(*_CATALOGUES[dimension], counted)
    if dimension is Dimension.OWNER:
        # Grouped by id first: codes and names are joined to the few groups, not to the many rows.
        by_person = (
            select(InitiativeOwner.person_id, *sums)
            .select_from(Initiative)
            .outerjoin(InitiativeOwner, _of_initiative(InitiativeOwner))
            .where(*counted)
            .group_by(InitiativeOwner.person_id)
            .subquery("by_person")
        )
        # Owners are known by their codes on initiatives that one sees; their names are their unit's.
        name = case((access.seen(asked.scope, Person), Person.name), else_=null())
        return select(
            Person.code.label("key"),
            name.label("name"),
            *_NO_NAMES,
            *(by_person.c[n.name] for n in sums),
        ).select_from(
            by_person.outerjoin(
                Person, and_(access.within(asked.scope, Person), Person.id == by_person.c.person_id)
            )
        )
    if dimension is Dimension.TAG:
        return (
            select(InitiativeTag.tag.label("key"), null().label("name"), *_NO_NAMES, *sums)
            .select_from(Initiative)
            .outerjoin(InitiativeTag, _of_initiative(InitiativeTag))
            .where(*counted)
            .group_by(InitiativeTag.tag)
        )
    key = _COLUMNS[dimension]
    return (
        select(cast(key, String).label("key"), null().label("name"), *_NO_NAMES, *sums)
        .where(*counted)
        .group_by(key)
    )


def _by_catalogue(
    noun: _Catalogue,
    link: Any,  # noqa: ANN401  the column that refers to the noun
    of_kind: ColumnElement[bool],
    counted: list[ColumnElement[bool]],
) -> Select[*tuple[Any, ...]]:
    """By what initiatives are linked to; grouped by id first, as by owner."""
    sums = numbers()
    by_id = (
        select(link.label("id"), *sums)
        .select_from(Initiative)
        .outerjoin(link.class_, and_(_of_initiative(link.class_), of_kind))
        .where(*counted)
        .group_by(link)
        .subquery("by_id")
    )
    return select(
        noun.code.label("key"), null().label("name"), noun.name_id, noun.name_en,
        *(by_id.c[n.name] for n in sums),
    ).select_from(by_id.outerjoin(noun, noun.id == by_id.c.id))  # fmt: skip


def _of_initiative(model: Any) -> ColumnElement[bool]:  # noqa: ANN401  a table of links
    return and_(
        model.institution_id == Initiative.institution_id, model.initiative_id == Initiative.id
    )


def numbers() -> list[Any]:
    """Sums over counted initiatives, as labelled columns: what `shape` reads."""
    measured = Initiative.milestones > 0

    def number(name: str, condition: ColumnElement[bool], value: Any = 1) -> Any:  # noqa: ANN401  labelled sums
        total = func.sum(case((condition, value), else_=0))
        return cast(total, BigInteger).label(name)

    return [
        func.count().label("initiatives"),
        *(
            number(status.value, Initiative.status == status)
            for status in (
                InitiativeStatus.ACTIVE, InitiativeStatus.ON_HOLD, InitiativeStatus.COMPLETED,
            )
        ),
        number("measured", measured),
        number("weight", measured, Initiative.weight),
        *(
            cast(func.sum(column), BigInteger).label(name)
            for name, column in (
                ("earned", Initiative.earned), ("verified", Initiative.verified),
                ("milestones", Initiative.milestones), ("done", Initiative.done),
            )
        ),
    ]  # fmt: skip
