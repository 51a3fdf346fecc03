"""The reform team over HTTP: its roles, appointments to them, and renewals."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Request, Response

from app.api import answers
from app.api.answers import IfMatch, Removal
from app.api.calls import Call, InstitutionPath, router
from app.schemas.appointments import (
    Appointment,
    AppointmentChanges,
    AppointmentsQuery,
    NewAppointment,
    NewRenewal,
    Renewal,
)
from app.schemas.pages import Page
from app.schemas.team_roles import NewTeamRole, TeamRole, TeamRoleChanges, TeamRolesQuery
from app.services import appointments, renewals, team_roles

routes = router("/institutions/{institution}", "teams")
RolePath = Annotated[str, Path(description="Code or id of the team role.", max_length=64)]
AppointmentPath = Annotated[UUID, Path(description="Id of the appointment.")]


@routes.post("/team-roles", status_code=201)
async def create_team_role(
    call: Call, institution: InstitutionPath, new: NewTeamRole, response: Response
) -> TeamRole:
    """Add a role that people are appointed to.

    Needs `institution:change`, as changing and deleting one does.
    """
    made = await call.write(team_roles.create, institution, new)
    return answers.created(response, made, "institutions", institution, "team-roles", made.code)


@routes.get("/team-roles")
async def list_team_roles(
    call: Call,
    institution: InstitutionPath,
    query: Annotated[TeamRolesQuery, Query()],
    request: Request,
    response: Response,
) -> Page[TeamRole]:
    """The roles of the institution's reform teams, retired ones too; by code."""
    return answers.paged(request, response, await call.read(team_roles.page, institution, query))


@routes.get("/team-roles/{role}")
async def get_team_role(
    call: Call, institution: InstitutionPath, role: RolePath, request: Request, response: Response
) -> TeamRole:
    """One role of the reform team."""
    return answers.fresh(request, response, await call.read(team_roles.get, institution, role))


@routes.patch("/team-roles/{role}")
async def change_team_role(
    call: Call,
    institution: InstitutionPath,
    role: RolePath,
    changes: TeamRoleChanges,
    expected: IfMatch,
    response: Response,
) -> TeamRole:
    """Change a role, retire it, or take it up again."""
    changed = await call.write(team_roles.change, institution, role, changes, expected)
    return answers.tagged(response, changed)


@routes.delete("/team-roles/{role}", status_code=204)
async def delete_team_role(
    call: Call,
    institution: InstitutionPath,
    role: RolePath,
    expected: IfMatch,
    removal: Annotated[Removal, Query()],
) -> None:
    """Delete a role to which nobody was appointed; any other is retired instead (`in_use`)."""
    await call.write(team_roles.remove, institution, role, expected, removal.reason)


@routes.post("/appointments", status_code=201)
async def create_appointment(
    call: Call, institution: InstitutionPath, new: NewAppointment, response: Response
) -> Appointment:
    """Appoint a person to a role in a unit's reform team, for a year or a part of it.

    Needs `people:change` on the unit. An appointment allows nothing by itself: see grants.
    """
    made = await call.write(appointments.create, institution, new)
    return answers.created(
        response, made, "institutions", institution, "appointments", str(made.id)
    )


@routes.get("/appointments")
async def list_appointments(
    call: Call,
    institution: InstitutionPath,
    query: Annotated[AppointmentsQuery, Query()],
    request: Request,
    response: Response,
) -> Page[Appointment]:
    """Who is, or was, in the teams of the units that you see, filtered and sorted."""
    return answers.paged(request, response, await call.read(appointments.page, institution, query))


@routes.post("/appointments/renewal")
async def renew_appointments(call: Call, institution: InstitutionPath, new: NewRenewal) -> Renewal:
    """Appoint a year's team again for a later year, with all units below, in one call.

    Who left before the end of their year, is inactive, or has a retired role or an archived unit is
    passed over; who is there already stays as they are.
    """
    return await call.write(renewals.renew, institution, new)


@routes.get("/appointments/{appointment}")
async def get_appointment(
    call: Call,
    institution: InstitutionPath,
    appointment: AppointmentPath,
    request: Request,
    response: Response,
) -> Appointment:
    """One appointment."""
    found = await call.read(appointments.get, institution, appointment)
    return answers.fresh(request, response, found)


@routes.patch("/appointments/{appointment}")
async def change_appointment(
    call: Call,
    institution: InstitutionPath,
    appointment: AppointmentPath,
    changes: AppointmentChanges,
    expected: IfMatch,
    response: Response,
) -> Appointment:
    """Change an appointment's days or its decree."""
    changed = await call.write(appointments.change, institution, appointment, changes, expected)
    return answers.tagged(response, changed)


@routes.delete("/appointments/{appointment}", status_code=204)
async def delete_appointment(
    call: Call,
    institution: InstitutionPath,
    appointment: AppointmentPath,
    expected: IfMatch,
    removal: Annotated[Removal, Query()],
) -> None:
    """Take back an appointment that was a mistake. Who leaves gets another last day instead."""
    await call.write(appointments.remove, institution, appointment, expected, removal.reason)
