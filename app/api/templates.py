"""Templates, and copies of them, over HTTP."""

from typing import Annotated

from fastapi import Path, Query, Request, Response

from app.api import answers
from app.api.answers import IfMatch, Removal
from app.api.calls import Call, InstitutionPath, router
from app.schemas.pages import ChangesPaging, Page
from app.schemas.templates import Copies, NewCopies, NewTemplate, Template, TemplateChanges
from app.services import copying, templates

routes = router("/institutions/{institution}/templates", "templates")
TemplatePath = Annotated[str, Path(description="Code or id of the template.", max_length=64)]


@routes.post("", status_code=201)
async def create_template(
    call: Call, institution: InstitutionPath, new: NewTemplate, response: Response
) -> Template:
    """Add a template. Needs `initiatives:change` on the institution as a whole."""
    made = await call.write(templates.create, institution, new)
    return answers.created(response, made, "institutions", institution, "templates", made.code)


@routes.get("")
async def list_templates(
    call: Call,
    institution: InstitutionPath,
    paging: Annotated[ChangesPaging, Query()],
    request: Request,
    response: Response,
) -> Page[Template]:
    """The templates of an institution, by code."""
    return answers.paged(request, response, await call.read(templates.page, institution, paging))


@routes.get("/{template}")
async def get_template(
    call: Call,
    institution: InstitutionPath,
    template: TemplatePath,
    request: Request,
    response: Response,
) -> Template:
    """One template."""
    return answers.fresh(request, response, await call.read(templates.get, institution, template))


@routes.patch("/{template}")
async def change_template(
    call: Call,
    institution: InstitutionPath,
    template: TemplatePath,
    changes: TemplateChanges,
    expected: IfMatch,
    response: Response,
) -> Template:
    """Change a template; what was copied from it stays as it is."""
    changed = await call.write(templates.change, institution, template, changes, expected)
    return answers.tagged(response, changed)


@routes.delete("/{template}", status_code=204)
async def delete_template(
    call: Call,
    institution: InstitutionPath,
    template: TemplatePath,
    expected: IfMatch,
    removal: Annotated[Removal, Query()],
) -> None:
    """Delete a template; what was copied from it stays."""
    await call.write(templates.remove, institution, template, expected, removal.reason)


@routes.post("/{template}/copies", status_code=201, responses={200: {"model": Copies}})
async def copy_template(
    call: Call,
    institution: InstitutionPath,
    template: TemplatePath,
    new: NewCopies,
    response: Response,
) -> Copies:
    """Make a proposed initiative of the template in each of many units: all of them, or none.

    Needs `initiatives:change` on each unit. It can be sent again, with more units too: copies that
    are there for this unit and year stay as they are, and where all of them are, the answer is 200.
    Where another initiative has the code of a copy, nothing is made (`code_taken`).
    """
    made = await call.write(copying.copy, institution, template, new)
    if not made.created:
        response.status_code = 200
    return made
