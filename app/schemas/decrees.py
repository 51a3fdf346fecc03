"""Decrees on the wire."""

from uuid import UUID

from pydantic import MISSING

from app.schemas.fields import Code, Day, Instant, Name, Reason, Shape, Url, example
from app.schemas.pages import ChangesPaging, Search, Sort


class NewDecree(Shape):
    """A decree that was issued: it can designate quick wins and appoint people."""

    model_config = example(
        {
            "code": "SK-2022-17",
            "number": "17/HK.03-Kpt/2022",
            "issued_on": "2022-01-17",
            "signer": "Sekretaris Jenderal KPU",
            "title": "Penetapan Quick Wins KPU Tahun 2022",
            "url": "https://jdih.kpu.example/sk-17-2022",
        }
    )

    code: Code
    number: Name
    """As it stands on the paper."""
    issued_on: Day
    """Not in the future."""
    signer: Name
    """Office or name of who signed it."""
    title: Name
    url: Url | None = None
    """Where it can be read."""
    reason: Reason | None = None


class DecreeChanges(Shape):
    """A merge patch of a decree."""

    model_config = example({"url": "https://jdih.kpu.example/sk-17-2022.pdf"})

    number: Name | MISSING = MISSING
    issued_on: Day | MISSING = MISSING
    signer: Name | MISSING = MISSING
    title: Name | MISSING = MISSING
    url: Url | MISSING | None = MISSING
    reason: Reason | MISSING = MISSING


class Decree(Shape):
    """A decision on paper, which all of the institution may read."""

    id: UUID
    code: str
    number: str
    issued_on: Day
    signer: str
    title: str
    url: str | None
    created_at: Instant
    updated_at: Instant
    version: int


class DecreeQuery(ChangesPaging):
    """How decrees are filtered and sorted."""

    issued_since: Day | None = None
    """Issued on or after this day."""
    issued_until: Day | None = None
    """Issued on or before this day."""
    q: Search | None = None
    """Part of the code, number, title or signer, without regard to case."""
    sort: Sort = "code"
    """Fields by comma, `-` for descending: code, number, issued_on, created_at, updated_at."""
