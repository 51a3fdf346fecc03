"""A real HTTP server that answers by a script: refusals, waits, and connections that break off."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Asked(NamedTuple):
    """A request that came in."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


class Answer(NamedTuple):
    """What is answered; no status: the connection breaks off when all has been read."""

    status: int | None
    body: Any = None
    headers: Mapping[str, str] = {}


BREAK_OFF = Answer(None)


def problem(status: int, code: str, **headers: str) -> Answer:
    """A problem as the service tells it."""
    body = {
        "type": f"urn:quickwin:problem:{code}", "title": "T", "status": status, "detail": "D",
        "instance": "urn:uuid:0", "code": code, "errors": [], "of_a_later_release": 1,
    }  # fmt: skip
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, body, {"Content-Type": "application/problem+json", **told})


class Scripted:
    """The script, and what came in."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.script: list[Answer] = []
        self.asked: list[Asked] = []

    def play(self, *answers: Answer) -> None:
        """Begin anew, with a script."""
        self.script, self.asked = list(answers), []


@contextmanager
def scripted() -> Iterator[Scripted]:
    """The server, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65_537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            played.asked.append(
                Asked(self.command, self.path, dict(self.headers), json.loads(body or b"null"))
            )
            status, content, headers = played.script.pop(0)
            if status is None:
                self.close_connection = True
                return
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            for name, value in ({"Content-Type": "application/json"} | dict(headers)).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    played = Scripted(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield played
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
