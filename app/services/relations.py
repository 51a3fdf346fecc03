"""What initiatives are related to: areas, owners, tags, stages, purposes, programmes, expected lifts.

One statement reads all of it for any number of initiatives: a statement of its own for each table
would cost several times what the few rows in it do.
"""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Date,
    FromClause,
    Integer,
    Label,
    Select,
    SQLColumnExpression,
    String,
    Uuid,
    bindparam,
    cast,
    literal,
    null,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.orm import Session

from app.given import Statement
from app.models import (
    InitiativeArea,
    InitiativeLift,
    InitiativeOwner,
    InitiativeProgramme,
    InitiativePurpose,
    InitiativeStage,
    InitiativeTag,
    Instrument,
    InstrumentComponent,
    Person,
    Programme,
    Purpose,
    ReformArea,
    Stage,
)
from app.models.base import refers
from app.models.hints import by_given
from app.schemas.assessments import ExpectedLift
from app.schemas.fields import OwnerRole
from app.schemas.initiatives import Owner
from app.schemas.purposes import PurposeKind
from app.schemas.stages import StageLink
from app.services import alterations
from app.services.access import Scope

Column = SQLColumnExpression[Any]
Related = dict[str, Any]
"""Fields of an initiative, by the names of the wire."""

_ROLE_ORDER = list(OwnerRole)
_PLURAL = {PurposeKind.OUTCOME: "outcomes", PurposeKind.STRATEGY: "strategies"}


def nothing() -> Related:
    """The fields of an initiative that is related to nothing."""
    return {
        "areas": [], "owners": [], "tags": [], "stages": [],
        "outcomes": [], "strategies": [], "level": None, "programme": None, "expected_lift": [],
    }  # fmt: skip


def read(session: Session, scope: Scope, ids: Iterable[UUID]) -> dict[UUID, Related]:
    """What some initiatives are related to, as it is answered.

    It is in the order of codes, stages by their first days, and the accountable owner comes first.
    """
    found = {id_: nothing() for id_ in ids}
    asked = [{"id": id_} for id_ in found]
    for row in _RELATED.run(session, asked, institution=scope.id):
        _add(found[row.initiative_id], row)
    for fields in found.values():
        fields["owners"].sort(key=lambda owner: _ROLE_ORDER.index(owner.role))
    return found


def told(session: Session, scope: Scope, ids: Iterable[UUID]) -> dict[UUID, Related]:
    """As `read`, JSON-ready: what a trail has of it."""
    found = read(session, scope, ids)
    for fields in found.values():
        for name in ("owners", "stages", "expected_lift"):
            fields[name] = [each.model_dump(mode="json") for each in fields[name]]
    return found


@contextmanager
def noted(session: Session, scope: Scope, ids: Collection[UUID]) -> Iterator[None]:
    """Tell the trail how what some initiatives are related to changes in the block."""
    before = told(session, scope, ids)
    yield
    after = told(session, scope, ids)
    for id_ in before:
        alterations.note(session, id_, before[id_], after[id_])


def _add(fields: Related, row: Any) -> None:  # noqa: ANN401  a row of `_RELATED`
    match row.field:
        case "owners":
            fields["owners"].append(Owner(person=row.code, role=OwnerRole(row.how)))
        case "stages":
            fields["stages"].append(StageLink(stage=row.code, relation=row.how))
        case "expected_lift":
            points = Decimal(row.hundredths).scaleb(-2)
            lift = ExpectedLift(instrument=row.code, component=row.how, points=points)
            fields["expected_lift"].append(lift)
        case "level" | "programme":
            fields[row.field] = row.code
        case _:
            fields[_PLURAL.get(row.field, row.field)].append(row.code)


_REST = {"how": String, "day": Date, "position": Integer, "hundredths": BigInteger}


def _part(
    asked: FromClause,
    model: Any,  # noqa: ANN401  a mapped class
    field: str | Column,
    code: Column,
    key: Column,
    **how: Column,
) -> Select[*tuple[Any, ...]]:
    """The rows of one table: a code, what it is ordered by, and how it is related."""
    name = literal(field, String) if isinstance(field, str) else cast(field, String)
    rest: Iterator[Label[Any]] = (
        how.get(name, cast(null(), type_)).label(name) for name, type_ in _REST.items()
    )
    return (
        select(
            model.initiative_id, name.label("field"), code.label("code"), key.label("key"), *rest
        )
        .join(asked, model.initiative_id == asked.c.id)
        .where(
            model.institution_id == bindparam("institution"), by_given(model.initiative_id, asked)
        )
    )


def _areas(asked: FromClause) -> Select[*tuple[Any, ...]]:
    part = _part(asked, InitiativeArea, "areas", ReformArea.code, ReformArea.code_key)
    return part.join(ReformArea, ReformArea.id == InitiativeArea.area_id)


def _owners(asked: FromClause) -> Select[*tuple[Any, ...]]:
    role = cast(InitiativeOwner.role, String)
    part = _part(asked, InitiativeOwner, "owners", Person.code, Person.code_key, how=role)
    return part.join(Person, refers(InitiativeOwner.person_id, Person))


def _tags(asked: FromClause) -> Select[*tuple[Any, ...]]:
    return _part(asked, InitiativeTag, "tags", InitiativeTag.tag, InitiativeTag.tag)


def _stages(asked: FromClause) -> Select[*tuple[Any, ...]]:
    relation = cast(InitiativeStage.relation, String)
    part = _part(
        asked,
        InitiativeStage,
        "stages",
        Stage.code,
        Stage.code_key,
        how=relation,
        day=Stage.starts_on,
    )
    return part.join(Stage, refers(InitiativeStage.stage_id, Stage))


def _purposes(asked: FromClause) -> Select[*tuple[Any, ...]]:
    kind = InitiativePurpose.kind
    part = _part(asked, InitiativePurpose, kind, Purpose.code, Purpose.code_key)
    return part.join(Purpose, Purpose.id == InitiativePurpose.purpose_id)


def _programmes(asked: FromClause) -> Select[*tuple[Any, ...]]:
    part = _part(asked, InitiativeProgramme, "programme", Programme.code, Programme.code_key)
    return part.join(Programme, Programme.id == InitiativeProgramme.programme_id)


def _lifts(asked: FromClause) -> Select[*tuple[Any, ...]]:
    part = _part(
        asked,
        InitiativeLift,
        "expected_lift",
        Instrument.code,
        Instrument.code_key,
        how=InstrumentComponent.code,
        position=InstrumentComponent.position,
        hundredths=type_coerce(InitiativeLift.points, BigInteger),
    )
    return part.join(
        InstrumentComponent, InstrumentComponent.id == InitiativeLift.component_id
    ).join(Instrument, Instrument.id == InstrumentComponent.instrument_id)


_PARTS = (_areas, _owners, _tags, _stages, _purposes, _programmes, _lifts)


def _related(asked: FromClause) -> Select[*tuple[Any, ...]]:
    rows = union_all(*(part(asked) for part in _PARTS)).subquery()
    return select(rows).order_by(rows.c.day, rows.c.key, rows.c.position)


_RELATED = Statement(_related, id=Uuid())
