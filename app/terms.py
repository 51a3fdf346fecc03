"""What the closed words of the wire are called where people read them."""

import re
from datetime import date
from typing import Any

from app.languages import NOTHING, Words, noted

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

TERMS = {
    # health
    "not_measurable": noted("Not measurable"),
    "completed": noted("Completed"),
    "not_started": noted("Not started"),
    "on_track": noted("On track"),
    "at_risk": noted("At risk"),
    "off_track": noted("Off track"),
    # status of initiatives
    "proposed": noted("Proposed"),
    "shortlisted": noted("Shortlisted"),
    "active": noted("Active"),
    "on_hold": noted("On hold"),
    "cancelled": noted("Cancelled"),
    # status of milestones
    "pending": noted("Pending"),
    "in_progress": noted("In progress"),
    "done": noted("Done"),
    "dropped": noted("Dropped"),
    "overdue": noted("Overdue"),
    # verification
    "reported": noted("Reported"),
    "verified": noted("Verified"),
    "returned": noted("Returned"),
    # kinds and origins of initiatives
    "quick_win": noted("Quick win"),
    "action_plan": noted("Action plan"),
    "innovation": noted("Innovation"),
    "self_selected": noted("Chosen by the unit"),
    "mandated": noted("Given from above"),
    # what owners answer for
    "accountable": noted("Accountable"),
    "responsible": noted("Responsible"),
    "supporting": noted("Supporting"),
    # how milestones earn
    "percent": noted("By percent"),
    "binary": noted("Only when done"),
    # judged confidence
    "green": noted("Green: highly likely"),
    "amber_green": noted("Amber-green: probable"),
    "amber": noted("Amber: feasible"),
    "amber_red": noted("Amber-red: in doubt"),
    "red": noted("Red: appears unachievable"),
    # obstacles
    "low": noted("Low"),
    "medium": noted("Medium"),
    "high": noted("High"),
    "critical": noted("Critical"),
    "open": noted("Open"),
    "resolved": noted("Resolved"),
    # reporting periods
    "upcoming": noted("To come"),
    "over": noted("Over, not closed"),
    "closed": noted("Closed"),
    "reopened": noted("Reopened"),
    # how initiatives relate to stages
    "must_finish_before": noted("Must finish before"),
    "runs_during": noted("Runs during"),
    "blocked_during": noted("Blocked during"),
    # what happened
    "initiative.created": noted("Initiative created"),
    "initiative.loaded": noted("Initiative loaded with its plan"),
    "initiative.changed": noted("Initiative changed"),
    "initiative.replaced": noted("Initiative replaced"),
    "initiative.rated": noted("Confidence judged"),
    "initiative.baselined": noted("Baseline set"),
    "initiative.scored": noted("Score given"),
    "initiative.score_withdrawn": noted("Score withdrawn"),
    "initiative.judged": noted("Closing verdict given"),
    "initiative.deleted": noted("Initiative deleted"),
    "initiative.restored": noted("Initiative restored"),
    "milestone.created": noted("Milestone added"),
    "milestone.changed": noted("Milestone changed"),
    "milestone.deleted": noted("Milestone deleted"),
    "milestone.restored": noted("Milestone restored"),
    "update.reported": noted("Progress reported"),
    "update.verified": noted("Report verified"),
    "update.returned": noted("Report returned"),
    "dependency.created": noted("Dependency added"),
    "dependency.deleted": noted("Dependency removed"),
    "publication.created": noted("Publication added"),
    "publication.changed": noted("Publication changed"),
    "publication.deleted": noted("Publication removed"),
    # why a number is missing
    "no_initiatives": noted("No initiative is counted here yet."),
    "no_milestones": noted("No initiative here has a milestone yet."),
    "small": noted("Too few initiatives to be ranked"),
    "uncovered": noted("Too little is measured to be ranked"),
    "no_plan": noted("There is no plan to forecast from."),
    "plan_not_begun": noted("The plan has not begun."),
    "nothing_earned": noted("Nothing has been earned yet."),
    "plan_of_one_day": noted("The plan is of a single day."),
    "beyond_the_calendar": noted("At this pace the end lies beyond the calendar."),
}
"""By value: a word means the same in every list that has it."""

