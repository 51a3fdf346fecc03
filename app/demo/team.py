"""The demo's reform team: invented people in the five roles that an institution begins with."""

from app.demo.choice import team_decree_code
from app.demo.courses import YEARS
from app.schemas.appointments import NewAppointment, NewRenewal

_MEMBERS = (
    ("sek-kpu", "steering", "kpu"),
    ("ops-kpu", "executing", "kpu"),
    ("apip-1", "companion", "kpu"),
    ("apip-2", "companion", "kpu"),
    ("sek-32", "quick-wins", "32"),
    ("ops-32", "agent-of-change", "32"),
    ("sek-33", "quick-wins", "33"),
    ("ops-33", "agent-of-change", "33"),
)


def appointments() -> list[NewAppointment]:
    """Return the team of the first year."""
    decree = team_decree_code(YEARS[0])
    return [
        NewAppointment(person=person, role=role, unit=unit, year=YEARS[0], decree=decree)
        for person, role, unit in _MEMBERS
    ]


def renewals() -> list[NewRenewal]:
    """Return how it is appointed again each year."""
    return [
        NewRenewal(from_year=year - 1, to_year=year, decree=team_decree_code(year))
        for year in YEARS[1:]
    ]
