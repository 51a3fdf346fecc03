"""An institution leaves one database and comes to the other kind: all of it, or nothing."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4
from zipfile import ZipFile

import pytest
from sqlalchemy import func, make_url, select
from sqlalchemy.orm import Session

from app.archive import ArchiveRefused, Reader
from app.db import Database
from app.errors import CodeTaken
from app.filing import storage
from app.models import Base, Initiative
from app.models import Institution as Institution_
from app.opening import open_database
from app.schemas.archives import Manifest
from app.schemas.curves import CurveQuery
from app.schemas.rollups import RollupQuery
from app.services import audit, curves, packing, rollups, unpacking
from app.services.actors import SYSTEM
from app.services.packing import LEFT_OUT, PACKED
from app.settings import Settings
from tests.support.institution import API, Institution, Json
from tests.support.postgres import create_database
from tests.support.server import environment

Lines = list[Json]
PDF = b"%PDF-1.7\n%%EOF\n"
NAME_CATALOGUES = {
    "initiative_area",
    "initiative_purpose",
    "template_area",
    "deletion",
    "institution",
}
"""Tables with ids of catalogues, which are others in each database."""
KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from app.archive import Reader
from app.opening import open_database
from app.services import unpacking
from app.services.actors import SYSTEM
from app.settings import settings
def progress(stage, done, total):
    if stage == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)
async def go():
    database = await open_database(settings())
    with Reader(Path(sys.argv[1])) as reader:
        await database.write(unpacking.unpack, SYSTEM, reader, None, progress)
asyncio.run(go())
"""


def nobody_waits(_stage: str, _done: int, _total: int) -> None:
    """No progress is shown."""


class Elsewhere(NamedTuple):
    """Another database of each kind."""

    sqlite: Database
    postgresql: Database
    urls: dict[str, str]

    def unlike(self, database: Database) -> Database:
        return self.postgresql if database.is_sqlite else self.sqlite


@pytest.fixture(scope="module")
async def elsewhere(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: str
) -> AsyncIterator[Elsewhere]:
    folder = tmp_path_factory.mktemp("elsewhere")
    urls = {
        "sqlite": f"sqlite:///{folder / 'quickwin.db'}",
        "postgresql": await create_database(postgres_server, f"elsewhere_{uuid4().hex}"),
    }
    opened = []
    for url in urls.values():
        bare = Database(Settings(database_url=url))
        await bare.migrate()
        await bare.close()
        files = folder / "files" / make_url(url).get_backend_name()
        opened.append(await open_database(Settings(database_url=url, files_url=str(files))))
    yield Elsewhere(opened[0], opened[1], urls)
    for database in opened:
        await database.close()


