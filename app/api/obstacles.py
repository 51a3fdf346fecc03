"""Obstacles and follow-ups over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Request, Response

from app.api import answers
from app.api.answers import IfMatch, Removal
from app.api.calls import Call, InstitutionPath, router
from app.schemas.obstacles import (
    Escalation,
    FollowUp,
    FollowUpChanges,
    FollowUpsQuery,
    NewDecision,
    NewFollowUp,
    NewObstacle,
    Obstacle,
    ObstacleChanges,
    ObstaclesQuery,
)
from app.schemas.pages import Page
from app.services import escalation, follow_ups, obstacles, register

routes = router("/institutions/{institution}/obstacles", "obstacles")
ObstaclePath = Annotated[UUID, Path(description="Id of the obstacle.")]
FollowUpPath = Annotated[UUID, Path(description="Id of the follow-up.")]


@routes.post("", status_code=201)
async def create_obstacle(
    call: Call, institution: InstitutionPath, new: NewObstacle, response: Response
) -> Obstacle:
    """Say what holds an initiative up, or a unit as a whole. Reporters may (`obstacles:report`)."""
    made = await call.write(obstacles.create, institution, new)
    return answers.created(response, made, "institutions", institution, "obstacles", str(made.id))


@routes.get("")
async def list_obstacles(
    call: Call,
    institution: InstitutionPath,
    query: Annotated[ObstaclesQuery, Query()],
    request: Request,
    response: Response,
) -> Page[Obstacle]:
    """Obstacles, filtered; the newest first. One sees those of the units that one sees."""
    return answers.paged(request, response, await call.read(register.page, institution, query))


@routes.get("/{obstacle}")
async def get_obstacle(
    call: Call, institution: InstitutionPath, obstacle: ObstaclePath, response: Response
) -> Obstacle:
    """One obstacle. `overdue_days` and what follow-ups are overdue also change with the day."""
    return answers.tagged(response, await call.read(register.get, institution, obstacle))


@routes.patch("/{obstacle}")
async def change_obstacle(
    call: Call,
    institution: InstitutionPath,
    obstacle: ObstaclePath,
    changes: ObstacleChanges,
    expected: IfMatch,
    response: Response,
) -> Obstacle:
    """Change an obstacle, its state, or the decision that is asked for.

    `open` becomes `in_progress` and `resolved`; a resolved one becomes `open` again, with a reason.
    """
    changed = await call.write(obstacles.change, institution, obstacle, changes, expected)
    return answers.tagged(response, changed)


@routes.delete("/{obstacle}", status_code=204)
async def delete_obstacle(
    call: Call,
    institution: InstitutionPath,
    obstacle: ObstaclePath,
    expected: IfMatch,
    removal: Annotated[Removal, Query()],
) -> None:
    """Remove what was raised by mistake, for good; else resolve it. It takes `obstacles:decide`."""
    await call.write(obstacles.delete, institution, obstacle, expected, removal.reason)


@routes.post("/{obstacle}/escalation")
async def escalate_obstacle(
    call: Call,
    institution: InstitutionPath,
    obstacle: ObstaclePath,
    asked: Escalation,
    response: Response,
) -> Obstacle:
    """Hand an obstacle to a unit above its own: who may decide there answers what is asked.

    It can be handed on, further up or back down the path; its events tell the whole way.
    """
    return answers.tagged(
        response, await call.write(escalation.escalate, institution, obstacle, asked)
    )


@routes.post("/{obstacle}/decision")
async def decide_obstacle(
    call: Call,
    institution: InstitutionPath,
    obstacle: ObstaclePath,
    new: NewDecision,
    response: Response,
) -> Obstacle:
    """Answer what was asked; `obstacles:decide` on the unit that it was handed to, or on its own.

    A decision stands. For another one, ask again.
    """
    return answers.tagged(response, await call.write(escalation.decide, institution, obstacle, new))


@routes.post("/{obstacle}/follow-ups", status_code=201)
async def create_follow_up(
    call: Call,
    institution: InstitutionPath,
    obstacle: ObstaclePath,
    new: NewFollowUp,
    response: Response,
) -> FollowUp:
    """Add an action against an obstacle."""
    made = await call.write(follow_ups.create, institution, obstacle, new)
    address = ("institutions", institution, "obstacles", str(obstacle), "follow-ups", str(made.id))
    return answers.created(response, made, *address)


@routes.get("/{obstacle}/follow-ups")
async def list_follow_ups(
    call: Call,
    institution: InstitutionPath,
    obstacle: ObstaclePath,
    query: Annotated[FollowUpsQuery, Query()],
    request: Request,
    response: Response,
) -> Page[FollowUp]:
    """The actions against an obstacle, the oldest first."""
    page = await call.read(follow_ups.page, institution, obstacle, query)
    return answers.paged(request, response, page)


@routes.get("/{obstacle}/follow-ups/{follow_up}")
async def get_follow_up(
    call: Call,
    institution: InstitutionPath,
    obstacle: ObstaclePath,
    follow_up: FollowUpPath,
    response: Response,
) -> FollowUp:
    """One action."""
    found = await call.read(follow_ups.get, institution, obstacle, follow_up)
    return answers.tagged(response, found)


@routes.patch("/{obstacle}/follow-ups/{follow_up}")
async def change_follow_up(
    call: Call,
    institution: InstitutionPath,
    obstacle: ObstaclePath,
    follow_up: FollowUpPath,
    changes: FollowUpChanges,
    expected: IfMatch,
    response: Response,
) -> FollowUp:
    """Change an action, or say what became of it."""
    changed = await call.write(
        follow_ups.change, institution, obstacle, follow_up, changes, expected
    )
    return answers.tagged(response, changed)
