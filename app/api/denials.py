"""Denied attempts on their way into the trail: each of the first ones, then how many there were.

A recording is a transaction of its own, after the denied one was rolled back. Whoever is denied can
ask again as often as they like, so what they can write is bounded: in a minute at most five
attempts of a kind and twenty in all, of each actor and in each process; a count for the rest.
"""

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import quote

from fastapi import Request

from app.db import Database
from app.errors import Forbidden, NotFound, QuickwinError
from app.services import denials, rights
from app.services.actors import Actor
from app.services.denials import Attempt

MOST_ALIKE, MOST = 5, 20
SECONDS = 60
_WITHIN = 5.0
"""Seconds that an answer waits for its recording, at most."""
_LONGEST_ADDRESS = 500
_SAFE = {"GET", "HEAD", "OPTIONS"}
_log = logging.getLogger(__name__)


class Asked(NamedTuple):
    """A transaction whose actor is known."""

    actor: Actor
    info: dict[Any, Any]
    """Its `Session.info`."""


@dataclass
class _Minute:
    actor: Actor
    timer: asyncio.TimerHandle
    noted: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)


class Denials:
    """Records the denied attempts of one process; use from one event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._minutes: dict[Any, _Minute] = {}
        self._summaries: set[asyncio.Task[None]] = set()

    async def note(self, request: Request, error: QuickwinError) -> None:
        """Record what a request was denied, if it was; whatever fails here is only logged."""
        asked: Asked | None = getattr(request.state, "asked", None)
        if asked is None or not _is_denial(request, error, asked.actor):
            return
        attempt = _attempt(request, error, asked)
        minute = self._minute(asked.actor)
        noted = minute.noted
        if noted[attempt.verb] >= MOST_ALIKE or noted.total() >= MOST:
            minute.left_out[attempt.verb] += 1
            return
        noted[attempt.verb] += 1
        try:
            async with asyncio.timeout(_WITHIN):
                await self._database.write(denials.record, asked.actor, attempt)
        except Exception as failure:  # noqa: BLE001  the answer does not depend on it
            _log.error("denied attempt not recorded, request %s: %s", attempt.request_id,
                       type(failure).__qualname__)  # fmt: skip

    async def close(self) -> None:
        """Record what was only counted so far."""
        for actor_id, minute in list(self._minutes.items()):
            minute.timer.cancel()
            self._end(actor_id)
        await asyncio.gather(*self._summaries)

    def _minute(self, actor: Actor) -> _Minute:
        minute = self._minutes.get(actor.id)
        if minute is None:
            timer = asyncio.get_running_loop().call_later(SECONDS, self._end, actor.id)
            minute = self._minutes[actor.id] = _Minute(actor, timer)
        return minute

    def _end(self, actor_id: Any) -> None:  # noqa: ANN401  a key of ours
        minute = self._minutes.pop(actor_id)
        if minute.left_out:
            summary = asyncio.create_task(self._summarise(minute))
            self._summaries.add(summary)
            summary.add_done_callback(self._summaries.discard)

    async def _summarise(self, minute: _Minute) -> None:
        try:
            await self._database.write(denials.summarise, minute.actor, minute.left_out, SECONDS)
        except Exception as failure:  # noqa: BLE001  nobody waits for it
            _log.error("denied attempts not counted: %s", type(failure).__qualname__)


def _is_denial(request: Request, error: QuickwinError, actor: Actor) -> bool:
    """A 403; and a 404 on a write, since to whom something is hidden it is not there."""
    if isinstance(error, NotFound):
        return not actor.operator and request.method not in _SAFE
    return isinstance(error, Forbidden)


def _attempt(request: Request, error: QuickwinError, asked: Asked) -> Attempt:
    demands = asked.info.get(rights.DEMANDS, ())
    return Attempt(
        verb=request.scope["route"].name,
        method=request.method,
        address=quote(request.url.path)[:_LONGEST_ADDRESS],
        named={name: str(value) for name, value in request.path_params.items()},
        status=error.status,
        code=error.code,
        permission=demands[-1].permission if demands and error.code == Forbidden.code else None,
        request_id=request.state.request_id,
    )
