"""What `quickwin doctor` looks at beyond the database itself: its replica, and the OIDC issuer.

Each is looked at where it is set, over the connections that the service would use.
"""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from time import monotonic
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app import faults, replica, revisions
from app.api.issuer import Issuer, Published, Unfit
from app.checks import Finding, Level
from app.db import Database
from app.errors import QuickwinError
from app.settings import Settings

BEHIND_SECONDS = 10.0
"""How long a replica has to come as far as the primary was."""
CLOCK_SECONDS = 2.0
"""By how much the issuer's clock may differ, beside the leeway that tokens have."""
_POLL_SECONDS = 0.1


async def all_of(chosen: Settings) -> list[Finding]:
    """What is found of each that is set; a primary that is away is somebody else's finding."""
    found = []
    if chosen.database_read_url is not None:
        found.append(await _replica(chosen))
    if chosen.oidc_issuer is not None:
        found.append(await _issuer(chosen, chosen.oidc_issuer))
    return found


class _Place(NamedTuple):
    """Where a server is: whose data it has, and how far it has come."""

    server: int
    database: str
    is_following: bool
    is_paused: bool
    position: int
    """Bytes of the log that it has; of a primary, that it has written."""


async def _replica(chosen: Settings) -> Finding:
    primary = Database(chosen)
    opened = replica.opened(chosen, primary)
    assert opened is not None  # noqa: S101  it is set
    try:
        ahead = await primary.read(_place)
    except (QuickwinError, SQLAlchemyError, OSError) as error:
        told = f"The primary was not there to compare it with: {_reason(error)}."
        return Finding("replica", Level.WARNING, told, "See what is said of the database.")
    else:
        return await _compared(opened.database, ahead, await _revision(primary))
    finally:
        await opened.close()
        await primary.close()


async def _compared(database: Database, ahead: _Place, wanted: str | None) -> Finding:
    started = monotonic()
    try:
        place = await database.read(_place)
        for level, told, cure in _misplaced(place, ahead):
            return Finding("replica", level, told, cure)
        while place.position < ahead.position and monotonic() - started < BEHIND_SECONDS:
            await asyncio.sleep(_POLL_SECONDS)
            place = await database.read(_place)
    except (QuickwinError, SQLAlchemyError, OSError) as error:
        told = f"It cannot be used, the primary answers: {_reason(error)}."
        cure = "See that it runs, and that QUICKWIN_DATABASE_READ_URL has its host, name and user."
        return Finding("replica", Level.WARNING, told, cure)
    seconds = monotonic() - started
    if place.position < ahead.position:
        told = (
            f"After {seconds:.0f} s it is still {ahead.position - place.position:,} bytes behind."
        )
        cure = "See that it receives and replays (`pg_stat_wal_receiver`), and what its log says."
        return Finding("replica", Level.WARNING, told, cure)
    if (revision := await _revision(database)) != wanted:
        told = f"Its schema is {revision or 'not to be read'}, not {wanted}."
        cure = "See that the user of QUICKWIN_DATABASE_READ_URL may read the same tables."
        return Finding("replica", Level.PROBLEM, told, cure)
    told = f"It has come as far as the primary was, within {round(seconds * 1_000)} ms."
    return Finding("replica", Level.OK, told)


async def _revision(database: Database) -> str | None:
    try:
        return (await database.read(revisions.found)).revision
    except (QuickwinError, SQLAlchemyError, OSError):
        return None


def _misplaced(place: _Place, ahead: _Place) -> Iterator[tuple[Level, str, str]]:
    cure = "Have QUICKWIN_DATABASE_READ_URL name a streaming replica of the primary, or nothing."
    if (place.server, place.database) != (ahead.server, ahead.database):
        yield Level.PROBLEM, "It is of another database than the primary.", cure
    if not place.is_following and not ahead.is_following:
        yield Level.PROBLEM, "It follows nobody: it takes writes itself, or is the primary.", cure
    if place.is_paused:
        cure = "`SELECT pg_wal_replay_resume()` there has it go on."
        yield Level.WARNING, "Its replay is paused, the primary answers.", cure


def _place(session: Session) -> _Place:
    server, database, is_following = session.execute(text(_WHO)).one()
    position, is_paused = session.execute(text(_FOLLOWER if is_following else _LEADER)).one()
    return _Place(server, database, is_following, is_paused, int(position))


_WHO = "SELECT system_identifier, current_database()::text, pg_is_in_recovery() FROM pg_control_system()"
_LEADER = "SELECT pg_current_wal_lsn() - '0/0', false"
_FOLLOWER = "SELECT pg_last_wal_replay_lsn() - '0/0', pg_is_wal_replay_paused()"


async def _issuer(chosen: Settings, url: str) -> Finding:
    issuer = Issuer(url)
    before = datetime.now(UTC)
    try:
        published = await issuer.published()
    except Unfit as error:
        cure = "See that it runs, and that QUICKWIN_OIDC_ISSUER is what its document calls itself."
        return Finding("issuer", Level.PROBLEM, f"Nobody can sign in by it: {error}.", cure)
    finally:
        await issuer.close()
    for level, told, cure in _wanting(chosen, published, before):
        return Finding("issuer", level, told, cure)
    told = f"It describes itself, and publishes {len(published.keys)} keys that tokens may have."
    return Finding("issuer", Level.OK, told)


def _wanting(
    chosen: Settings, published: Published, before: datetime
) -> Iterator[tuple[Level, str, str]]:
    wanted = ", ".join(sorted(chosen.oidc_algorithms))
    if not any(algorithm in chosen.oidc_algorithms for algorithm, _ in published.keys):
        told = f"It publishes no key that checks a token by {wanted}."
        cure = "Have it sign by one of these, or set QUICKWIN_OIDC_ALGORITHMS."
        yield Level.PROBLEM, told, cure
    if chosen.oidc_client_id is not None and published.endpoints is None:
        told = "It does not say where people sign in with a browser."
        yield (
            Level.PROBLEM,
            told,
            "Set up its authorization code flow, or no QUICKWIN_OIDC_CLIENT_ID.",
        )
    apart = _apart(published.date, before)
    if apart is not None and apart > CLOCK_SECONDS + chosen.oidc_leeway_seconds:
        told = f"Its clock and this machine's are {apart:.0f} s apart: tokens are refused."
        yield Level.WARNING, told, "Have both follow the same time by NTP."


def _apart(date: str | None, before: datetime) -> float | None:
    """Seconds between two clocks, of which one was read to the second, at some time since `before`."""
    try:
        there = parsedate_to_datetime(date or "")
    except ValueError:
        return None
    there = there if there.tzinfo else there.replace(tzinfo=UTC)
    early = before - there - timedelta(seconds=1)
    return max(early, there - datetime.now(UTC), timedelta(0)).total_seconds()


def _reason(error: BaseException) -> str:
    cause = error.__cause__ if isinstance(error, QuickwinError) else error
    return faults.reason(cause or error)
