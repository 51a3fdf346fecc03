"""What the document says of fields and parameters, which is read when it is made."""

from typing import Annotated

import httpx
from fastapi import APIRouter, FastAPI, Query

from app.api import parameters
from app.api.routing import LateRoute
from app.schemas.descriptions import descriptions
from app.schemas.pages import ChangesPaging, Page, Paging


class Things(ChangesPaging):
    """A query of which a part is declared anew."""

    limit: int = 7


def test_docstrings_are_inherited_unless_a_field_is_declared_anew() -> None:
    assert descriptions(Paging)["limit"] == "Most items on a page."
    assert descriptions(Things).keys() == descriptions(ChangesPaging).keys() - {"limit"}
    assert Things.model_fields["updated_since"].description is None, "read, though nobody asked"
    properties = Page[int].model_json_schema()["properties"]
    assert properties["total"]["description"].startswith("All items that match")
    assert "description" not in properties["items"]


async def test_a_route_is_completed_by_its_first_request_and_described_by_the_document() -> None:
    router = APIRouter(route_class=LateRoute)

    @router.get("/things")
    async def things(query: Annotated[Things, Query()]) -> int:
        return query.limit

    @router.get("/things/{number}")
    async def thing(number: int) -> int:
        return number

    app = FastAPI()
    app.router.routes.extend(router.routes)
    first, second = router.routes
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        assert (await client.get("/things?limit=3")).json() == 3
        assert (await client.get("/things?limit=x")).status_code == 422
        assert (await client.post("/things")).status_code == 405
    assert "dependant" in vars(first)
    assert "dependant" not in vars(second)
    parameters.describe(app)
    told = {each["name"]: each for each in app.openapi()["paths"]["/things"]["get"]["parameters"]}
    since = told["updated_since"]
    assert (
        since["description"]
        == since["schema"]["description"]
        == "Changed at or after this instant."
    )
    assert "description" not in told["limit"]
    assert "/things/{number}" in app.openapi()["paths"]
