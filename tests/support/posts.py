"""A valid request for every POST of the OpenAPI document, in an institution that has all it needs."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from tests.support.institution import API, Institution, Json
from tests.support.webhooks import logged

_MILESTONE = "initiatives/QW-1/milestones/1"


class Post(NamedTuple):
    """Where to post what; the operator may do all of it."""

    path: str
    body: Json | None = None
    file: bytes | None = None
    """What is sent in place of a body: a file."""


async def ready(institution: Institution) -> None:
    """Units A and B, an initiative with a plan, and people."""
    for unit in ("A", "B"):
        await institution.unit(unit)
    plan = [
        {"title": "One", "due_on": "2022-06-30", "weight": 3},
        {"title": "Two", "due_on": "2022-09-30", "technique": "binary"},
    ]
    await institution.initiative("QW-1", "A", milestones=plan, tags=["x"], weight=7)
    await institution.report("QW-1", 1, 33.33, "2022-05-01")
    await institution.post("people", {"code": "somebody", "name": "Somebody"})


def _in(path: str, body: Json | None = None) -> Callable[[Institution], Awaitable[Post]]:
    async def post(institution: Institution) -> Post:
        return Post(f"{institution.path}/{path}", body)

    return post


async def _institution(institution: Institution) -> Post:
    policy = {"on_track_from": 0.9, "at_risk_from": 0.75}
    body = {"code": f"{institution.code}-new", "name": "Baru", "policy": policy}
    return Post(f"{API}/institutions", body)


async def _scheme(institution: Institution) -> Post:
    names = {"id": "Peta jalan", "en": "Road map"}
    return Post(f"{API}/schemes", {"code": institution.code, "name": names, "from_year": 2025})


async def _area(institution: Institution) -> Post:
    scheme = await _scheme(institution)
    await institution.expect(201, "POST", scheme.path, scheme.body)
    body = {
        "code": f"{institution.code}-area",
        "name": {"id": "Bidang", "en": "Area"},
        "aliases": ["Lama"],
        "compliance_weight": 12.25,
    }
    return Post(f"{API}/schemes/{institution.code}/areas", body)


async def _purpose(institution: Institution) -> Post:
    scheme = await _scheme(institution)
    await institution.expect(201, "POST", scheme.path, scheme.body)
    body = {
        "code": f"{institution.code}-outcome",
        "kind": "outcome",
        "name": {"id": "Sasaran", "en": "Outcome"},
        "aliases": ["Lama"],
    }
    return Post(f"{API}/schemes/{institution.code}/purposes", body)


async def _programme(institution: Institution) -> Post:
    body = {
        "code": f"{institution.code}-programme",
        "name": {"id": "Program", "en": "Programme"},
        "level": "meso",
        "lead": institution.code,
        "carriers": [institution.code],
        "from_year": 2025,
    }
    return Post(f"{API}/programmes", body)


async def _instrument(institution: Institution) -> Post:
    name = {"id": "Instrumen", "en": "Instrument"}
    body = {
        "code": institution.code,
        "name": name,
        "maximum": 110,
        "components": [
            {"code": "a", "name": name, "weight": 60.5},
            {"code": "b", "name": name, "weight": 10, "parent": "a"},
        ],
        "bands": [
            {"from": 0, "predicate": "D", "inclusive": True},
            {"from": 80.25, "predicate": "A-"},
        ],
    }
    return Post(f"{API}/instruments", body)


async def _judgement(institution: Institution) -> Post:
    await institution.patch("initiatives/QW-1", {"status": "cancelled", "reason": "Digabung"})
    body = {"verdict": "missed-or-slow", "note": "Tidak selesai", "url": "https://a.example/b?c=d"}
    return Post(f"{institution.path}/initiatives/QW-1/verdicts", body)


async def _verdict(institution: Institution) -> Post:
    name = {"id": "Sesuai", "en": "Met"}
    return Post(f"{API}/verdicts", {"code": institution.code, "name": name, "source": "Pedoman"})


async def _national_indicator(institution: Institution) -> Post:
    return Post(f"{API}/indicators", {**_INDICATOR, "code": institution.code})


async def _verification(institution: Institution) -> Post:
    report = await institution.report("QW-1", 1, 50)
    path = f"{institution.path}/{_MILESTONE}/updates/{report['id']}/verification"
    return Post(path, {"verdict": "returned", "note": "Bukti kurang"})


async def _rotation(institution: Institution) -> Post:
    token = await institution.post("tokens", {"person": "somebody", "name": "old"})
    return Post(f"{institution.path}/tokens/{token['id']}/rotation")


async def _import(institution: Institution) -> Post:
    plan = b"code;title;unit;year;B06;B12\nQW-7;SIAKBA;A;2025;40;100\nQW-8;;A;2025;;\n"
    return Post(f"{institution.path}/imports?mode=check", file=plan)


async def _appointment(institution: Institution) -> Post:
    body = {"person": "somebody", "role": "executing", "unit": "A", "year": 2022}
    return Post(f"{institution.path}/appointments", body)


async def _renewal(institution: Institution) -> Post:
    first = await _appointment(institution)
    await institution.expect(201, "POST", first.path, first.body)
    return Post(f"{first.path}/renewal", {"from_year": 2022, "to_year": 2023, "unit": "A"})


async def _file(institution: Institution) -> Post:
    return Post(f"{institution.path}/files?name=SK%2077.pdf", file=b"%PDF-1.7\n%%EOF\n")


async def _restoration(institution: Institution) -> Post:
    await institution.delete("initiatives/QW-1")
    deleted = (await institution.get("deletions", limit=1))["items"][0]
    path = f"{institution.path}/deletions/{deleted['id']}/restoration"
    return Post(path, {"reason": "Terhapus keliru"})


_WEBHOOK = {
    "url": "https://hooks.invalid/a?b=c", "description": "Pusat — kendali",
    "events": ["update.*", "rollup.health_changed"], "unit": "A",
}  # fmt: skip


def _of_webhook(action: str, body: Json | None = None) -> Callable[[Institution], Awaitable[Post]]:
    async def post(institution: Institution) -> Post:
        made = await institution.post("webhooks", _WEBHOOK)
        return Post(f"{institution.path}/webhooks/{made['id']}/{action}", body)

    return post


async def _redelivery(institution: Institution) -> Post:
    made = await institution.post("webhooks", {**_WEBHOOK, "events": ["*"]})
    sent = await logged(institution, institution.database, made)
    return Post(f"{institution.path}/webhooks/{made['id']}/deliveries/{sent['id']}/redelivery")


_TEMPLATE = {
    "code": "satu-pintu", "title": "Pelayanan — satu pintu", "areas": ["public-service"],
    "milestones": [{"title": "Tim", "due_after_days": 30}, {"title": "Buka", "due_month_day": "12-15"}],
}  # fmt: skip


_DECREE = {
    "code": "SK-17", "number": "17/HK.03-Kpt/2022", "issued_on": "2022-01-17",
    "signer": "Sekretaris Jenderal", "title": "Quick wins", "url": "https://a.example/b?c=d",
}  # fmt: skip


async def _designations(institution: Institution) -> Post:
    await institution.post("decrees", _DECREE)
    await institution.initiative("QW-17", status="proposed")
    items = [{"initiative": "QW-17"}, {"initiative": "nowhere"}]
    return Post(f"{institution.path}/decrees/SK-17/designations", {"items": items})


async def _copies(institution: Institution) -> Post:
    await institution.post("templates", _TEMPLATE)
    path = f"{institution.path}/templates/satu-pintu/copies"
    body = {"units": ["A", "B"], "year": 2022, "start_on": "2022-01-03", "code": "QW-{unit}"}
    return Post(path, body)


_OBSTACLE = {
    "initiative": "QW-1", "title": "Server belum tersedia", "description": "Menunggu\nlelang",
    "severity": "high", "owner": "reporter", "due_on": "2022-10-31", "decision_asked": "Pakai pusat?",
}  # fmt: skip


def _of_obstacle(action: str, body: Json) -> Callable[[Institution], Awaitable[Post]]:
    async def post(institution: Institution) -> Post:
        made = await institution.post("obstacles", _OBSTACLE)
        return Post(f"{institution.path}/obstacles/{made['id']}/{action}", body)

    return post


PERIOD = {
    "code": "2021-B03", "name": {"id": "Triwulan I", "en": "First quarter"}, "year": 2021,
    "starts_on": "2021-01-01", "ends_on": "2021-03-31", "opens_on": "2021-03-25",
    "closes_on": "2021-04-10", "remind_days_before": [7, 3, 1], "all_years": True,
}  # fmt: skip


async def _close(institution: Institution) -> Post:
    await institution.post("periods", PERIOD)
    return Post(f"{institution.path}/periods/2021-B03/close", {"reason": "Semua sudah melapor"})


async def _reopening(institution: Institution) -> Post:
    close = await _close(institution)
    await institution.expect(200, "POST", close.path, close.body)
    body = {"reason": "Gangguan jaringan", "until": "2199-12-31"}
    return Post(f"{institution.path}/periods/2021-B03/reopening", body)


_INITIATIVE = {
    "code": "QW-9",
    "title": "SIAKBA",
    "unit": "A",
    "year": 2022,
    "areas": ["human-resources", "oversight"],
    "outcomes": ["excellent-service", "capable"],
    "strategies": ["media-management"],
    "level": "micro",
    "expected_lift": [{"instrument": "permenpan-26-2020", "component": "results", "points": 0.25}],
    "description": "Sistem\n— anggota",
    "status": "active",
    "weight": 3,
    "tags": ["b", "a"],
    "owners": [{"person": "reporter", "role": "accountable"}],
    "milestones": [{"title": f"M {n}", "due_on": f"2022-0{n}-15", "weight": n} for n in (1, 2, 4)],
}
_REPORT = {
    "percent_complete": 66.67,
    "effective_on": "2022-06-01",
    "note": "Modul B — selesai ✓",
    "evidence": [{"title": "Foto", "url": "https://example.org/a?b=c&d=%20"}],
}
_INDICATOR = {
    "code": "ikm",
    "name": {"id": "Kepuasan", "en": "Satisfaction"},
    "unit_of_measure": "indeks",
    "polarity": "lower",
    "baseline": -81.25,
    "retired_on": "2023-01-01",
}
_ASSESSMENT = {
    "instrument": "permenpan-26-2020", "score_year": 2020, "assessor": "internal_auditor",
    "announced_on": "2022-02-08", "score": 71.63, "announced_predicate": "BB", "target": 77,
    "scores": [{"component": "results", "score": 30.13}], "source_url": "https://example.org/",
}  # fmt: skip
_RATING = {"rating": "amber_red", "reason": "Vendor mundur", "judged_on": "2022-10-03"}
_PUBLICATION = {
    "title": "SIAKBA dipakai", "said": "Satu pintu\n— kini", "published_on": "2022-10-04",
    "channel": "Siaran pers", "url": "https://example.org/a?b=c",
}  # fmt: skip
_STAGE = {
    "code": "campaign", "calendar": "pemilu-2024", "name": {"id": "Masa kampanye", "en": "Campaign"},
    "starts_on": "2023-11-28", "ends_on": "2024-02-10", "basis": "PKPU 3/2022",
    "source_url": "https://example.org/pkpu?a=b",
}  # fmt: skip
_ON = {"initiative": "QW-1", "milestone": 1}
_BATCH = {
    "items": [
        {**_REPORT, **_ON},
        {**_ON, "percent_complete": 101},
        {**_REPORT, "initiative": "nothing", "milestone": 1},
        {**_ON, "percent_complete": 5, "source": "sakti", "external_id": "2022/77"},
        {**_ON, "percent_complete": 5, "source": "sakti", "external_id": "2022/77"},
    ]
}
_OF = "/api/v1/institutions/{institution}"
_OF_INITIATIVE = f"{_OF}/initiatives/{{initiative}}"
_UPDATES = f"{_OF_INITIATIVE}/milestones/{{number}}/updates"
POSTS: dict[str, Callable[[Institution], Awaitable[Post]]] = {
    "/api/v1/institutions": _institution,
    "/api/v1/schemes": _scheme,
    "/api/v1/schemes/{scheme}/areas": _area,
    "/api/v1/schemes/{scheme}/purposes": _purpose,
    "/api/v1/programmes": _programme,
    "/api/v1/instruments": _instrument,
    "/api/v1/verdicts": _verdict,
    "/api/v1/indicators": _national_indicator,
    f"{_OF}/indicators": _in("indicators", {**_INDICATOR, "unit": "A"}),
    f"{_OF}/assessments": _in("assessments", _ASSESSMENT),
    f"{_OF}/units": _in(
        "units", {"code": "32.73", "name": "Kota Bandung", "parent": "A", "kind": "city"}
    ),
    f"{_OF}/units/{{unit}}/move": _in("units/A/move", {"parent": "B"}),
    f"{_OF}/units/{{unit}}/merge": _in("units/A/merge", {"into": "B"}),
    f"{_OF}/units/{{unit}}/ratings": _in("units/A/ratings", _RATING),
    f"{_OF}/people": _in(
        "people",
        {"code": "sek-32", "name": "Siti", "email": "siti@kpu.example", "unit": "A"},
    ),
    f"{_OF}/grants": _in("grants", {"person": "somebody", "role": "planner", "unit": "A"}),
    f"{_OF}/stages": _in("stages", _STAGE),
    f"{_OF}/stages/standard": _in("stages/standard", {"calendar": "pemilu-2024"}),
    f"{_OF}/tokens": _in(
        "tokens", {"person": "somebody", "name": "nightly", "scopes": ["updates:report"]}
    ),
    f"{_OF}/tokens/{{token}}/rotation": _rotation,
    f"{_OF}/calendars": _in("calendars", {"name": "Jawa Barat", "unit": "A"}),
    f"{_OF}/deletions/{{deletion}}/restoration": _restoration,
    f"{_OF}/webhooks": _in("webhooks", _WEBHOOK),
    f"{_OF}/webhooks/{{webhook}}/secrets": _of_webhook("secrets", {}),
    f"{_OF}/webhooks/{{webhook}}/test": _of_webhook("test"),
    f"{_OF}/webhooks/{{webhook}}/replay": _of_webhook("replay", {"after": 0, "reason": "Ulang"}),
    f"{_OF}/webhooks/{{webhook}}/deliveries/{{delivery}}/redelivery": _redelivery,
    f"{_OF}/periods": _in("periods", PERIOD),
    f"{_OF}/periods/standard": _in("periods/standard", {"year": 2021, "days_to_report": 14}),
    f"{_OF}/periods/{{period}}/close": _close,
    f"{_OF}/periods/{{period}}/reopening": _reopening,
    f"{_OF}/obstacles": _in("obstacles", _OBSTACLE),
    f"{_OF}/obstacles/{{obstacle}}/escalation": _of_obstacle(
        "escalation", {"reason": "Di luar wewenang"}
    ),
    f"{_OF}/obstacles/{{obstacle}}/decision": _of_obstacle(
        "decision", {"decision": "Ya — sampai akhir tahun"}
    ),
    f"{_OF}/obstacles/{{obstacle}}/follow-ups": _of_obstacle(
        "follow-ups", {"action": "Surati pusat", "owner": "reporter", "due_on": "2022-10-14"}
    ),
    f"{_OF}/imports": _import,
    f"{_OF}/criteria": _in(
        "criteria",
        {"code": "leverage", "name": {"id": "Daya ungkit", "en": "Leverage"}, "weight": 3},
    ),
    f"{_OF}/team-roles": _in(
        "team-roles", {"code": "agent", "name": {"id": "Agen perubahan", "en": "Agent of change"}}
    ),
    f"{_OF}/appointments": _appointment,
    f"{_OF}/appointments/renewal": _renewal,
    f"{_OF}/decrees": _in("decrees", _DECREE),
    f"{_OF}/decrees/{{decree}}/designations": _designations,
    f"{_OF}/files": _file,
    f"{_OF}/initiatives": _in("initiatives", _INITIATIVE),
    f"{_OF_INITIATIVE}/milestones": _in(
        "initiatives/QW-1/milestones", {"title": "Tiga", "due_on": "2022-12-31", "weight": 2}
    ),
    f"{_OF}/templates": _in("templates", _TEMPLATE),
    f"{_OF}/templates/{{template}}/copies": _copies,
    f"{_OF_INITIATIVE}/dependencies": _in(
        "initiatives/QW-1/dependencies",
        {"milestone": 2, "predecessor": "QW-1", "predecessor_milestone": 1, "lag_days": 14},
    ),
    f"{_OF_INITIATIVE}/baselines": _in(
        "initiatives/QW-1/baselines", {"reason": "Disetujui — rapat Tim RB"}
    ),
    f"{_OF_INITIATIVE}/verdicts": _judgement,
    f"{_OF_INITIATIVE}/publications": _in("initiatives/QW-1/publications", _PUBLICATION),
    f"{_OF_INITIATIVE}/ratings": _in("initiatives/QW-1/ratings", _RATING),
    _UPDATES: _in(f"{_MILESTONE}/updates", _REPORT),
    f"{_UPDATES}/{{update}}/verification": _verification,
    f"{_OF}/updates": _in("updates", _BATCH),
    f"{_OF}/reports": _in("reports", {"title": "Triwulan III", "as_of": "2022-09-30"}),
}
"""By the document's address: makes what the request needs, and answers the request."""
