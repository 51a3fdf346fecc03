"""People on the wire."""

from typing import Annotated
from uuid import UUID

from pydantic import MISSING, Field

from app.schemas.fields import (
    Code,
    Email,
    Flag,
    Instant,
    Language,
    Name,
    OidcSubject,
    PersonKind,
    Reason,
    Reference,
    Shape,
    example,
)
from app.schemas.pages import Paging, Search


class NewPerson(Shape):
    """A new person."""

    model_config = example(
        {"code": "sek-32", "name": "Siti Rahma", "position": "Sekretaris", "unit": "32"}
    )

    code: Code
    name: Name
    email: Email | None = None
    oidc_subject: OidcSubject | None = None
    """Who they are to the OIDC issuer that they sign in with: `sub` of their access tokens."""
    position: Name | None = None
    """Office that they hold."""
    unit: Reference | None = None
    """Code of their unit."""
    kind: PersonKind = PersonKind.PERSON
    """`service` for a program with tokens and roles of its own; it cannot own initiatives."""
    language: Language | None = None
    """What they read; what their browser prefers, if nobody says it."""
    active: Flag = True


class PersonChanges(Shape):
    """A merge patch of a person."""

    model_config = example({"email": "siti.rahma@kpu.example", "active": True})

    name: Name | MISSING = MISSING
    email: Email | MISSING | None = MISSING
    oidc_subject: OidcSubject | MISSING | None = MISSING
    """Who they are to the OIDC issuer that they sign in with."""
    position: Name | MISSING | None = MISSING
    unit: Reference | MISSING | None = MISSING
    language: Language | MISSING | None = MISSING
    active: Flag | MISSING = MISSING
    reason: Reason | MISSING = MISSING


class Person(Shape):
    """A person of an institution."""

    id: UUID
    code: str
    name: str
    email: str | None
    """Also finds the person who signs in with OIDC, if no subject is set and no other has it."""
    oidc_subject: str | None
    """Who they are to the OIDC issuer; unique in the service."""
    position: str | None
    unit: str | None
    kind: PersonKind
    language: Language | None
    """What they read; null for what their browser prefers."""
    active: bool
    """Inactive people keep their history but cannot become owners."""
    created_at: Instant
    updated_at: Instant
    version: int


class PersonQuery(Paging):
    """How people are filtered."""

    unit: Annotated[list[Reference], Field(max_length=50)] = Field(default_factory=list)
    """Codes of units, with all below them."""
    kind: Annotated[list[PersonKind], Field(max_length=10)] = Field(default_factory=list)
    active: bool | None = None
    updated_since: Instant | None = None
    """Changed at or after this instant."""
    q: Search | None = None
    """Part of the name or code, without regard to case."""
