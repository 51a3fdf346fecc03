"""What the closed words of the wire are called where people read them."""

from app.languages import Words, noted

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


def term(words: Words, value: str) -> str:
    """What a closed word is called; an unknown one is shown as it is, without its underscores."""
    known = TERMS.get(value)
    return value.replace("_", " ").capitalize() if known is None else words.gettext(known)
