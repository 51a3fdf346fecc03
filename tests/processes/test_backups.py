"""What is no backup, or does not fit, is refused in one line, and nothing is touched."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from uuid import uuid4
from zipfile import ZIP_STORED, ZipFile

import pytest

from app import atomic
from app.db import Database
from app.keeping.postgres import environment
from app.settings import Settings
from tests.support.postgres import create_database, programs
from tests.support.typed import Done, quickwin

OLDER = "0031"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database without an institution, whose schema is this release's."""
    file = tmp_path_factory.mktemp("kept") / "q.db"
    made = quickwin(f"sqlite:///{file}", "token", "create", "kept")
    assert made.returncode == 0, made
    return file


@pytest.fixture(scope="module")
def backup(database: Path) -> Path:
    """Its backup."""
    file = database.with_name("q.backup")
    made = quickwin(f"sqlite:///{database}", "backup", str(file))
    assert made.returncode == 0, made
    return file


def refused(done: Done, why: str, status: int = 1) -> None:
    assert (done.returncode, why in done.stderr, "Traceback" in done.stderr) == (
        status, True, False,
    ), done  # fmt: skip


def names(file: Path) -> list[str]:
    """Of its operators' tokens."""
    with closing(sqlite3.connect(file)) as found:
        return [name for (name,) in found.execute("SELECT name FROM api_token ORDER BY name")]


def in_the_middle(content: bytes) -> bytes:
    at = len(content) // 2
    return content[:at] + bytes([content[at] ^ 255]) + content[at + 1 :]


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (in_the_middle, "damaged"),
        (lambda content: content[:-100], "damaged or cut off"),
        (lambda _: b"", "damaged or cut off"),
        (lambda _: b"SQLite format 3\0", "damaged or cut off"),
    ],
    ids=["changed", "cut off", "empty", "something else"],
)
def test_a_damaged_one(
    backup: Path, tmp_path: Path, spoil: Callable[[bytes], bytes], why: str
) -> None:
    spoiled, target = tmp_path / "spoiled", tmp_path / "target.db"
    spoiled.write_bytes(spoil(backup.read_bytes()))
    refused(quickwin(f"sqlite:///{target}", "backup", "--check", str(spoiled)), why)
    refused(quickwin(f"sqlite:///{target}", "restore", str(spoiled)), why)
    assert [path.name for path in tmp_path.iterdir()] == ["spoiled"]


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('"revision": "00', '"revision": "90', "a newer schema (90"),
        ('"version": 1', '"version": 2', "of a newer release"),
        ('"api_token": 1', '"api_token": 2', "api_token: 1 rows, not 2"),
        ('"sequence": 1', '"sequence": 2', "the chain of the catalogues does not end at 2"),
        ('"rollup_total": "', '"rollup_total": "0000', "of a newer release"),
    ],
)
def test_another_manifest(backup: Path, tmp_path: Path, old: str, new: str, why: str) -> None:
    changed, target = tmp_path / "changed", tmp_path / "target.db"
    with ZipFile(backup) as whole, ZipFile(changed, "w", ZIP_STORED) as other:
        for name in whole.namelist():
            content = whole.read(name)
            if name == "manifest.json":
                assert old in content.decode()
                content = content.decode().replace(old, new).encode()
            other.writestr(name, content)
    refused(quickwin(f"sqlite:///{target}", "restore", str(changed)), why)
    assert [path.name for path in tmp_path.iterdir()] == ["changed"]


async def test_an_older_schema_is_migrated(tmp_path: Path) -> None:
    here, there = (f"sqlite:///{tmp_path / name}" for name in ("old.db", "new.db"))
    old = Database(Settings(database_url=here))
    await old.migrate(OLDER)
    await old.close()
    file = tmp_path / "old.backup"
    made = quickwin(here, "backup", str(file))
    assert f"schema {OLDER}" in made.stdout, made
    with closing(sqlite3.connect(tmp_path / "old.db")) as found:
        assert found.execute("SELECT version_num FROM alembic_version").fetchall() == [(OLDER,)]
    restored = quickwin(there, "restore", str(file))
    assert "was migrated" in restored.stdout, restored


def test_what_is_there_is_kept_unless_it_is_to_be_replaced(backup: Path, tmp_path: Path) -> None:
    target = tmp_path / "q.db"
    url = f"sqlite:///{target}"
    assert quickwin(url, "restore", str(backup)).returncode == 0
    assert quickwin(url, "token", "create", "later").returncode == 0
    refused(quickwin(url, "restore", str(backup)), "is not empty")
    with closing(sqlite3.connect(target)) as user:
        user.execute("SELECT count(*) FROM api_token").fetchone()
        refused(quickwin(url, "restore", str(backup), "--replace"), "is in use")
    assert names(target) == ["kept", "later"]
    assert quickwin(url, "restore", str(backup), "--replace").returncode == 0
    assert names(target) == ["kept"]
    assert [path.name for path in tmp_path.iterdir()] == ["q.db"]
    assert target.stat().st_mode & 0o077 == 0


