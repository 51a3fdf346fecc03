"""An institution as a test drives it: short calls over HTTP that say what they expect."""

from collections.abc import Callable
from typing import Any

import httpx
from sqlalchemy.orm import Session

from app.db import Database
from app.schemas.grants import NewGrant
from app.schemas.institutions import NewInstitution
from app.schemas.people import NewPerson
from app.schemas.permissions import Role
from app.schemas.tokens import NewToken
from app.services import grants, institutions, people, tokens
from app.services.actors import Actor

API = "/api/v1"
Json = dict[str, Any]


class Institution:
    """A tenant of one test, driven over HTTP by an operator, a reporter and a verifier."""

    reporter: httpx.AsyncClient
    verifier: httpx.AsyncClient
    database: Database
    """Where it was founded, for what no request does."""

    def __init__(
        self, code: str, operator: httpx.AsyncClient, transport: httpx.AsyncBaseTransport
    ) -> None:
        self.code = code
        self.operator = operator
        self.path = f"{API}/institutions/{code}"
        self._transport = transport

    async def create(self) -> None:
        """Make the institution, its people and their clients."""
        await self.expect(201, "POST", f"{API}/institutions", {"code": self.code, "name": "Test"})
        self.reporter = await self.person("reporter", "reporter")
        self.verifier = await self.person("verifier", "verifier")

    async def found(self, database: Database, operator: Callable[[Session], Actor]) -> None:
        """What `create` makes, by the same verbs in one transaction: most tests begin with it."""

        def verb(session: Session) -> list[str]:
            actor = operator(session)
            institutions.create(session, actor, NewInstitution(code=self.code, name="Test"))
            made = []
            for role in (Role.REPORTER, Role.VERIFIER):
                person = NewPerson(code=role, name=role.title())
                people.create(session, actor, self.code, person)
                grants.create(session, actor, self.code, NewGrant(person=role, role=role))
                token = NewToken(person=role, name="tests")
                made.append(tokens.create(session, actor, self.code, token).token)
            return made

        self.database = database
        self.reporter, self.verifier = map(self.client, await database.write(verb))

    async def close(self) -> None:
        """Close the clients that were opened here."""
        await self.reporter.aclose()
        await self.verifier.aclose()

    async def person(
        self, code: str, role: str | None = None, on: str | None = None
    ) -> httpx.AsyncClient:
        """A new person with a role on a unit, the root if none is named; and their client."""
        await self.post("people", {"code": code, "name": code.title(), "unit": on})
        if role is not None:
            await self.post("grants", {"person": code, "role": role, "unit": on})
        token = (await self.post("tokens", {"person": code, "name": "tests"}))["token"]
        return self.client(token)

    def client(self, token: str) -> httpx.AsyncClient:
        """A client with a token."""
        return httpx.AsyncClient(
            transport=self._transport,
            base_url="http://test",
            headers={"Authorization": f"Bearer {token}"},
        )

    async def unit(self, code: str, parent: str | None = None) -> Json:
        """A new unit."""
        return await self.post("units", {"code": code, "name": f"Unit {code}", "parent": parent})

    async def initiative(self, code: str, unit: str | None = None, **fields: Any) -> Json:
        """A new initiative: active, with the reporter accountable, unless said otherwise.

        One that is cancelled has a reason, for it owes one.
        """
        plain: Json = {
            "code": code,
            "title": f"Initiative {code}",
            "unit": unit or self.code,
            "year": 2022,
            "areas": ["accountability"],
            "status": "active",
            "owners": [{"person": "reporter", "role": "accountable"}],
        }
        if fields.get("status") == "cancelled":
            plain["reason"] = "Cancelled before it came here"
        return await self.post("initiatives", plain | fields)

    async def milestone(self, initiative: str, due_on: str, **fields: Any) -> Json:
        """A new milestone."""
        body = {"title": "Milestone", "due_on": due_on, **fields}
        return await self.post(f"initiatives/{initiative}/milestones", body)

    async def report(
        self, initiative: str, number: int, percent: float, effective_on: str | None = None
    ) -> Json:
        """A report by the reporter."""
        body: Json = {"percent_complete": percent}
        if effective_on:
            body["effective_on"] = effective_on
        path = f"{self.path}/initiatives/{initiative}/milestones/{number}/updates"
        return await self.expect(201, "POST", path, body, client=self.reporter)

    async def verify(self, update: Json, verdict: str = "verified", note: str = "seen") -> Json:
        """A verdict by the verifier."""
        path = (
            f"{self.path}/initiatives/{update['initiative']}/milestones/{update['milestone']}"
            f"/updates/{update['id']}/verification"
        )
        body = {"verdict": verdict, "note": note}
        return await self.expect(200, "POST", path, body, client=self.verifier)

    async def rollup(self, unit: str | None = None, part: str = "", **asked: Any) -> Json:
        """A roll-up of the institution or a unit; `part` is `/children` or `/areas`."""
        at = f"units/{unit}/rollup" if unit else "rollup"
        return await self.get(f"{at}{part}", **asked)

    async def get(self, path: str, **parameters: Any) -> Json:
        """What is at a path below the institution."""
        return await self.expect(200, "GET", f"{self.path}/{path}", parameters=parameters)

    async def post(self, path: str, body: Json) -> Json:
        """What a creation below the institution answers."""
        return await self.expect(201, "POST", f"{self.path}/{path}", body)

    async def patch(self, path: str, body: Json, status: int = 200) -> Json:
        """What a change below the institution answers, whatever the version."""
        return await self.expect(status, "PATCH", f"{self.path}/{path}", body, if_match="*")

    async def delete(self, path: str, status: int = 204) -> Json:
        """Delete below the institution, whatever the version."""
        return await self.expect(status, "DELETE", f"{self.path}/{path}", if_match="*")

    async def written(self) -> list[str]:
        """The types of its events, newest first; attempts that were denied aside."""
        events = (await self.get("events", limit=200, sort="-sequence"))["items"]
        return [e["type"] for e in events if not e["type"].startswith("access.denied")]

    async def expect(
        self,
        status: int,
        method: str,
        path: str,
        body: Any = None,
        *,
        parameters: Json | None = None,
        if_match: str | None = None,
        client: httpx.AsyncClient | None = None,
    ) -> Json:
        """Send a request and insist on its status; the answer's JSON, or {} without a body."""
        answer = await (client or self.operator).request(
            method,
            path,
            json=body,
            params=parameters,
            headers={"If-Match": if_match} if if_match else None,
        )
        assert answer.status_code == status, (answer.status_code, answer.text)
        content: Json = answer.json() if answer.content else {}
        return content
