"""What anybody may see: what is published and nothing else, whoever asks and however."""

import re
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest
from fastapi import FastAPI

from app.db import Database
from app.main import create_app
from app.services import public_feeds
from app.settings import Settings
from tests.api.test_limits import client as at_address
from tests.api.test_limits import limited
from tests.api.test_limits import told as standing
from tests.api.test_query_counts import statements
from tests.conftest import OPERATOR, Clients
from tests.support.institution import API, Institution, Json

CANARY = "kenari7f3a"
"""In every text that nobody outside may see."""
SHOWN = "tampil"
ADDRESSES = ("", "/initiatives", "/initiatives/QW-1", "/feed.atom", "/feed.json")
CHARTS = (
    "/rollup/s-curve.svg", "/rollup/badge.svg", "/units/A/rollup/s-curve.svg",
    "/units/A/rollup/badge.svg",
)  # fmt: skip
NUMBERS = {
    "percent_complete", "percent_verified", "percent_scheduled",
    "initiatives.total", "initiatives.active", "initiatives.on_hold", "initiatives.completed",
    "milestones.total", "milestones.done",
}  # fmt: skip
INITIATIVE = {
    "code", "title", "unit", "unit_name", "year", "areas", "status", "percent_complete",
    "percent_verified", "percent_scheduled",
}  # fmt: skip
LISTED: dict[str, set[str]] = {
    "": {
        "code", "name", "as_of", "includes",
        *(f"rollup.{name}" for name in NUMBERS),
        *(f"units.{name}" for name in NUMBERS | {"code", "name"}),
    },
    "/initiatives": {"next_cursor", "total", *(f"items.{name}" for name in INITIATIVE)},
    "/initiatives/QW-1": INITIATIVE | {
        "description", "milestones.title", "milestones.due_on", "milestones.done_on",
        "milestones.verified",
        *(f"publications.{n}" for n in ("title", "said", "published_on", "channel", "url")),
    },
    "/feed.json": {
        "version", "title", "home_page_url", "feed_url", "language", "authors.name",
        *(f"items.{n}" for n in (
            "id", "url", "external_url", "title", "content_text", "date_published",
            "date_modified", "tags",
        )),
    },
}  # fmt: skip
"""Every field that is public."""
ATOM = "{http://www.w3.org/2005/Atom}"


def leaves(value: Any, at: str = "") -> set[str]:
    """The places of an answer that hold something."""
    if isinstance(value, dict):
        return set().union(*(leaves(v, f"{at}.{k}" if at else k) for k, v in value.items()))
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return set().union(*(leaves(each, at) for each in value))
    return {at}


def address(institution: Institution, part: str = "") -> str:
    return f"{API}/public/institutions/{institution.code}{part}"


async def decided(institution: Institution, policy: Json, status: int = 200) -> Json:
    """The answer to a change of the institution's policy."""
    body = {"policy": policy}
    return await institution.expect(status, "PATCH", institution.path, body, if_match="*")


async def opened(institution: Institution, **policy: Any) -> None:
    await decided(institution, {"public": policy})


