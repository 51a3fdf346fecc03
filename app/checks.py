"""What `quickwin doctor` looks at once the settings are right: each check is one or more findings.

Nothing is written but a small object in the storage of files, which is removed. A check whose own
work fails is a finding too. Unless all is asked for, each is bounded, whatever there is.
"""

import asyncio
import shutil
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from secrets import token_urlsafe
from time import monotonic
from typing import NamedTuple
from uuid import uuid4

from anyio import to_thread
from sqlalchemy import make_url, text
from sqlalchemy.exc import SQLAlchemyError

from app import faults, revisions
from app.db import Database
from app.errors import QuickwinError
from app.filing import storage
from app.filing.storage import FilesUnavailable
from app.keyset import CURSOR_KEY
from app.revisions import Found
from app.services import audit, backlog, rollups, spot_checks
from app.services.actors import SYSTEM
from app.services.spot_checks import Place
from app.settings import Settings
from app.terminal import codes

REACHED_SECONDS = 15.0
CLOCK_SECONDS = 2.0
"""By how much the database's clock may differ."""
SPOTS, SPOT_SECONDS = 50, 10.0
"""Units whose roll-up is looked at, and for how long."""
FEEDS, LAST_EVENTS = 200, 20
"""Chains whose end is looked at, and how many events of each."""
WEBHOOK_SECONDS = 600.0
LEAST_FREE = 0.05
"""The part of a disk that should be free."""


