"""The bulk form of scores, for loaders."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.bulk import bulk_insert
from app.errors import Invalid
from app.models import Initiative, Score
from app.models.base import code_key, now
from app.models.base import table as table_of
from app.schemas.permissions import Permission
from app.schemas.plans import PlannedScore
from app.services import access, criteria, directory, events, scores
from app.services.access import Lock
from app.services.actors import Actor


def add(session: Session, actor: Actor, institution: str, new: Sequence[PlannedScore]) -> None:
    """Add what people gave initiatives that are proposed or shortlisted, each once.

    Raises `Invalid`, with the place in the batch, for what is not there or takes no such score.
    """
    scope = access.institution(session, actor, institution, Lock.SHARED)
    access.require(session, scope, Permission.INITIATIVES_SCORE, None)
    people = directory.read(session, scope).people
    known = {row.code_key: row for row in criteria.in_use(session, scope)}
    codes = {code_key(each.initiative) for each in new}
    found = session.execute(
        select(Initiative.code_key, Initiative.id, Initiative.code, Initiative.unit_id).where(
            access.within(scope, Initiative),
            Initiative.code_key.in_(codes),
            Initiative.status.in_(scores.OPEN),
        )
    )
    initiatives = {row.code_key: row for row in found}
    at, rows = now(), []
    for i, each in enumerate(new):
        initiative = initiatives.get(code_key(each.initiative))
        criterion = known.get(code_key(each.criterion))
        if initiative is None or criterion is None or each.score > criterion.highest_score:
            detail = "This is not there, is decided, or takes no such score."
            raise Invalid.field(f"/{i}", "not_scorable", detail)
        scorer = directory.open_party(people, each.scorer, f"/{i}/scorer", "person")
        rows.append(
            {
                "institution_id": scope.id,
                "initiative_id": initiative.id,
                "criterion_id": criterion.id,
                "scorer_id": scorer.id,
                "scorer": scorer.name,
                "score": each.score,
                "note": None,
                "scored_at": at,
            }
        )
        subject = events.Subject(initiative.id, f"{initiative.code}/scores/{criterion.code}")
        data = {"scorer": scorer.name, "score": each.score}
        events.record(
            session, actor, scope.id, "initiative.scored", subject, data,
            unit_id=initiative.unit_id, changes={"score": {"before": None, "after": each.score}},
        )  # fmt: skip
    bulk_insert(session, table_of(Score), rows)
