"""`/metrics`: what Prometheus reads, for whoever has the token that is set for it."""

import asyncio
import os
import platform
from collections.abc import Iterable
from hmac import compare_digest
from time import monotonic
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Request, Response, Security
from fastapi.security import HTTPAuthorizationCredentials
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from app import __version__
from app.api import meters
from app.api.calls import BEARER
from app.api.documents import operation_id
from app.db import Database
from app.errors import InvalidToken, NotFound, QuickwinError, Unauthorized
from app.services import backlog
from app.services.backlog import Backlog
from app.settings import Settings

routes = APIRouter(generate_unique_id_function=operation_id)
KEPT_SECONDS = 5.0
"""For so long the database is not asked again: whoever asks often costs it nothing more."""
_WAITED_SECONDS = 2.0


@routes.get("/metrics", include_in_schema=False)
async def metrics(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)]
) -> Response:
    """All numbers, of all processes of this server; 404 where no token is set."""
    settings: Settings = request.app.state.settings
    if settings.metrics_token is None:
        raise NotFound
    if credentials is None:
        raise Unauthorized
    expected = settings.metrics_token.get_secret_value()
    if not compare_digest(credentials.credentials.encode(), expected.encode()):
        raise InvalidToken
    looker: Looker = request.app.state.looker
    waiting = _Waiting(looker.is_sqlite, await looker.look())
    text = await to_thread.run_sync(lambda: _counted() + _written(waiting))
    return Response(text, media_type=CONTENT_TYPE_LATEST)


class Looker:
    """Asks the database what waits, not more often than needed; use from one event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.is_sqlite = database.is_sqlite
        self._asked = asyncio.Lock()
        self._until = 0.0
        self._found: Backlog | None = None

    async def look(self) -> Backlog | None:
        """What waits; None where the database does not answer in time."""
        async with self._asked:
            if monotonic() >= self._until:
                try:
                    async with asyncio.timeout(_WAITED_SECONDS):
                        self._found = await self._database.read(backlog.get)
                except (QuickwinError, TimeoutError):
                    self._found = None
                self._until = monotonic() + KEPT_SECONDS
            return self._found


def _counted() -> bytes:
    """What is counted, in this process or in all of them."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(meters.REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def _written(collector: "_Waiting") -> bytes:
    registry = CollectorRegistry()
    registry.register(collector)
    return generate_latest(registry)


class _Waiting(Collector):
    """What is the same whichever process is asked."""

    def __init__(self, is_sqlite: bool, found: Backlog | None) -> None:
        self._database = "sqlite" if is_sqlite else "postgresql"
        self._found = found

    def collect(self) -> Iterable[Metric]:
        """The numbers; those of the database only where it has answered."""
        build = GaugeMetricFamily(
            "quickwin_build_info", "The release that runs.", labels=["version", "python", "database"]
        )  # fmt: skip
        build.add_metric([__version__, platform.python_version(), self._database], 1)
        yield build
        yield GaugeMetricFamily(
            "quickwin_database_up", "Whether the database has answered.", int(self._found is not None)
        )  # fmt: skip
        if self._found is None:
            return
        found = self._found
        yield GaugeMetricFamily(
            "quickwin_webhook_lag_seconds", "Age of the oldest event that a webhook was not sent yet.",
            found.oldest_waiting,
        )  # fmt: skip
        yield GaugeMetricFamily(
            "quickwin_webhook_events_waiting", "Events that webhooks were not sent yet.", found.events_waiting
        )  # fmt: skip
        yield GaugeMetricFamily(
            "quickwin_webhooks_behind", "Webhooks that were not sent everything.", found.webhooks_behind
        )  # fmt: skip
        yield GaugeMetricFamily(
            "quickwin_webhooks_disabled", "Webhooks that were given up.", found.webhooks_disabled
        )
        imports = GaugeMetricFamily(
            "quickwin_import_jobs", "Imports that are kept, by their status.", labels=["status"]
        )
        for status, count in found.imports.items():
            imports.add_metric([status.value], count)
        yield imports
