"""What reporting reads and writes, each for any number of milestones in one statement."""

from sqlalchemy import (
    BigInteger,
    Date,
    Integer,
    String,
    Uuid,
    and_,
    bindparam,
    case,
    select,
    update,
)
from sqlalchemy.orm import aliased

from app.given import Statement
from app.models import Initiative, InitiativeArea, Milestone, ProgressUpdate
from app.models.base import table as table_of
from app.rollup import derived

UPDATE, _OLDER = table_of(ProgressUpdate), aliased(table_of(ProgressUpdate))
_MINE = UPDATE.c.institution_id == bindparam("institution")
_NUMBERS = (UPDATE.c.milestone_id, UPDATE.c.effective_on, UPDATE.c.sequence, UPDATE.c.percent)
LATEST = Statement(
    lambda asked: (
        select(*_NUMBERS)
        .select_from(asked)
        .join(
            UPDATE,
            and_(
                UPDATE.c.milestone_id == asked.c.milestone,
                UPDATE.c.sequence
                == select(_OLDER.c.sequence)
                .where(
                    _OLDER.c.institution_id == bindparam("institution"),
                    _OLDER.c.milestone_id == asked.c.milestone,
                )
                .order_by(_OLDER.c.effective_on.desc(), _OLDER.c.sequence.desc())
                .limit(1)
                .scalar_subquery(),
            ),
        )
        .where(_MINE)
    ),
    milestone=Uuid(),
)
ALL = Statement(
    lambda asked: (
        select(*_NUMBERS)
        .select_from(asked)
        .join(UPDATE, UPDATE.c.milestone_id == asked.c.milestone)
        .where(_MINE)
    ),
    milestone=Uuid(),
)
KNOWN = Statement(
    lambda asked: (
        select(UPDATE)
        .select_from(asked)
        .join(
            UPDATE,
            and_(
                UPDATE.c.milestone_id == asked.c.milestone,
                UPDATE.c.source == asked.c.source,
                UPDATE.c.external_id == asked.c.name,
            ),
        )
        .where(_MINE)
    ),
    milestone=Uuid(),
    source=String(),
    name=String(),
)
AREAS = Statement(
    lambda asked: (
        select(InitiativeArea.initiative_id, InitiativeArea.area_id)
        .select_from(asked)
        .join(InitiativeArea, InitiativeArea.initiative_id == asked.c.initiative)
        .where(InitiativeArea.institution_id == bindparam("institution"))
        .order_by(asked.c.initiative, InitiativeArea.area_id)
    ),
    initiative=Uuid(),
)
SET_MILESTONES = Statement(
    lambda asked: (
        update(table_of(Milestone))
        .where(Milestone.institution_id == bindparam("institution"), Milestone.id == asked.c.id)
        .values(
            percent=asked.c.percent,
            done_on=asked.c.done_on,
            reports=Milestone.reports + asked.c.new,
            version=Milestone.version + asked.c.new,
            updated_at=bindparam("at"),
        )
    ),
    id=Uuid(),
    percent=Integer(),
    done_on=Date(),
    new=Integer(),
)
SET_INITIATIVES = Statement(
    lambda asked: (
        update(table_of(Initiative))
        .where(Initiative.institution_id == bindparam("institution"), Initiative.id == asked.c.id)
        .values(
            last_reported_at=bindparam("at"),
            earned=Initiative.earned + asked.c.earned,
            done=Initiative.done + asked.c.done,
            next_due_on=case(
                (asked.c.turned > 0, derived.NEXT_DUE_ON), else_=Initiative.next_due_on
            ),
            last_done_on=case(
                (asked.c.turned > 0, derived.LAST_DONE_ON), else_=Initiative.last_done_on
            ),
            reported_months=Initiative.reported_months.bitwise_or(asked.c.months),
            version=Initiative.version + asked.c.new,
            updated_at=bindparam("at"),
        )
    ),
    id=Uuid(),
    earned=BigInteger(),
    done=Integer(),
    turned=Integer(),
    months=BigInteger(),
    new=Integer(),
)
