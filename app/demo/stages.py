"""The stages of the general election of 2024, as they were; and how synthetic quick wins relate to them."""

import csv
from importlib import resources

from app.schemas.fields import Names
from app.schemas.stages import NewStage, StageLink, StageRelation

CALENDAR = "pemilu-2024"
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


def stages() -> list[NewStage]:
    """Return the stages that PKPU 3/2022 set, by their first days."""
    text = resources.files("app.demo").joinpath("election_stages_2024.csv").read_text("utf-8")
    _, *rows = csv.reader(text.splitlines())
    return [
        NewStage.model_validate(
            {
                "code": code,
                "calendar": CALENDAR,
                "name": Names(id=name_id, en=name_en),
                "starts_on": starts_on,
                "ends_on": ends_on,
                "basis": basis,
            }
        )
        for code, name_id, name_en, starts_on, ends_on, basis in rows
    ]


def links(index: int, year: int) -> list[StageLink]:
    """Return how the quick win with this index, from 0, relates to the stages."""
    if index % _EVERY:
        return []
    return [StageLink(stage=stage, relation=relation) for stage, relation in _LINKS[year]]
