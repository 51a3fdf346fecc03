"""HEAD: what GET would answer, without its content (RFC 9110, 9.3.2)."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Bodiless:
    """Has the endpoint for GET answer HEAD; of its answer the server sends the head alone.

    An answer that is made piece by piece ends with the first piece.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        is_read, is_answered = False, asyncio.Event()

        async def receive_until_answered() -> Message:
            nonlocal is_read
            if not is_read:
                is_read = True
                return await receive()
            await is_answered.wait()
            return {"type": "http.disconnect"}

        async def send_head(message: Message) -> None:
            scope["method"] = "HEAD"  # by which the server leaves out the content
            if is_answered.is_set():
                return
            if message["type"] == "http.response.body":
                message = {**message, "more_body": False}
                is_answered.set()
            await send(message)

        scope["method"] = "GET"  # for the routes alone
        try:
            await self._app(scope, receive_until_answered, send_head)
        finally:
            scope["method"] = "HEAD"
