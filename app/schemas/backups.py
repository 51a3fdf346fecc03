"""The manifest of a backup: what is in it, and by what a restored database is known to be the same."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from app.schemas.archives import Sha256
from app.schemas.fields import Code, Instant, Shape

FORMAT: Literal["quickwin-backup"] = "quickwin-backup"
VERSION: Literal[1] = 1
_USUAL = "public"
Kind = Literal["sqlite", "postgresql"]
Count = Annotated[int, Field(ge=0)]
Word = Annotated[str, StringConstraints(max_length=64)]


class Part(Shape):
    """One part of the file, by its name in it."""

    size: Count
    """Bytes."""
    sha256: Sha256


class ChainHead(Shape):
    """Where the chain of an institution's events ended; without a code, that of the catalogues."""

    institution: Code | None
    institution_id: UUID
    sequence: Count
    digest: Sha256


class Manifest(Shape):
    """`manifest.json` of a backup; all of it is of one snapshot."""

    format: Literal["quickwin-backup"] = FORMAT
    version: Literal[1] = VERSION
    """Of the format."""
    release: str
    """Of Quickwin."""
    revision: Word
    """Of the schema."""
    kind: Kind
    database: str
    """The version of what kept it: of SQLite's library, or of PostgreSQL's server."""
    schema_name: str = Field(default=_USUAL, exclude_if=lambda name: name == _USUAL)
    """The schema of PostgreSQL that the tables are in; left out if it is the usual one."""
    taken_at: Instant
    tables: dict[str, Count]
    """Rows by table."""
    heads: list[ChainHead]
    rollups: dict[str, Sha256]
    """SHA-256 over the rows of each table of the ledger, in the order of their keys."""
    has_files: bool
    """Whether uploaded files are in it too."""
    missing: list[str]
    """Uploaded files that the storage did not hold whole when the backup was made."""
    parts: dict[str, Part]
