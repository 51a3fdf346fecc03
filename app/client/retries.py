"""When a call is sent again, and after how long."""

from typing import Any, NamedTuple

import tenacity

from app.client.calls import Call
from app.client.failures import Failure, NotUnderstood, Refused, Unreachable

_TOO_MANY, _UNAVAILABLE = 429, 503
_GATEWAY = {502, 504}
_NOTHING_WRITTEN = {"database_unavailable", "issuer_unavailable", "storage_full", "timeout"}
"""Codes of a 503 after which nothing has happened; of `outcome_unknown` nobody knows."""
_backoff = tenacity.wait_random_exponential(multiplier=0.5, max=20)


class Patience(NamedTuple):
    """How much of a call's trouble is met by trying again."""

    tries: int = 6
    """How often a call is sent at most; 1: never again."""
    seconds: float = 120.0
    """No try begins later than this after the first one."""

    def policy(self, call: Call[Any]) -> dict[str, Any]:
        """Tenacity's arguments for a call; what remains is raised as it came."""
        stop = tenacity.stop_after_attempt(self.tries)
        return {
            "retry": tenacity.retry_if_exception(lambda error: _is_safe(call, error)),
            "wait": _wait,
            "stop": stop | tenacity.stop_before_delay(self.seconds),
            "reraise": True,
        }


PATIENT = Patience()


def _is_safe(call: Call[Any], error: BaseException) -> bool:
    """Whether sending it again can help, and cannot do anything twice."""
    match error:
        case Unreachable(was_sent=was_sent):
            return call.is_repeatable or not was_sent
        case Refused(status=503, code=code):
            return call.is_repeatable or code in _NOTHING_WRITTEN
        case Refused(status=status):
            return status == _TOO_MANY
        case NotUnderstood(status=status):  # a proxy's
            return status == _TOO_MANY or (
                call.is_repeatable and status in {_UNAVAILABLE, *_GATEWAY}
            )
    return False


def _wait(state: tenacity.RetryCallState) -> float:
    """Full jitter over an exponential, so that many clients do not come back at once.

    What `Retry-After` asks for comes before it.
    """
    error = state.outcome.exception() if state.outcome else None
    told = error.retry_after if isinstance(error, Failure) else 0.0
    return told + _backoff(state)
