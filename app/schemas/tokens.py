"""Tokens, and who is asking."""

from uuid import UUID

from app.schemas.fields import Instant, Name, Reference, Shape, example


class NewToken(Shape):
    """A new token for a person of the institution."""

    model_config = example({"person": "sek-32", "name": "nightly job"})

    person: Reference
    """Code of the person it acts for."""
    name: Name
    """What it is for."""
    expires_at: Instant | None = None


class Token(Shape):
    """A token, without its secret."""

    id: UUID
    person: str
    name: str
    created_at: Instant
    expires_at: Instant | None
    revoked_at: Instant | None


class IssuedToken(Token):
    """A token with its secret, which is shown this once."""

    token: str


class Me(Shape):
    """Who is asking."""

    actor: str
    """Code of the person, or name of the operator's token."""
    operator: bool
    """Operators stand above institutions."""
    institution: str | None
    """Code of the person's institution; null for operators."""
    person: str | None
    token_id: UUID
    token_name: str
