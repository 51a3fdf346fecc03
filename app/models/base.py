"""What every table shares: naming of constraints, column types, ids and instants."""

from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from string import ascii_lowercase, ascii_uppercase
from typing import Any, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    DateTime,
    Dialect,
    Enum,
    Index,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    Uuid,
    and_,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute
from sqlalchemy.types import TypeDecorator
from uuid_utils.compat import uuid7

Item = TypeVar("Item", UniqueConstraint, Index)
ONLY_ON = "only on"
"""Key of `info`: the dialect of the only kind of database that has it."""

CODE_LENGTH = 64
NAME_LENGTH = 500
TEXT_LENGTH = 10_000


class Base(DeclarativeBase):
    """Every table of the application."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {UUID: Uuid(), str: String()}  # noqa: RUF012  SQLAlchemy reads it as a class attribute


class Instant(TypeDecorator[datetime]):
    """A UTC instant. SQLite keeps no zone: it gets naive UTC, and UTC is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @property
    def python_type(self) -> type[datetime]:
        """What values are; a decorator does not pass it on by itself."""
        return datetime

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive datetime; SQLite gets UTC without its zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            message = "an instant needs its time zone"
            raise ValueError(message)
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The instant in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class Hundredths(TypeDecorator[Decimal]):
    """A decimal with two places, kept as a whole number of hundredths: exact on both databases."""

    impl = BigInteger
    cache_ok = True

    @property
    def python_type(self) -> type[Decimal]:
        """What values are."""
        return Decimal

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:  # noqa: ARG002  SQLAlchemy names it
        """Whole hundredths; refuses what has more places."""
        if value is None:
            return None
        hundredths = value.scaleb(2)
        if hundredths != int(hundredths):
            message = "a decimal of two places has more of them"
            raise ValueError(message)
        return int(hundredths)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:  # noqa: ARG002  as above
        """The decimal with two places."""
        return None if value is None else Decimal(value).scaleb(-2)


Json = JSON().with_variant(JSONB(), "postgresql")
"""A JSON document: jsonb on PostgreSQL, text on SQLite."""


def choice(enum: type[StrEnum]) -> Enum:
    """An enum kept by value in a checked text column, so that adding a value is a plain migration."""
    return Enum(
        enum,
        native_enum=False,
        create_constraint=True,
        length=20,
        values_callable=lambda members: [member.value for member in members],
        name=enum.__name__.lower(),
    )


def only_on(dialect: str, item: Item) -> Item:
    """A constraint or an index of one kind of database alone; `ONLY_ON` tells Alembic of it."""
    item.info[ONLY_ON] = dialect
    item.ddl_if(dialect)
    return item


def new_id() -> UUID:
    """A UUIDv7: unique, and in order of creation, which keeps indexes compact."""
    return uuid7()


def now() -> datetime:
    """This instant, UTC, to the microsecond."""
    return datetime.now(UTC)


def day_in(time_zone: str, instant: datetime) -> date:
    """The day of an instant in a time zone, by its IANA name."""
    return instant.astimezone(ZoneInfo(time_zone)).date()


def code_key(code: str) -> str:
    """How codes are compared: ASCII letters alone without regard to case, as in `email_key`."""
    return code.translate(_IN_LOWER_CASE)


def email_key(address: str) -> str:
    """How e-mail addresses are compared: ASCII letters alone without regard to case.

    Unicode has letters that become ASCII ones in lower case, such as the sign of the kelvin: with
    them, one address could be had by the owner of another.
    """
    return address.translate(_IN_LOWER_CASE)


_IN_LOWER_CASE = str.maketrans(ascii_uppercase, ascii_lowercase)


def table(model: type[Base]) -> Table:
    """A model's table, for statements below the ORM."""
    found = model.__table__
    assert isinstance(found, Table)  # noqa: S101  declared by a class with __tablename__
    return found


def refers(reference: InstrumentedAttribute[Any], model: Any) -> ColumnElement[bool]:  # noqa: ANN401  a mapped class
    """How a row is joined to the one that it refers to, which is of the same institution."""
    referring: Any = reference.class_
    return and_(model.institution_id == referring.institution_id, model.id == reference)
