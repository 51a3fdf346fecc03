"""Given rows on SQLite: read once, however many rows they are joined with."""

from sqlalchemy import BLOB, Column, Integer, MetaData, Table, Uuid, create_engine, event, select
from sqlalchemy.orm import Session

from app.given import Statement
from app.models.base import new_id

KEPT, ASKED = 3_000, 100
STEPS_FOR_EACH = 200


def test_given_rows_are_read_once() -> None:
    thing = Table(
        "thing", MetaData(),
        Column("institution_id", Integer, primary_key=True),
        Column("id", Uuid, primary_key=True),
        Column("content", BLOB),
        sqlite_with_rowid=False,
    )  # fmt: skip
    statement = Statement(
        lambda asked: (
            select(thing.c.id)
            .join(asked, thing.c.id == asked.c.id)
            .where(thing.c.institution_id == 1)
        ),
        id=Uuid(),
    )
    engine = create_engine("sqlite://")
    hundreds = 0

    def count() -> None:
        nonlocal hundreds
        hundreds += 1

    event.listen(engine, "connect", lambda raw, _: raw.set_progress_handler(count, 100))
    with Session(engine) as session:
        thing.create(session.connection())
        rows = [{"institution_id": 1, "id": new_id(), "content": b""} for _ in range(KEPT)]
        session.connection().execute(thing.insert(), rows)
        hundreds = 0
        asked = [{"id": row["id"]} for row in rows[:ASKED]]
        found = statement.run(session, asked).all()
    engine.dispose()
    assert len(found) == ASKED
    assert hundreds * 100 < ASKED * STEPS_FOR_EACH