@pytest.fixture
async def told(institution: Institution) -> Institution:
    """Two units with one published and two other initiatives, canaries in all that is private."""
    for code in ("A", "B"):
        names = {"code": code, "name": f"Unit {code}", "kind": CANARY, "reference_code": CANARY}
        await institution.post("units", names)
    person = {"code": f"p-{CANARY}", "name": CANARY, "position": CANARY, "unit": "A",
              "email": f"{CANARY}@kpu.example"}  # fmt: skip
    await institution.post("people", person)
    owners = [{"person": person["code"], "role": "accountable"}]
    private = {"expected_result": CANARY, "tags": [CANARY], "owners": owners}
    plan = [
        {"title": f"{SHOWN} satu", "due_on": "2022-03-31", "description": CANARY, "weight": 3},
        {"title": f"{SHOWN} dua", "due_on": "2022-06-30", "description": CANARY},
        {"title": CANARY, "due_on": "2022-09-30"},
    ]
    await institution.initiative(
        "QW-1", "A", title=f"{SHOWN} judul", description=f"{SHOWN} uraian", public=True,
        milestones=plan, weight=1, **private,
    )  # fmt: skip
    dropped = {"status": "dropped", "reason": CANARY}
    await institution.patch("initiatives/QW-1/milestones/3", dropped)
    report = {
        "percent_complete": 100, "effective_on": "2022-03-20", "note": CANARY, "source": CANARY,
        "external_id": CANARY, "evidence": [{"title": CANARY, "url": f"https://{CANARY}.example"}],
    }  # fmt: skip
    at = f"{institution.path}/initiatives/QW-1/milestones/1/updates"
    made = await institution.expect(201, "POST", at, report, client=institution.reporter)
    await institution.verify(made, note=CANARY)
    await institution.report("QW-1", 2, 50, "2022-05-01")
    for noun in ("initiatives/QW-1", "units/A"):
        await institution.post(f"{noun}/ratings", {"rating": "red", "reason": CANARY})
    publication = {
        "title": f"{SHOWN} siaran", "said": f"{SHOWN} kata", "channel": f"{SHOWN} koran",
        "published_on": "2022-04-01", "url": f"https://{SHOWN}.example/a?b=c&d",
    }  # fmt: skip
    await institution.post("initiatives/QW-1/publications", publication)
    hidden = [{"title": CANARY, "due_on": "2022-03-31"}]
    for code, unit in (("QW-2", "A"), ("QW-3", "B")):
        texts = {"title": CANARY, "description": CANARY, "milestones": hidden}
        await institution.initiative(code, unit, weight=3, **private, **texts)
        await institution.post(f"initiatives/{code}/publications", {"title": CANARY})
    await institution.report("QW-2", 1, 100, "2022-03-31")
    await institution.initiative("gone", "B", title=CANARY, public=True, milestones=hidden)
    await institution.delete("initiatives/gone")
    return institution


async def test_nothing_is_public_by_default(clients: Clients, told: Institution) -> None:
    for part in ADDRESSES + CHARTS:
        refused = (await clients.nobody.get(address(told, part))).json()
        absent = (await clients.nobody.get(f"{API}/public/institutions/nowhere{part}")).json()
        for answer in (refused, absent):
            del answer["instance"], answer["request_id"]
        assert refused == absent
        assert refused["code"] == "not_found"
        # A token opens nothing here.
        assert (await told.operator.get(address(told, part))).status_code == 404


async def test_every_field_is_listed_and_nothing_else_appears(
    clients: Clients, told: Institution
) -> None:
    await opened(told, units=True)
    for part in ADDRESSES + CHARTS:
        answer = await clients.nobody.get(address(told, part))
        assert answer.status_code == 200
        everything = f"{answer.text}\n{answer.headers}"
        assert CANARY not in everything, part
        assert "reporter" not in everything.lower()
        assert "verifier" not in everything.lower()
        if part and part not in CHARTS:
            assert SHOWN in answer.text
        if part in LISTED:
            assert leaves(answer.json()) == LISTED[part], part
    for code in ("QW-2", "QW-3", "gone", "nothing"):
        content = await clients.nobody.get(address(told, f"/initiatives/{code}"))
        assert (content.status_code, content.json()["code"]) == (404, "not_found")
    unpublished = await told.get("initiatives/QW-2")
    hidden = await clients.nobody.get(address(told, f"/initiatives/{unpublished['id']}"))
    assert hidden.status_code == 404


async def test_a_published_initiative(clients: Clients, told: Institution) -> None:
    await opened(told)
    shown = (await clients.nobody.get(address(told, "/initiatives/qw-1"))).json()
    mine = await told.get("initiatives/QW-1")
    same = ("code", "title", "description", "unit", "year", "areas", "status", "percent_complete",
            "percent_verified", "percent_scheduled")  # fmt: skip
    assert {name: shown[name] for name in same} == {name: mine[name] for name in same}
    assert shown["unit_name"] == "Unit A"
    assert shown["milestones"] == [
        {
            "title": f"{SHOWN} satu",
            "due_on": "2022-03-31",
            "done_on": "2022-03-20",
            "verified": True,
        },
        {"title": f"{SHOWN} dua", "due_on": "2022-06-30", "done_on": None, "verified": False},
    ]
    (publication,) = shown["publications"]
    assert publication["url"] == f"https://{SHOWN}.example/a?b=c&d"
    assert publication["published_on"] == "2022-04-01"


