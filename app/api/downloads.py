"""Files that are sent while they are made, or from the disk, and never held in memory."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import IO

from anyio import to_thread
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from app.api import answers

_PIECE = 65_536


class Download(StreamingResponse):
    """A file that is sent while it is made; what making it needs is given back in any case."""

    def __init__(self, pieces: AsyncGenerator[bytes, None], name: str, media_type: str) -> None:
        super().__init__(pieces, headers=answers.as_file(name), media_type=media_type)
        self._pieces = pieces

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send it; who makes the pieces looks whether anybody is there."""
        async with aclosing(self._pieces):
            await self.stream_response(send)
        if self.background is not None:
            await self.background()


async def pieces_of(file: IO[bytes]) -> AsyncGenerator[bytes, None]:
    """What is in a file, from its beginning."""
    await to_thread.run_sync(file.seek, 0)
    while piece := await to_thread.run_sync(file.read, _PIECE):
        yield piece
