"""The audit trail: what events tell, the chain of their digests, and that they are never changed."""

import hashlib
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import rfc8785
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0011"
down_revision = "0010"

_BATCH = 1_000
_GENESIS = "0" * 64
_INDEXED = ("type", "actor", "subject", "unit_id")
_JSON = sa.JSON().with_variant(JSONB(), "postgresql")
_EVENT = sa.table(
    "event",
    sa.column("institution_id", sa.Uuid()),
    sa.column("sequence", sa.BigInteger()),
    sa.column("id", sa.Uuid()),
    sa.column("type", sa.String()),
    sa.column("at", sa.DateTime(timezone=True)),
    sa.column("actor", sa.String()),
    sa.column("actor_id", sa.Uuid()),
    sa.column("token_id", sa.Uuid()),
    sa.column("token_name", sa.String()),
    sa.column("request_id", sa.String()),
    sa.column("unit_id", sa.Uuid()),
    sa.column("subject", sa.String()),
    sa.column("subject_id", sa.Uuid()),
    sa.column("data", _JSON),
    sa.column("changes", _JSON),
    sa.column("digest", sa.String()),
)
_CLOCK = sa.table(
    "institution_clock", sa.column("institution_id", sa.Uuid()), sa.column("digest", sa.String())
)
_REFUSED = "events are never changed or removed"


def upgrade() -> None:
    """Add the columns, chain the events that are there, and refuse changes from now on."""
    for column in (
        sa.Column("token_id", sa.Uuid(), nullable=True),
        sa.Column("token_name", sa.String(length=500), nullable=True),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("unit_id", sa.Uuid(), nullable=True),
        sa.Column("changes", _JSON, nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=True),
    ):
        op.add_column("event", column)
    op.add_column("institution_clock", sa.Column("digest", sa.String(length=64), nullable=True))
    _chain(op.get_bind())
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.alter_column("changes", existing_type=_JSON, nullable=False)
        batch_op.alter_column("digest", existing_type=sa.String(length=64), nullable=False)
    with op.batch_alter_table("institution_clock", schema=None) as batch_op:
        batch_op.alter_column("digest", existing_type=sa.String(length=64), nullable=False)
    if _is_postgresql():
        op.execute('ALTER TABLE event ALTER COLUMN subject TYPE VARCHAR(200) COLLATE "C"')
    for column_name in _INDEXED:
        op.create_index(
            op.f(f"ix_event_institution_id_{column_name}_sequence"),
            "event",
            ["institution_id", column_name, "sequence"],
            unique=False,
        )
    op.create_index(op.f("ix_event_at"), "event", ["at"], unique=False, postgresql_using="brin")
    _refuse_changes()


def downgrade() -> None:
    """Let events be changed again, and drop what was added."""
    if _is_postgresql():
        op.execute("DROP TRIGGER event_append_only ON event")
        op.execute("DROP FUNCTION event_append_only()")
    else:
        for statement in ("update", "delete"):
            op.execute(f"DROP TRIGGER event_refuses_{statement}")
    op.drop_index(op.f("ix_event_at"), table_name="event")
    for column in reversed(_INDEXED):
        name = op.f(f"ix_event_institution_id_{column}_sequence")
        op.drop_index(name, table_name="event")
    if _is_postgresql():
        op.execute('ALTER TABLE event ALTER COLUMN subject TYPE VARCHAR(200) COLLATE "default"')
    op.drop_column("institution_clock", "digest")
    for column in ("digest", "changes", "unit_id", "request_id", "token_name", "token_id"):
        op.drop_column("event", column)


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _chain(connection: sa.Connection) -> None:
    """Give every event its digest, a batch at a time, and every clock that of its last event."""
    set_digest = (
        sa.update(_EVENT)
        .where(
            _EVENT.c.institution_id == sa.bindparam("of"),
            _EVENT.c.sequence == sa.bindparam("place"),
        )
        .values(digest=sa.bindparam("chained"), changes=sa.bindparam("nothing", type_=_JSON))
    )
    clocks = connection.execute(sa.select(_CLOCK.c.institution_id)).scalars().all()
    for institution_id in clocks:
        digest, last = _GENESIS, 0
        while rows := (
            connection.execute(
                sa.select(_EVENT)
                .where(_EVENT.c.institution_id == institution_id, _EVENT.c.sequence > last)
                .order_by(_EVENT.c.sequence)
                .limit(_BATCH)
            )
            .mappings()
            .all()
        ):
            digests = []
            for row in rows:
                told = {name: _plain(row[name]) for name in row if name != "digest"}
                told["changes"] = {}
                digest = hashlib.sha256(digest.encode() + rfc8785.dumps(told)).hexdigest()
                last = row["sequence"]
                digests.append(
                    {"of": institution_id, "place": last, "chained": digest, "nothing": {}}
                )
            connection.execute(set_digest, digests)
        connection.execute(
            sa.update(_CLOCK).where(_CLOCK.c.institution_id == institution_id).values(digest=digest)
        )


def _plain(value: Any) -> Any:  # noqa: ANN401  any column
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        utc = value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
        return utc.isoformat().replace("+00:00", "Z")
    return value


def _refuse_changes() -> None:
    if _is_postgresql():
        op.execute(
            "CREATE FUNCTION event_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$BEGIN RAISE EXCEPTION '{_REFUSED}'; END$$"
        )
        op.execute(
            "CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event "
            "FOR EACH STATEMENT EXECUTE FUNCTION event_append_only()"
        )
        return
    for statement in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER event_refuses_{statement.lower()} BEFORE {statement} ON event "
            f"BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END"
        )
