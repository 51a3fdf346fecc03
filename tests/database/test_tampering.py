"""The chain of events: whoever owns the database and changes the trail is found out."""

import asyncio
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from app.db import Database
from app.models import Event, InstitutionClock
from app.models.base import new_id, now
from app.models.base import table as table_of
from app.models.events import GENESIS
from app.services import audit, chain, events
from app.services.actors import SYSTEM
from app.services.audit import Finding, Findings, Head
from tests.conftest import CITUS
from tests.support.institution import Institution
from tests.support.migrations import on_connection

EVENT = table_of(Event)
CLOCK = table_of(InstitutionClock)
Rows = list[dict[str, Any]]


async def verify(database: Database, institution: Institution, *anchors: Head) -> Findings:
    return await database.read(
        audit.verify, SYSTEM, institution.code, list(anchors), lambda _done, _all: None
    )


async def found(
    database: Database, institution: Institution, *anchors: Head
) -> list[tuple[str, int]]:
    findings = await verify(database, institution, *anchors)
    assert findings.wrong == len(findings.findings)
    return [finding[:2] for finding in findings.findings]


async def head(database: Database, institution: Institution) -> Head:
    return await database.read(audit.head, SYSTEM, institution.code)


async def tamper(
    database: Database, institution: Institution, change: Callable[[Rows], Rows | None]
) -> None:
    """Rewrite an institution's events as somebody can who may drop the triggers."""
    institution_id = UUID((await institution.expect(200, "GET", institution.path))["id"])

    def work(connection: Connection) -> None:
        lift(connection)
        of_institution = EVENT.c.institution_id == institution_id
        selected = EVENT.select().where(of_institution).order_by(EVENT.c.sequence)
        rows = [dict(row) for row in connection.execute(selected).mappings()]
        rows = change(rows) or rows
        connection.execute(EVENT.delete().where(of_institution))
        connection.execute(EVENT.insert(), rows)
        restore(connection)

    await on_connection(database, work)


TRIGGERS: dict[str, list[str]] = {}


def lift(connection: Connection) -> None:
    if CITUS:  # disables none; those who own each machine can, or have none obeyed
        connection.execute(text("SET LOCAL citus.propagate_set_commands = 'local'"))
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        return
    if connection.dialect.name == "postgresql":
        connection.execute(text("ALTER TABLE event DISABLE TRIGGER event_append_only"))
        return
    triggers = connection.execute(
        text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'event'")
    ).all()
    assert len(triggers) == 2
    TRIGGERS["sqlite"] = [sql for _, sql in triggers]
    for name, _ in triggers:
        connection.execute(text(f"DROP TRIGGER {name}"))


def restore(connection: Connection) -> None:
    if CITUS:
        connection.execute(text("SET LOCAL session_replication_role = origin"))
        return
    if connection.dialect.name == "postgresql":
        connection.execute(text("ALTER TABLE event ENABLE TRIGGER event_append_only"))
        return
    for sql in TRIGGERS.pop("sqlite"):
        connection.exec_driver_sql(sql)


def renumber(rows: Rows) -> Rows:
    for sequence, row in enumerate(rows, start=1):
        row["sequence"] = sequence
    return rows


def rechain(rows: Rows) -> Rows:
    """Compute every digest anew."""
    digest = GENESIS
    for row in rows:
        row["digest"] = digest = chain.digest(digest, row)
    return rows


@pytest.fixture
async def filled(institution: Institution, database: Database) -> Institution:
    """An institution whose chain is in order, with more than ten events."""
    for i in range(6):
        await institution.unit(f"U{i}")
    findings = await verify(database, institution)
    assert (findings.wrong, findings.events) == (0, findings.head.sequence)
    assert findings.events > 10
    return institution


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("actor", "somebody"),
        ("type", "unit.changed"),
        ("at", now()),
        ("data", {"code": "U9"}),
        ("changes", {}),
        ("unit_id", None),
        ("request_id", None),
        ("token_name", "another"),
        ("subject_id", new_id()),
        ("id", new_id()),
        ("digest", "0" * 64),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_changed_field(
    filled: Institution, database: Database, column: str, value: Any
) -> None:
    def change(rows: Rows) -> None:
        assert rows[8][column] != value
        rows[8][column] = value

    await tamper(database, filled, change)
    # A digest is wrong where it is, and for the event that was chained to it.
    expected = [("changed", 9), ("changed", 10)] if column == "digest" else [("changed", 9)]
    assert await found(database, filled) == expected


