"""Units over HTTP."""

from typing import Annotated

from fastapi import Query, Request, Response

from app.api import answers
from app.api.answers import IfMatch, OptionalIfMatch, Removal
from app.api.calls import Call, InstitutionPath, UnitPath, router
from app.schemas.pages import Page
from app.schemas.units import NewUnit, Unit, UnitChanges, UnitMerge, UnitMove, UnitQuery
from app.services import removing, reorganising, units

routes = router("/institutions/{institution}/units", "units")


@routes.post("", status_code=201)
async def create_unit(
    call: Call, institution: InstitutionPath, new: NewUnit, response: Response
) -> Unit:
    """Add a unit below another; below the root if none is named."""
    made = await call.write(units.create, institution, new)
    return answers.created(response, made, "institutions", institution, "units", made.code)


@routes.get("")
async def list_units(
    call: Call,
    institution: InstitutionPath,
    query: Annotated[UnitQuery, Query()],
    request: Request,
    response: Response,
) -> Page[Unit]:
    """Units, filtered and sorted."""
    return answers.paged(request, response, await call.read(units.page, institution, query))


@routes.get("/{unit}")
async def get_unit(
    call: Call, institution: InstitutionPath, unit: UnitPath, request: Request, response: Response
) -> Unit:
    """One unit."""
    return answers.fresh(request, response, await call.read(units.get, institution, unit))


@routes.patch("/{unit}")
async def change_unit(
    call: Call,
    institution: InstitutionPath,
    unit: UnitPath,
    changes: UnitChanges,
    expected: IfMatch,
    response: Response,
) -> Unit:
    """Rename, recode, archive or restore a unit."""
    changed = await call.write(units.change, institution, unit, changes, expected)
    return answers.tagged(response, changed)


@routes.delete("/{unit}", status_code=204)
async def delete_unit(
    call: Call,
    institution: InstitutionPath,
    unit: UnitPath,
    expected: IfMatch,
    removal: Annotated[Removal, Query()],
) -> None:
    """Delete an empty unit; others are archived. It can be restored for a while: see deletions."""
    await call.write(removing.unit, institution, unit, expected, removal.reason)


@routes.post("/{unit}/move")
async def move_unit(
    call: Call,
    institution: InstitutionPath,
    unit: UnitPath,
    target: UnitMove,
    expected: OptionalIfMatch,
    response: Response,
) -> Unit:
    """Move a unit with all below it, and its numbers, under another."""
    moved = await call.write(reorganising.move, institution, unit, target, expected)
    return answers.tagged(response, moved)


@routes.post("/{unit}/merge")
async def merge_unit(
    call: Call,
    institution: InstitutionPath,
    unit: UnitPath,
    target: UnitMerge,
    expected: OptionalIfMatch,
    response: Response,
) -> Unit:
    """Merge a unit into another, for good.

    Its initiatives, its people and the units directly below it go to the other unit, with all their
    numbers and history. The merged unit stays where it was, empty and archived, and answers
    `merged_into`; it can be neither restored nor merged again. The feed has `unit.merged` about it
    and `unit.absorbed` about the other. A unit cannot be merged into itself or below itself
    (`unit_cycle`), and the root cannot be merged (`root_unit`).
    """
    merged = await call.write(reorganising.merge, institution, unit, target, expected)
    return answers.tagged(response, merged)
