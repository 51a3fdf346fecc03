"""What became of a quick win, from what whoever reads its plan may read: not from the record of events."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from app.schemas.fields import Confidence
from app.schemas.pages import Paging
from app.schemas.updates import Update
from app.services import baselines, judgements, ratings
from app.services.actors import Actor

MOST = 20


class Step(NamedTuple):
    """One step, with who took it and why."""

    type: str
    """As the event is called that records it."""
    at: datetime
    by: str
    text: str | None
    milestone: int | None = None
    percent: float | None = None
    """What was reported."""
    rating: Confidence | None = None


def latest(
    session: Session, actor: Actor, institution: str, key: str, reports: Iterable[Update]
) -> list[Step]:
    """The latest steps, the newest first: agreed plans, judgements, and some reports with verdicts."""
    asked = (session, actor, institution, key, Paging(limit=MOST))
    found = [
        Step("initiative.baselined", each.taken_at, each.taken_by, each.reason)
        for each in baselines.page(*asked).items
    ]
    found += (
        Step("initiative.rated", each.judged_at, each.judged_by, each.reason, rating=each.rating)
        for each in ratings.page_of_initiative(*asked).items
    )
    found += (
        Step("initiative.judged", each.judged_at, each.judged_by, each.note)
        for each in judgements.page(*asked).items
    )
    found += _of_reports(reports)
    return sorted(found, key=lambda step: step.at, reverse=True)[:MOST]


def _of_reports(reports: Iterable[Update]) -> Iterable[Step]:
    for each in reports:
        of = each.milestone
        percent = each.percent_complete
        yield Step("update.reported", each.reported_at, each.reported_by, each.note, of, percent)
        for given in each.verifications:
            kind = f"update.{given.verdict}"
            yield Step(kind, given.verified_at, given.verified_by, given.note, of, percent)
