"""`Call`: the one dependency of an endpoint — who is asking, and the database."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from app import db
from app.api.bodies import Route
from app.errors import Unauthorized
from app.schemas.fields import Digits
from app.services import access
from app.services.access import Actor

_bearer = HTTPBearer(auto_error=False, scheme_name="token", description="An API token: `qw_…`.")
_LONGEST = 4_096


# Dependencies are async although they await nothing: FastAPI runs plain ones in a thread each.


async def _call(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
) -> db.Call[Actor]:
    if credentials is None or not 0 < len(credentials.credentials) <= _LONGEST:
        raise Unauthorized
    database: db.Database = request.app.state.database
    return db.Call(database, access.identify(access.digest(credentials.credentials)))


Call = Annotated[db.Call[Actor], Depends(_call)]

InstitutionPath = Annotated[str, Path(description="Code or id of the institution.", max_length=64)]
UnitPath = Annotated[str, Path(description="Code or id of the unit.", max_length=64)]
PersonPath = Annotated[str, Path(description="Code or id of the person.", max_length=64)]
SchemePath = Annotated[str, Path(description="Code or id of the scheme.", max_length=64)]
AreaPath = Annotated[str, Path(description="Code or id of the reform area.", max_length=64)]
InitiativePath = Annotated[str, Path(description="Code or id of the initiative.", max_length=64)]
MilestoneNumber = Annotated[
    int, Digits, Path(description="Number of the milestone.", ge=1, le=9999)
]


def router(prefix: str, tag: str) -> APIRouter:
    """A router of strict routes."""
    return APIRouter(prefix=prefix, tags=[tag], route_class=Route)
