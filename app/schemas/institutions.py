"""Institutions on the wire."""

from decimal import Decimal
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import MISSING, Field, model_validator

from app.schemas.evidence import STANDARD_KINDS, EvidenceKinds
from app.schemas.fields import (
    Code,
    Flag,
    Instant,
    Label,
    Name,
    Ratio,
    Reason,
    Reference,
    Shape,
    TimeZone,
    example,
)
from app.schemas.public import PublicPolicy


def _by_default(ratio: str) -> Any:  # noqa: ANN401  what pydantic's own Field is to type checkers
    """A decimal default, which the document tells as a number."""
    return Field(default=Decimal(ratio), json_schema_extra={"default": float(ratio)})


class Policy(Shape):
    """What an institution has decided about its numbers; published, so that health can be checked."""

    on_track_from: Ratio = _by_default("0.95")
    """SPI from which health is `on_track`."""
    at_risk_from: Ratio = _by_default("0.8")
    """SPI from which health is `at_risk`; below it is `off_track`."""
    stale_after_days: Annotated[int, Field(strict=True, ge=1, le=3660)] = 45
    """Days without a report after which an active initiative is stale."""
    ranked_from_initiatives: Annotated[int, Field(strict=True, ge=1, le=100_000)] = 3
    """Measured initiatives from which a unit gets a rank among its siblings."""
    ranked_from_coverage: Ratio = _by_default("0.5")
    """Coverage (measured ÷ initiatives) from which a unit gets a rank among its siblings."""

    restorable_days: Annotated[int, Field(strict=True, ge=1, le=365)] = 30
    """Days for which what is deleted from now on can be restored."""

    decree_required: Flag = False
    """Whether an initiative becomes active by a decree alone (`decree_owed`)."""
    public: PublicPolicy | None = None
    """What is shown to the public, without a token; null: nothing, and nothing is there for it."""
    evidence_kinds: EvidenceKinds = STANDARD_KINDS
    """The kinds of evidence that are told apart; what has a kind already keeps it."""
    evidence_for_completion: Annotated[tuple[Label, ...], Field(max_length=100)] = ()
    """Codes of `evidence_kinds`: a report of 100 %, and an initiative that is to be completed, owe at
    least one document of any of these. Empty: nothing is owed."""

    @model_validator(mode="after")
    def _known_kinds(self) -> Self:
        codes = [kind.code for kind in self.evidence_kinds]
        if len(set(codes)) < len(codes):
            message = "each kind of evidence is there once"
            raise ValueError(message)
        if not set(self.evidence_for_completion) <= set(codes):
            message = "evidence_for_completion names what evidence_kinds has not"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.at_risk_from > self.on_track_from:
            message = "at_risk_from cannot be above on_track_from"
            raise ValueError(message)
        return self


class NewInstitution(Shape):
    """A new institution; its root unit gets the same code and name."""

    model_config = example({"code": "kpu", "name": "Komisi Pemilihan Umum Republik Indonesia"})

    code: Code
    name: Name
    time_zone: TimeZone = "Asia/Jakarta"
    """Decides what "today" is."""
    scheme: Reference = "rb-2020"
    """Code of the scheme whose reform areas its roll-ups list."""
    policy: Policy = Field(default_factory=Policy)


class InstitutionChanges(Shape):
    """A merge patch of an institution."""

    model_config = example({"policy": {"stale_after_days": 30}, "reason": "Monthly reporting"})

    name: Name | MISSING = MISSING
    time_zone: TimeZone | MISSING = MISSING
    scheme: Reference | MISSING = MISSING
    policy: Policy | MISSING = MISSING
    """Replaces the whole policy; what is left out gets its default."""
    reason: Reason | MISSING = MISSING


class Institution(Shape):
    """An institution: a ministry, agency, commission or region."""

    id: UUID
    code: str
    name: str
    time_zone: str
    scheme: str
    """Code of its scheme."""
    policy: Policy
    root_unit: str
    """Code of the unit at the top of its tree."""
    created_at: Instant
    updated_at: Instant
    version: int
