"""The application, and beside it an address that answers a constant of a roll-up's size."""

import os

from fastapi import FastAPI, Response

from app.main import create_app


def create() -> FastAPI:
    """What the benchmark serves; `BENCHMARK_CONSTANT` is the size in bytes."""
    app = create_app()
    constant = b'"' + b"x" * (int(os.environ["BENCHMARK_CONSTANT"]) - 2) + b'"'

    @app.get("/constant")
    async def constant_answer() -> Response:
        return Response(constant, media_type="application/json")

    return app
