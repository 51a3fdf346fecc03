"""The command line, as its users call it."""

import json
import socket
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import Connection, Uuid, bindparam, text

from app.db import Database
from app.services import rollups
from app.settings import Settings
from tests.conftest import OPERATOR
from tests.database.test_tampering import lift, restore
from tests.support.institution import API, Institution
from tests.support.migrations import on_connection
from tests.support.postgres import create_database
from tests.support.server import quickwin as in_a_process
from tests.support.server import serving
from tests.support.typed import quickwin


async def test_tokens_come_and_go(
    configuration: Settings, clients: object, checked: httpx.AsyncBaseTransport
) -> None:
    made = quickwin(configuration.database_url, "token", "create", "nightly")
    assert made.returncode == 0, made.stderr
    headers = {"Authorization": f"Bearer {made.stdout.strip()}"}
    async with httpx.AsyncClient(
        transport=checked, base_url="http://test", headers=headers
    ) as client:
        assert (await client.get(f"{API}/me")).json()["token_name"] == "nightly"
        revoked = quickwin(configuration.database_url, "token", "revoke", "nightly")
        assert revoked.stdout == "Revoked: 1\n"
        assert (await client.get(f"{API}/me")).status_code == 401
    again = quickwin(configuration.database_url, "token", "revoke", "nightly")
    assert again.returncode == 1
    assert "Not found" in again.stderr


async def test_verify_and_rebuild(
    configuration: Settings, institution: Institution, database: Database
) -> None:
    await institution.initiative("QW-1", milestones=[{"title": "M", "due_on": "2022-06-30"}])
    await institution.report("QW-1", 1, 40, "2022-06-01")
    url, only = configuration.database_url, ("--institution", institution.code)
    clean = quickwin(url, "rollups", "verify", *only)
    assert (clean.returncode, "1 initiatives recomputed, 0 differences" in clean.stdout) == (
        0,
        True,
    )
    version = (await institution.rollup())["version"]

    await database.write(
        lambda session: session.connection().exec_driver_sql(
            "UPDATE rollup_period SET earned = earned + 1 WHERE starts_on = '2022-06-01'"
        )
    )
    damaged = quickwin(url, "rollups", "verify", *only)
    assert damaged.returncode == 1
    assert f"unit {institution.code}" in damaged.stdout
    assert "earned -1" in damaged.stdout
    assert quickwin(url, "rollups", "rebuild").returncode == 0
    assert quickwin(url, "rollups", "verify").returncode == 0
    assert (await institution.rollup())["version"] == version + 1
    assert (await institution.rollup())["percent_complete"] == 40.0


@pytest.mark.parametrize("crossed", [1, 3])
async def test_a_rebuild_that_crosses_another_looks_again(
    configuration: Settings,
    institution: Institution,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    crossed: int,
) -> None:
    await institution.initiative("QW-1", milestones=[{"title": "M", "due_on": "2022-06-30"}])
    await institution.report("QW-1", 1, 40, "2022-06-01")
    found = await institution.expect(200, "GET", institution.path)
    scope = {"id": UUID(found["id"])}
    statement = text("UPDATE rollup_total SET active = active + 1 WHERE institution_id = :id")
    await database.write(
        lambda session: session.execute(statement.bindparams(bindparam("id", type_=Uuid())), scope)
    )
    once, left = rollups.mend, [crossed]

    def twice(*given: Any) -> None:
        once(*given)
        if left[0]:
            left[0] -= 1
            once(*given)

    monkeypatch.setattr(rollups, "mend", twice)
    url, only = configuration.database_url, ("--institution", institution.code)
    done = quickwin(url, "rollups", "rebuild", *only)
    assert done.returncode == (0 if crossed == 1 else 1)
    assert ("run it again" in done.stderr) == (crossed == 3)
    assert quickwin(url, "rollups", "rebuild", *only).returncode == 0
    assert quickwin(url, "rollups", "verify", *only).returncode == 0


async def test_purge_what_can_no_longer_be_restored(
    configuration: Settings, institution: Institution, database: Database
) -> None:
    await institution.post("people", {"code": "p", "name": "P"})
    await institution.delete("people/p")
    url = configuration.database_url
    assert quickwin(url, "deletions", "purge").returncode == 0
    assert len((await institution.get("deletions"))["items"]) == 1
    await database.write(
        lambda session: session.connection().exec_driver_sql(
            "UPDATE deletion SET restorable_until = deleted_at, deleted_at = '2022-01-01 00:00:00'"
        )
    )
    assert quickwin(url, "deletions", "purge").stdout.startswith("Purged: ")
    assert quickwin(url, "deletions", "purge").stdout == "Purged: 0\n"
    assert (await institution.get("deletions"))["items"] == []


