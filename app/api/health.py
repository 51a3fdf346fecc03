"""Whether the service is up; without a token."""

from typing import Literal

from fastapi import APIRouter, Request
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.db import Database
from app.schemas.fields import Shape

routes = APIRouter(prefix="/health", tags=["health"])


class HealthAnswer(Shape):
    """The service answers."""

    status: Literal["ok"]


@routes.get("/live")
async def live() -> HealthAnswer:
    """The process answers."""
    return HealthAnswer(status="ok")


@routes.get("/ready")
async def ready(request: Request) -> HealthAnswer:
    """The process reaches its database; 503 if not."""
    database: Database = request.app.state.database
    await database.read(_reach)
    return HealthAnswer(status="ok")


def _reach(session: Session) -> None:
    session.execute(text("SELECT 1"))
