"""Initiatives: the filtered list, and one quick win with all that is known of it."""

from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Query, Response
from sqlalchemy.orm import Session

from app.api.calls import InstitutionPath
from app.schemas.fields import Health, InitiativeKind, InitiativeStatus, Origin
from app.schemas.initiatives import Initiative, InitiativeQuery
from app.schemas.pages import Page
from app.schemas.schemes import Area
from app.schemas.units import UnitQuery
from app.services import access, portfolio, schemes, units
from app.services.access import Node
from app.services.actors import Actor
from app.web.calls import PageCall
from app.web.pages import Route, Shown

routes = APIRouter(
    prefix="/institutions/{institution}/initiatives", route_class=Route, include_in_schema=False
)
Asked = Annotated[InitiativeQuery, Query()]
_MOST_BELOW = 200
"""Units below the chosen one that are offered; what is beyond is found by its page."""
_IN_FORM = (
    "q", "unit", "area", "year", "status", "health", "kind", "origin", "owner", "tag", "overdue", "stale",
    "due_after", "due_before", "sort", "cursor", "limit", "include_total",
)  # fmt: skip
_SINGLE = ("unit", "year", "area", "owner", "tag")
_SEEN = ("q", "unit", "year", "area", "sort", "cursor", "limit", "include_total")
"""What is seen without opening the further filters."""
_SORTS = (
    "code", "title", "status", "-weight", "due_on", "-last_reported_at", "last_reported_at",
    "-updated_at", "-created_at",
)  # fmt: skip


class Listing(NamedTuple):
    """What the list shows, from one snapshot."""

    institution: str
    page: Page[Initiative]
    unit_names: dict[str, str]
    areas: list[Area]
    above: list[Node]
    """The chosen unit's way from the top, itself at the end; the top alone where none is chosen."""
    below: list[Node]
    """The units that one may go down to."""


@routes.get("")
async def list_initiatives(
    call: PageCall, page: Shown, institution: InstitutionPath, query: Asked
) -> Response:
    """The initiatives that the filters of the address leave."""
    found = await call.read(_listing, institution, query)
    return page.render(
        "initiatives.html",
        institution=found.institution,
        found=found,
        query=query,
        choices=_CHOICES,
        sorts=_SORTS,
        others=page.but(*_IN_FORM) + _repeated(page),
        told=page.but(*_SEEN) + [each for each in _repeated(page) if each[0] in _SEEN],
    )


def _repeated(page: Shown) -> list[tuple[str, str]]:
    """Further values of what the form has one field for."""
    return [(name, value) for name in _SINGLE for value in page.every(name)[1:]]


_CHOICES: dict[str, list[Any]] = {
    "status": list(InitiativeStatus),
    "health": list(Health),
    "kind": list(InitiativeKind),
    "origin": list(Origin),
}


def _listing(session: Session, actor: Actor, institution: str, query: InitiativeQuery) -> Listing:
    found = portfolio.page(session, actor, institution, query)
    scope = access.institution(session, actor, institution)
    above, below = _around(session, actor, institution, query)
    return Listing(
        institution=scope.code,
        page=found,
        unit_names=units.names(session, scope, {each.unit for each in found.items}),
        areas=schemes.named_areas(session, scope.scheme_id),
        above=above,
        below=below,
    )


def _around(
    session: Session, actor: Actor, institution: str, query: InitiativeQuery
) -> tuple[list[Node], list[Node]]:
    """The way to the chosen unit, and what is below; nothing where several are chosen, or one not seen."""
    if len(query.unit) > 1:
        return [], []
    scope = access.institution(session, actor, institution)
    key = query.unit[0] if query.unit else None
    chosen = units.node(session, scope, key)
    if chosen is None:
        return [], []
    asked = UnitQuery(parent=[str(chosen.id)], archived=False, limit=_MOST_BELOW)
    below = units.page(session, actor, institution, asked).items
    above = units.ancestors(session, scope, chosen.id)
    return [*above, chosen], [Node(each.id, each.code, each.name) for each in below]
