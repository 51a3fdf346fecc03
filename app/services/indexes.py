"""An institution's index over the years: scores of one instrument and assessor are one series."""

from itertools import groupby, pairwise

from sqlalchemy.orm import Session

from app.models import Assessment, Instrument
from app.schemas import assessments as wire
from app.schemas.fields import Names
from app.services import access, assessments
from app.services.actors import Actor

_Row = tuple[Assessment, Instrument]


def get(session: Session, actor: Actor, institution: str, query: wire.IndexQuery) -> wire.Index:
    """All series that are asked for, and where an assessor's instrument changes between them."""
    scope = access.institution(session, actor, institution)
    statement = assessments.matching(scope, query).order_by(
        Assessment.score_year, Instrument.code_key
    )
    rows: list[_Row] = [(row[0], row[1]) for row in session.execute(statement)]
    order = list(wire.Assessor)
    rows.sort(key=lambda row: order.index(row[0].assessor))
    by_assessor = [list(some) for _, some in groupby(rows, key=lambda row: row[0].assessor)]
    return wire.Index(
        institution=scope.code,
        series=[series for some in by_assessor for series in _series(some)],
        not_comparable=[_break(*pair) for some in by_assessor for pair in _breaks(some)],
    )


def _series(rows: list[_Row]) -> list[wire.IndexSeries]:
    """The series of one assessor, in the order of their first years."""
    of_instrument: dict[str, list[_Row]] = {}
    for row in rows:
        of_instrument.setdefault(row[1].code, []).append(row)
    return [
        wire.IndexSeries(
            instrument=code,
            name=Names(id=some[0][1].name_id, en=some[0][1].name_en),
            assessor=some[0][0].assessor,
            maximum=some[0][1].maximum,
            points=_points(some),
        )
        for code, some in of_instrument.items()
    ]


def _points(rows: list[_Row]) -> list[wire.IndexPoint]:
    points = []
    last = None
    for row, instrument in rows:
        change = None if None in (row.score, last) else row.score - last  # type: ignore[operator]
        points.append(wire.IndexPoint(change=change, **assessments.graded(row, instrument)))
        last = row.score if row.score is not None else last
    return points


def _breaks(rows: list[_Row]) -> list[tuple[_Row, _Row]]:
    scored = [row for row in rows if row[0].score is not None]
    return [pair for pair in pairwise(scored) if pair[0][1].id != pair[1][1].id]


def _break(before: _Row, after: _Row) -> wire.IndexBreak:
    return wire.IndexBreak(
        assessor=before[0].assessor,
        from_instrument=before[1].code,
        from_year=before[0].score_year,
        to_instrument=after[1].code,
        to_year=after[0].score_year,
    )