async def test_a_field_changed_with_its_own_digest(filled: Institution, database: Database) -> None:
    def change(rows: Rows) -> None:
        rows[4]["actor"] = "somebody"
        rows[4]["digest"] = chain.digest(rows[3]["digest"], rows[4])

    await tamper(database, filled, change)
    findings = (await verify(database, filled)).findings
    detail = "does not fit behind event 5: one of them was changed or put in"
    assert findings == [Finding("changed", 6, detail)]


async def test_removed_events(filled: Institution, database: Database) -> None:
    await tamper(database, filled, lambda rows: rows[:3] + rows[5:])
    findings = (await verify(database, filled)).findings
    assert findings == [Finding("removed", 4, "events 4 to 5 are gone")]


async def test_the_first_event_removed(filled: Institution, database: Database) -> None:
    await tamper(database, filled, lambda rows: rows[1:])
    assert await found(database, filled) == [("removed", 1)]


async def test_a_removed_event_with_the_others_moved_up(
    filled: Institution, database: Database
) -> None:
    await tamper(database, filled, lambda rows: renumber(rows[:8] + rows[9:]))
    last = (await head(database, filled)).sequence
    following = [("reordered", sequence) for sequence in range(10, last)]
    assert await found(database, filled) == [("removed", 9), *following, ("truncated", last)]


@pytest.mark.parametrize("gone", [1, 4])
async def test_the_tail_removed(filled: Institution, database: Database, gone: int) -> None:
    await tamper(database, filled, lambda rows: rows[:-gone])
    last = (await head(database, filled)).sequence
    assert await found(database, filled) == [("truncated", last - gone + 1)]


async def test_every_event_removed(filled: Institution, database: Database) -> None:
    def change(connection: Connection) -> None:
        lift(connection)
        of = "(SELECT id FROM institution WHERE code = :code)"
        statement = text(f"DELETE FROM event WHERE institution_id = {of}")
        assert connection.execute(statement, {"code": filled.code}).rowcount
        restore(connection)

    await on_connection(database, change)
    assert await found(database, filled) == [("truncated", 1)]


async def test_an_inserted_event(filled: Institution, database: Database) -> None:
    def change(rows: Rows) -> Rows:
        return renumber([*rows[:8], {**rows[3], "id": new_id()}, *rows[8:]])

    await tamper(database, filled, change)
    last = (await head(database, filled)).sequence
    following = [("reordered", sequence) for sequence in range(10, last + 2)]
    findings = await found(database, filled)
    assert sorted(findings) == [("inserted", 9), ("inserted", last + 1), *following]


async def test_an_event_put_in_at_the_end(filled: Institution, database: Database) -> None:
    def change(rows: Rows) -> Rows:
        forged = {**rows[-1], "id": new_id(), "sequence": len(rows) + 1}
        forged["digest"] = chain.digest(rows[-1]["digest"], forged)
        return [*rows, forged]

    await tamper(database, filled, change)
    last = (await head(database, filled)).sequence
    assert await found(database, filled) == [("inserted", last + 1)]


@pytest.mark.parametrize("other", [6, 9])
async def test_swapped_events(filled: Institution, database: Database, other: int) -> None:
    def change(rows: Rows) -> Rows:
        rows[4], rows[other] = rows[other], rows[4]
        return renumber(rows)

    await tamper(database, filled, change)
    findings = (await verify(database, filled)).findings
    moved = {finding.sequence: finding.detail for finding in findings if finding[0] == "reordered"}
    assert moved == {5: f"this was event {other + 1}", other + 1: "this was event 5"}


