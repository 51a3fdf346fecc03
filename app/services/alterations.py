"""What a transaction alters in rows, before and after: gathered as the session is flushed.

So no verb has to say it. Only the columns that are listed here are told, by the names that they
have on the wire: no secret can slip in with a column that comes later. What is written below the
ORM is said by the verb that does it.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import date, datetime
from enum import Enum
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import event
from sqlalchemy.orm import PassiveFlag, Session, UOWTransaction
from sqlalchemy.orm.attributes import get_history

from app.models import (
    ApiToken,
    Appointment,
    Base,
    Criterion,
    Decree,
    FrozenReport,
    Initiative,
    Institution,
    Milestone,
    Person,
    ProgressUpdate,
    ReformArea,
    RoleGrant,
    Scheme,
    SchemeArea,
    TeamRole,
    Unit,
    Webhook,
)
from app.services import chain

_ALTERED = "altered"


class _Code(NamedTuple):
    """A column that refers to a row, told by that row's code."""

    field: str
    model: type[Base]


_Values = Callable[[Any, str], tuple[Any, Any] | None]
"""Before and after of a row's column; None where it stays."""


class Noun(NamedTuple):
    """What is told of the rows of a model."""

    columns: dict[str, str | _Code]
    """What is told, and as what."""
    unit: Callable[[Session, Any], UUID | None]
    """The unit that a row belongs to; None for the institution as a whole."""
    subject: str = "id"
    part: Callable[[Any], tuple[UUID, str]] | None = None
    """What a row is a part of, and its address there: told where the part has no event of its own."""


class Altered(NamedTuple):
    """What happened to the subject of an event."""

    unit_id: UUID | None
    changes: dict[str, list[Any]]
    """Before and after, by field."""
    part: tuple[UUID, str] | None
    is_new: bool


def _same(*names: str) -> dict[str, str | _Code]:
    return {name: name for name in names}


def _of_initiative(session: Session, row: Milestone | ProgressUpdate) -> UUID | None:
    parent = session.get(Initiative, (row.institution_id, row.initiative_id))
    return parent.unit_id if parent else None


def _of_person(session: Session, row: ApiToken) -> UUID | None:
    if row.institution_id is None:
        return None
    person = session.get(Person, (row.institution_id, row.person_id))
    return person.unit_id if person else None


def _of_unit(session: Session, row: Unit) -> UUID | None:
    """Itself; once it is gone, the unit above, since nobody looks after what is not there."""
    return row.parent_id if row in session.deleted else row.id


def _of_whole(_session: Session, _row: Base) -> None:
    """The institution as a whole."""


_JUDGED = _same("rating", "rating_reason", "judged_on", "judged_by")
_NAMES: dict[str, str | _Code] = {"code": "code", "name_id": "name/id", "name_en": "name/en"}
NOUNS: dict[type[Any], Noun] = {
    Institution: Noun(
        _same("code", "name", "time_zone", "policy") | {"scheme_id": _Code("scheme", Scheme)},
        lambda _session, _row: None,
    ),
    Unit: Noun(
        _same("code", "name", "kind", "reference_code", "archived_at")
        | {"parent_id": _Code("parent", Unit)}
        | _JUDGED,
        _of_unit,
    ),
    Person: Noun(
        _same("code", "name", "email", "oidc_subject", "position", "kind", "active")
        | {"unit_id": _Code("unit", Unit)},
        lambda _session, row: row.unit_id,
    ),
    Initiative: Noun(
        _same(
            "code", "title", "description", "year", "kind", "origin", "status", "weight",
            "start_on", "due_on", "expected_result", "cancelled_on",
        )
        | {"unit_id": _Code("unit", Unit)}
        | _JUDGED,
        lambda _session, row: row.unit_id,
    ),
    Milestone: Noun(
        _same(
            "number", "title", "description", "weight", "technique", "due_on", "baseline_due_on",
            "dropped_at",
        ),
        _of_initiative,
        part=lambda row: (row.initiative_id, f"milestones/{row.number}/"),
    ),
    ProgressUpdate: Noun(
        _same("verification", "verified_by", "verified_at", "verification_note"), _of_initiative
    ),
    ApiToken: Noun(
        _same("name", "scopes", "expires_at", "revoked_at") | {"person_id": _Code("person", Person)},
        _of_person,
    ),
    RoleGrant: Noun(
        _same("role") | {"person_id": _Code("person", Person), "unit_id": _Code("unit", Unit)},
        lambda _session, row: row.unit_id,
    ),
    FrozenReport: Noun(
        _same("title", "note", "year", "as_of") | {"unit_code": "unit"},
        lambda _session, row: row.unit_id,
    ),
    # Not the URL: many have a secret of their own in the path, and this is kept for ever.
    Webhook: Noun(
        _same("description", "active") | {"patterns": "events", "unit_id": _Code("unit", Unit)},
        lambda _session, row: row.unit_id,
    ),
    Criterion: Noun(
        _NAMES | _same("description", "weight", "highest_score", "retired_at"), _of_whole
    ),
    Decree: Noun(
        _same("code", "number", "issued_on", "signer", "title", "url"), _of_whole
    ),
    TeamRole: Noun(_NAMES | _same("description", "retired_at"), _of_whole),
    Appointment: Noun(
        _same("year", "from_on", "until_on")
        | {"person_id": _Code("person", Person), "unit_id": _Code("unit", Unit)}
        | {"role_id": _Code("role", TeamRole), "decree_id": _Code("decree", Decree)},
        lambda _session, row: row.unit_id,
    ),
    Scheme: Noun(_NAMES | _same("basis", "from_year", "to_year"), lambda _session, _row: None),
    ReformArea: Noun(_NAMES | _same("aliases"), lambda _session, _row: None),
    SchemeArea: Noun(
        _same("position", "compliance_weight"), lambda _session, _row: None, subject="area_id"
    ),
}  # fmt: skip


