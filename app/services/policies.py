"""What an institution's policy says."""

from app.rollup.figures import Thresholds
from app.schemas.institutions import Policy
from app.services.access import Scope


def policy(scope: Scope) -> Policy:
    """The institution's policy; what it leaves out has its default."""
    return Policy.model_validate(scope.policy)


def thresholds(scope: Scope) -> Thresholds:
    """The institution's health thresholds."""
    return limits(policy(scope))


def limits(policy: Policy) -> Thresholds:
    """A policy's health thresholds."""
    return Thresholds(int(policy.on_track_from * 10_000), int(policy.at_risk_from * 10_000))
