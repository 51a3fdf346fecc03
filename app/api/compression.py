"""Pages, and what they load, are sent packed to whoever takes that; data stays as it is."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.answers import API

LEAST_BYTES = 500
"""What is shorter goes in one packet anyway."""
_LEVEL = 6
"""Of gzip: the next ones cost twice the time for a hundredth of the size."""


class Compression:
    """Packs what is not below `answers.API` with gzip.

    An ETag becomes weak, for it stands for the packed and the plain answer alike; what the API
    answers keeps the strong one that If-Match wants.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._packed = GZipMiddleware(app, LEAST_BYTES, _LEVEL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"].startswith(f"{API}/"):
            await self._app(scope, receive, send)
            return

        async def send_told(message: Message) -> None:
            if message["type"] == "http.response.start":
                _tell(MutableHeaders(scope=message))
            await send(message)

        headers = Headers(scope=scope)
        is_packed = takes_gzip(headers.get("accept-encoding", "")) and not _is_led(headers)
        await (self._packed if is_packed else self._app)(scope, receive, send_told)


def takes_gzip(accepted: str) -> bool:
    """Whether `Accept-Encoding` names gzip, and does not refuse it with a quality of 0."""
    for offer in accepted.lower().split(","):
        name, *parameters = (part.strip() for part in offer.split(";"))
        if name == "gzip":
            quality = "".join(parameters).replace(" ", "").removeprefix("q=")
            return not quality or quality.strip("0.") != ""
    return False


def _is_led(headers: Headers) -> bool:
    """Whether somebody else's page leads a browser here: what it makes us echo must not be weighed.

    BREACH guesses what a page says by the size of many answers that hold a guess, too.
    """
    return headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}


def _tell(headers: MutableHeaders) -> None:
    # Of what is packed it is said already.
    if "accept-encoding" not in headers.get("vary", "").lower():
        headers.add_vary_header("Accept-Encoding")
    tag = headers.get("etag")
    if tag is not None and not tag.startswith("W/"):
        headers["ETag"] = f"W/{tag}"
    if "content-encoding" in headers and "accept-ranges" in headers:
        del headers["Accept-Ranges"]  # a range is one of the plain file
