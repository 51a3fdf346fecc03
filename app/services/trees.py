"""Trees of archives: units as they were told, and what follows from them."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from app.archive import ArchiveRefused

Row = dict[str, Any]
Above = dict[UUID | None, tuple[UUID, ...]]
"""The units from each one up to the root."""


def parents_first(units: list[Row]) -> list[Row]:
    """Units so that each comes behind the one above it; raises `ArchiveRefused` where they are no tree."""
    below: defaultdict[UUID | None, list[Row]] = defaultdict(list)
    for unit in units:
        below[unit["parent_id"]].append(unit)
    ordered = list(below[None])
    if len(ordered) != 1:
        raise ArchiveRefused("The units have not one root.")
    for unit in ordered:
        ordered += below[unit["id"]]
    if len(ordered) != len(units):
        raise ArchiveRefused("The units are not one tree.")
    return ordered


def closure(units: list[Row]) -> Iterator[Row]:
    """Each unit with all above it, of units of which parents come first."""
    above: Above = {None: ()}
    for unit in units:
        above[unit["id"]] = path = (unit["id"], *above[unit["parent_id"]])
        for distance, ancestor in enumerate(path):
            yield {
                "institution_id": unit["institution_id"],
                "descendant_id": unit["id"],
                "ancestor_id": ancestor,
                "distance": distance,
            }
