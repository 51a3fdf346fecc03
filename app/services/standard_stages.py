"""Stages of calendars that are known here, each from a file with the regulation that sets it."""

import csv
from importlib import resources

from app.errors import Invalid
from app.messages import said
from app.schemas.fields import Names
from app.schemas.stages import NewStage

_FILES = {"pemilu-2024": "stages_pemilu_2024.csv"}
"""By the label of the calendar. What an election of later sets is one more file."""


def of(calendar: str) -> list[NewStage]:
    """The stages of a calendar, by their first days; raises `Invalid` where it is not known.

    `pemilu-2024`: the 13 that PKPU 3/2022 set for the general election of 2024.
    """
    name = _FILES.get(calendar)
    if name is None:
        known = ", ".join(sorted(_FILES))
        detail = said("The calendars that are known here: {known}.", known=known)
        raise Invalid.field("/calendar", "unknown_calendar", detail)
    text = resources.files("app.services").joinpath(name).read_text("utf-8")
    _, *rows = csv.reader(text.splitlines())
    return [
        NewStage.model_validate(
            {
                "code": code,
                "calendar": calendar,
                "name": Names(id=name_id, en=name_en),
                "starts_on": starts_on,
                "ends_on": ends_on,
                "basis": basis,
            }
        )
        for code, name_id, name_en, starts_on, ends_on, basis in rows
    ]
