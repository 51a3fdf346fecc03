"""How many requests a client may make: counted by token, and without an accepted token by address.

The header fields are those of draft-ietf-httpapi-ratelimit-headers-11: `RateLimit-Policy` names the
policy with its quota and window, `RateLimit` what is left of it and for how many seconds.
"""

import hashlib
import logging
import re
import time
from collections import OrderedDict
from ipaddress import IPv6Address, ip_address, ip_network
from typing import NamedTuple

from limits import RateLimitItemPerMinute
from limits.aio.storage import Storage
from limits.aio.strategies import FixedWindowRateLimiter
from limits.errors import StorageError
from limits.storage import storage_from_string
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.answers import API, PUBLIC
from app.api.refusals import RateLimited
from app.api.strangers import Strangers, Way
from app.settings import Settings

WINDOW = 60
SIGN_IN = "/sign-in"
_UNLIMITED = "/health/"
_MOST_KNOWN = 10_000
_STORAGE_TIMEOUT = 0.25  # seconds
_STORAGE_PAUSE = 10.0  # seconds
_SESSION = re.compile(rb"(?:^|[; ])((?:__Host-)?quickwin=[^;]+)")
_log = logging.getLogger(__name__)


class Policy(NamedTuple):
    """A quota for each client of a kind; `quota` 0 is none."""

    name: str
    quota: int

    @property
    def item(self) -> RateLimitItemPerMinute:
        """The quota as the library has it."""
        return RateLimitItemPerMinute(self.quota, namespace=self.name)


class Standing(NamedTuple):
    """Where a client stands with a policy."""

    policy: Policy
    remaining: int
    seconds: int
    """Until the whole quota is there again."""

    def put_on(self, headers: MutableHeaders) -> None:
        """Tell the client."""
        name, quota = self.policy
        headers["RateLimit-Policy"] = f'"{name}";q={quota};w={WINDOW}'
        headers["RateLimit"] = f'"{name}";r={self.remaining};t={self.seconds}'

    def exceeded(self) -> RateLimited:
        """The error for who is over the quota."""
        error = RateLimited(headers={"Retry-After": str(self.seconds)})
        headers = MutableHeaders()
        self.put_on(headers)
        error.headers.update(headers)
        return error


class OneWindow(Storage):
    """Counters in memory, whose windows all end together: to forget them costs one step.

    The library's own memory looks at every counter at each request, which whoever has many
    addresses could make slow.
    """

    STORAGE_SCHEME = ["async+window"]  # noqa: RUF012  the library reads a list
    base_exceptions = ValueError

    def __init__(self) -> None:
        super().__init__()
        self._counts: dict[str, int] = {}
        self._ends = 0.0

    def _present(self) -> dict[str, int]:
        now = time.time()
        if not now < self._ends <= now + WINDOW:  # over, or the clock was set back
            self._counts.clear()
            self._ends = now + WINDOW
        return self._counts

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:  # noqa: ARG002  theirs
        """Count, and answer the count."""
        counts = self._present()
        counts[key] = count = counts.get(key, 0) + amount
        return count

    async def get(self, key: str) -> int:
        """The count in the present window."""
        return self._present().get(key, 0)

    async def get_expiry(self, key: str) -> float:  # noqa: ARG002  theirs
        """When the present window ends."""
        return self._ends

    async def check(self) -> bool:
        """Memory is always there."""
        return True

    async def reset(self) -> int:
        """Forget everything."""
        count = len(self._counts)
        self._counts.clear()
        return count

    async def clear(self, key: str) -> None:
        """Forget one counter."""
        self._counts.pop(key, None)


class Counters:
    """Counts requests in memory, or in Redis for all processes together.

    While Redis does not answer, each process counts for itself: requests go on.
    """

    def __init__(self, address: str) -> None:
        self._own = FixedWindowRateLimiter(OneWindow())
        self._shared = FixedWindowRateLimiter(_storage(address)) if "redis" in address else None
        self._away_until = 0.0

    async def count(self, policy: Policy, client: str) -> tuple[bool, Standing]:
        """Count a request; says whether it is within the quota."""
        if self._shared is not None and time.monotonic() >= self._away_until:
            try:
                return await _count(self._shared, policy, client)
            except StorageError as error:
                self._leave(error)
        return await _count(self._own, policy, client)

    async def look(self, policy: Policy, client: str) -> Standing:
        """Where a client stands, without counting."""
        if self._shared is not None and time.monotonic() >= self._away_until:
            try:
                return await _look(self._shared, policy, client)
            except StorageError as error:
                self._leave(error)
        return await _look(self._own, policy, client)

    def _leave(self, error: StorageError) -> None:
        self._away_until = time.monotonic() + _STORAGE_PAUSE
        kind = type(error.storage_error).__name__
        _log.warning("Rate limits are counted by each process alone: %s", kind)