@pytest.fixture
async def full(institution: Institution) -> Institution:
    """One of everything that an institution can have."""
    scheme = f"{institution.code}-map"
    names = {"id": "Peta", "en": "Map"}
    for path, body in (
        ("schemes", {"code": scheme, "name": names, "from_year": 2025}),
        (f"schemes/{scheme}/areas", {"code": f"{scheme}-a", "name": names, "aliases": ["Lama"]}),
        (f"schemes/{scheme}/purposes", {"code": f"{scheme}-p", "kind": "outcome", "name": names}),
        (
            "programmes",
            {"code": scheme, "name": names, "lead": institution.code, "from_year": 2025},
        ),
    ):
        await institution.expect(201, "POST", f"{API}/{path}", body)
    for unit, parent in (("A", None), ("A1", "A"), ("B", None), ("Late", "B"), ("Gone", None)):
        await institution.unit(unit, parent)
    await institution.expect(
        200, "POST", f"{institution.path}/units/A/move", {"parent": "Late"}, if_match="*"
    )
    await institution.expect(
        200, "POST", f"{institution.path}/units/Gone/merge", {"into": "B"}, if_match="*"
    )
    areas = ["oversight", f"{scheme}-a"]
    plan = [
        {"title": "Satu — ✓", "due_on": "2022-03-31", "weight": 2},
        {"title": "Dua", "due_on": "2022-06-30"},
    ]
    for n, unit in enumerate(("A", "A1", "B", institution.code), start=1):
        await institution.initiative(
            f"QW-{n}",
            unit,
            milestones=plan,
            areas=areas,
            tags=["x"],
            weight=n,
            outcomes=["capable", f"{scheme}-p"],
            level="micro",
            programme=scheme,
        )
    stage = {
        "code": "vote",
        "calendar": "pemilu",
        "starts_on": "2022-06-01",
        "ends_on": "2022-06-30",
    }
    await institution.post("stages", {**stage, "name": names})
    linked = {"stages": [{"stage": "vote", "relation": "blocked_during"}], "public": True}
    await institution.patch("initiatives/QW-1", linked)
    await institution.post("initiatives/QW-1/publications", {"title": "Siaran", "said": "✓"})
    seen = await institution.report("QW-1", 1, 66.67, "2022-03-20")
    await institution.verify(seen)
    await institution.report("QW-2", 1, 100, "2022-04-20")
    await institution.report("QW-2", 2, 10, "2022-05-20")
    await institution.patch(
        "initiatives/QW-3/milestones/2", {"status": "dropped", "reason": "Batal"}
    )
    await institution.post(
        "initiatives/QW-1/ratings", {"rating": "amber", "reason": "R", "judged_on": "2022-06-01"}
    )
    await institution.post("criteria", {"code": "leverage", "name": names})
    decree = {"number": "17/2022", "issued_on": "2022-01-17", "signer": "S", "title": "T"}
    await institution.post("decrees", {"code": "SK-17", **decree})
    await institution.initiative("QW-5", "A", status="proposed", owners=[])
    await institution.expect(
        200, "PUT", f"{institution.path}/initiatives/QW-5/scores/leverage", {"score": 4}
    )
    await institution.patch("initiatives/QW-1", {"decree": "SK-17"})
    await institution.post("team-roles", {"code": "agent", "name": names})
    member = {"person": "reporter", "role": "agent", "unit": "A", "year": 2022, "decree": "SK-17"}
    await institution.post("appointments", member)
    await institution.patch("people/reporter", {"oidc_subject": f"subject-{institution.code}"})
    made = await institution.post("reports", {"title": "Triwulan II", "as_of": "2022-06-30"})
    await institution.post(
        "reports", {"title": "Lagi", "as_of": "2022-06-30", "supersedes": made["id"]}
    )
    for code, content in (("QW-2", PDF), ("QW-4", b"%PDF-1.4 deleted")):
        sent = await institution.reporter.post(
            f"{institution.path}/files",
            content=content,
            headers={"Content-Type": "application/pdf"},
        )
        evidence = [{"title": "SK", "file": sent.json()["id"], "kind": "decree"}]
        body = {"percent_complete": 20, "effective_on": "2022-02-20", "evidence": evidence}
        path = f"{institution.path}/initiatives/{code}/milestones/1/updates"
        await institution.expect(201, "POST", path, body, client=institution.reporter)
    await institution.delete("initiatives/QW-4")
    body = {"milestone": 2, "predecessor": "QW-1", "predecessor_milestone": 1, "lag_days": -3}
    await institution.post("initiatives/QW-2/dependencies", body)
    await institution.post("initiatives/QW-1/baselines", {"reason": "Rapat"})
    template = {
        "code": "standard", "title": "Standar", "areas": [f"{scheme}-a"], "tags": ["x"],
        "milestones": [{"title": "Tim", "due_month_day": "02-29"}],
    }  # fmt: skip
    await institution.post("templates", template)
    copies = {"below": institution.code, "year": 2023, "code": "copy-{unit}"}
    await institution.post("templates/standard/copies", copies)
    await institution.patch(
        "initiatives/copy-A",
        {"status": "active", "owners": [{"person": "reporter", "role": "accountable"}]},
    )
    return institution


async def pack(database: Database, institution: str) -> bytes:
    file = BytesIO()
    await database.read(packing.pack, SYSTEM, institution, file, nobody_waits)
    return file.getvalue()


async def unpack(
    database: Database, archive: bytes, folder: Path, code: str | None = None
) -> unpacking.Unpacked:
    path = folder / "archive.zip"
    path.write_bytes(archive)
    with Reader(path) as reader:
        return await database.write(unpacking.unpack, SYSTEM, reader, code, nobody_waits)


