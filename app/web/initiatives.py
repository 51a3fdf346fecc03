"""Initiatives: the filtered list, and one quick win with all that is known of it."""

from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Query, Response
from sqlalchemy.orm import Session

from app.api.calls import InstitutionPath
from app.languages import noted
from app.schemas.fields import Confidence, Health, InitiativeKind, InitiativeStatus, Origin
from app.schemas.initiatives import Initiative, InitiativeQuery
from app.schemas.pages import Page
from app.schemas.schemes import Area
from app.schemas.units import UnitQuery
from app.services import access, people, portfolio, schemes, units
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
LABELS = {
    "q": noted("Search"),
    "unit": noted("Unit"),
    "subtree": noted("With all units below"),
    "area": noted("Area"),
    "year": noted("Year"),
    "status": noted("Status"),
    "health": noted("Health"),
    "rating": noted("Judged confidence"),
    "kind": noted("Kind"),
    "origin": noted("Origin"),
    "overdue": noted("Something is overdue"),
    "stale": noted("Silent for too long"),
    "rating_differs": noted("Judged otherwise than computed"),
    "has_verdict": noted("With a closing verdict"),
    "owner": noted("Owner's code"),
    "tag": noted("Tag"),
    "outcome": noted("Outcome's code"),
    "strategy": noted("Strategy's code"),
    "level": noted("Level's code"),
    "programme": noted("Programme's code"),
    "stage": noted("Stage's code"),
    "decree": noted("Decree's code"),
    "template": noted("Template's code"),
    "verdict": noted("Closing verdict's code"),
    "due_after": noted("Due after"),
    "due_before": noted("Due before"),
    "due_within": noted("Something is due within days"),
    "updated_since": noted("Changed since"),
}
"""What the filters are called, in the order in which the form has them."""
_YES_OR_NO = ("subtree", "overdue", "stale", "rating_differs", "has_verdict")
_CODES = (
    "owner", "tag", "outcome", "strategy", "level", "programme", "stage", "decree", "template", "verdict",
)  # fmt: skip
_IN_FORM = (*(LABELS.keys() - {"updated_since"}), "sort", "cursor", "limit", "include_total")
"""But for an instant, which nobody types."""
_SINGLE = ("unit", "year", "area", *_CODES)
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
    people: dict[str, str]
    """Owners that are asked for."""
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
        labels=LABELS,
        codes=_CODES,
        yes_or_no=_YES_OR_NO,
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
    "rating": list(Confidence),
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
        unit_names=units.names(session, scope, {each.unit for each in found.items} | {*query.unit}),
        people=people.names(session, scope, query.owner),
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
