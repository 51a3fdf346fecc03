"""Attempts in an institution of their own: short calls that insist on what becomes of them."""

from typing import Any

import httpx

from tests.support.institution import Institution, Json

NEW: dict[str, Json] = {
    "initiatives": {"title": "T", "unit": "A1", "year": 2022},
    "people": {"name": "P", "unit": "A1"},
    "units": {"name": "U", "parent": "A1"},
}
"""What somebody would create in A1, by noun; all but the code."""


async def refused(
    tree: Institution,
    status: int,
    client: httpx.AsyncClient,
    method: str,
    path: str,
    body: Any = None,
) -> Json:
    """Insist that a request of somebody is refused, and that nothing was written."""
    before = await tree.written()
    told = await tree.expect(
        status, method, f"{tree.path}/{path}", body, client=client, if_match="*"
    )
    assert await tree.written() == before
    return told


async def allowed(
    tree: Institution,
    status: int,
    client: httpx.AsyncClient,
    method: str,
    path: str,
    body: Any = None,
) -> Json:
    """Insist that somebody may."""
    return await tree.expect(
        status, method, f"{tree.path}/{path}", body, client=client, if_match="*"
    )


async def grant(tree: Institution, person: str, *roles: tuple[str, str | None]) -> None:
    """Give somebody roles on units."""
    for role, unit in roles:
        await tree.post("grants", {"person": person, "role": role, "unit": unit})


async def token(tree: Institution, person: str, **limits: Any) -> httpx.AsyncClient:
    """A client with a new token of somebody, narrowed or ending."""
    made = await tree.post("tokens", {"person": person, "name": "another", **limits})
    return tree.client(made["token"])