def test_a_first_start_prints_a_token_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'quickwin.db'}"
    for start in (1, 2):
        log = tmp_path / f"log{start}"
        with serving(url, log) as server:
            assert httpx.get(f"{server.url}{API}/me").status_code == 401
            told = log.read_text()
            assert ("qw_" in told) == (start == 1)
            if start == 1:
                token = next(word for word in told.split() if word.startswith("qw_"))
            headers = {"Authorization": f"Bearer {token}"}
            assert httpx.get(f"{server.url}{API}/me", headers=headers).json()["operator"] is True
    with serving(url, tmp_path / "log3", token=OPERATOR) as server:
        headers = {"Authorization": f"Bearer {OPERATOR}"}
        assert httpx.get(f"{server.url}{API}/me", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "arguments", [("serve", "--port", "0"), ("demo", "load", "--initiatives", "1"), ("sing",)]
)
def test_wrong_words_are_refused(arguments: tuple[str, ...], tmp_path: Path) -> None:
    done = quickwin(f"sqlite:///{tmp_path / 'quickwin.db'}", *arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_what_is_no_database_is_said_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "letter.db").write_text("Yang terhormat,\n" * 1_000)
    for arguments in (
        ("serve",),
        ("db", "upgrade"),
        ("token", "create", "x"),
        ("rollups", "verify"),
    ):
        done = quickwin(f"sqlite:///{tmp_path / 'letter.db'}", *arguments)
        assert (done.returncode, "file is not a database\n" in done.stderr) == (1, True), done
        assert "Traceback" not in done.stderr


async def test_a_role_that_is_not_there(postgres_server: str) -> None:
    url = await create_database(postgres_server, f"roles_{uuid4().hex[:8]}")
    done = quickwin(url, "db", "upgrade", "--service-role", "nobdoy")
    assert (done.returncode, done.stderr) == (
        1, 'The database cannot be reached, or refuses: role "nobdoy" does not exist\n',
    )  # fmt: skip


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = in_a_process(f"sqlite:///{tmp_path / 'q.db'}", "worker", "--metrics-port", port)
    assert (done.returncode, "--metrics-port" in done.stderr) == (2, True), done
    assert "Traceback" not in done.stderr


async def test_the_trail_is_audited(
    configuration: Settings, institution: Institution, database: Database
) -> None:
    url, only = configuration.database_url, ("--institution", institution.code)
    printed = quickwin(url, "audit", "head", *only)
    code, anchor = printed.stdout.split()
    assert (printed.returncode, code) == (0, institution.code)
    everything = quickwin(url, "audit", "head")
    assert {f"{code} {anchor}", "(catalogues)"} <= {
        line if line.startswith(code) else line.split()[0]
        for line in everything.stdout.splitlines()
    }
    await institution.unit("A")
    clean = quickwin(url, "audit", "verify", *only, "--anchor", anchor)
    assert clean.returncode == 0, clean.stdout
    assert clean.stdout.strip().endswith(": all in order")
    assert quickwin(url, "audit", "verify", "--catalogues").returncode == 0
    forged = f"{anchor[:-1]}{'0' if anchor[-1] != '0' else '1'}"
    told = quickwin(url, "audit", "verify", *only, "--anchor", forged)
    assert told.returncode == 1
    assert "anchor: the anchor has another digest" in told.stdout

    def cut(connection: Connection) -> None:
        lift(connection)
        of = "(SELECT id FROM institution WHERE code = :code)"
        statement = f"DELETE FROM event WHERE sequence = 2 AND institution_id = {of}"
        connection.execute(text(statement), {"code": institution.code})
        restore(connection)

    await on_connection(database, cut)
    told = quickwin(url, "audit", "verify", *only)
    assert told.returncode == 1
    assert f"{institution.code}: event 2: removed: event 2 is gone" in told.stdout
    listed = json.loads(quickwin(url, "audit", "verify", *only, "--json").stdout)
    assert [(each["feed"], each["wrong"]) for each in listed] == [(institution.code, 1)]
    assert listed[0]["findings"] == [
        {"kind": "removed", "sequence": 2, "detail": "event 2 is gone"}
    ]


@pytest.mark.parametrize("given", [("--anchor", "1:x"), ("--anchor", f"1:{'0' * 64}")])
def test_an_anchor_is_of_a_feed(tmp_path: Path, given: tuple[str, ...]) -> None:
    told = quickwin(f"sqlite:///{tmp_path / 'a.db'}", "audit", "verify", *given)
    assert told.returncode == 2
    assert "Traceback" not in told.stderr
