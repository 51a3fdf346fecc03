"""Evidence on the wire: documents that show what was reached, by link or as uploaded files."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator

from app.schemas.fields import Label, Name, Names, Shape, Url


class EvidenceKind(Shape):
    """A kind of evidence that an institution tells apart."""

    code: Label
    name: Names


EvidenceKinds = Annotated[tuple[EvidenceKind, ...], Field(max_length=100)]
STANDARD_KINDS = tuple(
    EvidenceKind(code=code, name=Names(id=indonesian, en=english))
    for code, indonesian, english in (
        ("decree", "Surat keputusan", "Decree"),
        ("regulation", "Peraturan", "Regulation"),
        ("minutes", "Notula rapat", "Minutes"),
        ("report", "Laporan", "Report"),
        ("photo", "Foto", "Photo"),
        ("attendance", "Daftar hadir", "Attendance list"),
        ("screenshot", "Tangkapan layar", "Screenshot"),
        ("link", "Tautan", "Link"),
    )
)
"""What an institution tells apart that has decided nothing else."""


class Evidence(Shape):
    """A document that shows what was reached: a link, or a file that was uploaded before."""

    title: Name
    url: Url | None = None
    file: UUID | None = None
    """Id of an uploaded file, in place of `url`."""
    kind: Label | None = None
    """One of the institution's `evidence_kinds`."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.url is None) == (self.file is None):
            message = "either url or file says where the document is"
            raise ValueError(message)
        return self


class AttachedFile(Shape):
    """A file, as it was when it became evidence; its bytes never change."""

    id: UUID
    name: str
    media_type: str
    """As its content says."""
    size: int
    """Bytes."""
    digest: str
    """SHA-256 of the bytes, hex."""


class ShownEvidence(Shape):
    """A document of a report."""

    title: str
    url: str
    """The link; of a file, the path of its content on this server, which wants your token."""
    kind: str | None = None
    file: AttachedFile | None = None
    """Null for a link."""
