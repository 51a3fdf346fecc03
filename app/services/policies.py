"""What an institution's policy says."""

from typing import Any

from app.rollup.figures import Thresholds
from app.schemas.evidence import STANDARD_KINDS
from app.schemas.fields import Names
from app.schemas.institutions import Policy
from app.services.access import Scope


def policy(scope: Scope) -> Policy:
    """The institution's policy."""
    return read(scope.policy)


def read(kept: dict[str, Any]) -> Policy:
    """A policy as it is kept: what it leaves out has its default.

    What a newer release has put beside it is passed over: while servers are replaced, both serve.
    """
    return Policy.model_validate(kept, extra="ignore")


def kept(policy: Policy) -> dict[str, Any]:
    """A policy as it is kept with the institution.

    Every request reads it, so the standard kinds of evidence are left out: they are the default.
    """
    is_standard = policy.evidence_kinds == STANDARD_KINDS
    return policy.model_dump(mode="json", exclude={"evidence_kinds"} if is_standard else None)


def thresholds(scope: Scope) -> Thresholds:
    """The institution's health thresholds."""
    return limits(policy(scope))


def limits(policy: Policy) -> Thresholds:
    """A policy's health thresholds."""
    return Thresholds(int(policy.on_track_from * 10_000), int(policy.at_risk_from * 10_000))


def kinds(scope: Scope) -> dict[str, Names]:
    """What the institution's kinds of evidence are called, by code."""
    return {kind.code: kind.name for kind in policy(scope).evidence_kinds}
