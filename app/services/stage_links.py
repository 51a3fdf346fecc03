"""How initiatives relate to stages: read with the initiatives, and replaced as a whole."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.errors import Invalid
from app.models import InitiativeStage, Stage
from app.models.base import code_key, refers
from app.rows import Rows
from app.schemas.stages import StageLink
from app.services import access, parts, relations, stages
from app.services.access import Scope


def replace(
    session: Session, scope: Scope, initiative_id: UUID, links: Sequence[StageLink]
) -> None:
    """Give an initiative these links and no others; raises `Invalid` at the link that is wrong."""
    found = (
        access.refer(session, scope, Stage, link.stage, _pointer(i)).id
        for i, link in enumerate(links)
    )
    rows = _rows(scope, initiative_id, links, found)
    with relations.noted(session, scope, [initiative_id]):
        parts.replace(session, scope, InitiativeStage, {"initiative_id": initiative_id}, rows)


def given(
    scope: Scope,
    initiative_id: UUID,
    links: Sequence[StageLink] | None,
    known: Mapping[str, UUID],
    pointer: str,
) -> list[dict[str, Any]]:
    """Rows of a new initiative's links, of stages that are known by code; raises `Invalid` as `replace`."""

    def find(i: int, code: str) -> UUID:
        if code_key(code) not in known:
            raise Invalid.field(_pointer(i, pointer), "unknown_stage", "There is no such stage.")
        return known[code_key(code)]

    links = links or ()
    found = (find(i, link.stage) for i, link in enumerate(links))
    return _rows(scope, initiative_id, links, found, pointer)


def _rows(
    scope: Scope,
    initiative_id: UUID,
    links: Sequence[StageLink],
    stage_ids: Iterable[UUID],
    pointer: str = "",
) -> list[dict[str, Any]]:
    rows: dict[UUID, dict[str, Any]] = {}
    for i, (link, stage_id) in enumerate(zip(links, stage_ids, strict=True)):
        if stage_id in rows:
            detail = "An initiative relates to a stage in one way."
            raise Invalid.field(_pointer(i, pointer), "repeated_stage", detail)
        rows[stage_id] = {
            "institution_id": scope.id,
            "initiative_id": initiative_id,
            "stage_id": stage_id,
            "relation": link.relation,
        }
    return list(rows.values())


def _pointer(place: int, pointer: str = "") -> str:
    return f"{pointer}/stages/{place}/stage"


def linked(scope: Scope, keys: list[str]) -> Select[UUID]:
    """Ids of the initiatives that are linked to any of the named stages."""
    return (
        select(InitiativeStage.initiative_id)
        .join(Stage, refers(InitiativeStage.stage_id, Stage))
        .where(access.within(scope, InitiativeStage), *stages.named([], keys))
    )


def forget_gone(session: Session, scope: Scope, content: Rows) -> None:
    """Leave those links out of deleted rows whose stage is gone: they are not worth the initiative."""
    kept = content.get(InitiativeStage.__tablename__)
    if kept:
        there = set(session.scalars(select(Stage.id).where(access.within(scope, Stage))))
        kept[:] = [link for link in kept if link["stage_id"] in there]
