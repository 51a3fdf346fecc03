"""Measure imports of 10,000 rows, on both databases, by a real server: seconds and memory.

python -m tests.benchmarks.imports [ROWS]
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

import httpx

from tests.benchmarks.__main__ import load, show
from tests.benchmarks.traffic import TOKEN
from tests.support.postgres import create_database, running_postgres
from tests.support.server import serving
from tests.support.sheets import XLSX, workbook

IMPORTS = "/api/v1/institutions/kpu/imports"
DEMO = ("100", "400")


def rows(count: int, units: list[str], **changed: object) -> bytes:
    """A plan of so many rows in as many units."""
    return workbook(
        [
            {
                "Kode": f"BIG-{number}", "Judul": f"Penyederhanaan layanan {number}",
                "Uraian": f"Uraian yang agak panjang tentang quick win nomor {number}. " * 3,
                "Unit kerja": units[number % len(units)], "Tahun": 2025,
                "Area perubahan": "public-service; oversight", "Status": "Usulan", "Bobot": 2,
                "Mulai": "01/02/2025", "Selesai": "15/12/2025", "Hasil yang diharapkan": "Lebih cepat",
                "Label": "layanan; digital", "B03": 20, "B06": 50, "B09": 80, "B12": 100, **changed,
            }
            for number in range(count)
        ]
    )  # fmt: skip


def memory(pid: int) -> tuple[int, int]:
    """Present and highest memory of a process, MB."""
    found = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    return int(found["VmRSS"].split()[0]) // 1024, int(found["VmHWM"].split()[0]) // 1024


def timed(client: httpx.Client, file: bytes, mode: str, what: str, kind: str) -> None:
    """One import from the first byte to its result."""
    start = time.perf_counter()
    answer = client.post(
        IMPORTS, params={"mode": mode}, content=file, headers={"Content-Type": XLSX}
    )
    answer.raise_for_status()
    received, slowest = time.perf_counter() - start, 0.0
    made = answer.json()
    while made["status"] in ("queued", "running"):
        time.sleep(0.2)
        asked = time.perf_counter()
        client.get("/api/v1/institutions/kpu/rollup").raise_for_status()
        slowest = max(slowest, time.perf_counter() - asked)
        made = client.get(answer.headers["location"]).json()
    seconds = time.perf_counter() - start
    figure = f"{seconds:.1f} s; answered after {received:.1f} s; slowest roll-up {slowest:.2f} s"
    show(f"{what}, {kind}: {made['status']} {made['counts']}", figure, "≤ 60 s")


def measure(url: str, folder: Path, kind: str, count: int) -> None:
    """Everything on one database."""
    load(url, DEMO)
    with (
        serving(url, folder / "log", token=TOKEN) as server,
        httpx.Client(
            base_url=server.url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=120
        ) as client,
    ):
        found = client.get("/api/v1/institutions/kpu/units", params={"limit": 200}).json()["items"]
        units = [unit["code"] for unit in found]
        first, other = rows(count, units), rows(count, units, Bobot=3, B06=60)
        before = memory(server.process.pid)[0]
        for file, mode, what in (
            (first, "check", "check"),
            (first, "apply", "create"),
            (first, "apply", "the same again"),
            (other, "apply", "change weight and targets of all"),
        ):
            timed(client, file, mode, f"{what}: {count:,} rows", kind)
        now, most = memory(server.process.pid)
        show(f"memory of the server, {kind}", f"{before} → {now} MB, at most {most} MB", "as found")


def main() -> None:
    """Measure on a new database of each kind."""
    count = int(sys.argv[1]) if sys.argv[1:] else 10_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        measure(f"sqlite:///{folder / 'quickwin.db'}", folder, "SQLite", count)
        with running_postgres(folder, durable=True) as server:
            url = asyncio.run(create_database(server, "imports"))
            measure(url, folder, "PostgreSQL", count)


if __name__ == "__main__":
    main()
