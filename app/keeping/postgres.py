"""PostgreSQL's own programs: `pg_dump` within a snapshot of ours, `pg_restore` in one transaction.

They are told by their environment where the database is, and the password too: a command line is
shown to everybody on the machine.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from app.addresses import address
from app.keeping.container import Refused, copy
from app.settings import Settings

_VERSION = re.compile(r"\(PostgreSQL\) ((\d+)[^ \n]*)")
_SAID = {
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
}
"""What the end of an address says, as programs are told it."""
_LOCK_MS = 60_000
"""How long `pg_dump` waits for a migration."""
_LEVEL = 3
"""Of gzip, in the dump: the usual 6 takes twice the time for a twentieth of the size."""


class Program(NamedTuple):
    """One of PostgreSQL's programs."""

    name: str
    path: str
    version: str
    major: int


def program(settings: Settings, name: str, server: int) -> Program:
    """A program that can speak to a server of a major version; else raises `Refused`."""
    found = _found(settings.postgres_programs, name)
    said = subprocess.run(  # noqa: S603  the operator's program
        [found, "--version"], capture_output=True, text=True, check=False
    )
    version = _VERSION.search(said.stdout)
    if said.returncode or version is None:
        raise Refused(f"{found} does not say its version: {_last(said.stderr or said.stdout)}")
    chosen = Program(name, found, version[1], int(version[2]))
    if chosen.major < server:
        raise Refused(
            f"{found} is of PostgreSQL {chosen.version} and the server of {server}: install the "
            f"client programs of {server} or later, and name their folder in QUICKWIN_POSTGRES_PROGRAMS."
        )
    return chosen


@contextmanager
def dumping(dump: Program, url: str, schema: str, snapshot: str) -> Iterator[IO[bytes]]:
    """The dump of a schema as of a snapshot, in `pg_dump`'s custom format, as it is made.

    Read it to its end.
    """
    pattern = '"{}"'.format(schema.replace('"', '""'))
    command = [
        dump.path, "--format=custom", f"--compress={_LEVEL}", f"--snapshot={snapshot}", f"--schema={pattern}",
        f"--lock-wait-timeout={_LOCK_MS}", "--no-password",
    ]  # fmt: skip
    with _running(command, url, "pg_dump failed", stdout=subprocess.PIPE) as running:
        assert running.stdout is not None  # noqa: S101  narrows the type
        yield running.stdout


def fill(restore: Program, url: str, dump: IO[bytes], schema: str) -> None:
    """Bring what a dump has of a schema into that schema, where it is not there yet; all or nothing."""
    command = [
        restore.path, "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", f"--schema={schema}",
        "--no-password", f"--dbname=dbname={_quoted(address(url).url.database or '')}",
    ]  # fmt: skip
    failed = "pg_restore failed, and nothing was kept"
    with _running(command, url, failed, stdin=subprocess.PIPE) as running:
        assert running.stdin is not None  # noqa: S101  narrows the type
        # When the pipe breaks it has ended, and says why.
        with suppress(BrokenPipeError), running.stdin as sink:
            copy(dump, sink)


@contextmanager
def _running(
    command: list[str],
    url: str,
    failed: str,
    *,
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.DEVNULL,
) -> Iterator[subprocess.Popen[bytes]]:
    """A program at work, ended hard with a block that fails; raises `Refused` if it fails itself."""
    with (
        TemporaryFile() as said,
        subprocess.Popen(  # noqa: S603  the operator's program, and no shell
            command, env=environment(url, os.environ), stdin=stdin, stdout=stdout, stderr=said
        ) as running,
    ):
        try:
            yield running
        except BaseException:
            running.kill()
            raise
        if running.wait():
            raise Refused(f"{failed}: {_tail(said)}")


def environment(url: str, around: Mapping[str, str]) -> dict[str, str]:
    """What tells a program of PostgreSQL which database is meant; what is not said is `around`'s."""
    meant = address(url)
    plain = {name: value for name, value in around.items() if not name.startswith("QUICKWIN_")}
    hosts = meant.hosts or ((meant.url.host, meant.url.port),)
    said = {
        "PGHOST": ",".join(host or "" for host, _ in hosts),
        "PGPORT": ",".join(str(port or "") for _, port in hosts),
        "PGUSER": meant.url.username,
        "PGPASSWORD": meant.url.password,
        "PGDATABASE": meant.url.database,
        "PGAPPNAME": "quickwin",
        "LC_MESSAGES": "C",
    }
    query = dict(parse_qsl(urlsplit(meant.dsn).query))
    said |= {variable: query.get(name) for name, variable in _SAID.items()}
    return plain | {name: value for name, value in said.items() if value}


def _found(folder: str | None, name: str) -> str:
    found = shutil.which(name, path=folder)
    if found is None:
        where = f"in {folder}" if folder else "on the PATH"
        raise Refused(
            f"{name} is not {where}: install PostgreSQL's client programs, or name the folder that "
            "they are in by QUICKWIN_POSTGRES_PROGRAMS."
        )
    return str(Path(found))


def _quoted(name: str) -> str:
    """A value of a connection string."""
    escaped = name.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _tail(said: IO[bytes]) -> str:
    said.seek(0)
    return _last(said.read(1 << 20).decode(errors="replace"))


def _last(said: str) -> str:
    """What a program complained of: one line, without control characters."""
    lines = [line for line in said.splitlines() if line.strip()]
    told = next(
        (line for line in lines if "error:" in line), lines[-1] if lines else "no reason given"
    )
    return "".join(letter if letter.isprintable() else " " for letter in told)[:500]
