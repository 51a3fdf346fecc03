"""Every noun as its users meet it: create, read, change, list, remove."""

from typing import Any

from tests.support.institution import API, Institution


async def test_institution(institution: Institution) -> None:
    path = institution.path
    found = await institution.expect(200, "GET", path)
    assert found["time_zone"] == "Asia/Jakarta"
    assert found["scheme"] == "rb-2020"
    assert found["root_unit"] == institution.code
    assert found["policy"] == {"on_track_from": 0.95, "at_risk_from": 0.8, "stale_after_days": 45}
    changes = {"time_zone": "Asia/Jayapura", "policy": {"on_track_from": 0.9}}
    changed = await institution.expect(200, "PATCH", path, changes, if_match='"v1"')
    assert changed["time_zone"] == "Asia/Jayapura"
    assert changed["policy"]["on_track_from"] == 0.9
    assert changed["version"] == 2
    assert await institution.expect(200, "GET", f"{API}/institutions/{found['id']}") == changed


async def test_units(institution: Institution) -> None:
    await institution.unit("A")
    made = await institution.post(
        "units",
        {"code": "A1", "name": "A1", "parent": "a", "kind": "provincial", "reference_code": "32"},
    )
    assert made["path"] == f"{institution.code}/A/A1"
    assert made["depth"] == 2
    assert made["parent"] == "A"
    assert await institution.get(f"units/{made['id']}") == made
    assert await institution.get("units/a1") == made
    changed = await institution.patch("units/A1", {"name": "New", "kind": None, "code": "A-1"})
    assert (changed["name"], changed["kind"], changed["code"]) == ("New", None, "A-1")
    assert changed["reference_code"] == "32"
    await institution.unit("B")
    moved = await institution.expect(
        200, "POST", f"{institution.path}/units/A-1/move", {"parent": "B", "reason": "Reorganised"}
    )
    assert moved["path"] == f"{institution.code}/B/A-1"
    archived = await institution.patch("units/A-1", {"archived": True})
    assert archived["archived_at"]
    assert [u["code"] for u in (await institution.get("units", archived=True))["items"]] == ["A-1"]
    assert (await institution.patch("units/A-1", {"archived_at": None}))["archived_at"] is None
    assert [u["code"] for u in (await institution.get("units", under="B"))["items"]] == ["A-1", "B"]
    assert [u["code"] for u in (await institution.get("units", parent="B"))["items"]] == ["A-1"]
    await institution.delete("units/A-1")
    await institution.expect(404, "GET", f"{institution.path}/units/A-1")


async def test_people(institution: Institution) -> None:
    await institution.unit("A")
    body = {
        "code": "budi",
        "name": "Budi",
        "email": "budi@kpu.example",
        "unit": "A",
        "position": "Kasubag",
    }
    made = await institution.post("people", body)
    assert made == made | body
    changed = await institution.patch("people/BUDI", {"email": None, "active": False})
    assert (changed["email"], changed["active"], changed["unit"]) == (None, False, "A")
    assert [p["code"] for p in (await institution.get("people", unit="A"))["items"]] == ["budi"]
    assert [p["code"] for p in (await institution.get("people", active=False))["items"]] == ["budi"]
    assert [p["code"] for p in (await institution.get("people", q="BUD"))["items"]] == ["budi"]
    await institution.delete("people/budi")
    await institution.expect(404, "GET", f"{institution.path}/people/budi")


