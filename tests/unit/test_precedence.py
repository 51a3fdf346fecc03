"""Precedence against a slow search: whether anything would wait for itself."""

from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from app.services.precedence import Edge, End, has_cycle

ENDS = [End(UUID(int=i), UUID(int=10 * i + m) if m else None) for i in (1, 2, 3) for m in (0, 1, 2)]
edges = st.builds(Edge, st.sampled_from(ENDS), st.sampled_from(ENDS))


def follows(end: End) -> set[End]:
    """What begins only after something has begun: itself, and the parts of a whole."""
    return {other for other in ENDS if other.initiative_id == end.initiative_id
            and end.milestone_id in (None, other.milestone_id)}  # fmt: skip


def waits_for_itself(known: list[Edge]) -> bool:
    """Walk from the begin of each end: to its own finish, that of its parts, and of its whole."""
    for origin in ENDS:
        finished: set[End] = set()
        left = [origin]
        reached: set[End] = set()
        # What begins after the origin is finished after it too, and so are the wholes of that.
        while left:
            at = left.pop()
            if at in reached:
                continue
            reached.add(at)
            for part in follows(at):
                finished |= {part, End(part.initiative_id)}
            left += [edge.successor for edge in known if edge.predecessor in finished]
        if any(e.predecessor in finished and e.successor in origins(origin) for e in known):
            return True
    return False


def origins(origin: End) -> set[End]:
    """Ends whose begin is before that of the origin: itself and its whole."""
    return {origin, End(origin.initiative_id)}


@settings(max_examples=300, derandomize=True, database=None)
@given(st.lists(edges, max_size=6))
def test_a_cycle_is_found_and_nothing_else(known: list[Edge]) -> None:
    assert has_cycle(known) == waits_for_itself(known)
