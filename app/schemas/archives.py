"""The manifest of an archive: what is in it, and what it is of."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from app.schemas.fields import Code, Instant, Shape

FORMAT: Literal["quickwin-institution"] = "quickwin-institution"
VERSION: Literal[1] = 1
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Part(Shape):
    """The rows of one table, in `tables/<table>.jsonl`."""

    rows: Annotated[int, Field(ge=0)]
    sha256: Sha256
    """Of the lines, hex."""


class Manifest(Shape):
    """`manifest.json` of an archive."""

    format: Literal["quickwin-institution"] = FORMAT
    version: Literal[1] = VERSION
    """Of the format."""
    release: str
    """Of Quickwin."""
    revision: Annotated[str, StringConstraints(max_length=64)]
    """Of the schema; an older one is read by today's tables, a newer one is refused."""
    institution: Code
    institution_id: UUID
    exported_at: Instant
    sequence: Annotated[int, Field(ge=0)]
    """Of the last event."""
    head: Sha256
    """Digest of the last event: what stands for the whole trail."""
    tables: dict[str, Part]
    files: dict[Sha256, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)
    """Uploaded files by the digest of their bytes, with their size; each in `files/<digest>`."""
    missing: list[Sha256] = Field(default_factory=list, exclude_if=lambda missing: not missing)
    """Uploaded files that the storage did not hold whole, by their digests; left out if there is none."""
