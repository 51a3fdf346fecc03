"""Tokens, and who is asking."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.schemas.fields import Instant, Name, Reference, Secret, Shape, example
from app.schemas.permissions import Permission, Role


class NewToken(Shape):
    """A new token for a person of the institution, or for a service."""

    model_config = example(
        {"person": "sek-32", "name": "nightly job", "scopes": ["updates:report"]}
    )

    person: Reference | None = None
    """Code of the person that it acts for; yourself if left out."""
    name: Name
    """What it is for."""
    scopes: Annotated[list[Permission], Field(min_length=1, max_length=50)] | None = None
    """The permissions that it is limited to; all that its person has if left out. Reading comes with any."""
    expires_at: Instant | None = None


class Token(Shape):
    """A token, without its secret."""

    id: UUID
    person: str
    name: str
    scopes: list[Permission] | None
    """The permissions that it is limited to; null for all that its person has."""
    created_at: Instant
    last_used_at: Instant | None
    """When it was last used, to within ten minutes."""
    expires_at: Instant | None
    revoked_at: Instant | None


class IssuedToken(Token):
    """A token with its secret, which is shown this once."""

    token: Secret
    """`qw_<id>_<secret>`, for the header `Authorization: Bearer`."""


class Right(Shape):
    """What you may do on a unit and all below it."""

    unit: str
    role: Role
    permissions: list[Permission]
    """What the role allows, as far as your token goes."""


class SignIn(StrEnum):
    """What vouches for who is asking."""

    API_TOKEN = "api_token"  # noqa: S105  a word, not a secret
    OIDC = "oidc"


class Me(Shape):
    """Who is asking."""

    actor: str
    """Code of the person, or name of the operator's token."""
    operator: bool
    """Operators stand above institutions, and may do everything."""
    institution: str | None
    """Code of the person's institution; null for operators."""
    person: str | None
    signed_in_with: SignIn
    token_id: UUID | None
    """Null for an OIDC access token, of which nothing is kept here."""
    token_name: str
    """`oidc` for an OIDC access token."""
    scopes: list[Permission] | None
    """What the token is limited to; null for all that the person may do."""
    rights: list[Right]
    """What you may do where; empty for operators, who may do everything."""