async def test_the_roll_up_is_the_true_number_unless_the_policy_says_otherwise(
    clients: Clients, told: Institution
) -> None:
    async def look() -> Json:
        content: Json = (await clients.nobody.get(address(told))).json()
        return content

    await opened(told, units=True)
    shown, true = await look(), await told.rollup()
    percents = [name for name in NUMBERS if name.startswith("percent")]
    assert {n: shown["rollup"][n] for n in percents} == {n: true[n] for n in percents}
    assert shown["includes"] == "all"
    assert shown["rollup"]["initiatives"]["total"] == 3
    assert [unit["code"] for unit in shown["units"]] == ["A", "B"]
    for unit in shown["units"]:
        of_unit = await told.rollup(unit["code"])
        assert {n: unit[n] for n in percents} == {n: of_unit[n] for n in percents}

    await opened(told, rollup="published", units=True)
    shown, mine = await look(), await told.get("initiatives/QW-1")
    assert shown["includes"] == "published"
    for numbers in (shown["rollup"], shown["units"][0]):
        assert {n: numbers[n] for n in percents} == {n: mine[n] for n in percents}
        assert numbers["initiatives"] == {"total": 1, "active": 1, "on_hold": 0, "completed": 0}
        assert numbers["milestones"] == {"total": 2, "done": 1}
    assert shown["units"][1]["percent_complete"] is None
    assert shown["units"][1]["initiatives"]["total"] == 0
    # With everything published it is the institution's number again, to the digit.
    for code in ("QW-2", "QW-3"):
        await told.patch(f"initiatives/{code}", {"public": True})
    await told.initiative("bare", "B", public=True)
    await told.initiative("idea", "B", public=True, status="proposed")
    part, everything = await look(), await told.rollup()
    assert {n: part["rollup"][n] for n in percents} == {n: everything[n] for n in percents}
    await opened(told)
    assert (await look())["rollup"] == part["rollup"]

    await opened(told, rollup="none", units=True)
    shown = await look()
    assert (shown["rollup"], shown["units"], shown["includes"]) == (None, [], "none")


async def test_initiatives_may_be_left_out(clients: Clients, told: Institution) -> None:
    await opened(told, initiatives=False)
    assert (await clients.nobody.get(address(told))).status_code == 200
    for part in ADDRESSES[1:]:
        assert (await clients.nobody.get(address(told, part))).status_code == 404


async def test_the_list_is_filtered_and_paged(clients: Clients, told: Institution) -> None:
    await told.unit("A1", "A")
    for n, unit in ((4, "A1"), (5, "B")):
        await told.initiative(
            f"QW-{n}", unit, public=True, year=2020 + n, areas=["oversight"], status="proposed"
        )
    await opened(told)

    async def codes(**asked: Any) -> list[str]:
        answer = await clients.nobody.get(address(told, "/initiatives"), params=asked)
        assert answer.status_code == 200
        return [item["code"] for item in answer.json()["items"]]

    for asked, found in (
        ({}, ["QW-1", "QW-4", "QW-5"]), ({"unit": "A"}, ["QW-1", "QW-4"]), ({"unit": "x"}, []),
        ({"area": "oversight"}, ["QW-4", "QW-5"]), ({"year": [2022, 2024]}, ["QW-1", "QW-4"]),
        ({"status": "active"}, ["QW-1"]), ({"unit": "B", "status": "proposed"}, ["QW-5"]),
    ):  # fmt: skip
        assert await codes(**asked) == found, asked
    first = await clients.nobody.get(
        address(told, "/initiatives"), params={"limit": 2, "include_total": True}
    )
    assert first.json()["total"] == 3
    link = re.fullmatch(r'<([^>]+)>; rel="next"', first.headers["link"])
    assert link
    rest = (await clients.nobody.get(link[1])).json()
    assert [item["code"] for item in rest["items"]] == ["QW-5"]
    assert rest["next_cursor"] is None
    for wrong in ({"owner": "reporter"}, {"tag": CANARY}, {"q": CANARY}, {"sort": "-weight"},
                  {"health": "at_risk"}, {"limit": 201}, {"cursor": "x"}, {"year": "MMXXII"}):  # fmt: skip
        answer = await clients.nobody.get(address(told, "/initiatives"), params=wrong)
        assert answer.status_code == 422, wrong