FIELDS = {
    "code": noted("Code"),
    "title": noted("Title"),
    "description": noted("Description"),
    "unit": noted("Unit"),
    "year": noted("Year"),
    "kind": noted("Kind"),
    "origin": noted("Origin"),
    "status": noted("Status"),
    "weight": noted("Weight"),
    "areas": noted("Areas"),
    "owners": noted("Owners"),
    "tags": noted("Tags"),
    "stages": noted("Stages"),
    "decree": noted("Decree"),
    "designated_on": noted("Designated on"),
    "start_on": noted("Begins on"),
    "due_on": noted("Due on"),
    "done_on": noted("Done on"),
    "dropped_at": noted("Dropped at"),
    "baseline_due_on": noted("Agreed due day"),
    "baseline": noted("Baseline"),
    "expected_result": noted("Expected result"),
    "cancelled_on": noted("Cancelled on"),
    "public": noted("Public"),
    "outcomes": noted("Outcomes"),
    "strategies": noted("Strategies"),
    "level": noted("Level"),
    "programme": noted("Programme"),
    "template": noted("Template"),
    "technique": noted("Earns"),
    "number": noted("Number"),
    "rating": noted("Judged confidence"),
    "rating_reason": noted("Reason of the judgement"),
    "judged_on": noted("Judged on"),
    "judged_by": noted("Judged by"),
    "percent_complete": noted("Complete"),
    "effective_on": noted("As of"),
    "note": noted("Note"),
    "verification": noted("Verification"),
    "verification_note": noted("Verifier's note"),
    "verified_by": noted("Verified by"),
    "verified_at": noted("Verified at"),
    "executed_as_planned": noted("Carried out as planned"),
    "output_reached": noted("Output reached"),
    "quality": noted("Quality as expected"),
    "on_time": noted("On time"),
}
"""What fields of the wire are called."""
_OF_CLOSED_WORDS = {
    "status", "kind", "origin", "technique", "verification", "verdict", "rating", "health",
}  # fmt: skip


def field(words: Words, name: str) -> str:
    """What a field is called; of a part's field with where the part is, as in `milestones/2/title`."""
    place, _, last = name.rpartition("/")
    known = FIELDS.get(last)
    said = last.replace("_", " ") if known is None else words.gettext(known)
    return f"{said} ({place})" if place else said


def value(words: Words, name: str, found: Any) -> str:  # noqa: ANN401  any JSON
    """A field's value in an event, as people read it."""
    if found is None or found in ("", [], {}):
        return NOTHING
    if isinstance(found, list):
        return ", ".join(value(words, name, each) for each in found)
    if isinstance(found, dict):
        parts = (f"{field(words, key)}: {value(words, key, part)}" for key, part in found.items())
        return ", ".join(parts)
    return _plain(words, name.rpartition("/")[2], found)


def _plain(words: Words, name: str, found: Any) -> str:  # noqa: ANN401  any JSON
    if isinstance(found, bool):
        return words.gettext("Yes") if found else words.gettext("No")
    if isinstance(found, int | float):
        return words.percent(found) if name.startswith("percent") else words.number(found)
    if name in _OF_CLOSED_WORDS:
        return term(words, found)
    if name.endswith("_on") and _DAY.fullmatch(found):
        return words.day(date.fromisoformat(found))
    return str(found)


def term(words: Words, value: str) -> str:
    """What a closed word is called; an unknown one is shown as it is, without its underscores."""
    known = TERMS.get(value)
    return value.replace("_", " ").capitalize() if known is None else words.gettext(known)
