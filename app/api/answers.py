"""What answers carry besides their body: ETag, Location, Link; and what requests must name."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Protocol, TypeVar
from urllib.parse import quote

from fastapi import Depends, Header, Request, Response

from app.errors import Invalid, VersionRequired
from app.schemas.fields import Reason, Shape
from app.services.versions import Expected

API = "/api/v1"
PUBLIC = f"{API}/public/"
"""What begins so is for anybody."""
_UNFIT = re.compile(r"[^ !#-\[\]-~]")
"""What does not stand between plain quotes in a header."""
_TAG = re.compile(r'"v([0-9]{1,9})"')


def as_file(name: str) -> dict[str, str]:
    """Headers of an answer that is saved under a name (RFC 6266)."""
    plain = _UNFIT.sub("_", name)
    also = "" if plain == name else f"; filename*=UTF-8''{quote(name, safe='')}"
    return {"Content-Disposition": f'attachment; filename="{plain}"{also}'}


class NotModified(Exception):
    """The client has this already: answered with 304 and no body."""

    def __init__(self, tag: str, headers: Mapping[str, str] | None = None) -> None:
        self.tag, self.headers = tag, headers or {}
        super().__init__(tag)


class _Versioned(Protocol):
    @property
    def version(self) -> int: ...


class _RolledUp(Protocol):
    """What is told of the ledger: the event sequence that it includes, and its date."""

    @property
    def version(self) -> int: ...
    @property
    def as_of(self) -> date: ...


class _Paged(Protocol):
    @property
    def next_cursor(self) -> str | None: ...


Listing = TypeVar("Listing", bound=_Paged)
Resource = TypeVar("Resource", bound=_Versioned)


class Removal(Shape):
    """What a DELETE may say."""

    reason: Reason | None = None
    """Why; kept in the event."""


# Dependencies are async although they await nothing: FastAPI runs plain ones in a thread each.


async def _expected(
    if_match: Annotated[
        str | None,
        Header(description='ETag of the version that is changed, such as `"v7"`; `*` for any.'),
    ] = None,
) -> Expected:
    if if_match is None:
        raise VersionRequired
    return _versions(if_match)


async def _perhaps_expected(
    if_match: Annotated[str | None, Header(description="As for PATCH, but optional.")] = None,
) -> Expected:
    return None if if_match is None else _versions(if_match)


def _versions(header: str) -> Expected:
    if header.strip() == "*":
        return None
    if len(header) > 1_000:  # noqa: PLR2004  far more ETags than anybody holds
        raise Invalid.parameter("If-Match", "bad_etag", "This is too long.")
    # An ETag that we did not make is one that nothing matches: 412, not an error of form.
    return frozenset(int(found) for found in _TAG.findall(header))


IfMatch = Annotated[Expected, Depends(_expected)]
OptionalIfMatch = Annotated[Expected, Depends(_perhaps_expected)]


def _tag(version: int) -> str:
    return f'"v{version}"'


def tagged(response: Response, resource: Resource) -> Resource:
    """Put the resource's ETag on its answer."""
    response.headers["ETag"] = _tag(resource.version)
    return resource


def created(response: Response, resource: Resource, *address: str) -> Resource:
    """Put ETag and Location on the answer to a creation."""
    locate(response, *address)
    return tagged(response, resource)


def locate(response: Response, *address: str) -> None:
    """Say where the new resource is."""
    response.headers["Location"] = "/".join((API, *address))


def fresh(
    request: Request, response: Response, resource: Resource, *, may_be_known: bool = True
) -> Resource:
    """The resource with its ETag, or 304 where the client has this version."""
    tagged(response, resource)
    if may_be_known:
        unless_known(request, _tag(resource.version))
    return resource


def rolled_up(request: Request, response: Response, rollups: Sequence[_RolledUp]) -> None:
    """ETag of a roll-up: event sequence, date, address and query; 304 where the client has it."""
    if rollups:
        known_as(request, response, rolled_up_tag(request, rollups))


def rolled_up_tag(request: Request, rollups: Sequence[_RolledUp], form: str = "") -> str:
    """That ETag; the `form` is what the answer depends on besides."""
    asked = f"{request.url.path}?{request.url.query}{form}"
    first = rollups[0]
    digest = hashlib.sha256(asked.encode()).hexdigest()[:12]
    return f'"r{first.version}.{first.as_of:%Y%m%d}.{len(rollups)}.{digest}"'


def known_as(request: Request, response: Response, tag: str) -> None:
    """Put an ETag on the answer; 304 where the client has it."""
    response.headers["ETag"] = tag
    unless_known(request, tag)


def unless_known(request: Request, tag: str, headers: Mapping[str, str] | None = None) -> None:
    """304 where the client has what this ETag stands for, with the `headers` that its 200 has too."""
    known = request.headers.get("if-none-match", "")
    if known.strip() == "*" or tag in (
        part.strip().removeprefix("W/") for part in known.split(",")
    ):
        raise NotModified(tag, headers)


def paged(request: Request, response: Response, page: Listing) -> Listing:
    """Put `Link: rel="next"` on a page."""
    if page.next_cursor is not None:
        following = request.url.include_query_params(cursor=page.next_cursor)
        response.headers["Link"] = f'<{following.path}?{following.query}>; rel="next"'
    return page


async def not_modified(_: Request, error: Exception) -> Response:
    """Render `NotModified`."""
    assert isinstance(error, NotModified)  # noqa: S101  registered for this class
    return Response(status_code=304, headers={**error.headers, "ETag": error.tag})
