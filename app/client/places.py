"""Where an operation's address begins, and how resources are named in it."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from app.client import calls
from app.client.calls import Call, Stretch
from app.client.failures import Unsayable
from app.schemas.fields import Shape
from app.schemas.initiatives import Initiative
from app.schemas.milestones import Milestone
from app.schemas.pages import MOST, Page
from app.schemas.people import Person
from app.schemas.units import Unit

Fields = Mapping[str, Any]
"""A body by the names of its fields, instead of a shape."""
Day = date | str
Filter = str | int | bool | date | datetime | Sequence[str] | Sequence[int] | None
"""A query parameter; several values are joined by OR."""
Resource = Unit | Person | Initiative


class Place:
    """The server and the institution that are spoken about."""

    def __init__(self, server: str, institution: str | None) -> None:
        self.server = server.rstrip("/")
        self.institution_code = institution

    def at(self, *steps: str | int) -> str:
        """An address below the institution; raises `Unsayable` if there is none."""
        if self.institution_code is None:
            raise Unsayable("name an institution when you make the client")
        return calls.address("institutions", self.institution_code, *steps)

    def milestone_at(self, initiative: str, *steps: str | int) -> str:
        """An address at or below an initiative's milestones."""
        return self.at("initiatives", initiative, "milestones", *steps)

    def rollup_at(self, unit: str | None, *steps: str) -> str:
        """An address at or below the roll-up of a unit, or of the institution."""
        below = () if unit is None else ("units", unit)
        return self.at(*below, "rollup", *steps)


def pages(path: str, shape: type[Page[Any]], filters: Fields) -> Call[Stretch[Any]]:
    """All of a list that is filtered, in pages as large as they may be."""
    return calls.listed(calls.get(path, shape, {"limit": MOST, **filters}))


def name_of(resource: Resource | str) -> str:
    """How a resource is named in an address."""
    return resource if isinstance(resource, str) else str(resource.id)


def number_of(milestone: Milestone | int) -> int:
    """How a milestone is named in an address."""
    return milestone if isinstance(milestone, int) else milestone.number


def version_of(resource: Shape | str | int) -> int | None:
    """The version that was read; None for a mere name."""
    version: int | None = getattr(resource, "version", None)
    return version
