"""`Idempotency-Key`: any POST may be sent again, and is answered as it was the first time."""

import hashlib
import json
import re
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from fastapi import Request, Response
from sqlalchemy.orm import Session

from app import db
from app.api.answers import API
from app.errors import Invalid
from app.services import idempotency
from app.services.actors import Actor
from app.services.idempotency import Key

HEADER, REPLAYED = "Idempotency-Key", "Idempotency-Replayed"
_NAME = re.compile(r"[!-~]{1,255}")
_QUOTED = re.compile(r'"((?:[^"\\]|\\["\\])*)"')  # RFC 9651, a string

P = ParamSpec("P")
T = TypeVar("T")


class OnceCall(db.Call[Actor]):
    """A call whose write has its effect once; sent again, it answers as it did then."""

    def __init__(
        self,
        database: db.Database,
        identify: Callable[[Session], Actor],
        name: str,
        token: str,
        request: Request,
        response: Response,
    ) -> None:
        super().__init__(database, identify)
        self._name, self._token = name, token
        self._request, self._response = request, response

    async def write(
        self, verb: Callable[Concatenate[Session, Actor, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run the verb once, or answer what it returned."""
        # Only now: a body that is streamed has been read by now, but not before.
        fingerprint = _fingerprint(self._request, await self._request.body())
        kept = idempotency.once(verb, Key(self._name, fingerprint, self._token))
        result, is_replay = await super().write(kept, *args, **kwargs)
        if is_replay:
            self._response.headers[REPLAYED] = "true"
        return result


def name_of(request: Request) -> str | None:
    """The key of a POST, if it has one; raises `Invalid`.

    Other methods need none and ignore it: PUT and DELETE sent again do what was done, and PATCH
    names the version that it changes.
    """
    given = request.headers.get(HEADER)
    is_form = not request.url.path.startswith(f"{API}/")  # pages have their keys in the form
    if request.method != "POST" or given is None or is_form:
        return None
    return _name(given)


def _name(header: str) -> str:
    quoted = _QUOTED.fullmatch(header)
    name = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else header
    if not _NAME.fullmatch(name) or (name.startswith('"') and not quoted):
        detail = "A key has 1-255 visible ASCII characters; it may stand in double quotes."
        raise Invalid.parameter(HEADER, "bad_key", detail)
    return name


def _fingerprint(request: Request, body: bytes) -> str:
    """What is asked, in one form: the order of JSON keys and spaces say nothing."""
    asked = [request.method, request.url.path, request.url.query, _canonical(body)]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


def _canonical(body: bytes) -> str:
    try:
        return json.dumps(json.loads(body), sort_keys=True)
    except (ValueError, RecursionError):  # no JSON: an address that takes none, or a file
        return hashlib.sha256(body).hexdigest()
