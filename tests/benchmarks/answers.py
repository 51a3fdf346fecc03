"""What a leader asks next: each call beside the plain roll-up, at both sizes, over HTTP."""

import statistics
import time
from collections.abc import Callable

import httpx

BASE = "/api/v1/institutions/kpu/"
PLAIN = "rollup"
ASKED = {
    "S-curve of three years": "rollup/s-curve?from=2022-01-01&to=2024-12-31",
    "explain": "rollup/explain",
    "children": "rollup/children",
    "changes over a quarter": "rollup/changes?from=2024-06-30&to=2024-09-30",
}
GROWING = {
    "changes by initiative": "rollup/changes?from=2024-06-30&to=2024-09-30&level=initiative",
    "changes by milestone": "rollup/changes?from=2024-06-30&to=2024-09-30&level=milestone",
    "attention": "rollup/attention",
    "by status": "rollup/by?dimension=status",
    "by owner": "rollup/by?dimension=owner",
    "by tag": "rollup/by?dimension=tag",
}
_ROUNDS, _FEW = 40, 7


def compare(big: str, small: str, token: str, show: Callable[[str, str, str], None]) -> None:
    """Medians of requests that alternate between the servers of both sizes and the plain read."""
    headers = {"Authorization": f"Bearer {token}"}
    with (
        httpx.Client(base_url=big + BASE, headers=headers, timeout=60) as large,
        httpx.Client(base_url=small + BASE, headers=headers, timeout=60) as little,
    ):
        for what, path in ASKED.items():
            runs = [
                (_seconds(large, path), _seconds(little, path), _seconds(large, PLAIN))
                for _ in range(_ROUNDS)
            ][5:]
            flat = statistics.median(a / b for a, b, _ in runs)
            times = statistics.median(a / c for a, _, c in runs)
            show(f"{what} ÷ plain roll-up, 1,000,000 milestones", f"{times:.1f}", "< 5")
            show(f"{what}: 1,000,000 ÷ 10,000 milestones", f"{flat:.2f}", "≤ 1.5")
        for what, path in GROWING.items():
            pairs = [(_seconds(large, path), _seconds(little, path)) for _ in range(_FEW)][1:]
            milliseconds = statistics.median(a for a, _ in pairs) * 1_000
            growth = statistics.median(a / b for a, b in pairs)
            aim = "≤ 150 ms" if what.startswith("by") else "as found"
            show(f"{what}, 100,000 initiatives", f"{milliseconds:.0f} ms", aim)
            show(f"{what}: 1,000,000 ÷ 10,000 milestones", f"{growth:.1f}", "as found")


def _seconds(client: httpx.Client, path: str) -> float:
    start = time.perf_counter()
    client.get(path).raise_for_status()
    return time.perf_counter() - start
