"""A receiver of webhooks: a server that notes what it gets, as a process or beside a test.

As a process (`python -m tests.support.receiver PORT FILE`) it appends a line for each request, before
it answers: what it has answered is on the disk, even when it is killed.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

Answer = tuple[int, dict[str, str]]


class Received(NamedTuple):
    """One request."""

    headers: dict[str, str]
    body: str
    overlaps: bool = False
    """Whether another one was not answered yet."""

    @property
    def content(self) -> dict[str, Any]:
        """The body, read."""
        return dict(json.loads(self.body))


class LocalReceiver:
    """What it got, and what it answers."""

    url: str
    port: int

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.answers: list[Answer] = []
        """What it answers next, each once; then 204."""
        self.delay = 0.0
        self.before: Callable[[Received], None] = lambda _: None

    @property
    def types(self) -> list[str]:
        """The types of what it got."""
        return [each.content["type"] for each in self.received]

    def answer(self, received: Received) -> Answer:
        """Take a request."""
        time.sleep(self.delay)
        self.before(received)
        self.received.append(received)
        return self.answers.pop(0) if self.answers else (204, {})


def _server(answer: Callable[[Received], Answer], port: int = 0) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length)
            if len(body) < length:  # who sends was killed: as good as never sent
                self.close_connection = True
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, more = answer(Received(headers, body.decode()))
            self.send_response(status)
            for name, value in more.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  its name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    return server


@contextmanager
def receiving() -> Iterator[LocalReceiver]:
    """A receiver on a free port of this machine, until the block ends."""
    receiver = LocalReceiver()
    with _server(receiver.answer) as server:
        receiver.port = server.server_port
        receiver.url = f"http://127.0.0.1:{receiver.port}/hook?tenant=1"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()


def start(port: int, file: Path) -> subprocess.Popen[bytes]:
    """A receiver as a process."""
    return subprocess.Popen([sys.executable, "-m", "tests.support.receiver", str(port), str(file)])


def noted(file: Path) -> list[Received]:
    """What a receiver that is a process has got; a line that it is writing has no end yet."""
    lines = file.read_text().splitlines(keepends=True) if file.exists() else []
    return [Received(*json.loads(line)) for line in lines if line.endswith("\n")]


def main() -> None:
    """Serve until killed."""
    port, path = int(sys.argv[1]), sys.argv[2]
    busy = threading.Lock()
    out = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def note(received: Received) -> Answer:
        is_alone = busy.acquire(blocking=False)
        time.sleep(0.02)  # a moment in which another could come
        line = json.dumps(received._replace(overlaps=not is_alone))
        os.write(out, line.encode() + b"\n")
        if is_alone:
            busy.release()
        return 200, {}

    _server(note, port).serve_forever(0.02)


if __name__ == "__main__":
    main()
