"""Antivirus: every file is seen before it is kept; where nobody can look, nothing is kept."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from app.settings import Settings
from tests.support.institution import Institution

CLEAN, BAD = b"%PDF-1.7 clean\n" + bytes(200_000), b"%PDF-1.7 EICAR\n"
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Scanner:
    """Speaks what clamd speaks of INSTREAM."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []
        self.says: Callable[[bytes], bytes] = self.judge

    @staticmethod
    def judge(content: bytes) -> bytes:
        found = b"Eicar-Test-Signature FOUND" if b"EICAR" in content else b"OK"
        return b"stream: " + found + b"\0"

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readuntil(b"\0") == b"zINSTREAM\0"
        content = b""
        while length := int.from_bytes(await reader.readexactly(4)):
            content += await reader.readexactly(length)
        self.seen.append(content)
        writer.write(self.says(content))
        writer.close()


@asynccontextmanager
async def serving(scanner: Scanner, path: Path | None = None) -> AsyncIterator[str]:
    """Where the scanner listens."""
    if path is not None:
        server = await asyncio.start_unix_server(scanner, path)
        address = f"unix://{path}"
    else:
        server = await asyncio.start_server(scanner, "127.0.0.1", 0)
        address = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield address


@pytest.fixture
def scanned(app: FastAPI) -> Iterator[FastAPI]:
    """The application, whose settings are put back."""
    before = app.state.settings
    yield app
    app.state.settings = before


async def test_files_are_scanned(
    institution: Institution, scanned: FastAPI, configuration: Settings, tmp_path: Path
) -> None:
    async def send(content: bytes, scanner: str) -> httpx.Response:
        changed = {"antivirus_url": scanner, "antivirus_seconds": 0.3}
        scanned.state.settings = configuration.model_copy(update=changed)
        return await institution.reporter.post(
            f"{institution.path}/files",
            content=content,
            headers={"Content-Type": "application/pdf"},
        )

    for path in (None, tmp_path / "clamd.sock"):
        scanner = Scanner()
        async with serving(scanner, path) as address:
            assert (await send(CLEAN, address)).status_code == 201
            told = await send(BAD, address)
            assert (told.status_code, told.json()["code"]) == (422, "infected")
            assert scanner.seen == [CLEAN, BAD]
    version = (await institution.rollup())["version"]
    scanner = Scanner()
    async with serving(scanner) as address:
        for says in (
            b"", b"stream: OK", b"INSTREAM size limit exceeded. ERROR\0", b"stream: OKAY\0",
            b"x" * 100_000,
        ):  # fmt: skip
            scanner.says = lambda _, says=says: says  # type: ignore[misc]
            told = await send(CLEAN, address)
            assert (told.status_code, told.json()["code"]) == (503, "scanner_unavailable"), says
            assert told.headers["retry-after"] == "30"
    release = asyncio.Event()

    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await release.wait()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert (await send(CLEAN, f"tcp://127.0.0.1:{port}")).status_code == 503
        release.set()
    for away in (f"tcp://127.0.0.1:{port}", f"unix://{tmp_path}/nothing.sock"):
        assert (await send(CLEAN, away)).status_code == 503
    assert (await institution.rollup())["version"] == version
