"""A small institution in which every text says whose it is, and everybody who wants to read it."""

import io
import itertools
import json
import re
import zipfile
from typing import Any, NamedTuple

import httpx

from app.db import Database
from tests.security.actors import READ, SPECS, UNITS, Spec
from tests.security.operations import Operation
from tests.support.contract import CheckedTransport
from tests.support.institution import API, Institution
from tests.support.webhooks import logged

Json = dict[str, Any]
STALE = '"v999999"'
FILE = {"Content-Type": "application/octet-stream"}
CSV = {"Content-Type": "text/csv"}
TEMPLATE = "standard"
"""The code of a template of either institution."""
PERIOD = {
    "code": "2190-B03", "name": {"id": "Triwulan", "en": "Quarter"}, "year": 2022, "starts_on": "2190-01-01",
    "ends_on": "2190-03-31", "opens_on": "2190-03-25", "closes_on": "2190-04-10",
}  # fmt: skip
"""For all members of an institution to see; every initiative owes a report."""
OUTSIDER = "ppoutsiderpp"
"""A person of B who owns an initiative of A1 too."""
_PARENTS = {unit: above[1] for unit, above in UNITS.items() if len(above) > 1}
_PERSON_KEYS = {
    "person", "reported_by", "verified_by", "judged_by", "frozen_by", "taken_by", "granted_by", "key", "responsible",
}  # fmt: skip
"""Where the code of somebody of another unit may stand: who owns, reported, judged and so on."""


def mark(unit: str, permission: str = READ) -> str:
    """What is written into every text of a unit that takes a permission to see."""
    return f"qz{unit.lower()}{'' if permission == READ else permission.replace(':', '')}zq"


def unit_code(unit: str) -> str:
    """A unit's code, which is no part of another one's."""
    return f"uu{unit.lower()}uu"


def person_code(unit: str) -> str:
    """The code of a unit's person."""
    return f"pp{unit.lower()}pp"


class Actor(NamedTuple):
    """Somebody with a client, and what they must not come across."""

    name: str
    spec: Spec
    client: httpx.AsyncClient
    forbidden: re.Pattern[str] | None
    """Marks and ids of what they may not see."""
    strangers: re.Pattern[str] | None
    """Codes of people and units that they may not see; they may stand in certain places."""
    placed: dict[str, frozenset[str]]
    """Where codes of units that they may not see may stand: those above, and where roles are held."""

    def leaks(self, answer: httpx.Response) -> list[str]:
        """What the answer, its headers included, shows of what the actor may not see."""
        text = f"{_text(answer)}\n{json.dumps(list(answer.headers.values()))}".lower()
        found = set(self.forbidden.findall(text)) if self.forbidden else set()
        if self.strangers and self.strangers.search(text):
            found |= set(self._misplaced(_read(answer), ""))
            found |= set(self.strangers.findall(str(answer.headers).lower()))
        return sorted(found)

    def _misplaced(self, value: Any, key: str) -> list[str]:
        if isinstance(value, dict):
            return [code for k, v in value.items() for code in self._misplaced(v, k)]
        if isinstance(value, list):
            return [code for item in value for code in self._misplaced(item, key)]
        assert self.strangers is not None
        return [
            code for code in self.strangers.findall(str(value).lower())
            if code not in self.placed.get(key, ())
            and not (code.startswith("pp") and key in _PERSON_KEYS)
        ]  # fmt: skip


def _read(answer: httpx.Response) -> Any:
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if kind.endswith("jsonl"):
        return [json.loads(line) for line in answer.text.splitlines()]
    return answer.json() if kind.endswith("json") else answer.text


def _text(answer: httpx.Response) -> str:
    if answer.content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(answer.content)) as workbook:
            return "\n".join(workbook.read(name).decode() for name in workbook.namelist())
    return answer.text


_YEAR = {"starts_on": "2022-01-01", "ends_on": "2022-12-31"}