@event.listens_for(Session, "before_flush")
def gather(session: Session, _context: UOWTransaction, _instances: object) -> None:
    """Note what is about to be written; called by the flush itself."""
    for rows, values in (
        (session.new, _after),
        (session.dirty, _both),
        (session.deleted, _before),
    ):
        for row in rows:
            noun = NOUNS.get(type(row))
            if noun is not None:
                _gather(session, row, noun, values)


def note(session: Session, subject_id: UUID, before: dict[str, Any], after: dict[str, Any]) -> None:
    """Say how fields change below the ORM, of a row that is flushed too, before this or after."""
    altered = _altered(session).setdefault(subject_id, Altered(None, {}, None, is_new=False))
    for field, value in after.items():
        if value != before[field]:
            _put(altered, field, None if altered.is_new else before[field], value)


def of_removed(session: Session, row: Base) -> dict[str, Any]:
    """The changes of a row that is removed below the ORM."""
    altered = Altered(None, {}, None, is_new=False)
    _tell(session, row, NOUNS[type(row)], altered, _before)
    return told(altered)


def of_added(session: Session, row: Base) -> dict[str, Any]:
    """The changes of a row that is added below the ORM."""
    altered = Altered(None, {}, None, is_new=True)
    _tell(session, row, NOUNS[type(row)], altered, _after)
    return told(altered)


def of(session: Session, subjects: Collection[UUID]) -> dict[UUID, Altered]:
    """What was gathered of the subjects of events, with that of their parts; it is forgotten then."""
    gathered: dict[UUID, Altered] = session.info.pop(_ALTERED, {})
    for row_id, altered in gathered.items():
        if row_id not in subjects and altered.part and altered.part[0] in subjects:
            whole = gathered.get(altered.part[0])
            if whole is not None and not whole.is_new:
                for field, (before, after) in altered.changes.items():
                    _put(whole, altered.part[1] + field, before, after)
    return {row_id: gathered[row_id] for row_id in subjects if row_id in gathered}


def told(altered: Altered) -> dict[str, Any]:
    """Changes as JSON; what is in the end as it was is none."""
    return {
        field: {"before": before, "after": after}
        for field, (before, after) in altered.changes.items()
        if before != after
    }


def _gather(
    session: Session,
    row: Any,  # noqa: ANN401  a row of any of the nouns
    noun: Noun,
    values: _Values,
) -> None:
    gathered = _altered(session)
    subject_id = getattr(row, noun.subject)
    known = gathered.get(subject_id)
    is_new = known.is_new if known else values is _after
    changes = known.changes if known else {}
    part = noun.part(row) if noun.part else None
    gathered[subject_id] = altered = Altered(noun.unit(session, row), changes, part, is_new)
    _tell(session, row, noun, altered, values)


def _tell(session: Session, row: Any, noun: Noun, altered: Altered, values: _Values) -> None:  # noqa: ANN401  as above
    for column, field in noun.columns.items():
        found = values(row, column)
        if found is None:
            continue
        if isinstance(field, _Code):
            before, after = (_code(session, row, field.model, value) for value in found)
            _put(altered, field.field, before, after)
        else:
            _put(altered, field, *map(_plain, found))


def _altered(session: Session) -> dict[UUID, Altered]:
    gathered: dict[UUID, Altered] = session.info.setdefault(_ALTERED, {})
    return gathered


def _put(altered: Altered, field: str, before: Any, after: Any) -> None:  # noqa: ANN401  any JSON
    """Note a change; of several in a row the first has what was before."""
    altered.changes.setdefault(field, [before, after])[1] = after


def _after(row: Any, column: str) -> tuple[Any, Any]:  # noqa: ANN401  any row
    return None, getattr(row, column)


def _before(row: Any, column: str) -> tuple[Any, Any]:  # noqa: ANN401  any row
    return getattr(row, column), None


def _both(row: Any, column: str) -> tuple[Any, Any] | None:  # noqa: ANN401  any row
    history = get_history(row, column, PassiveFlag.PASSIVE_NO_INITIALIZE)
    return (_first(history.deleted), _first(history.added)) if history.has_changes() else None


def _first(values: Iterable[Any] | None) -> Any:  # noqa: ANN401  any value
    return next(iter(values or ()), None)


def _code(session: Session, row: Any, model: type[Any], key: UUID | None) -> str | None:  # noqa: ANN401  any row
    if key is None:
        return None
    found = session.get(model, key if model is Scheme else (row.institution_id, key))
    return found.code if found else str(key)


def _plain(value: Any) -> Any:  # noqa: ANN401  any column
    if isinstance(value, datetime):
        return chain.instant(value)
    if isinstance(value, date):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value