def parts(archive: bytes) -> dict[str, Lines]:
    with ZipFile(BytesIO(archive)) as file:
        return {
            name.removeprefix("tables/").removesuffix(".jsonl"): [
                json.loads(line) for line in file.read(name).splitlines()
            ]
            for name in file.namelist()
            if name.startswith("tables/")
        }


def manifest_of(archive: bytes) -> Manifest:
    with ZipFile(BytesIO(archive)) as file:
        return Manifest.model_validate_json(file.read("manifest.json"))


def remade(archive: bytes, change: Callable[[dict[str, Lines], Json], None]) -> bytes:
    """The archive after a change of its rows or its manifest, with all digests right."""
    tables = parts(archive)
    with ZipFile(BytesIO(archive)) as file:
        manifest = json.loads(file.read("manifest.json"))
        files = {name: file.read(name) for name in file.namelist() if name.startswith("files/")}
    change(tables, manifest)
    made = BytesIO()
    with ZipFile(made, "w") as file:
        for table, lines in tables.items():
            text = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
            file.writestr(f"tables/{table}.jsonl", text)
            digest = sha256(text).hexdigest()
            manifest["tables"].setdefault(table, {})
            manifest["tables"][table] = {"rows": len(lines), "sha256": digest}
        for name, content in files.items():
            file.writestr(name, content)
        file.writestr("manifest.json", json.dumps(manifest))
    return made.getvalue()


def numbers(session: Session, institution: str) -> Json:
    """Every roll-up of every unit, in all and by area, today and in the past; and the curve."""
    units = [None, "A", "A1", "B", "Late", "Gone"]
    found: Json = {}
    for as_of in (None, "2022-03-25", "2022-06-30"):
        query = RollupQuery.model_validate({"as_of": as_of})
        for unit in units:
            told = rollups.get(session, SYSTEM, institution, unit, query)
            areas = rollups.areas(session, SYSTEM, institution, unit, query).items
            found[f"{unit} {as_of}"] = [
                each.model_dump(exclude={"version", "institution"}) for each in (told, *areas)
            ]
    curve = curves.get(session, SYSTEM, institution, None, CurveQuery())
    return found | {"curve": curve.model_dump(exclude={"version", "institution"})}


async def there(database: Database) -> int:
    """How many rows there are of anything."""

    def count(session: Session) -> int:
        return sum(
            session.scalar(select(func.count()).select_from(table)) or 0
            for table in Base.metadata.sorted_tables
        )

    return await database.read(count)


def test_every_table_is_decided_on() -> None:
    """Whether it comes along; a table with a secret in it does not."""
    mapped = {mapper.class_ for mapper in Base.registry.mappers}
    assert mapped == {*PACKED, *LEFT_OUT}
    assert not set(PACKED) & LEFT_OUT.keys()