class World:
    """The institution, the other one, and everybody's clients."""

    things: dict[str, Json]
    """By unit: what `{unit}`, `{person}` and so on stand for in paths, bodies and parameters."""
    ids: dict[str, dict[str, str]]
    """By unit: the same as ids, of what has a code too."""

    def __init__(
        self,
        code: str,
        operator: httpx.AsyncClient,
        transport: CheckedTransport,
        database: Database,
    ) -> None:
        self._database = database
        self.home = Institution(code, operator, transport)
        self.other = Institution(f"{code}-x", operator, transport)
        self.operator = operator
        self.things = {unit: {} for unit in UNITS}
        self.ids = {unit: {} for unit in UNITS}
        self.actors: dict[str, Actor] = {}
        self._hidden: dict[str, dict[str, list[str]]] = {unit: {} for unit in UNITS}
        self._numbers = itertools.count(1)
        self._assessed: dict[str, str] = {}
        self._nobody = httpx.AsyncClient(transport=transport, base_url="http://test")

    async def create(self) -> None:
        """Make both institutions, then everybody."""
        for institution in (self.home, self.other):
            body = {"code": institution.code, "name": "Institution"}
            await institution.expect(201, "POST", f"{API}/institutions", body)
            await institution.post("periods", PERIOD)
            await institution.post("templates", {"code": TEMPLATE, "title": "Known to all"})
        for unit, institution in (("A1", self.home), ("X", self.other)):
            await self._register(institution, unit)
        for unit in UNITS:
            await self._fill(self.other if unit == "X" else self.home, unit)
        await self._entangle()
        for name, spec in SPECS.items():
            self.actors[name] = await self._actor(name, spec)

    async def close(self) -> None:
        """Close the clients that were opened here."""
        for actor in self.actors.values():
            if actor.client is not self.operator:
                await actor.client.aclose()

    def new(self) -> str:
        """A code that nothing has."""
        return f"new-{next(self._numbers)}"

    async def fresh(self, kind: str) -> Json:
        """A new thing of A1, to be used up."""
        person = {"code": self.new(), "name": "Fresh", "unit": unit_code("A1")}
        match kind:
            case "webhook":
                names = ("webhook", "secret", "delivery")
                made_three = await self._webhook(self.home, "A1")
                return {name: made["id"] for name, made in zip(names, made_three, strict=True)}
            case "report":
                made = await self.home.post("reports", {"title": "Fresh", "unit": person["unit"]})
            case "returned":
                path = f"initiatives/{self.things['A1']['initiative']}/milestones/1/updates"
                made = await self._returned(self.home, path)
            case "deletion":
                made = await self._deleted(self.home, person["unit"], person["code"])
            case "candidate" | "predecessor" | "closed":
                made = await self._candidate(self.home, "A1", self.new())
                if kind == "closed":
                    await self._cancelled(self.home, made["code"])
                return {kind if kind == "predecessor" else "initiative": made["code"]}
            case "dependency":
                first = await self._candidate(self.home, "A1", self.new())
                path = f"initiatives/{self.things['A1']['initiative']}/dependencies"
                made = await self.home.post(path, {"predecessor": first["code"]})
            case "obstacle":
                new = {"title": "Fresh", "unit": person["unit"], "decision_asked": "Fresh"}
                made = await self.home.post("obstacles", new)
            case "token":
                body = {"person": person_code("A1"), "name": "Fresh"}
                made = await self.home.post("tokens", body)
            case "instrument":
                new_one = {"code": self.new(), "name": {"id": "Baru", "en": "New"}}
                await self.home.expect(201, "POST", f"{API}/instruments", new_one)
                return {"instrument": new_one["code"]}
            case "calendar":
                async with await self._token_of(self.home, "A1") as owner:
                    made = await self.home.expect(
                        201, "POST", f"{self.home.path}/calendars", {"name": "Fresh"}, client=owner
                    )
            case _:
                return await self._fresh_person(kind, person)
        return {kind: made["id"]}

    async def _fresh_person(self, kind: str, person: Json) -> Json:
        await self.home.post("people", person)
        if kind == "person":
            return {"person": person["code"]}
        grant = {"person": person["code"], "role": "viewer", "unit": person["unit"]}
        return {kind: (await self.home.post("grants", grant))["id"]}

    async def send(
        self,
        client: httpx.AsyncClient,
        method: str,
        path: str,
        operation: Operation,
        things: Json,
        *,
        headers: Json | None = None,
        parameters: Json | None = None,
    ) -> httpx.Response:
        """One request of an operation, with everything filled in."""
        noun = "unit" if "/units/" in path else "initiative"
        things = {
            "new": self.new(), "format": "jsonl", "rating": things[f"{noun} rating"], **things,
        }  # fmt: skip
        sent = {"If-Match": STALE} if operation.allowed == 412 else {}
        return await client.request(
            method.upper(),
            path.format(**things),
            params={**operation.query, **filled(parameters or {}, things)},
            json=filled(operation.body, things),
            content=None if operation.file is None else operation.file.format(**things).encode(),
            headers={**sent, **({} if operation.file is None else FILE), **(headers or {})},
        )

    async def _register(self, home: Institution, unit: str) -> None:
        """What is of an institution as a whole, and all of it reads."""
        names = {"id": "Daya ungkit", "en": "Leverage"}
        decree = {"number": "1", "issued_on": "2022-01-17", "signer": "Signer", "title": "Decree"}
        for noun, path, body in (
            ("criterion", "criteria", {"name": names}), ("decree", "decrees", decree),
            ("role", "team-roles", {"name": names}),
        ):  # fmt: skip
            made = await home.post(path, {"code": f"{noun}-{unit}", **body})
            self.things[unit][noun], self.ids[unit][noun] = made["code"], made["id"]
        await self.operator.put(f"{API}/indicators/trust-barometer/values/2022", json=_YEAR)
        judged = {"instrument": "permenpan-26-2020", "score_year": 2022, "assessor": "self"}
        assessment = await home.post("assessments", {**judged, "score": 70})
        self._assessed[home.code] = assessment["id"]
        led = {"code": f"{home.code}-programme", "lead": home.code, "from_year": 2022}
        await home.expect(201, "POST", f"{API}/programmes", {**led, "name": names})

    async def _candidate(self, home: Institution, unit: str, code: str) -> Json:
        """A proposed initiative of a unit."""
        new = {"code": code, "title": f"text {mark(unit)}", "unit": unit_code(unit), "year": 2022}
        return await home.post("initiatives", new)

    async def _cancelled(self, home: Institution, code: str) -> None:
        why = {"status": "cancelled", "reason": "Why"}
        await home.patch(f"initiatives/{code}", why)

    async def _judged(self, home: Institution, code: str, text: str) -> Json:
        """A closing verdict on an initiative, which goes on afterwards."""
        await self._cancelled(home, code)
        made = await home.post(
            f"initiatives/{code}/verdicts", {"verdict": "met-fast", "note": text}
        )
        await home.patch(f"initiatives/{code}", {"status": "active", "reason": "Why"})
        return made

    async def _fill(self, home: Institution, unit: str) -> None:
        """A unit, and one thing of every kind, of which each text bears its mark."""
        text, code = f"text {mark(unit)}", unit_code(unit)
        fields = {"kind": f"kind-{mark(unit)}", "name": text, "reference_code": mark(unit)}
        if unit in _PARENTS:
            body = {"code": code, "parent": unit_code(_PARENTS[unit]), **fields}
            made_unit = await home.post("units", body)
        else:
            made_unit = await home.patch(f"units/{home.code}", {"code": code, **fields})
        person = await home.post(
            "people",
            {
                "code": person_code(unit), "name": text, "position": text, "unit": code,
                "email": f"{mark(unit)}@example.org",
            },
        )  # fmt: skip
        grant = await home.post(
            "grants", {"person": person["code"], "role": "reporter", "unit": code}
        )
        secret = {"person": person["code"], "name": f"text {mark(unit, 'tokens:read')}"}
        token = await home.post("tokens", secret)
        milestone = {"title": text, "description": text, "due_on": "2022-06-30"}
        initiative = await home.post(
            "initiatives",
            {
                "code": f"i-{mark(unit)}", "title": text, "description": text, "unit": code,
                "year": 2022, "expected_result": text, "tags": [mark(unit)], "status": "active",
                "owners": [{"person": person["code"], "role": "accountable"}],
                "areas": ["accountability"], "milestones": [milestone, milestone],
            },
        )  # fmt: skip
        path = f"{home.path}/initiatives/{initiative['code']}"
        async with home.client(token["token"]) as reporter:
            sent = await reporter.post(
                f"{home.path}/files", params={"name": f"{text}.pdf"}, headers=FILE,
                content=f"%PDF-1.7 {text}\n",
            )  # fmt: skip
            file = sent.json()["id"]
            updates = [
                await home.expect(
                    201, "POST", f"{path}/milestones/1/updates",
                    {
                        "percent_complete": 30, "note": text, "source": mark(unit),
                        "external_id": f"{mark(unit)}-{number}",
                        "evidence": [
                            {"title": text, "url": f"https://example.org/{mark(unit)}"},
                            {"title": text, "file": file},
                        ],
                    },
                    client=reporter,
                )
                for number in (1, 2)
            ]  # fmt: skip
            calendar = await home.expect(
                201, "POST", f"{home.path}/calendars",
                {"name": f"text {mark(unit, 'tokens:read')}", "unit": code}, client=reporter,
            )  # fmt: skip
        verdict = {"verdict": "returned", "note": text}
        verdict_path = f"{path}/milestones/1/updates/{updates[0]['id']}/verification"
        await home.expect(200, "POST", verdict_path, verdict)
        judged = {"rating": "amber", "reason": text}
        ratings = [
            await home.post(f"{noun}/ratings", judged)
            for noun in (f"initiatives/{initiative['code']}", f"units/{code}")
        ]
        planned = f"initiatives/{initiative['code']}"
        await home.post(f"{planned}/baselines", {"reason": text})
        tie = {"milestone": 2, "predecessor": initiative["code"], "predecessor_milestone": 1}
        dependency = await home.post(f"{planned}/dependencies", tie)
        told = {"title": text, "said": text, "channel": text}
        publication = await home.post(f"initiatives/{initiative['code']}/publications", told)
        report = await home.post("reports", {"title": text, "note": text, "unit": code})
        deletion = await self._deleted(home, code, mark(unit, "initiatives:change"))
        plan = f"code,title,unit,year\ni-import,{text},{code},2022\n"
        submitted = await self.operator.post(
            f"{home.path}/imports", params={"mode": "check"}, content=plan, headers=FILE
        )
        webhook, secret, delivery = await self._webhook(home, unit)
        candidate = await self._candidate(home, unit, f"c-{mark(unit)}")
        role = self.things["X" if unit == "X" else "A1"]["role"]
        member = {"person": person["code"], "role": role, "unit": code, "year": 2022}
        appointment = await home.post("appointments", member)
        indicator, value = await self._indicator(home, unit)
        stage = await self._stage(home, unit) if unit in {"A1", "X"} else {}
        hindered = {"title": text, "description": text, "owner": person["code"]}
        obstacle = await home.post(
            "obstacles",
            {**hindered, "initiative": initiative["code"], "decision_asked": text},
        )
        of_unit = await home.post("obstacles", {**hindered, "unit": code})
        follow_up = await home.post(
            f"obstacles/{obstacle['id']}/follow-ups", {"action": text, "owner": person["code"]}
        )
        self.things[unit] |= {
            "institution": home.code, "unit": code, "person": person["code"],
            "initiative": initiative["code"], "number": 1, "update": updates[1]["id"],
            "returned": updates[0]["id"], "file": file,
            "initiative rating": ratings[0]["id"], "unit rating": ratings[1]["id"],
            "report": report["id"], "grant": grant["id"], "token": token["id"], "deletion": deletion["id"],
            "import_id": submitted.json()["id"],
            "webhook": webhook["id"], "secret": secret["id"], "delivery": delivery["id"],
            "calendar": calendar["id"], "template": TEMPLATE,
            "publication": publication["id"], **stage,
            "verdict": "met-fast", "judgement": (judgement := await self._judged(home, initiative["code"], text))["id"],
            "appointment": appointment["id"],
            "dependency": dependency["id"], "predecessor": initiative["code"],
            "period": PERIOD["code"], "label": "2022",
            "obstacle": obstacle["id"], "follow_up": follow_up["id"],
            "above": unit_code(_PARENTS.get(unit, unit)), "scheme": "rb-2020",
            "area": "accountability", "purpose": "capable", "programme": f"{home.code}-programme",
            "indicator": indicator["code"], "assessment": self._assessed[home.code],
            "instrument": "permenpan-26-2020", "national_indicator": "trust-barometer",
        }  # fmt: skip
        institution = await home.expect(200, "GET", home.path)
        self.ids[unit] |= {
            "institution": institution["id"], "unit": made_unit["id"], "person": person["id"],
            "initiative": initiative["id"], "above": made_unit["id"],
        }  # fmt: skip
        self._hidden[unit] = {
            READ: [
                mark(unit),
                file,
                *(
                    made["id"]
                    for made in (
                        made_unit, person, initiative, *initiative["plan"], *updates, *ratings, report,
                        candidate, appointment,
                        dependency,
                        indicator, value, publication,
                        obstacle, of_unit, follow_up, judgement,
                    )
                ),
            ],
            "tokens:read": [mark(unit, "tokens:read"), token["id"], token["token"].lower(), calendar["id"]],
            "grants:read": [grant["id"]],
            "initiatives:change": [mark(unit, "initiatives:change"), deletion["id"]],
            "institution:change": [submitted.json()["id"]],
            "webhooks:read": [
                mark(unit, "webhooks:read"), webhook["id"], secret["id"], delivery["id"],
                webhook["secret"].lower(),
            ],
        }  # fmt: skip

    async def _indicator(self, home: Institution, unit: str) -> tuple[Json, Json]:
        """An indicator of a unit, and what was measured in a year."""
        text = f"text {mark(unit)}"
        indicator = await home.post(
            "indicators",
            {
                "code": f"n-{mark(unit)}", "name": {"id": text, "en": text}, "unit": unit_code(unit),
                "unit_of_measure": text,
            },
        )  # fmt: skip
        path = f"{home.path}/indicators/{indicator['code']}/values/2022"
        return indicator, await home.expect(201, "PUT", path, {**_YEAR, "source": text})

    async def _stage(self, home: Institution, unit: str) -> Json:
        """A stage that the unit's initiative is blocked in, as is the milestone that is due in it.

        Stages are no unit's: one of a home is enough, which is there for all its people.
        """
        new = {
            "code": f"s-{unit.lower()}", "calendar": "c", "name": {"id": "Tahap", "en": "Stage"},
            "starts_on": "2022-06-01", "ends_on": "2022-06-30",
        }  # fmt: skip
        stage = await home.post("stages", new)
        link = {"stage": stage["code"], "relation": "blocked_during"}
        await home.patch(f"initiatives/i-{mark(unit)}", {"stages": [link]})
        return {"stage": stage["code"]}

    async def _webhook(self, home: Institution, unit: str) -> tuple[Json, Json, Json]:
        """A webhook of a unit with two secrets, and an attempt to send something."""
        text = mark(unit, "webhooks:read")
        new = {
            "url": f"https://{text}.invalid/", "description": text, "unit": unit_code(unit),
        }  # fmt: skip
        webhook = await home.post("webhooks", new)
        secret = await home.post(f"webhooks/{webhook['id']}/secrets", {})
        return webhook, secret, await logged(home, self._database, webhook)

    async def _returned(self, home: Institution, path: str) -> Json:
        """A report of the unit's person that was returned."""
        async with await self._token_of(home, "A1") as reporter:
            body = {"percent_complete": 20}
            made = await home.expect(201, "POST", f"{home.path}/{path}", body, client=reporter)
        verdict = {"verdict": "returned", "note": "Fresh"}
        path = f"{home.path}/{path}/{made['id']}/verification"
        return await home.expect(200, "POST", path, verdict)

    async def _token_of(self, home: Institution, unit: str) -> httpx.AsyncClient:
        body = {"person": person_code(unit), "name": f"text {mark(unit, 'tokens:read')}"}
        return home.client((await home.post("tokens", body))["token"])

    async def _deleted(self, home: Institution, unit: str, code: str) -> Json:
        """A deletion of an initiative of a unit."""
        new = {"code": code, "title": f"text {code}", "unit": unit, "year": 2022}
        await home.post("initiatives", new)
        await home.delete(f"initiatives/{code}")
        (found,) = (await home.get("deletions", subject=code))["items"]
        return dict(found)

    async def _entangle(self) -> None:
        """Ties between units, over which something could be seen: an owner, a successor, who waits."""
        text = f"text {mark('B')}"
        outsider = {"code": OUTSIDER, "name": text, "email": f"{mark('B')}@example.org"}
        made = await self.home.post("people", {**outsider, "unit": unit_code("B")})
        self._hidden["B"][READ].append(made["id"])
        shared = await self.home.post(
            "initiatives",
            {
                "code": f"j-{mark('A1')}", "title": "Shared", "unit": unit_code("A1"),
                "year": 2022, "status": "active", "milestones": [
                    {"title": "Shared", "due_on": "2022-06-30"}
                ],
                "owners": [
                    {"person": person_code("A1"), "role": "accountable"},
                    {"person": OUTSIDER, "role": "supporting"},
                ],
            },
        )  # fmt: skip
        self._hidden["A1"][READ].append(shared["id"])
        for code, unit in (("waits", "A1"), ("awaited", "B")):
            new = {"code": code, "title": mark(unit), "unit": unit_code(unit), "year": 2022}
            self._hidden[unit][READ].append((await self.home.post("initiatives", new))["id"])
        await self.home.post("initiatives/waits/dependencies", {"predecessor": "awaited"})
        # A successor's id may be seen, for whoever reads a report must learn that it stands no more.
        old = await self.home.post("reports", {"title": "Old", "unit": unit_code("A1")})
        body = {"title": f"text {mark('R')}", "unit": unit_code("R"), "supersedes": old["id"]}
        await self.home.post("reports", body)

    async def _actor(self, name: str, spec: Spec) -> Actor:
        client = self._nobody
        if spec.kind == "operator":
            client = self.operator
        elif spec.kind != "nobody":
            home = self.other if spec.kind == "foreign" else self.home
            code = f"actor-{len(self.actors)}"
            await home.post("people", {"code": code, "name": "Actor"})
            for role, place in spec.holdings:
                await home.post("grants", {"person": code, "role": role, "unit": unit_code(place)})
            body = {"person": code, "name": "Actor", "scopes": spec.scopes}
            client = home.client((await home.post("tokens", body))["token"])
        hidden = [
            text for unit, by_permission in self._hidden.items()
            for permission, texts in by_permission.items() if not spec.holds(permission, unit)
            for text in texts
        ]  # fmt: skip
        unseen = [unit for unit in UNITS if not spec.holds(READ, unit)]
        strangers = [code for unit in unseen for code in (unit_code(unit), person_code(unit))]
        if "B" in unseen:
            strangers.append(OUTSIDER)
        seen = [unit for unit in UNITS if unit not in unseen]
        above = frozenset(unit_code(each) for unit in seen for each in UNITS[unit])
        placed = {
            "parent": above,
            "path": above,
            "after": above,  # of an event about a new unit
            "to": above,  # where an obstacle was handed to
            "root_unit": frozenset({unit_code("R"), unit_code("X")}),
            "unit": frozenset(unit_code(place) for _, place in spec.holdings),
        }
        return Actor(name, spec, client, _any_of(hidden), _any_of(strangers), placed)


def _any_of(texts: list[str]) -> re.Pattern[str] | None:
    return re.compile("|".join(map(re.escape, texts))) if texts else None


def filled(template: Any, things: Json) -> Any:
    """A body or parameters with `{unit}` and so on filled in."""
    if isinstance(template, dict):
        return {name: filled(value, things) for name, value in template.items()}
    if isinstance(template, list):
        return [filled(value, things) for value in template]
    return template.format(**things) if isinstance(template, str) else template


def placeholders(template: Any) -> set[str]:
    """Names in braces within a path, a body or parameters."""
    if isinstance(template, dict):
        template = list(template.values())
    if isinstance(template, list):
        return set().union(*map(placeholders, template))
    return set(re.findall(r"{([a-z]+)}", template)) if isinstance(template, str) else set()