async def test_what_is_made_private_is_gone_at_once(clients: Clients, told: Institution) -> None:
    def asked(part: str) -> str:
        return address(told, part)

    await opened(told)
    tags = {part: (await clients.nobody.get(asked(part))).headers["etag"] for part in ADDRESSES}
    await told.patch("initiatives/QW-1", {"public": False})
    for part in ADDRESSES[1:]:
        answer = await clients.nobody.get(asked(part), headers={"If-None-Match": tags[part]})
        assert SHOWN not in answer.text
        assert answer.status_code == (404 if "QW-1" in part else 200)
    known = {"If-None-Match": "*"}
    hidden = await clients.nobody.get(asked("/initiatives/QW-1"), headers=known)
    assert hidden.status_code == 404
    await told.patch("initiatives/QW-1", {"public": True})
    assert (await clients.nobody.get(asked("/initiatives/QW-1"))).headers["etag"] == tags[
        "/initiatives/QW-1"
    ]
    # A PUT of a client that knows nothing of this changes nothing of it.
    body = {"code": "QW-1", "title": "T", "unit": "A", "year": 2022,
            "owners": [{"person": "reporter", "role": "accountable"}]}  # fmt: skip
    put = await told.expect(200, "PUT", f"{told.path}/initiatives/QW-1", body)
    assert put["public"] is True
    await decided(told, {})
    for part in ADDRESSES:
        answer = await clients.nobody.get(asked(part), headers={"If-None-Match": tags[part]})
        assert answer.status_code == 404


HOSTILE = 'a & <b> ]]> "c" É龍 \x0b\x1f\ufffe'


async def test_feeds(clients: Clients, told: Institution, monkeypatch: pytest.MonkeyPatch) -> None:
    await opened(told)
    publication = {"title": "Baru <i>", "said": HOSTILE, "published_on": "2022-05-01"}
    await told.post("initiatives/QW-1/publications", publication)
    home = f"http://test{address(told)}"
    about = f"{home}/initiatives/QW-1"
    answer = await clients.nobody.get(address(told, "/feed.json"))
    assert answer.headers["content-type"] == "application/feed+json"
    feed = answer.json()
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert (feed["feed_url"], feed["home_page_url"]) == (f"{home}/feed.json", home)
    titles = ["Baru <i>", f"{SHOWN} siaran", f"Tercapai: {SHOWN} satu"]
    assert [item["title"] for item in feed["items"]] == titles
    newest, older, reached = feed["items"]
    assert newest["content_text"] == f"{HOSTILE}\n\n{SHOWN} judul — Unit A"
    assert (newest["url"], "external_url" in newest) == (about, False)
    assert older["external_url"] == f"https://{SHOWN}.example/a?b=c&d"
    assert reached["tags"] == ["milestone", "QW-1"]
    # The day begins in the institution's time zone.
    assert reached["date_published"] == "2022-03-19T17:00:00Z"

    answer = await clients.nobody.get(address(told, "/feed.atom"))
    assert answer.headers["content-type"] == "application/atom+xml"
    root = ET.fromstring(answer.content)  # noqa: S314  our own
    assert (root.tag, root.findtext(f"{ATOM}title")) == (f"{ATOM}feed", "Test")
    entries = root.findall(f"{ATOM}entry")
    assert [entry.findtext(f"{ATOM}title") for entry in entries] == titles
    assert [entry.findtext(f"{ATOM}id") for entry in entries] == [i["id"] for i in feed["items"]]
    hostile = "".join(" " if ord(c) < 32 or c == "\ufffe" else c for c in HOSTILE)
    assert entries[0].findtext(f"{ATOM}content") == f"{hostile}\n\n{SHOWN} judul — Unit A"
    links = [
        [(link.get("rel"), link.get("href")) for link in entry.findall(f"{ATOM}link")]
        for entry in entries
    ]
    assert links[0] == [("alternate", about)]
    assert links[1] == [
        ("alternate", f"https://{SHOWN}.example/a?b=c&d"), ("related", about)
    ]  # fmt: skip
    updated = [entry.findtext(f"{ATOM}updated") or "" for entry in entries]
    assert root.findtext(f"{ATOM}updated") == max(updated)
    owed = {"id", "title", "updated", "author", "link"}
    assert owed <= {child.tag.removeprefix(ATOM) for child in root}

    monkeypatch.setattr(public_feeds, "MOST_OF_A_KIND", 1)
    short = (await clients.nobody.get(address(told, "/feed.json"))).json()
    assert [item["title"] for item in short["items"]] == [titles[0], titles[2]]
    await told.patch("initiatives/QW-1", {"public": False})
    for part in ("/feed.atom", "/feed.json"):
        answer = await clients.nobody.get(address(told, part))
        assert (answer.status_code, SHOWN in answer.text) == (200, False)


