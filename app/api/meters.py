"""What is measured, by the names that Prometheus knows; `api/metrics` shows it.

Labels are of sets that we know: route templates, never addresses; no codes and no ids. Where
`PROMETHEUS_MULTIPROC_DIR` names a folder, as `serving` sees to it, each of several processes keeps
its numbers there, and whichever is asked adds up all of them.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    start_http_server,
)

from app.db import Database
from app.seen import COUNTS

disable_created_metrics()  # type: ignore[no-untyped-call]  # nobody asks when a number began

REGISTRY = CollectorRegistry()
SAMPLED_SECONDS = 1.0
"""How old a number may be that was not written at once."""
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_NO_ROUTE = "(none)"

_REQUESTS = Histogram(
    "quickwin_http_request_duration_seconds", "Requests: from the first byte that was read to the last that was sent.",
    ["method", "route", "status"], buckets=_SECONDS, registry=REGISTRY,
)  # fmt: skip
_IN_FLIGHT = Gauge(
    "quickwin_http_requests_in_flight", "Requests that are being served, open streams among them.",
    registry=REGISTRY, multiprocess_mode="livesum",
)  # fmt: skip
_PROCESSES = Gauge(
    "quickwin_processes", "Processes that serve.", registry=REGISTRY, multiprocess_mode="livesum"
)
_POOL = {
    name: Gauge(
        f"quickwin_database_pool_{name}", told, registry=REGISTRY, multiprocess_mode="livesum"
    )
    for name, told in (
        ("size", "Connections to the database that may be open at most."),
        ("in_use", "Connections to the database that transactions hold."),
        ("waiting", "Transactions that wait for a connection."),
    )
}
_REPLICA_POOL = {
    name: Gauge(
        f"quickwin_replica_pool_{name}", told, registry=REGISTRY, multiprocess_mode="livesum"
    )
    for name, told in (
        ("size", "Connections to the replica that may be open at most; 0 without one."),
        ("in_use", "Connections to the replica that reads hold."),
        ("waiting", "Reads that wait for a connection to the replica."),
    )
}
_EVENT_LAG = Histogram(
    "quickwin_event_lag_seconds", "From an event's commit until streams of this service are told of it.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60), registry=REGISTRY,
)  # fmt: skip
_COUNTERS = {
    "retries": Counter(
        "quickwin_database_retries", "Transactions that were tried again.", registry=REGISTRY
    ),
    "ledger_rows": Counter(
        "quickwin_ledger_rows_written", "Rows of the roll-up's ledger that were written.", registry=REGISTRY
    ),
    "slow_statements": Counter(
        "quickwin_slow_statements", "Statements that took longer than QUICKWIN_SLOW_QUERY_MS.", registry=REGISTRY
    ),
    "units_audited": Counter(
        "quickwin_rollup_units_audited", "Units whose ledger was compared with what it ought to be.", registry=REGISTRY
    ),
    "replica_reads": Counter(
        "quickwin_replica_reads", "Reads that the replica has answered.", registry=REGISTRY
    ),
    "replica_misses": Counter(
        "quickwin_replica_misses", "Reads that the primary answered, since the replica was behind or away.", registry=REGISTRY
    ),
}  # fmt: skip
_DRIFT = Gauge(
    "quickwin_rollup_drift", "Ledger buckets and milestones that differ from what they ought to be, of units as last seen.",
    registry=REGISTRY, multiprocess_mode="livemostrecent",
)  # fmt: skip
_Pools = list[tuple[Database, dict[str, Gauge]]]
_known: dict[tuple[str, str | None, int], Histogram] = {}


def request(method: str, route: str | None, status: int, seconds: float) -> None:
    """Count a request that is over; `status` 0 where it had no answer."""
    key = (method, route, status // 100)
    child = _known.get(key)
    if child is None:
        named = method if method in _METHODS else "other"
        child = _REQUESTS.labels(named, route or _NO_ROUTE, f"{key[2]}xx" if status else "none")
        if named == method:  # there are as many as a client likes of the others
            _known[key] = child
    child.observe(seconds)


def event_told(seconds: float) -> None:
    """An event was told to streams so long after its commit."""
    _EVENT_LAG.observe(max(0.0, seconds))


@asynccontextmanager
async def sampling(database: Database, replica: Database | None = None) -> AsyncIterator[None]:
    """Within the block, keep what others count as plain numbers up to date."""
    pools = [(database, _POOL), *([(replica, _REPLICA_POOL)] if replica else [])]
    told = dict.fromkeys(_COUNTERS, 0)
    told.update({name: getattr(COUNTS, name) for name in told})  # of another application's time
    _PROCESSES.set(1)
    task = asyncio.create_task(_keep_sampling(pools, told))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        _sample(pools, told)


@contextmanager
def exposed(port: int) -> Iterator[int]:
    """Within the block, show this process's numbers to whoever is on this machine; answers the port."""
    server, thread = start_http_server(port, "127.0.0.1", REGISTRY)
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


async def _keep_sampling(pools: _Pools, told: dict[str, int]) -> None:
    while True:
        _sample(pools, told)
        await asyncio.sleep(SAMPLED_SECONDS)


def _sample(pools: _Pools, told: dict[str, int]) -> None:
    for name, counter in _COUNTERS.items():
        present: int = getattr(COUNTS, name)
        if present != told[name]:
            counter.inc(present - told[name])
            told[name] = present
    for database, gauges in pools:
        pool = database.pool()
        for name, gauge in gauges.items():
            gauge.set(getattr(pool, name))
    _IN_FLIGHT.set(COUNTS.in_flight)
    if COUNTS.drift is not None:
        _DRIFT.set(COUNTS.drift)