async def test_there_and_back(
    full: Institution, database: Database, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    """From either database to the other, and back beside the original: equal to the digit."""
    before = await database.read(numbers, full.code)
    archive = await pack(database, full.code)
    other = elsewhere.unlike(database)
    unpacked = await unpack(other, archive, tmp_path)
    assert (unpacked.institution, unpacked.is_copy) == (full.code, False)
    assert await other.read(numbers, full.code) == before

    again = parts(await pack(other, full.code))
    first = parts(archive)
    (moved,) = again["event"][len(first["event"]) :]
    assert moved["type"] == "institution.imported"
    assert again["event"][:-1] == first["event"]
    for table in first.keys() - {
        "event",
        "scheme",
        "reform_area",
        "scheme_area",
        "purpose",
        "scheme_purpose",
    }:
        ours, theirs = first[table], again[table]
        if table in NAME_CATALOGUES:
            assert len(ours) == len(theirs) > 0
        else:
            assert ours == theirs, table
    assert first["unit_merger"], "a part that is empty shows nothing"

    head = await database.read(audit.head, SYSTEM, full.code)
    findings = await other.read(audit.verify, SYSTEM, full.code, [head], lambda _d, _t: None)
    assert (findings.wrong, findings.events) == (0, head.sequence + 1)

    copy = f"{full.code}-copy"
    back = await unpack(database, await pack(other, full.code), tmp_path, copy)
    assert (back.institution, back.is_copy, back.without_subject) == (copy, True, 1)
    assert await database.read(numbers, copy) == before
    findings = await database.read(audit.verify, SYSTEM, copy, [], lambda _d, _t: None)
    assert (findings.wrong, findings.events) == (0, head.sequence + 2)
    restored = Institution(copy, full.operator, full._transport)  # noqa: SLF001
    (deletion,) = (await restored.get("deletions"))["items"]
    await restored.post(f"deletions/{deletion['id']}/restoration", {})
    assert (await restored.rollup())["initiatives"]["total"] == 5
    assert (await restored.get("reports"))["items"][1]["superseded_by"]
    items = (await restored.get("updates"))["items"]
    told = {each["initiative"]: each for each in items if each["evidence"]}
    for code, content in (("QW-2", PDF), ("QW-4", b"%PDF-1.4 deleted")):
        (shown,) = told[code]["evidence"]
        assert (await full.operator.get(shown["url"])).content == content


async def test_one_of_a_release_that_kept_less(
    full: Institution, database: Database, tmp_path: Path
) -> None:
    def forget(tables: dict[str, Lines], _manifest: Json) -> None:
        for row in tables["initiative"]:
            del row["last_done_on"], row["reported_months"]

    def kept(session: Session, institution: str) -> list[tuple[Any, ...]]:
        of = select(Institution_.id).where(Institution_.code == institution).scalar_subquery()
        columns = Initiative.code, Initiative.last_done_on, Initiative.reported_months
        rows = session.execute(select(*columns).where(Initiative.institution_id == of))
        return sorted(map(tuple, rows))

    old = remade(await pack(database, full.code), forget)
    copy = f"{full.code}-old"
    await unpack(database, old, tmp_path, copy)
    assert await database.read(kept, copy) == await database.read(kept, full.code)


async def test_what_is_secret_stays(full: Institution, database: Database) -> None:
    archive = await pack(database, full.code)
    text = json.dumps(parts(archive))
    with ZipFile(BytesIO(archive)) as file:
        assert all("token" not in name and "secret" not in name for name in file.namelist())

    def digests(session: Session) -> list[str]:
        return list(session.scalars(select(Base.metadata.tables["api_token"].c.digest)))

    found = await database.read(digests)
    assert found
    assert not [digest for digest in found if digest in text]


async def test_over_http_it_is_the_same(
    full: Institution, database: Database, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    admin = await full.person("boss", "admin")
    answer = await admin.get(f"{full.path}/exports/archive")
    assert answer.headers["content-type"] == "application/zip"
    name = answer.headers["content-disposition"]
    assert name.startswith(f'attachment; filename="{full.code}-archive-20')
    await unpack(elsewhere.unlike(database), answer.content, tmp_path)
    assert await elsewhere.unlike(database).read(numbers, full.code) == await database.read(
        numbers, full.code
    )
    below = await full.person("below", "admin", "A")
    assert (await below.get(f"{full.path}/exports/archive")).status_code == 403
    for client in (admin, below):
        await client.aclose()


def _percent(tables: dict[str, Lines], _: Json) -> None:
    tables["milestone"][0]["percent"] += 1


def _report(tables: dict[str, Lines], _: Json) -> None:
    tables["progress_update"].pop()


def _event(tables: dict[str, Lines], _: Json) -> None:
    tables["event"][2]["data"]["x"] = 1


def _last_event(tables: dict[str, Lines], _: Json) -> None:
    tables["event"].pop()


def _unit(tables: dict[str, Lines], _: Json) -> None:
    tables["unit"].pop()


def _cycle(tables: dict[str, Lines], _: Json) -> None:
    by_code = {unit["code"]: unit for unit in tables["unit"]}
    by_code["B"]["parent_id"] = by_code["A1"]["id"]


def _tenant(tables: dict[str, Lines], _: Json) -> None:
    tables["person"][0]["institution_id"] = "01a20d0f-7aff-70b8-9c49-d31eb6a5564a"


def _nul(tables: dict[str, Lines], _: Json) -> None:
    tables["initiative"][0]["title"] = "a\0b"


def _range(tables: dict[str, Lines], _: Json) -> None:
    tables["initiative"][0]["weight"] = 10**30


def _kind(tables: dict[str, Lines], _: Json) -> None:
    tables["initiative"][0]["status"] = "sleeping"


def _field(tables: dict[str, Lines], _: Json) -> None:
    del tables["milestone"][1]["title"]


def _key(tables: dict[str, Lines], _: Json) -> None:
    tables["initiative"][0]["code_key"] = "other"


def _frozen(tables: dict[str, Lines], _: Json) -> None:
    tables["frozen_report"][0]["content"] += " "


def _area(tables: dict[str, Lines], _: Json) -> None:
    tables["reform_area"].clear()


def _deleted(tables: dict[str, Lines], _: Json) -> None:
    tables["deletion"][0]["content"] = {"initiative": "x"}


def _newer(_: dict[str, Lines], manifest: Json) -> None:
    manifest["revision"] = "zzzz"


def _format(_: dict[str, Lines], manifest: Json) -> None:
    manifest["version"] = 2


def _table(tables: dict[str, Lines], _: Json) -> None:
    tables["api_token"] = []


def _institution(tables: dict[str, Lines], _: Json) -> None:
    tables["institution"].clear()


def _lost_file(_: dict[str, Lines], manifest: Json) -> None:
    manifest["files"].popitem()


def _longer_file(_: dict[str, Lines], manifest: Json) -> None:
    manifest["files"][next(iter(manifest["files"]))] += 1


def _other_file(tables: dict[str, Lines], _: Json) -> None:
    tables["uploaded_file"][0]["digest"] = "0" * 64


CHANGES = [
    _percent, _report, _event, _last_event, _unit, _cycle, _tenant, _nul, _range, _kind, _field,
    _key, _frozen, _area, _deleted, _newer, _format, _table, _institution, _lost_file, _longer_file, _other_file,
]  # fmt: skip


async def test_a_lost_file_keeps_nobody_from_leaving(
    full: Institution, database: Database, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    """It is named, and its bytes come back with whoever still has them."""
    whole = manifest_of(await pack(database, full.code))
    lost, damaged = whole.files
    stored = storage.held(database.session_info)
    stored.remove(whole.institution_id, lost)
    stored.remove(whole.institution_id, damaged)
    stored.put(whole.institution_id, damaged, BytesIO(b"no PDF"))
    archive = await pack(database, full.code)
    other = elsewhere.unlike(database)
    assert (await unpack(other, archive, tmp_path)).missing == sorted(whole.files)
    again = manifest_of(await pack(other, full.code))
    assert (again.files, again.missing) == ({}, sorted(whole.files))


async def test_what_is_damaged_is_refused(
    full: Institution, database: Database, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    """Cut off, foreign, or changed by somebody who computed all digests anew: nothing is written."""
    archive = await pack(database, full.code)
    foreign = BytesIO()
    with ZipFile(foreign, "w") as file:
        file.writestr("hello.txt", "hello")
    middle = len(archive) // 2
    flipped = archive[:middle] + bytes([archive[middle] ^ 255]) + archive[middle + 1 :]
    damaged = {
        "empty": b"", "no zip": b"hello", "cut off": archive[:-100], "half": archive[:middle],
        "flipped": flipped, "foreign": foreign.getvalue(),
        **{change.__name__: remade(archive, change) for change in CHANGES},
    }  # fmt: skip
    for target in (elsewhere.sqlite, elsewhere.postgresql):
        before = await there(target)
        for name, content in damaged.items():
            with pytest.raises(ArchiveRefused) as refused:
                await unpack(target, content, tmp_path)
            assert refused.value.detail.endswith("."), name
            assert await there(target) == before, name
    unchanged = remade(archive, lambda _tables, _manifest: None)
    await unpack(elsewhere.unlike(database), unchanged, tmp_path)
    with pytest.raises(CodeTaken):
        await unpack(elsewhere.unlike(database), archive, tmp_path)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_killed_on_the_way_it_leaves_nothing(
    full: Institution, database: Database, elsewhere: Elsewhere, tmp_path: Path, kind: str
) -> None:
    if database.is_sqlite != (kind == "sqlite"):
        return  # once for each target is enough
    path = tmp_path / "archive.zip"
    path.write_bytes(await pack(database, full.code))
    target = getattr(elsewhere, kind)
    before = await there(target)
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(path), "verified"],
        env=environment(elsewhere.urls[kind], None, files_url=tmp_path / "files"), capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == -9, done.stderr
    assert await there(target) == before
    assert (await unpack(target, path.read_bytes(), tmp_path)).institution == full.code