class Level(StrEnum):
    """How bad something is."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


class Finding(NamedTuple):
    """What one check has found."""

    check: str
    level: Level
    told: str
    cure: str = ""
    """What to do about it."""


async def all_of(chosen: Settings, *, full: bool) -> list[Finding]:
    """Every check; what needs the database is left out where it is not there, or its schema is old."""
    found = [await to_thread.run_sync(_files, chosen)]
    database = Database(chosen)
    database.session_info[CURSOR_KEY] = token_urlsafe()  # nobody else is given a cursor
    try:
        found += await _database(database, chosen, full=full)
    finally:
        await database.close()
    return found


async def _database(database: Database, chosen: Settings, *, full: bool) -> list[Finding]:
    reached = _missing(chosen) or await _reached(database)
    if reached.level is Level.PROBLEM:
        return [reached]
    found = [reached, schema := await _schema(database)]
    if schema.level is Level.PROBLEM:
        return found
    for name, check in (
        ("clock", _clock),
        ("roll-ups", _every_rollup if full else _some_rollups),
        ("trail", _whole_trail if full else _end_of_trail),
        ("webhooks", _webhooks),
    ):
        try:
            found.append(await check(database))
        except Exception as error:  # noqa: BLE001  whatever it is, it is a finding
            told = f"This could not be looked at: {_reason(error)}."
            found.append(Finding(name, Level.PROBLEM, told, "Mend the database, and look again."))
    return found


def _files(chosen: Settings) -> Finding:
    kept = storage.of(chosen)
    if kept.is_local and not Path(kept.root).exists():
        return Finding("files", Level.OK, "The folder is made with the first file.")
    try:
        kept.probe()
    except FilesUnavailable as error:
        cause = error.__cause__
        reason = getattr(cause, "strerror", None) or type(cause).__qualname__
        cure = "See that QUICKWIN_FILES_URL is right, and can be written to by this user."
        return Finding("files", Level.PROBLEM, f"A file cannot be kept: {reason}.", cure)
    if kept.is_local:
        disk = shutil.disk_usage(kept.root)
        if disk.free < LEAST_FREE * disk.total:
            told = f"The disk has {disk.free / disk.total:.1%} left."
            return Finding("files", Level.WARNING, told, "Make room, or move QUICKWIN_FILES_URL.")
    return Finding("files", Level.OK, "A file can be kept, read and removed.")


def _missing(chosen: Settings) -> Finding | None:
    """What is said of a file that is not there: to connect would make it."""
    if not chosen.database_url.startswith("sqlite"):
        return None
    named = make_url(chosen.database_url).database
    if not named or Path(named).exists():
        return None
    cure = "`quickwin serve` makes it; or correct QUICKWIN_DATABASE_URL."
    return Finding("database", Level.PROBLEM, "The file is not there.", cure)


async def _reached(database: Database) -> Finding:
    started = monotonic()
    try:
        async with asyncio.timeout(REACHED_SECONDS):
            await database.read(lambda session: session.execute(text("SELECT 1")).scalar_one())
    except TimeoutError:
        reason = f"no answer within {REACHED_SECONDS:g} seconds"
    except (QuickwinError, SQLAlchemyError, OSError) as error:
        reason = _reason(error)
    else:
        kind = "SQLite" if database.is_sqlite else "PostgreSQL"
        told = f"{kind} answers, within {round((monotonic() - started) * 1_000)} ms."
        return Finding("database", Level.OK, told)
    cure = "See that it runs, and that QUICKWIN_DATABASE_URL has its host, name, user and password."
    return Finding("database", Level.PROBLEM, f"It cannot be reached: {reason}.", cure)


async def _schema(database: Database) -> Finding:
    try:
        found = await database.read(revisions.found)
    except (QuickwinError, SQLAlchemyError):
        found = Found(None, None)
    told = f"Revision {found.revision} is"
    match revisions.standing(found):
        case "current":
            return Finding("schema", Level.OK, f"{told} what this release wants.")
        case "newer":
            told += " of a newer release, and serves this one still."
            return Finding("schema", Level.WARNING, told, "Install that release here too.")
        case "ahead":
            told += " of a newer release, and serves this one no longer."
            return Finding("schema", Level.PROBLEM, told, "Install that release here.")
        case "behind":
            told = f"{told} older than this release." if found.revision else "There is none."
            return Finding("schema", Level.PROBLEM, told, "Run `quickwin db upgrade` as its owner.")


async def _clock(database: Database) -> Finding:
    if database.is_sqlite:
        return Finding("clock", Level.OK, "The database has no other than this machine's.")
    before = datetime.now(UTC)
    there: datetime = await database.read(
        lambda session: session.execute(text("SELECT clock_timestamp()")).scalar_one()
    )
    after = datetime.now(UTC)
    # It was read at some time in between.
    apart = max(before - there, there - after, timedelta(0)).total_seconds()
    if apart > CLOCK_SECONDS:
        told = f"The database's clock and this machine's are {apart:.1f} s apart."
        return Finding("clock", Level.WARNING, told, "Have both follow the same time by NTP.")
    return Finding("clock", Level.OK, "The database's clock is this machine's.")


async def _some_rollups(database: Database) -> Finding:
    until, looked_at, wrong = monotonic() + SPOT_SECONDS, 0, 0
    for place in await database.read(spot_checks.some, SPOTS, Place(uuid4(), uuid4())):
        if monotonic() > until:
            break
        wrong += (await database.read(spot_checks.look, place)).wrong > 0
        looked_at += 1
    return _drift(f"{looked_at} units were looked at", wrong, "units")


async def _every_rollup(database: Database) -> Finding:
    wrong, initiatives = 0, 0
    for code in await codes(database, None):
        findings = await database.read(rollups.audit, SYSTEM, code, lambda *_: None)
        wrong += len(findings.differences) + len(findings.derived)
        initiatives += findings.initiatives
    return _drift(f"{initiatives:,} initiatives were recomputed", wrong, "numbers")


def _drift(done: str, wrong: int, what: str) -> Finding:
    if not wrong:
        return Finding("roll-ups", Level.OK, f"{done}: all are what the reports say.")
    cure = "`quickwin rollups verify` names each, `quickwin rollups rebuild` mends them."
    return Finding("roll-ups", Level.PROBLEM, f"{done}: {wrong:,} {what} are wrong.", cure)


async def _whole_trail(database: Database) -> Finding:
    return await _trail(database, None)


async def _end_of_trail(database: Database) -> Finding:
    return await _trail(database, LAST_EVENTS)


async def _trail(database: Database, most: int | None) -> Finding:
    feeds = [*await codes(database, None), None]
    wrong, events = list[str](), 0
    for feed in feeds if most is None else feeds[-FEEDS:]:
        findings = await database.read(audit.verify, SYSTEM, feed, [], lambda *_: None, most)
        events += findings.events
        if findings.wrong:
            wrong.append(feed or "(catalogues)")
    if not wrong:
        done = "every event" if most is None else "the last events"
        return Finding("trail", Level.OK, f"{events:,} events, {done} of each chain, are in order.")
    told = f"The chain of {', '.join(wrong[:5])} was broken" + (
        " among others." if wrong[5:] else "."
    )
    cure = "`quickwin audit verify` says where; compare it with an anchor or a backup."
    return Finding("trail", Level.PROBLEM, told, cure)


async def _webhooks(database: Database) -> Finding:
    found = await database.read(backlog.get)
    waiting = f"{found.events_waiting:,} events wait for {found.webhooks_behind} webhooks"
    if found.oldest_waiting > WEBHOOK_SECONDS:
        told = f"{waiting}, the oldest for {timedelta(seconds=round(found.oldest_waiting))}."
        cure = (
            "See that `quickwin serve` or `quickwin worker` does the background work, and what the"
            " deliveries of these webhooks say."
        )
        return Finding("webhooks", Level.WARNING, told, cure)
    if found.webhooks_disabled:
        told = f"{found.webhooks_disabled} webhooks were given up; {waiting}."
        cure = "Their deliveries say why; a PATCH with `active` lets one begin again."
        return Finding("webhooks", Level.WARNING, told, cure)
    return Finding("webhooks", Level.OK, f"{waiting}.")


def _reason(error: BaseException) -> str:
    """Why, without a value: of what the database said where it was that."""
    cause = error.__cause__ if isinstance(error, QuickwinError) else error
    return faults.reason(cause or error)