def test_what_cannot_be_backed_up(database: Path, backup: Path, tmp_path: Path) -> None:
    url, there = f"sqlite:///{database}", str(tmp_path / "x")
    refused(quickwin(f"sqlite:///{tmp_path / 'none.db'}", "backup", there), "There is no database")
    (tmp_path / "empty.db").touch()
    refused(quickwin(f"sqlite:///{tmp_path / 'empty.db'}", "backup", there), "nothing here")
    refused(quickwin("sqlite://", "backup", there), "in a file of its own")
    refused(quickwin(url, "backup", str(backup)), "a file of this name", 2)
    refused(quickwin(url, "backup", str(tmp_path / "none" / "x")), "No such file", 2)
    refused(quickwin(url, "restore", str(tmp_path / "none")), "No such file", 2)
    assert [path.name for path in tmp_path.iterdir()] == ["empty.db"]


def test_nobody_writes_what_somebody_else_is_writing(
    database: Path, backup: Path, tmp_path: Path
) -> None:
    url, file, target = f"sqlite:///{database}", tmp_path / "x", tmp_path / "q.db"
    with atomic.claimed(file) as (unfinished, _):
        unfinished.write_bytes(b"half")
        refused(quickwin(url, "backup", str(file)), f"{file}: Another process is writing it", 2)
        assert unfinished.read_bytes() == b"half"
    assert quickwin(url, "backup", str(file)).returncode == 0
    with atomic.claimed(target):
        refused(quickwin(f"sqlite:///{target}", "restore", str(backup)), "Another process", 2)
    assert not target.exists()
    assert quickwin(f"sqlite:///{target}", "restore", str(backup)).returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["q.db", "x"]


def test_a_folder_gets_a_file_by_the_time(database: Path, tmp_path: Path) -> None:
    made = quickwin(f"sqlite:///{database}", "backup", str(tmp_path), "--no-files")
    (file,) = tmp_path.iterdir()
    assert f"Backed up to {file}: " in made.stdout
    assert (file.name[:9], file.suffix) == ("quickwin-", ".backup")
    assert file.stat().st_mode & 0o077 == 0


def test_another_kind_of_database(backup: Path) -> None:
    done = quickwin("postgresql://127.0.0.1:1/quickwin", "restore", str(backup))
    refused(done, "a backup of sqlite, and the database is postgresql")


async def test_it_takes_the_time_that_it_takes(
    postgres_server: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Slow statements are for the logs of services."""
    url = await create_database(postgres_server, f"slow_{uuid4().hex[:8]}")
    settings = {"postgres_programs": str(programs()), "slow_query_ms": "1"}
    for arguments in (("token", "create", "x"), ("backup", str(tmp_path / "x"))):
        assert quickwin(url, *arguments, **settings).returncode == 0
    assert "slow statement" not in caplog.text


def test_the_programs_of_postgresql(postgres_server: str, tmp_path: Path) -> None:
    file, programs = str(tmp_path / "x"), tmp_path / "programs"
    programs.mkdir()

    def back_up() -> Done:
        return quickwin(postgres_server, "backup", file, postgres_programs=str(programs))

    refused(back_up(), f"pg_dump is not in {programs}")
    program = programs / "pg_dump"
    program.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.24'\n")
    program.chmod(0o755)
    refused(back_up(), "is of PostgreSQL 9.6.24 and the server of ")
    program.write_text("#!/bin/sh\nexit 7\n")
    refused(back_up(), "does not say its version")
    away = "postgresql://u:secret@127.0.0.1:1/quickwin"
    gone = quickwin(away, "backup", file)
    refused(gone, "cannot be reached")
    assert "secret" not in gone.stderr
    shutil.rmtree(programs)
    assert not list(tmp_path.iterdir())


def test_a_password_is_in_the_environment_alone() -> None:
    around = {"PATH": "/bin", "PGPASSFILE": "/etc/pass", "QUICKWIN_ADMIN_TOKEN": "x", "PGPORT": "1"}
    url = "postgresql+asyncpg://me:p%40ss@db.example:6543/quick?ssl=require"
    assert environment(url, around) == {
        "PATH": "/bin", "PGPASSFILE": "/etc/pass", "PGHOST": "db.example", "PGPORT": "6543",
        "PGUSER": "me", "PGPASSWORD": "p@ss", "PGDATABASE": "quick", "PGSSLMODE": "require",
        "PGAPPNAME": "quickwin", "LC_MESSAGES": "C",
    }  # fmt: skip
    several = environment("postgresql://me@a:1,b/q", {})
    assert (several["PGHOST"], several["PGPORT"]) == ("a,b", "1,5432")
    assert several["PGTARGETSESSIONATTRS"] == "read-write"
    assert "PGPASSWORD" not in several
