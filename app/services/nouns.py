"""Nouns: which columns of which rows the trail tells, and by which names.

Only what is listed here is told, by the names that it has on the wire: no secret can slip in with a
column that comes later.
"""

from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from app.models import (
    ApiToken,
    Appointment,
    Assessment,
    Base,
    ClosingVerdict,
    Criterion,
    Decree,
    Dependency,
    FollowUp,
    FrozenReport,
    Indicator,
    IndicatorValue,
    Initiative,
    Institution,
    Instrument,
    InstrumentComponent,
    Milestone,
    Obstacle,
    Person,
    Programme,
    ProgressUpdate,
    Publication,
    Purpose,
    ReformArea,
    ReportingPeriod,
    RoleGrant,
    Scheme,
    SchemeArea,
    SchemePurpose,
    Stage,
    TeamRole,
    Template,
    Unit,
    Webhook,
)


class Code(NamedTuple):
    """A column that refers to a row, told by that row's code."""

    field: str
    model: type[Base]


class Noun(NamedTuple):
    """What is told of the rows of a model."""

    columns: dict[str, str | Code]
    """What is told, and as what."""
    unit: Callable[[Session, Any], UUID | None]
    """The unit that a row belongs to; None for the institution as a whole."""
    subject: str = "id"
    part: Callable[[Any], tuple[UUID, str]] | None = None
    """What a row is a part of, and its address there: told where the part has no event of its own."""


def _same(*names: str) -> dict[str, str | Code]:
    return {name: name for name in names}


def _of_initiative(session: Session, row: Milestone | ProgressUpdate | Publication) -> UUID | None:
    parent = session.get(Initiative, (row.institution_id, row.initiative_id))
    return parent.unit_id if parent else None


def _of_successor(session: Session, row: Dependency) -> UUID | None:
    """The unit whose plan waits."""
    successor = session.get(Initiative, (row.institution_id, row.successor_id))
    return successor.unit_id if successor else None


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
_NAMES: dict[str, str | Code] = {"code": "code", "name_id": "name/id", "name_en": "name/en"}
NOUNS: dict[type[Any], Noun] = {
    Institution: Noun(
        _same("code", "name", "time_zone", "policy") | {"scheme_id": Code("scheme", Scheme)},
        lambda _session, _row: None,
    ),
    Unit: Noun(
        _same("code", "name", "kind", "reference_code", "archived_at")
        | {"parent_id": Code("parent", Unit)}
        | _JUDGED,
        _of_unit,
    ),
    Person: Noun(
        _same("code", "name", "email", "oidc_subject", "position", "kind", "language", "active")
        | {"unit_id": Code("unit", Unit)},
        lambda _session, row: row.unit_id,
    ),
    Initiative: Noun(
        _same(
            "code", "title", "description", "year", "kind", "origin", "status", "weight",
            "start_on", "due_on", "expected_result", "cancelled_on", "baseline", "public",
        )
        | {"unit_id": Code("unit", Unit), "template_id": Code("template", Template)}
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
    Publication: Noun(_same("title", "said", "published_on", "channel", "url"), _of_initiative),
    ApiToken: Noun(
        _same("name", "scopes", "expires_at", "revoked_at") | {"person_id": Code("person", Person)},
        _of_person,
    ),
    RoleGrant: Noun(
        _same("role") | {"person_id": Code("person", Person), "unit_id": Code("unit", Unit)},
        lambda _session, row: row.unit_id,
    ),
    FrozenReport: Noun(
        _same("title", "note", "year", "as_of") | {"unit_code": "unit"},
        lambda _session, row: row.unit_id,
    ),
    Obstacle: Noun(
        _same(
            "year", "title", "description", "severity", "state", "due_on", "escalation_reason",
            "resolution", "resolved_at",
        )
        | {"asked": "decision_asked", "decided": "decision", "owner_id": Code("owner", Person)}
        | {"escalated_to_id": Code("escalated_to", Unit)},
        lambda _session, row: row.unit_id,
    ),
    FollowUp: Noun(
        _same("action", "due_on", "state", "done_on") | {"owner_id": Code("owner", Person)},
        lambda _session, _row: None,
    ),
    ReportingPeriod: Noun(
        _NAMES
        | _same(
            "year", "starts_on", "ends_on", "opens_on", "closes_on", "remind_days_before",
            "closes_by_itself", "locks", "all_years", "closed_at", "locked_at", "reopened_until",
        ),
        lambda _session, _row: None,
    ),
    # Not the URL: many have a secret of their own in the path, and this is kept for ever.
    Webhook: Noun(
        _same("description", "active") | {"patterns": "events", "unit_id": Code("unit", Unit)},
        lambda _session, row: row.unit_id,
    ),
    Criterion: Noun(
        _NAMES | _same("description", "weight", "highest_score", "retired_at"), _of_whole
    ),
    Decree: Noun(
        _same("code", "number", "issued_on", "signer", "title", "url"), _of_whole
    ),
    Template: Noun(
        _same(
            "code", "title", "description", "kind", "origin", "weight", "expected_result", "tags",
            "milestones",
        ),
        lambda _session, _row: None,
    ),
    Dependency: Noun(
        _same("lag_days")
        | {
            f"{end}_id": Code(end, Initiative) for end in ("predecessor", "successor")
        },
        _of_successor,
    ),
    TeamRole: Noun(_NAMES | _same("description", "retired_at"), _of_whole),
    Appointment: Noun(
        _same("year", "from_on", "until_on")
        | {"person_id": Code("person", Person), "unit_id": Code("unit", Unit)}
        | {"role_id": Code("role", TeamRole), "decree_id": Code("decree", Decree)},
        lambda _session, row: row.unit_id,
    ),
    Scheme: Noun(_NAMES | _same("basis", "from_year", "to_year"), lambda _session, _row: None),
    Stage: Noun(
        _NAMES | _same("calendar", "starts_on", "ends_on", "basis", "source_url"),
        lambda _session, _row: None,
    ),
    ReformArea: Noun(_NAMES | _same("aliases"), lambda _session, _row: None),
    SchemeArea: Noun(
        _same("position", "compliance_weight"), lambda _session, _row: None, subject="area_id"
    ),
    Purpose: Noun(_NAMES | _same("kind", "aliases"), _of_whole),
    SchemePurpose: Noun(_same("position"), _of_whole, subject="purpose_id"),
    Instrument: Noun(
        _NAMES | _same("basis", "source", "maximum", "from_year", "to_year", "bands"), _of_whole
    ),
    InstrumentComponent: Noun(
        _NAMES | _same("weight", "position") | {"parent_code": "parent"}, _of_whole,
        part=lambda row: (row.instrument_id, f"components/{row.code}/"),
    ),
    Assessment: Noun(
        _same("score_year", "assessor", "announced_on", "score", "announced_predicate", "target")
        | _same("source", "source_url", "note"),
        _of_whole,
    ),
    Indicator: Noun(
        _NAMES | _same("unit_of_measure", "polarity", "aggregation", "baseline", "baseline_year")
        | _same("source", "source_url", "retired_on") | {"unit_id": Code("unit", Unit)},
        lambda _session, row: row.unit_id,
    ),
    IndicatorValue: Noun(
        _same("period", "starts_on", "ends_on", "target", "actual", "source", "source_url"), _of_whole
    ),
    Programme: Noun(_NAMES | _same("from_year", "to_year"), _of_whole),
    ClosingVerdict: Noun(_NAMES | _same("position", "source", "retired_at"), _of_whole),
}  # fmt: skip
