"""Coverage-guided fuzzing, by Atheris, of what is parsed before a verb: no answer may be a 500.

    python -m tests.fuzzing.headers TARGET -max_total_time=300

TARGET is one of cursor, filters, if_match, accept_language. Each input is one request through the
whole application, on SQLite in a temporary folder. The other flags are libFuzzer's.
"""

import asyncio
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes

import atheris

with atheris.instrument_imports(include=["app"]):
    import httpx

    from app.db import Database
    from app.main import create_app
    from app.services import operators
    from app.settings import Settings

from tests.support.institution import API

TOKEN = "operator-token-of-the-fuzzing-0123456789"
PATH = f"{API}/institutions/kpu"
Request = Callable[[bytes], httpx.Request]


def _header(name: str, method: str, path: str, body: object = None) -> Request:
    def make(data: bytes) -> httpx.Request:
        value = data.translate(None, b"\r\n\x00")  # a client cannot send these in a field
        plain = httpx.Request(method, f"http://test{path}", json=body)
        plain.headers = httpx.Headers(
            [
                *plain.headers.raw,
                (b"authorization", f"Bearer {TOKEN}".encode()),
                (name.encode(), value),
            ]
        )
        return plain

    return make


def _query(prefix: str) -> Request:
    def make(data: bytes) -> httpx.Request:
        query = prefix + quote_from_bytes(data, safe="&=+%")
        url = httpx.URL(f"http://test{PATH}/initiatives", query=query.encode())
        return httpx.Request("GET", url, headers={"Authorization": f"Bearer {TOKEN}"})

    return make


TARGETS: dict[str, Request] = {
    "cursor": _query("cursor="),
    "filters": _query(""),
    "if_match": _header("If-Match", "PATCH", f"{PATH}/units/kpu", {"name": "KPU"}),
    "accept_language": _header("Accept-Language", "GET", f"{API}/me"),
}


def main() -> None:
    """Fuzz one target until the time is over; a 500 or an exception ends it with the input."""
    target = TARGETS[sys.argv.pop(1)]
    loop = asyncio.new_event_loop()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            database_url=f"sqlite:///{Path(folder) / 'quickwin.db'}",
            rate_limit_token=0,
            rate_limit_address=0,
            rate_limit_failures=0,
        )
        client, document = loop.run_until_complete(_start(settings))
        words = Path(folder) / "words"
        words.write_text("".join(f'"{word}"\n' for word in _words(document)))

        def one_input(data: bytes) -> None:
            answer = loop.run_until_complete(client.send(target(data)))
            if answer.status_code >= 500:
                raise AssertionError(answer.text)

        atheris.Setup([*sys.argv, f"-dict={words}"], one_input)
        atheris.Fuzz()


def _words(document: dict[str, Any]) -> list[str]:
    """What the parser knows: names of parameters, and values that they take."""
    operation = document["paths"][f"{API}/institutions/{{institution}}/initiatives"]["get"]
    names = [f"{at['name']}=" for at in operation["parameters"] if at["in"] == "query"]
    return [
        *names,
        "&",
        "*",
        "W/",
        "v1",
        "true",
        "active",
        "2022",
        "2022-06-30",
        "-code",
        "id-ID",
        "q=0.5",
    ]


async def _start(settings: Settings) -> tuple[httpx.AsyncClient, dict[str, Any]]:
    database = Database(settings)
    await database.migrate()
    await database.write(operators.first_start, TOKEN)
    await database.close()
    app = create_app(settings)
    await app.router.lifespan_context(app).__aenter__()
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")
    body = {"code": "kpu", "name": "KPU"}
    headers = {"Authorization": f"Bearer {TOKEN}"}
    (await client.post(f"{API}/institutions", json=body, headers=headers)).raise_for_status()
    for i in range(3):
        initiative = {"code": f"QW-{i}", "title": "T", "unit": "kpu", "year": 2022, "areas": []}
        (
            await client.post(f"{PATH}/initiatives", json=initiative, headers=headers)
        ).raise_for_status()
    return client, app.openapi()


if __name__ == "__main__":
    main()