async def test_catalogues(institution: Institution) -> None:
    schemes = await institution.expect(200, "GET", f"{API}/schemes")
    assert {"rb-2015", "rb-2020", "rb-thematic-2023", "zi"} <= {s["code"] for s in schemes["items"]}
    areas = (await institution.expect(200, "GET", f"{API}/schemes/rb-2020/areas"))["items"]
    assert [area["code"] for area in areas] == [
        "change-management", "deregulation", "organisation", "business-process",
        "human-resources", "accountability", "oversight", "public-service",
    ]  # fmt: skip
    assert areas[4]["name"] == {
        "id": "Penataan Sistem Manajemen SDM",
        "en": "Human-resource management",
    }
    assert areas[4]["compliance_weight"] == 5.0
    assert "SDM Aparatur" in areas[4]["aliases"]
    shared = (await institution.expect(200, "GET", f"{API}/schemes/zi/areas"))["items"]
    assert len(shared) == 6
    assert {area["id"] for area in shared} < {area["id"] for area in areas}

    code = f"s-{institution.code}"
    body = {"code": code, "name": {"id": "Skema", "en": "Scheme"}, "from_year": 2026}
    await institution.expect(201, "POST", f"{API}/schemes", body)
    area = {"code": f"x-{code}", "name": {"id": "Baru", "en": "New"}, "compliance_weight": 1.5}
    await institution.expect(201, "POST", f"{API}/schemes/{code}/areas", area)
    await institution.expect(201, "POST", f"{API}/schemes/{code}/areas", {"code": "oversight"})
    listed = (await institution.expect(200, "GET", f"{API}/schemes/{code}/areas"))["items"]
    assert [(item["code"], item["position"]) for item in listed] == [
        (area["code"], 1),
        ("oversight", 2),
    ]
    changed = await institution.expect(
        200, "PATCH", f"{API}/schemes/{code}/areas/{area['code']}", {"position": 9}, if_match="*"
    )
    assert changed["position"] == 9
    ended = await institution.expect(
        200, "PATCH", f"{API}/schemes/{code}", {"to_year": 2029}, if_match="*"
    )
    assert ended["to_year"] == 2029
    told = await institution.expect(
        422, "PATCH", f"{API}/schemes/{code}", {"to_year": 2020}, if_match="*"
    )
    assert told["errors"][0]["pointer"] == "/to_year"


FULL: dict[str, Any] = {
    "code": "QW-2022-1", "title": "SIAKBA", "description": "Data", "unit": "A", "year": 2022,
    "kind": "innovation", "origin": "mandated", "status": "active", "weight": 7,
    "areas": ["human-resources", "public-service"],
    "owners": [{"person": "reporter", "role": "accountable"}, {"person": "verifier", "role": "supporting"}],
    "start_on": "2022-01-10", "due_on": "2022-12-20", "expected_result": "Satu basis data",
    "tags": ["siakba", "data"],
}  # fmt: skip


async def test_initiatives(institution: Institution) -> None:
    await institution.unit("A")
    plan = [
        {"title": "Desain", "due_on": "2022-03-31", "weight": 2},
        {"title": "Peluncuran", "due_on": "2022-06-30"},
    ]
    made = await institution.post("initiatives", {**FULL, "milestones": plan})
    assert made == made | {
        **FULL,
        "tags": ["data", "siakba"],
        "milestones": {"total": 2, "done": 0, "overdue": 2},
    }
    assert [m["share"] for m in made["plan"]] == [66.67, 33.33]
    assert made["health"] == "off_track"
    assert made["next_due_on"] == "2022-03-31"
    await institution.report("QW-2022-1", 1, 100, "2022-03-01")
    found = await institution.get("initiatives/qw-2022-1")
    assert found["percent_complete"] == 66.67
    assert found["percent_scheduled"] == 100.0
    assert found["milestones"] == {"total": 2, "done": 1, "overdue": 1}
    assert found["next_due_on"] == "2022-06-30"
    assert found["plan"][0]["status"] == "done"
    assert found["plan"][0]["done_on"] == "2022-03-01"
    changed = await institution.patch("initiatives/QW-2022-1", {"description": None, "areas": []})
    assert (changed["description"], changed["areas"], changed["title"]) == (None, [], "SIAKBA")
    await institution.report("QW-2022-1", 2, 100, "2022-06-01")
    done = await institution.patch("initiatives/QW-2022-1", {"status": "completed"})
    assert (done["status"], done["health"]) == ("completed", "completed")
    await institution.delete("initiatives/QW-2022-1")
    await institution.expect(404, "GET", f"{institution.path}/initiatives/QW-2022-1")
    assert (await institution.rollup())["initiatives"]["total"] == 0


