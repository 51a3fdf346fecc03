"""Precedence: whether things that wait for each other wait for themselves in the end; pure.

An initiative begins before its milestones and is finished after them. A dependency puts the finish
of one before the begin of the other. So a milestone waits for what its initiative waits for, and
whoever waits for an initiative waits for all its milestones.
"""

from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple
from uuid import UUID


class End(NamedTuple):
    """An initiative, or one of its milestones."""

    initiative_id: UUID
    milestone_id: UUID | None = None

    @property
    def own_id(self) -> UUID:
        """What it is known by."""
        return self.milestone_id or self.initiative_id


class Edge(NamedTuple):
    """The successor waits for the predecessor."""

    predecessor: End
    successor: End


def has_cycle(edges: Iterable[Edge]) -> bool:
    """Whether something would have to be finished before it begins."""
    sorter: TopologicalSorter[tuple[str, UUID]] = TopologicalSorter()
    for edge in edges:
        for end in edge:
            _bracket(sorter, end.initiative_id, end.own_id)
        sorter.add(("begin", edge.successor.own_id), ("finish", edge.predecessor.own_id))
    try:
        sorter.prepare()
    except CycleError:
        return True
    return False


def _bracket(sorter: TopologicalSorter[tuple[str, UUID]], whole: UUID, part: UUID) -> None:
    """A part begins after the whole, and is finished before it."""
    sorter.add(("finish", whole), ("begin", whole))
    if part != whole:
        sorter.add(("begin", part), ("begin", whole))
        sorter.add(("finish", part), ("begin", part))
        sorter.add(("finish", whole), ("finish", part))
