"""Files as evidence: told by content, kept by digest, seen with the report that names them."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import time_machine
from fastapi import FastAPI

from app.db import Database
from app.filing import storage
from app.filing.storage import FilesUnavailable
from app.keeping import retention
from app.services import deletions, files
from tests.support.documents import PDF, office
from tests.support.institution import Institution, Json

REPORT = "initiatives/QW-1/milestones/1/updates"


@pytest.fixture
async def planned(institution: Institution) -> Institution:
    """QW-1 in unit A, with one milestone."""
    await institution.unit("A")
    await institution.initiative("QW-1", "A", milestones=[{"title": "M", "due_on": "2022-06-30"}])
    return institution


async def upload(
    institution: Institution,
    content: bytes = PDF,
    name: str | None = "SK 77.pdf",
    *,
    status: int = 201,
    client: httpx.AsyncClient | None = None,
    headers: dict[str, str] | None = None,
) -> Json:
    answer = await (client or institution.reporter).post(
        f"{institution.path}/files",
        params={} if name is None else {"name": name},
        content=content,
        headers={"Content-Type": "application/octet-stream", **(headers or {})},
    )
    assert answer.status_code == status, answer.text
    found: Json = answer.json()
    return found


async def report(institution: Institution, *sent: str, status: int = 201, **fields: Any) -> Json:
    evidence = [{"title": "SK", "file": each} for each in sent]
    body = {"percent_complete": 40, "evidence": evidence, **fields}
    path = f"{institution.path}/{REPORT}"
    return await institution.expect(status, "POST", path, body, client=institution.reporter)


async def fetch(
    institution: Institution,
    sent: Json,
    client: httpx.AsyncClient | None = None,
    headers: dict[str, str] | None = None,
) -> httpx.Response:
    path = f"{institution.path}/files/{sent['id']}/content"
    return await (client or institution.reporter).get(path, headers=headers)


def kept(database: Database, path: str = "") -> list[Path]:
    """What is in the storage, below a path."""
    root = Path(storage.held(database.session_info).root) / path
    return [each for each in root.rglob("*") if each.is_file()]


async def id_of(institution: Institution) -> str:
    return str((await institution.expect(200, "GET", institution.path))["id"])


async def test_a_file_comes_back_as_it_was_sent(planned: Institution, database: Database) -> None:
    made = await upload(planned, name="../Keputusan 77 — “final”.pdf")
    digest = sha256(PDF).hexdigest()
    assert made == made | {
        "name": "Keputusan 77 — “final”.pdf", "media_type": "application/pdf", "size": len(PDF),
        "digest": digest, "uploaded_by": "reporter",
    }  # fmt: skip
    path = f"{planned.path}/files/{made['id']}"
    assert await planned.expect(200, "GET", path, client=planned.reporter) == made
    answer = await planned.reporter.get(made["url"])
    assert (answer.status_code, answer.content) == (200, PDF)
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == (
        'attachment; filename="Keputusan 77 _ _final_.pdf"; '
        "filename*=UTF-8''Keputusan%2077%20%E2%80%94%20%E2%80%9Cfinal%E2%80%9D.pdf"
    )
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    tag = answer.headers["etag"]
    assert (await fetch(planned, made, headers={"If-None-Match": tag})).status_code == 304
    other = await upload(planned, name=None)  # the same bytes once more, for another file
    assert (other["name"], other["digest"]) == ("document.pdf", digest)
    assert [each.name for each in kept(database, await id_of(planned))] == [digest]
    (event, _) = (await planned.get("events", type="file.uploaded", sort="-sequence"))["items"]
    assert event["data"] == {"name": "document.pdf", "size": len(PDF), "digest": digest}


async def test_a_part_of_it(planned: Institution) -> None:
    made = await upload(planned)
    whole = (await fetch(planned, made)).headers
    for asked, part in (
        ("bytes=0-3", (0, 4)), ("bytes=9-", (9, len(PDF))), ("bytes=-6", (len(PDF) - 6, len(PDF))),
        ("bytes=5-99999", (5, len(PDF))), ("bytes=-99999", (0, len(PDF))),
    ):  # fmt: skip
        answer = await fetch(planned, made, headers={"Range": asked})
        start, end = part
        assert (answer.status_code, answer.content) == (206, PDF[start:end]), asked
        assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{len(PDF)}"
    for asked in ("bytes=0-1,3-4", "bytes=4-2", "bytes=-", "lines=1-2", "bytes=" + "9" * 30 + "-"):
        assert (await fetch(planned, made, headers={"Range": asked})).content == PDF
    for asked in (f"bytes={len(PDF)}-", "bytes=-0"):
        answer = await fetch(planned, made, headers={"Range": asked})
        assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{len(PDF)}")
    known = {"Range": "bytes=0-3", "If-Range": whole["etag"]}
    assert (await fetch(planned, made, headers=known)).status_code == 206
    assert (await fetch(planned, made, headers={**known, "If-Range": '"other"'})).content == PDF


async def test_what_it_is_its_content_says(planned: Institution) -> None:
    made = await upload(planned, name="laporan.exe")
    assert (made["name"], made["media_type"]) == ("laporan.exe.pdf", "application/pdf")
    for content, code in (
        (b"", "file_refused"), (b"<html>", "file_refused"), (b"PK\x03\x04", "file_refused"),
        (office("application/vnd.ms-word.document.macroEnabled.main+xml"), "has_macros"),
    ):  # fmt: skip
        told = await upload(planned, content, "a.pdf", status=422)
        assert (told["code"], told["errors"]) == (code, [])


async def test_what_is_not_taken(planned: Institution, app: FastAPI) -> None:
    most = app.state.settings.max_file_bytes
    version = (await planned.rollup())["version"]
    await upload(planned, PDF + bytes(most), status=413)
    await upload(planned, status=415, headers={"Content-Type": "multipart/form-data; boundary=x"})
    await upload(planned, status=415, headers={"Content-Encoding": "gzip"})
    await upload(planned, name="", status=422)
    await upload(planned, name="x" * 501, status=422)
    await upload(planned, status=403, client=planned.verifier)
    nowhere = f"{planned.path}/files/01a20d0f-7aff-70b8-9c49-d31eb6a5564a"
    for path in (nowhere, f"{nowhere}/content"):
        await planned.expect(404, "GET", path)
    assert (await planned.rollup())["version"] == version + 1  # that somebody was denied


async def test_a_report_names_files_and_shows_them(planned: Institution) -> None:
    made = await upload(planned)
    told = await report(planned, made["id"], effective_on="2022-06-01")
    (shown,) = told["evidence"]
    file = {name: made[name] for name in ("id", "name", "media_type", "size", "digest")}
    assert shown == {"title": "SK", "url": made["url"], "kind": None, "file": file}
    assert (await planned.reporter.get(shown["url"])).content == PDF
    path = f"{planned.path}/files/{made['id']}"
    assert (await planned.expect(200, "GET", path))["expires_at"] is None
    assert (await planned.get("updates"))["items"] == [told]
    version = (await planned.rollup())["version"]
    for wrong in ("01a20d0f-7aff-70b8-9c49-d31eb6a5564a", (await id_of(planned))):
        answer = await report(planned, made["id"], wrong, status=422)
        assert [(at["pointer"], at["code"]) for at in answer["errors"]] == [
            ("/evidence/1/file", "unknown_file")
        ]
    assert (await planned.rollup())["version"] == version
    again = [{"title": title, "file": made["id"]} for title in ("Satu", "Dua")]
    item = {"initiative": "QW-1", "milestone": 1, "percent_complete": 50, "evidence": again}
    batch = await planned.expect(
        207, "POST", f"{planned.path}/updates", {"items": [item, item]}, client=planned.reporter
    )
    assert [each["status"] for each in batch["results"]] == [201, 201]


async def test_who_sees_a_file(planned: Institution) -> None:
    """Its sender while it waits; then whoever sees a report that names it, and nobody else."""
    await planned.unit("B")
    people = {
        code: await planned.person(code, role, unit)
        for code, role, unit in (
            ("near", "viewer", "A"), ("far", "admin", "B"), ("also", "reporter", "A"),
            ("gone", "reporter", "A"),
        )
    }  # fmt: skip
    made = await upload(planned, client=people["gone"])

    async def statuses() -> dict[str, int]:
        return {code: (await fetch(planned, made, who)).status_code for code, who in people.items()}

    assert await statuses() == {"near": 404, "far": 404, "also": 404, "gone": 200}
    path = f"{planned.path}/{REPORT}"
    body: Json = {"percent_complete": 5, "evidence": [{"title": "SK", "file": made["id"]}]}
    await planned.expect(422, "POST", path, body, client=people["also"])
    await planned.expect(201, "POST", path, body, client=people["gone"])
    assert await statuses() == {"near": 200, "far": 404, "also": 200, "gone": 200}
    await planned.expect(201, "POST", path, body, client=people["also"])
    (grant,) = (await planned.get("grants", person="gone"))["items"]
    await planned.delete(f"grants/{grant['id']}")
    assert await statuses() == {"near": 200, "far": 404, "also": 200, "gone": 404}
    for client in people.values():
        await client.aclose()


async def test_only_so_many_wait(planned: Institution, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_WAITING", 2)
    made = [await upload(planned) for _ in range(2)]
    assert (await upload(planned, status=409))["code"] == "too_many_waiting"
    await report(planned, made[0]["id"])
    await upload(planned)


async def test_a_key_stands_for_one_file(planned: Institution) -> None:
    key = {"Idempotency-Key": "k-1"}
    made = await upload(planned, headers=key)
    assert await upload(planned, headers=key) == made
    told = await upload(planned, PDF + b"\n", status=422, headers=key)
    assert told["code"] == "idempotency_key_reused"


async def clean(database: Database) -> None:
    """What the background does once an hour."""
    await retention.exhaust(database, deletions.purge)
    await retention.exhaust(database, files.forget)
    await retention.shed(database)


async def test_what_no_report_names_goes(planned: Institution, database: Database) -> None:
    here = await id_of(planned)
    named, twin, alone = [await upload(planned) for _ in range(2)] + [
        await upload(planned, PDF + b"\n")
    ]
    await report(planned, named["id"])
    await clean(database)
    assert len(kept(database, here)) == 2
    with time_machine.travel(datetime.now(UTC) + timedelta(days=1, hours=2)):
        await clean(database)
        for made, status in ((named, 200), (twin, 404), (alone, 404)):
            assert (await fetch(planned, made)).status_code == status
        assert [each.name for each in kept(database, here)] == [named["digest"]]
        assert (await upload(planned, PDF + b"\n"))["digest"] == alone["digest"]


async def test_a_file_comes_back_with_its_report(planned: Institution, database: Database) -> None:
    made = await upload(planned)
    await report(planned, made["id"])
    await planned.delete("initiatives/QW-1")
    assert (await fetch(planned, made)).status_code == 200  # its sender's again
    later = datetime.now(UTC) + timedelta(days=29)
    with time_machine.travel(later):
        await clean(database)
        (deleted,) = (await planned.get("deletions"))["items"]
        await planned.post(f"deletions/{deleted['id']}/restoration", {})
        (shown,) = (await planned.get("updates"))["items"][0]["evidence"]
        assert (await planned.operator.get(shown["url"])).content == PDF
        assert (await planned.get(f"files/{made['id']}"))["expires_at"] is None
        await planned.delete("initiatives/QW-1")
    with time_machine.travel(later + timedelta(days=31)):
        await clean(database)
        await planned.expect(404, "GET", f"{planned.path}/files/{made['id']}")
        assert kept(database, await id_of(planned)) == []


async def test_bytes_are_not_removed_while_they_are_stored(
    planned: Institution, database: Database
) -> None:
    """Who stores says so first, and who removes too: whoever comes second sees it."""
    here = await id_of(planned)
    digest = sha256(PDF).hexdigest()
    await database.write(files.expect, (key := UUID(here)), digest)
    assert (key, digest) not in await database.write(files.doomed)
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=2)):
        doomed = await database.write(files.doomed)
        assert (key, digest) in doomed
        assert (key, digest) not in await database.write(files.doomed)  # another host's turn
        with pytest.raises(FilesUnavailable):
            await database.write(files.expect, key, digest)
        assert (await upload(planned, status=503))["code"] == "files_unavailable"
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=4)):
        await clean(database)  # a process that began it is gone: another one ends it
        made = await upload(planned)
    storage.held(database.session_info).remove(key, digest)  # by somebody else's hand
    answer = await fetch(planned, made)
    assert (answer.status_code, answer.json()["code"]) == (503, "files_unavailable")