async def test_caches_and_pages_may_read(clients: Clients, told: Institution) -> None:
    await opened(told)
    page = {"Origin": "https://anywhere.example", "Cookie": "a=b"}
    for part in ADDRESSES:
        at = address(told, part)
        plain = await clients.nobody.get(at)
        again = await clients.nobody.get(at, headers={"If-None-Match": plain.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        asked = await clients.nobody.get(at, headers=page)
        for answer in (plain, again, asked):
            assert answer.headers["cache-control"] == "public, max-age=60, must-revalidate"
            assert answer.headers["access-control-allow-origin"] == "*"
            assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
            assert "access-control-allow-credentials" not in answer.headers
            assert "vary" not in answer.headers
        # No token is looked at: not a good one, not a bad one, and none is owed.
        for token in (f"Bearer {OPERATOR}", "Bearer qw_nonsense", "Basic x", ""):
            with_token = await clients.nobody.get(at, headers={"Authorization": token})
            assert (with_token.status_code, with_token.content) == (200, plain.content)
    missing = await clients.nobody.get(address(told, "/initiatives/nothing"), headers=page)
    assert missing.headers["cache-control"] == "no-store"
    assert missing.headers["access-control-allow-origin"] == "*"
    # What is not public is open to no page.
    closed = await clients.nobody.get(told.path, headers=page)
    assert closed.status_code == 401
    assert "access-control-allow-origin" not in closed.headers


@pytest.mark.parametrize("origins", [(), ("https://app.kpu.go.id",)])
async def test_a_page_is_told_before_it_reads(origins: tuple[str, ...]) -> None:
    app = create_app(Settings(database_url="sqlite://", cors_origins=origins))
    asked = {"Origin": "https://anywhere.example", "Access-Control-Request-Method": "POST"}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        told = await client.options(f"{API}/public/institutions/kpu", headers=asked)
        assert (told.status_code, told.content) == (204, b"")
        assert told.headers["access-control-allow-origin"] == "*"
        assert told.headers["access-control-allow-methods"] == "GET"
        assert "authorization" not in told.headers["access-control-allow-headers"].lower()
        for path in (f"{API}/institutions/kpu", f"{API}/publicity", "/openapi.json"):
            other = await client.options(path, headers=asked)
            assert "access-control-allow-origin" not in other.headers


async def test_everything_else_needs_a_token(
    clients: Clients, told: Institution, app: FastAPI
) -> None:
    """Each other address, of an institution that shows what it can; and no other method on these."""
    await opened(told, units=True)
    names = {"institution": told.code, "initiative": "QW-1", "unit": "A", "number": "1",
             "person": "reporter", "scheme": "rb-2020", "area": "oversight", "format": "csv"}  # fmt: skip
    nowhere = "01a20d0f-7aff-70b8-9c49-d31eb6a5564a"
    open_to_all, closed = set(), 0
    for template, operations in app.openapi()["paths"].items():
        path = re.sub(r"{(\w+)}", lambda found: names.get(found[1], nowhere), template)
        for method, operation in operations.items():
            if template.startswith(f"{API}/public/"):
                open_to_all.add(operation["operationId"])
                assert (method, operation["security"]) == ("get", [])
                for other in ("POST", "PUT", "PATCH", "DELETE"):
                    answer = await clients.nobody.request(other, path, json={})
                    assert answer.status_code == 405
            elif template.startswith(API):
                kinds = operation.get("requestBody", {}).get("content", {})
                headers = {"Content-Type": next(iter(kinds))} if kinds else {}
                answer = await clients.nobody.request(method.upper(), path, headers=headers)
                assert answer.status_code == 401, (method, path, answer.text)
                assert SHOWN not in answer.text
                closed += 1
    assert len(open_to_all) == len(ADDRESSES + CHARTS)
    assert closed > 100
    for more in ("units", "people", "rollup", "events", "initiatives/QW-1/milestones", "x"):
        answer = await clients.nobody.get(address(told, f"/{more}"))
        assert answer.status_code == 404


async def test_it_costs_the_same_for_any_number(
    clients: Clients, told: Institution, database: Database
) -> None:
    costs = []
    for n in (4, 5, 6):
        plan = [{"title": "M", "due_on": "2022-01-01"}]
        await told.initiative(f"QW-{n}", "A", public=True, milestones=plan)
        await told.report(f"QW-{n}", 1, 100, "2022-01-01")
        await told.post("initiatives/QW-1/publications", {"title": f"P{n}"})
        found = []
        for mode in ("all", "published"):
            await opened(told, rollup=mode, units=True)
            for part in ADDRESSES:
                with statements(database) as heard:
                    assert (await clients.nobody.get(address(told, part))).status_code == 200
                found.append(len(heard))
        costs.append(found)
    assert costs[0] == costs[-1]
    assert max(costs[0]) <= 8


async def test_it_has_a_quota_of_its_own() -> None:
    app = limited(rate_limit_public=2, rate_limit_address=3, rate_limit_failures=1)
    good = {"Authorization": "Bearer good"}
    public = f"{API}/public/institutions/kpu"
    async with at_address(app) as who, at_address(app, "198.51.100.7") as other:
        # Whatever token comes along is neither counted for itself, nor refused, nor learnt.
        for left in (1, 0):
            answer = await who.get(public, headers=good)
            assert standing(answer)[:3] == ("public", 2, left)
        refused = await who.get(public, headers=good)
        assert refused.status_code == 429
        assert standing(refused)[0] == "public"
        assert int(refused.headers["retry-after"]) >= 1
        # The API goes on; and a token that was sent to the public only is not known to be good.
        assert standing(await who.get(f"{API}/me", headers=good))[:3] == ("address", 3, 2)
        assert standing(await other.get(public))[:3] == ("public", 2, 1)
        # The endpoint refuses these as any other does; here that counts against nobody.
        for _ in range(2):
            await other.get(public, headers={"Authorization": "Bearer bad"})
        assert (await other.get(f"{API}/me", headers=good)).status_code == 200


@pytest.mark.parametrize(
    ("policy", "pointer"),
    [
        ({"public": True}, "/policy/public"),
        ({"public": {"rollup": "true"}}, "/policy/public/rollup"),
        ({"public": {"units": "yes"}}, "/policy/public/units"),
        ({"public": {"people": True}}, "/policy/public/people"),
    ],
)
async def test_bad_policies(institution: Institution, policy: Json, pointer: str) -> None:
    content = await decided(institution, policy, 422)
    assert [at["pointer"] for at in content["errors"]] == [pointer]
    assert (await institution.expect(200, "GET", institution.path))["policy"]["public"] is None