async def test_put_creates_and_replaces(institution: Institution) -> None:
    await institution.unit("A")
    path = f"{institution.path}/initiatives/QW-2022-1"
    plan = [{"title": "One", "due_on": "2022-03-31"}, {"title": "Two", "due_on": "2022-06-30"}]
    body = {**FULL, "milestones": plan}
    first = await institution.expect(201, "PUT", path, body)
    again = await institution.expect(200, "PUT", path, body)
    volatile = ("version", "updated_at", "plan")
    assert {k: v for k, v in first.items() if k not in volatile} == {
        k: v for k, v in again.items() if k not in volatile
    }
    await institution.report("QW-2022-1", 1, 50, "2022-03-01")
    short = {name: FULL[name] for name in ("code", "title", "unit", "year", "owners")}
    kept = await institution.expect(200, "PUT", path, short)
    assert (kept["status"], kept["weight"], kept["tags"]) == ("active", 1, [])
    assert [m["title"] for m in kept["plan"]] == ["One", "Two"]
    changed = await institution.expect(
        200,
        "PUT",
        path,
        {**short, "milestones": [{**plan[0], "weight": 3}, {"number": 7, **plan[1]}]},
    )
    assert [(m["number"], m["share"]) for m in changed["plan"]] == [(1, 75.0), (7, 25.0)]
    told = await institution.expect(422, "PUT", path, {**short, "milestones": []})
    assert told["errors"][0]["code"] == "reported_milestone_missing"
    told = await institution.expect(422, "PUT", path, {**short, "code": "QW-other"})
    assert told["errors"][0]["pointer"] == "/code"


async def test_milestones(institution: Institution) -> None:
    await institution.initiative("QW-1")
    first = await institution.milestone("QW-1", "2022-03-31", description="Text", weight=3)
    second = await institution.milestone("QW-1", "2022-06-30", technique="binary")
    assert (first["number"], first["share"], second["number"], second["share"]) == (
        1,
        100.0,
        2,
        25.0,
    )
    path = "initiatives/QW-1/milestones"
    listed = (await institution.get(path))["items"]
    assert [(m["share"], m["status"]) for m in listed] == [(75.0, "pending"), (25.0, "pending")]
    await institution.report("QW-1", 2, 90, "2022-06-01")
    partly = await institution.get(f"{path}/2")
    assert (partly["percent_complete"], partly["status"]) == (90.0, "in_progress")
    assert partly["overdue_days"] > 1000
    assert (await institution.get("initiatives/QW-1"))["percent_complete"] == 0.0
    dropped = await institution.patch(f"{path}/1", {"status": "dropped", "reason": "Merged"})
    assert (dropped["status"], dropped["share"]) == ("dropped", 0.0)
    assert (await institution.get(f"{path}/2"))["share"] == 100.0
    back = await institution.patch(f"{path}/1", {"status": "pending"})
    assert (back["status"], back["share"]) == ("pending", 75.0)
    await institution.delete(f"{path}/1")
    assert [m["number"] for m in (await institution.get(path))["items"]] == [2]
    third = await institution.milestone("QW-1", "2022-09-30", number=1)
    assert third["number"] == 1


