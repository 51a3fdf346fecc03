"""How synthetic quick wins relate to the stages of the general election of 2024, which are real."""

from app.schemas.stages import StageLink, StageRelation, StandardStages

_EVERY = 16
"""Of so many quick wins one is linked; no multiple of three, for years take turns."""
_LINKS = {
    2022: (("voter-list", StageRelation.MUST_FINISH_BEFORE),),
    2023: (
        ("campaign", StageRelation.MUST_FINISH_BEFORE),
        ("nomination-president", StageRelation.BLOCKED_DURING),
    ),
    2024: (
        ("vote", StageRelation.RUNS_DURING),
        ("recapitulation", StageRelation.BLOCKED_DURING),
    ),
}
"""What a quick win of a year is linked to; invented, as the quick wins are."""


def calendar() -> StandardStages:
    """Return which of the known calendars the demo has."""
    return StandardStages(calendar="pemilu-2024")


def links(index: int, year: int) -> list[StageLink]:
    """Return how the quick win with this index, from 0, relates to the stages."""
    if index % _EVERY:
        return []
    return [StageLink(stage=stage, relation=relation) for stage, relation in _LINKS[year]]