class Limits:
    """Refuses with 429 what is over a quota, and tells each client where it stands.

    A token that was accepted is counted by itself, and so is a browser that is signed in. All else is
    counted by address: whoever tries tokens, and whoever has none. Once an address has had too many
    tokens refused, no token is looked at that was not accepted before, at the sign-in page neither:
    others behind the same address go on working.

    What is public has a quota of its own by address: there a token is nothing, and proves nothing.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._by_token = Policy("token", settings.rate_limit_token)
        self._by_address = Policy("address", settings.rate_limit_address)
        self._public = Policy("public", settings.rate_limit_public)
        self._failures = Policy("failures", settings.rate_limit_failures)
        self._counters = Counters(settings.rate_limit_storage.get_secret_value())
        self._accepted: OrderedDict[str, None] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"].startswith(_UNLIMITED):
            await self._app(scope, receive, send)
            return
        address = address_of(scope)
        is_public = scope["path"].startswith(PUBLIC)
        token = None if is_public else _token(scope["headers"])
        client = token or (None if is_public else _browser(scope["headers"]))
        tries = token is not None or is_sign_in(scope)
        if is_public:
            standing = await self._count(self._public, address)
        else:
            standing = await self._admit(address, client, tries=tries)

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                status: int = message["status"]
                if status == 401 and tries:  # noqa: PLR2004  who are you?
                    await self._refused(scope, address, client)
                elif client is not None and _is_accepted(scope, status):
                    self._learn(client)
                if standing is not None:
                    standing.put_on(MutableHeaders(scope=message))
            await send(message)

        await self._app(scope, receive, send_counted)

    async def _admit(self, address: str, client: str | None, *, tries: bool) -> Standing | None:
        if client is not None and client in self._accepted:
            return await self._count(self._by_token, client)
        if tries and self._failures.quota:
            failed = await self._counters.look(self._failures, address)
            if failed.remaining == 0:
                raise failed.exceeded()
        return await self._count(self._by_address, address)

    async def _count(self, policy: Policy, client: str) -> Standing | None:
        if not policy.quota:
            return None
        is_within, standing = await self._counters.count(policy, client)
        if not is_within:
            raise standing.exceeded()
        return standing

    async def _refused(self, scope: Scope, address: str, client: str | None) -> None:
        if client is not None:
            self._accepted.pop(client, None)
        request_id = scope["state"]["request_id"]
        _log.warning("A token was refused: request %s from %s", request_id, address)
        strangers: Strangers = scope["app"].state.strangers
        strangers.note(_way(scope), address, request_id)
        if self._failures.quota:
            await self._counters.count(self._failures, address)

    def _learn(self, client: str) -> None:
        if self._by_token.quota:
            self._accepted[client] = None
            self._accepted.move_to_end(client)
            if len(self._accepted) > _MOST_KNOWN:
                self._accepted.popitem(last=False)


def _is_accepted(scope: Scope, status: int) -> bool:
    """Whether an answer shows that somebody was let in.

    An address below `API` answers 2xx or 304 to accepted tokens alone; what a 4xx says of the token
    is open, since some are found before it is looked at. A page may be for everybody, so it counts
    that the database knew who asks.
    """
    if scope["path"].startswith(API):
        return status < 400  # noqa: PLR2004  errors
    return "asked" in scope["state"]


def is_sign_in(scope: Scope) -> bool:
    """Whether a secret is tried at the sign-in page."""
    path: str = scope["path"]
    return (path == SIGN_IN and scope["method"] == "POST") or path.startswith(f"{SIGN_IN}/")


def _way(scope: Scope) -> Way:
    if not is_sign_in(scope):
        return "api"
    return "page" if scope["path"] == SIGN_IN else "oidc"


def address_of(scope: Scope) -> str:
    """The client's address; of IPv6 its /64, which is what one customer is given."""
    if scope.get("client") is None:
        return "local"  # a Unix socket
    try:
        address = ip_address(scope["client"][0])
    except ValueError:
        return "unknown"
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ip_network((address, 64), strict=False))


def _token(headers: list[tuple[bytes, bytes]]) -> str | None:
    """What a token is counted by: a digest, since counters are no place for secrets."""
    for name, value in headers:
        if name == b"authorization":
            return hashlib.sha256(value).hexdigest()[:32]
    return None


def _browser(headers: list[tuple[bytes, bytes]]) -> str | None:
    """What a signed-in browser is counted by, likewise."""
    for name, value in headers:
        if name == b"cookie" and (found := _SESSION.search(value)):
            return hashlib.sha256(found[1]).hexdigest()[:32]
    return None


async def _count(
    limiter: FixedWindowRateLimiter, policy: Policy, client: str
) -> tuple[bool, Standing]:
    return await limiter.hit(policy.item, client), await _look(limiter, policy, client)


async def _look(limiter: FixedWindowRateLimiter, policy: Policy, client: str) -> Standing:
    stats = await limiter.get_window_stats(policy.item, client)
    return Standing(policy, max(0, stats.remaining), max(1, round(stats.reset_time - time.time())))


def _storage(address: str) -> Storage:
    made = storage_from_string(
        f"async+{address}",
        implementation="redispy",
        wrap_exceptions=True,
        socket_timeout=_STORAGE_TIMEOUT,
        socket_connect_timeout=_STORAGE_TIMEOUT,
    )
    assert isinstance(made, Storage)  # noqa: S101  "async+" names these
    return made