async def test_a_chain_that_was_written_anew(filled: Institution, database: Database) -> None:
    """Its own clock tells, unless that is changed too; then only what somebody else has kept."""
    kept = await head(database, filled)
    await filled.unit("later")
    assert await found(database, filled, kept) == []

    def change(rows: Rows) -> Rows:
        rows[4]["actor"] = "somebody"
        return rechain(rows)

    await tamper(database, filled, change)
    last = kept.sequence + 1
    assert await found(database, filled) == [("head", last)]

    def set_clock(connection: Connection) -> None:
        row = connection.execute(
            EVENT.select()
            .join(CLOCK, CLOCK.c.institution_id == EVENT.c.institution_id)
            .where(CLOCK.c.sequence == EVENT.c.sequence, EVENT.c.sequence == last)
            .where(EVENT.c.data["code"].as_string() == "later")
            .order_by(EVENT.c.at.desc())
        ).first()
        assert row is not None
        of_institution = CLOCK.c.institution_id == row.institution_id
        connection.execute(CLOCK.update().where(of_institution).values(digest=row.digest))

    await on_connection(database, set_clock)
    assert await found(database, filled) == []
    assert await found(database, filled, kept) == [("anchor", kept.sequence)]
    beyond = Head(last + 5, kept.digest)
    assert await found(database, filled, beyond) == [("anchor", last + 5)]


@pytest.mark.parametrize(
    "statement",
    ["UPDATE event SET actor = 'x'", "DELETE FROM event", "DELETE FROM event WHERE 1 = 0"],
)
async def test_the_database_refuses_changes(
    filled: Institution, database: Database, statement: str
) -> None:
    if CITUS and "1 = 0" in statement:
        pytest.skip("a cluster asks none of its machines to delete nothing")

    def change(connection: Connection) -> None:
        connection.execute(text(statement))
        if "1 = 0" in statement and connection.dialect.name == "sqlite":
            message = "SQLite asks a trigger for each row: events are never changed or removed"
            raise RuntimeError(message)

    with pytest.raises(Exception, match="events are never changed or removed"):
        await on_connection(database, change)
    assert await found(database, filled) == []


async def test_many_writers_make_one_chain(institution: Institution, database: Database) -> None:
    before = (await head(database, institution)).sequence
    await asyncio.gather(*(institution.unit(f"U{i}") for i in range(20)))
    plans = [{"title": "M", "due_on": "2022-06-30"}]
    await institution.initiative("QW-1", milestones=plans)
    await asyncio.gather(*(institution.report("QW-1", 1, i) for i in range(20)))
    findings = await verify(database, institution)
    assert (findings.wrong, findings.events) == (0, before + 41)


async def test_what_is_rolled_back_leaves_no_link(
    institution: Institution, database: Database
) -> None:
    """Whatever fails after the events were chained takes them along."""
    at = await head(database, institution)
    institution_id = UUID((await institution.expect(200, "GET", institution.path))["id"])

    def fail(session: Session) -> None:
        subject = events.Subject(institution_id, institution.code)
        events.record(session, SYSTEM, institution_id, "test.failed", subject)
        events.write(session)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.write(fail)
    assert await head(database, institution) == at
    await institution.unit("A")
    assert await found(database, institution) == []


async def test_several_events_of_one_transaction(
    institution: Institution, database: Database
) -> None:
    institution_id = UUID((await institution.expect(200, "GET", institution.path))["id"])

    def write(session: Session) -> None:
        for i in range(30):
            subject = events.Subject(institution_id, f"S{i}")
            events.record(session, SYSTEM, institution_id, "test.written", subject, {"n": i / 7})

    at = await head(database, institution)
    await database.write(write)
    findings = await verify(database, institution)
    assert (findings.wrong, findings.head.sequence) == (0, at.sequence + 30)
    asked = {"type": "test.written", "limit": 200}
    listed = (await institution.get("events", **asked))["items"]
    assert [json.dumps(event["data"]["n"]) for event in listed] == [
        json.dumps(i / 7) for i in range(30)
    ]
