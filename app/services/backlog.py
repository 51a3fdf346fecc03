"""What waits to be done: events that webhooks were not sent yet, and imports by their status."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from app.models import Event, Import, InstitutionClock, Webhook
from app.models.base import now
from app.models.base import table as table_of
from app.schemas.imports import ImportStatus

_WEBHOOK = table_of(Webhook).c
_CLOCK = table_of(InstitutionClock).c
_EVENT = table_of(Event).c
_IMPORT = table_of(Import).c


class Backlog(NamedTuple):
    """What waits, of all institutions together."""

    webhooks_behind: int
    """Active webhooks that were not sent everything."""
    webhooks_disabled: int
    """Webhooks that were given up."""
    events_waiting: int
    """Events behind the webhooks' places, for each of these; not all of them may be for it."""
    oldest_waiting: float
    """Seconds since the first event that a webhook was not sent yet; 0 where nothing waits."""
    imports: Mapping[ImportStatus, int]


def get(session: Session) -> Backlog:
    """What waits now. As many rows are read as there are webhooks and imports that are kept."""
    connection = session.connection()
    behind, events, oldest = connection.execute(_BEHIND).one()
    counted: dict[ImportStatus, int] = {row[0]: row[1] for row in connection.execute(_IMPORTS)}
    return Backlog(
        behind,
        connection.execute(_DISABLED).scalar_one(),
        int(events or 0),
        _age(oldest),
        {status: counted.get(status, 0) for status in ImportStatus},
    )


def _age(at: datetime | None) -> float:
    return 0.0 if at is None else max(0.0, (now() - at).total_seconds())


_BEHIND = (
    select(func.count(), func.sum(_CLOCK.sequence - _WEBHOOK.position), func.min(_EVENT.at))
    .select_from(table_of(Webhook))
    .join(table_of(InstitutionClock), _CLOCK.institution_id == _WEBHOOK.institution_id)
    .outerjoin(
        table_of(Event),
        and_(
            _EVENT.institution_id == _WEBHOOK.institution_id,
            _EVENT.sequence == _WEBHOOK.position + 1,
        ),
    )
    .where(_WEBHOOK.active, _WEBHOOK.position < _CLOCK.sequence)
)
_DISABLED = (
    select(func.count()).select_from(table_of(Webhook)).where(_WEBHOOK.disabled_reason.is_not(None))
)
_IMPORTS = select(_IMPORT.status, func.count()).group_by(_IMPORT.status)
