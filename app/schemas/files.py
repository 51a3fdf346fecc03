"""Uploaded files on the wire."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from app.schemas.fields import Instant, Shape


def content_path(institution_id: UUID, file_id: UUID) -> str:
    """Where a file's content is, on this server."""
    return f"/api/v1/institutions/{institution_id}/files/{file_id}/content"


class NewFile(Shape):
    """What is said of a file that is sent."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=500)] = "document"
    """What it is called. Folders, signs that no file name takes, and an ending that its content
    does not bear out are taken off."""


class File(Shape):
    """A file that was uploaded; it never changes."""

    id: UUID
    name: str
    media_type: str
    """As its content says."""
    size: Annotated[int, Field(ge=1)]
    """Bytes."""
    digest: str
    """SHA-256 of the bytes, hex."""
    url: str
    """Path of its content on this server, which wants your token."""
    uploaded_by: str
    """Code of the person, or name of the token that acts for nobody in particular."""
    uploaded_at: Instant
    expires_at: Instant | None
    """When it goes unless a report names it; null once one has."""
