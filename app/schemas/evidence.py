"""Evidence on the wire: documents that show what was reached."""

from typing import Annotated

from pydantic import Field

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
    """A document that shows what was reached."""

    title: Name
    url: Url
    kind: Label | None = None
    """One of the institution's `evidence_kinds`."""


class ShownEvidence(Shape):
    """A document of a report."""

    title: str
    url: str
    kind: str | None = None