async def test_updates(institution: Institution) -> None:
    await institution.initiative("QW-1", milestones=[{"title": "M", "due_on": "2022-06-30"}])
    path = "initiatives/QW-1/milestones/1/updates"
    late = await institution.report("QW-1", 1, 80, "2022-06-01")
    early = await institution.report("QW-1", 1, 30, "2022-04-01")
    fixed = await institution.report("QW-1", 1, 70, "2022-06-01")
    assert [u["previous_percent"] for u in (late, early, fixed)] == [0.0, 0.0, 80.0]
    assert late["reported_by"] == "reporter"
    listed = (await institution.get(path))["items"]
    assert [u["id"] for u in listed] == [fixed["id"], early["id"], late["id"]]
    assert await institution.get(f"{path}/{early['id']}") == early
    assert (await institution.get("initiatives/QW-1/milestones/1"))["percent_complete"] == 70.0
    for day, percent in (("2022-03-31", 0.0), ("2022-04-01", 30.0), ("2022-06-01", 70.0)):
        assert (await institution.rollup(as_of=day))["percent_complete"] == percent

    verified = await institution.verify(early)
    assert (verified["verification"], verified["verified_by"]) == ("verified", "verifier")
    assert (await institution.rollup())["percent_verified"] == 30.0
    returned = await institution.verify(early, "returned", "No evidence")
    assert (returned["verification"], returned["verification_note"]) == ("returned", "No evidence")
    assert (await institution.rollup())["percent_verified"] == 0.0

    body = {
        "percent_complete": 75, "effective_on": "2022-06-02", "source": "sakti", "external_id": "7",
        "evidence": [{"title": "BAST", "url": "https://kpu.example/bast.pdf"}], "note": "Selesai",
    }  # fmt: skip
    made = await institution.post(path, body)
    assert made == made | body
    version = (await institution.rollup())["version"]
    again = await institution.expect(
        200, "POST", f"{institution.path}/{path}", {**body, "percent_complete": 9}
    )
    assert again == made
    assert (await institution.rollup())["version"] == version
    feed = (await institution.get("updates", initiative="qw-1", source="sakti"))["items"]
    assert feed == [made]
    assert len((await institution.get("updates", verification="returned"))["items"]) == 1
    assert len((await institution.get("updates", since=made["reported_at"]))["items"]) == 1


async def test_tokens(institution: Institution) -> None:
    me = await institution.expect(200, "GET", f"{API}/me", client=institution.reporter)
    assert (me["person"], me["institution"], me["operator"]) == (
        "reporter",
        institution.code,
        False,
    )
    assert (await institution.expect(200, "GET", f"{API}/me"))["operator"] is True
    listed = (await institution.get("tokens"))["items"]
    assert [t["person"] for t in listed] == ["reporter", "verifier"]
    assert "token" not in listed[0]
    await institution.expect(403, "GET", f"{institution.path}/tokens", client=institution.reporter)
    for headers in ({}, {"expires_at": "2022-01-01T00:00:00Z"}):
        body = {"person": "reporter", "name": "second", **headers}
        made = await institution.post("tokens", body)
        answer = await institution.reporter.get(
            f"{API}/me", headers={"Authorization": f"Bearer {made['token']}"}
        )
        assert answer.status_code == (401 if headers else 200)
    await institution.expect(204, "DELETE", f"{institution.path}/tokens/{listed[0]['id']}")
    await institution.expect(401, "GET", f"{API}/me", client=institution.reporter)
    await institution.patch("people/verifier", {"active": False})
    await institution.expect(401, "GET", f"{API}/me", client=institution.verifier)


async def test_events(institution: Institution) -> None:
    await institution.initiative("QW-1", milestones=[{"title": "M", "due_on": "2022-06-30"}])
    await institution.report("QW-1", 1, 10, "2022-06-01")
    await institution.patch("initiatives/QW-1", {"status": "cancelled", "reason": "No budget"})
    await institution.expect(
        204,
        "DELETE",
        f"{institution.path}/initiatives/QW-1",
        if_match="*",
        parameters={"reason": "Mistake"},
    )
    feed = await institution.get("events", limit=200)
    assert [e["sequence"] for e in feed["items"]] == list(range(1, len(feed["items"]) + 1))
    last = feed["items"][-3:]
    assert [e["type"] for e in last] == [
        "update.reported",
        "initiative.changed",
        "initiative.deleted",
    ]
    assert [e["data"].get("reason") for e in last] == [None, "No budget", "Mistake"]
    assert last[0]["actor"] == "reporter"
    assert last[2]["data"]["title"] == "Initiative QW-1"
    assert feed["next_after"] == (await institution.rollup())["version"]
    rest = await institution.get("events", after=feed["next_after"] - 1)
    assert [e["sequence"] for e in rest["items"]] == [feed["next_after"]]
    catalogue = await institution.expect(200, "GET", f"{API}/events", parameters={"limit": 1})
    assert catalogue["items"][0]["type"] == "token.created"
