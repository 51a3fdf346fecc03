"""The sender: one signed POST, and what became of it."""

import asyncio
import re
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from time import monotonic
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import httpcore
import httpx

from app import __version__
from app.delivery.guard import Guarded, NameNotFound, Refused, Resolve, resolve
from app.models.base import now
from app.outbound import Rules
from app.schemas.webhooks import DeliveryError
from app.services import signing
from app.services.dispatch import Result
from app.services.parcels import Parcel
from app.settings import Settings

_LARGEST_ANSWER = 16_384
"""Bytes that are read of an answer, so that its connection can be used again; none is kept."""
_IDLE_SECONDS = 2.0
"""Less than any receiver keeps an idle connection: one that it has closed would be a failure."""
_ASKS_TO_WAIT = {429, 503}
_Headers = Sequence[tuple[bytes, bytes]]


class Sender:
    """Sends to checked addresses: no redirects, no proxies of the environment, bounded in all."""

    def __init__(
        self,
        settings: Settings,
        resolve: Resolve = resolve,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._seconds = settings.webhook_seconds
        rules = Rules(settings.webhook_networks, settings.webhook_ports)
        context = tls or httpx.create_ssl_context()
        self._pools = {
            scheme: httpcore.AsyncConnectionPool(
                ssl_context=context,
                max_connections=settings.webhook_concurrency,
                keepalive_expiry=_IDLE_SECONDS,
                network_backend=Guarded(rules, scheme, resolve),
            )
            for scheme in ("https", "http")
        }

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for pool in self._pools.values():
            await pool.aclose()

    async def send(self, parcel: Parcel) -> Result:
        """Send it once; whatever happens is a result."""
        at, started = now(), monotonic()
        status, error, wait = None, None, None
        if not parcel.secrets:
            error = DeliveryError.NO_SECRET
        else:
            try:
                async with asyncio.timeout(self._seconds):
                    status, headers = await self._post(parcel, at)
                if not 200 <= status < 300:  # noqa: PLR2004  success, RFC 9110
                    error = DeliveryError.STATUS
                    wait = retry_after(headers, at) if status in _ASKS_TO_WAIT else None
            except Exception as failure:  # noqa: BLE001  a receiver may break any rule of a protocol
                error = _named(failure)
        return Result(at, round((monotonic() - started) * 1000), status, error, wait)

    async def _post(self, parcel: Parcel, at: datetime) -> tuple[int, _Headers]:
        content = parcel.body.encode()
        message_id = str(parcel.event_id)
        signed = signing.signatures(parcel.secrets, message_id, at, parcel.body)
        headers: dict[str | bytes, str | bytes] = {
            "Host": urlsplit(parcel.url).netloc,
            "User-Agent": f"Quickwin/{__version__}",
            "Content-Type": "application/json",
            "Content-Length": str(len(content)),
            "Accept": "*/*",
            "Accept-Encoding": "identity",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": signed,
        }
        pool = self._pools[urlsplit(parcel.url).scheme]
        async with pool.stream("POST", parcel.url, headers=headers, content=content) as answer:
            size = 0
            async for part in answer.aiter_stream():
                size += len(part)
                if size > _LARGEST_ANSWER:
                    break
            return answer.status, answer.headers


def retry_after(headers: _Headers, at: datetime) -> timedelta | None:
    """How long an answer asks to wait (RFC 9110, 10.2.3); None where it says nothing that can be read."""
    given = next((value for name, value in headers if name.lower() == b"retry-after"), b"")
    text = given.decode("latin-1").strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        return timedelta(seconds=int(text))
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return max(until.replace(tzinfo=until.tzinfo or UTC) - at, timedelta(0))


def _named(failure: Exception) -> DeliveryError:
    if isinstance(failure, Refused):
        return DeliveryError(failure.objection)
    for kinds, error in (
        (NameNotFound, DeliveryError.NAME_NOT_FOUND),
        ((TimeoutError, httpcore.TimeoutException), DeliveryError.TIMEOUT),
        (httpcore.ConnectError, DeliveryError.NOT_CONNECTED),
    ):
        if isinstance(failure, kinds):
            return error
    return DeliveryError.BROKEN
