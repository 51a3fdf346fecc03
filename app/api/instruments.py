"""Instruments of assessment over HTTP."""

from typing import Annotated

from fastapi import Path, Query, Request, Response

from app.api import answers
from app.api.answers import IfMatch
from app.api.calls import Call, router
from app.schemas.instruments import Instrument, InstrumentChanges, InstrumentQuery, NewInstrument
from app.schemas.pages import Page
from app.services import instruments

routes = router("/instruments", "index")
InstrumentPath = Annotated[str, Path(description="Code or id of the instrument.", max_length=64)]


@routes.post("", status_code=201)
async def create_instrument(call: Call, new: NewInstrument, response: Response) -> Instrument:
    """Add an instrument with its components and bands; for operators."""
    made = await call.write(instruments.create, new)
    return answers.created(response, made, "instruments", made.code)


@routes.get("")
async def list_instruments(
    call: Call, query: Annotated[InstrumentQuery, Query()], request: Request, response: Response
) -> Page[Instrument]:
    """All instruments, by code."""
    return answers.paged(request, response, await call.read(instruments.page, query))


@routes.get("/{instrument}")
async def get_instrument(
    call: Call, instrument: InstrumentPath, request: Request, response: Response
) -> Instrument:
    """One instrument with its components and bands."""
    return answers.fresh(request, response, await call.read(instruments.get, instrument))


@routes.patch("/{instrument}")
async def change_instrument(
    call: Call,
    instrument: InstrumentPath,
    changes: InstrumentChanges,
    expected: IfMatch,
    response: Response,
) -> Instrument:
    """Change an instrument; for operators. A component that scores refer to stays (`in_use`).

    What it gives predicates for is graded anew: a band that was wrong need not be mended twice.
    """
    changed = await call.write(instruments.change, instrument, changes, expected)
    return answers.tagged(response, changed)
