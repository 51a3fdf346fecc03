"""Dependencies between initiatives and milestones: none waits for itself, and late ones are shown."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, Text, Uuid, bindparam, cast, func, select
from sqlalchemy.orm import Session

from app.conflicts import AlreadyDependent, DependencyCycle
from app.errors import Conflict, Invalid, NotFound
from app.keyset import Key, paginate
from app.messages import said
from app.models import Dependency, Initiative, Milestone
from app.models.base import new_id, now
from app.models.base import table as table_of
from app.rows import Rows
from app.schemas import dependencies as wire
from app.schemas.dependencies import MOST_PREDECESSORS, Side
from app.schemas.pages import Page
from app.schemas.permissions import Permission
from app.services import access, events, precedence, waiting
from app.services.access import Lock, Scope
from app.services.actors import Actor
from app.services.precedence import Edge, End

_ENDS = ("predecessor", "successor")
_OLDEST_FIRST = [Key(Dependency.id, descending=False)]


def create(
    session: Session, actor: Actor, institution: str, key: str, new: wire.NewDependency
) -> wire.Dependency:
    """Let an initiative, or one of its milestones, wait for another.

    Raises `DependencyCycle`, also where a milestone would wait for its initiative or the other way
    round, and `AlreadyDependent`.
    """
    scope = access.institution(session, actor, institution, Lock.SHARED)
    successor = access.find(session, scope, Initiative, key)
    access.require(session, scope, Permission.MILESTONES_CHANGE, successor.unit_id)
    predecessor = access.refer(session, scope, Initiative, new.predecessor, "/predecessor")
    _hold(session, scope)
    ends = {successor.id, predecessor.id}
    if _keep_there(session, scope, ends) != ends:
        raise NotFound
    edge = Edge(
        _end(session, scope, predecessor, new.predecessor_milestone, "/predecessor_milestone"),
        _end(session, scope, successor, new.milestone, "/milestone"),
    )
    _check(session, scope, edge)
    row = Dependency(
        institution_id=scope.id,
        id=new_id(),
        predecessor_id=edge.predecessor.initiative_id,
        predecessor_milestone_id=edge.predecessor.milestone_id,
        successor_id=edge.successor.initiative_id,
        successor_milestone_id=edge.successor.milestone_id,
        lag_days=new.lag_days,
        created_at=now(),
        created_by=actor.name,
    )
    session.add(row)
    session.flush()
    events.record(session, actor, scope.id, "dependency.created", _subject(successor, row), new)
    return waiting.shape(_find(session, scope, successor, row.id))


def remove(
    session: Session,
    actor: Actor,
    institution: str,
    key: str,
    dependency_id: UUID,
    reason: str | None = None,
) -> None:
    """Let something wait no more; who may change the plan that waits."""
    scope = access.institution(session, actor, institution, Lock.SHARED)
    initiative = access.find(session, scope, Initiative, key)
    row = _find(session, scope, initiative, dependency_id)
    found: Dependency = row[0]
    access.require(session, scope, Permission.MILESTONES_CHANGE, row.successor_unit_id)
    # Codes alone: whoever reads the event need not see the other side.
    before = {
        "milestone": row.successor_number,
        "predecessor": row.predecessor_code,
        "predecessor_milestone": row.predecessor_number,
        "lag_days": found.lag_days,
    }
    if not _keep_there(session, scope, {found.successor_id}):
        raise NotFound
    successor = session.get_one(Initiative, (scope.id, found.successor_id))
    session.delete(found)
    events.record(
        session, actor, scope.id, "dependency.deleted", _subject(successor, found), before,
        reason=reason,
    )  # fmt: skip


def get(
    session: Session, actor: Actor, institution: str, key: str, dependency_id: UUID
) -> wire.Dependency:
    """One dependency of an initiative, on either side."""
    scope = access.institution(session, actor, institution)
    row = access.find(session, scope, Initiative, key)
    return waiting.shape(_find(session, scope, row, dependency_id))


def page_of_initiative(
    session: Session,
    actor: Actor,
    institution: str,
    key: str,
    query: wire.InitiativeDependencyQuery,
) -> Page[wire.Dependency]:
    """What an initiative and its milestones wait for, and what waits for them; oldest first."""
    scope = access.institution(session, actor, institution)
    row = access.find(session, scope, Initiative, key)
    statement = waiting.of_initiative(session, scope, row.id)
    if query.side is Side.PREDECESSOR:
        statement = statement.where(Dependency.successor_id == row.id)
    elif query.side is Side.SUCCESSOR:
        statement = statement.where(Dependency.predecessor_id == row.id)
    return _page(session, statement, query)


def page(
    session: Session, actor: Actor, institution: str, query: wire.DependencyQuery
) -> Page[wire.Dependency]:
    """The dependencies of which one sees either side; oldest first."""
    scope = access.institution(session, actor, institution)
    statement = waiting.seen(session, scope)
    if query.unit:
        units = access.below(scope, query.unit)
        statement = statement.where(waiting.SUCCESSOR.unit_id.in_(units))
    return _page(session, statement, query)


def readmit(session: Session, scope: Scope, content: Rows) -> None:
    """Prepare the dependencies among rows that are about to come back.

    Those of which the other side is gone stay away. Raises `DependencyCycle` where others have come
    in between that lead back.
    """
    name = Dependency.__tablename__
    if name not in content:
        return
    _hold(session, scope)
    there = {
        model: {row["id"] for row in content.get(table_of(model).name, ())}
        for model in (Initiative, Milestone)
    }
    needed = {row[f"{end}_id"] for row in content[name] for end in _ENDS}
    there[Initiative] |= _keep_there(session, scope, needed)
    parts = {row[f"{end}_milestone_id"] for row in content[name] for end in _ENDS}
    there[Milestone] |= {
        None,
        *session.scalars(
            select(Milestone.id).where(access.within(scope, Milestone), Milestone.id.in_(parts))
        ),
    }
    content[name] = [
        row
        for row in content[name]
        if all(
            row[f"{end}_id"] in there[Initiative] and row[f"{end}_milestone_id"] in there[Milestone]
            for end in _ENDS
        )
    ]
    returning = [_edge(row) for row in content[name]]
    present = {
        edge
        for successor_id in {edge.successor.initiative_id for edge in returning}
        for edge in _behind(session, scope, successor_id)
    }
    if precedence.has_cycle({*present, *returning}):
        raise DependencyCycle


def _page(
    session: Session,
    statement: Select[*tuple[Any, ...]],
    query: wire.InitiativeDependencyQuery | wire.DependencyQuery,
) -> Page[wire.Dependency]:
    if query.late is not None:
        late = statement.selected_columns.late
        statement = statement.where(late if query.late else ~late)
    found = paginate(session, statement, _OLDEST_FIRST, query)
    return found.page([waiting.shape(row) for row in found.rows])


def _find(
    session: Session, scope: Scope, initiative: Initiative, dependency_id: UUID
) -> Row[*tuple[Any, ...]]:
    statement = waiting.of_initiative(session, scope, initiative.id)
    row = session.execute(statement.where(Dependency.id == dependency_id)).one_or_none()
    if row is None:
        raise NotFound
    return row


# Whoever adds a dependency has the institution's to themselves: two that are right alone may lead
# round together. SQLite has one writer.
_HOLD = select(
    func.pg_advisory_xact_lock(func.hashtextextended(cast(bindparam("institution"), Text), 1))
)


def _hold(session: Session, scope: Scope) -> None:
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.execute(_HOLD, {"institution": str(scope.id)})


def _keep_there(session: Session, scope: Scope, ids: set[UUID]) -> set[UUID]:
    """Lock initiatives, so that neither they nor their milestones go; answers those that are there."""
    locked = (
        select(Initiative.id)
        .where(access.within(scope, Initiative), Initiative.id.in_(ids))
        .order_by(Initiative.id)
        .with_for_update()
    )
    return set(session.scalars(locked))


def _end(
    session: Session, scope: Scope, initiative: Initiative, number: int | None, pointer: str
) -> End:
    if number is None:
        return End(initiative.id)
    milestone_id = session.scalar(
        select(Milestone.id).where(
            access.within(scope, Milestone),
            access.seen(scope, Milestone),
            Milestone.initiative_id == initiative.id,
            Milestone.number == number,
        )
    )
    if milestone_id is None:
        raise Invalid.field(pointer, "unknown_milestone", "There is no such milestone.")
    return End(initiative.id, milestone_id)


def _check(session: Session, scope: Scope, edge: Edge) -> None:
    """Raise where a dependency cannot be added."""
    of_successor = select(Dependency).where(
        access.within(scope, Dependency), Dependency.successor_id == edge.successor.initiative_id
    )
    present = session.scalars(of_successor.limit(MOST_PREDECESSORS)).all()
    if any(_edge(row.__dict__) == edge for row in present):
        raise AlreadyDependent
    if len(present) == MOST_PREDECESSORS:
        detail = said("An initiative waits for at most {most} others.", most=MOST_PREDECESSORS)
        raise Conflict(detail)
    behind = _behind(session, scope, edge.successor.initiative_id)
    if precedence.has_cycle([edge, *behind]):
        raise DependencyCycle


def _behind(session: Session, scope: Scope, initiative_id: UUID) -> list[Edge]:
    """Dependencies of all that waits for an initiative, at whatever distance; one statement."""
    rows = session.execute(_BEHIND, {"institution": scope.id, "initiative": initiative_id})
    return [_edge(row) for row in rows.mappings()]


def _edge(row: Any) -> Edge:  # noqa: ANN401  a dependency by its columns
    return Edge(*(End(row[f"{end}_id"], row[f"{end}_milestone_id"]) for end in _ENDS))


_D = table_of(Dependency).c
_reached = select(bindparam("initiative", type_=Uuid()).label("id")).cte("reached", recursive=True)
_reached = _reached.union(
    select(_D.successor_id)
    .join(_reached, _D.predecessor_id == _reached.c.id)
    .where(_D.institution_id == bindparam("institution"))
)
_BEHIND = (
    select(*(_D[f"{end}{noun}_id"] for end in _ENDS for noun in ("", "_milestone")))
    .join(_reached, _D.predecessor_id == _reached.c.id)
    .where(_D.institution_id == bindparam("institution"))
)


def _subject(successor: Initiative, row: Dependency) -> events.Subject:
    return events.Subject(row.id, f"{successor.code}/dependencies/{row.id}")
