"""`quickwin doctor`: looks at everything that a service needs, and says what to do."""

import asyncio
import json
import os
from collections.abc import Iterator
from importlib import import_module
from typing import Annotated

import typer

from app import checks, configuration, starting
from app.checks import Finding, Level
from app.configuration import Misconfigured
from app.console import out
from app.settings import settings
from app.terminal import DatabaseUrl

_COLOURS = {Level.OK: "green", Level.WARNING: "yellow", Level.PROBLEM: "red"}


def doctor(
    *,
    full: Annotated[
        bool, typer.Option("--full", help="Every roll-up and every event, however long it takes.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of text.")] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Look at settings, files, database, roll-ups, trail, webhooks, replica and issuer; exit 1 on a problem.

    Nothing is changed or migrated. Run it as the user that the service runs as.
    """
    if database_url is not None:
        os.environ["QUICKWIN_DATABASE_URL"] = database_url
        settings.cache_clear()
    found = [*_settings()]
    if not any(each.level is Level.PROBLEM for each in found):
        found += asyncio.run(_beyond_settings(full=full))
    is_well = not any(each.level is Level.PROBLEM for each in found)
    if as_json:
        told = {"ok": is_well, "findings": [each._asdict() for each in found]}
        out.print_json(json.dumps(told))
    else:
        for each in found:
            _print(each)
    if not is_well:
        raise typer.Exit(1)


async def _beyond_settings(*, full: bool) -> list[Finding]:
    chosen = configuration.read()
    found = await checks.all_of(chosen, full=full)
    if chosen.database_read_url is not None or chosen.oidc_issuer is not None:
        # Other commands need neither its HTTP nor its cryptography.
        found += await import_module("app.neighbours").all_of(chosen)
    return found


def _settings() -> Iterator[Finding]:
    """What is wrong with the environment; no value is repeated."""
    for name, meant in configuration.unknown(os.environ):
        cure = f"Did you mean {meant}?" if meant else "Remove it."
        yield Finding("settings", Level.WARNING, f"{name} is no setting.", cure)
    try:
        wrong = tuple(starting.useless(configuration.read()))
    except Misconfigured as error:
        wrong = error.found
    for each in wrong:
        told = f"{each.variable}: {each.problem}." if each.variable else f"{each.problem}."
        yield Finding("settings", Level.PROBLEM, told, f"Allowed: {each.allowed}")
    if not wrong:
        yield Finding("settings", Level.OK, "They can be read and used.")


def _print(found: Finding) -> None:
    level = found.level.value.upper() if found.level is Level.PROBLEM else found.level.value
    out.print(f"{level:8} {found.check:9}", style=_COLOURS[found.level], end=" ", markup=False)
    out.print(found.told, markup=False)
    if found.cure:
        out.print(f"{'':18} → {found.cure}", markup=False)
