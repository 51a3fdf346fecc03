"""A calendar as iCalendar (RFC 5545): whole days, the same in every time zone."""

import re
from collections.abc import Iterator
from datetime import date, timedelta

from icalendar import Calendar, Event

from app.schemas.periods import Period
from app.schemas.stages import Stage
from app.services.agenda import Entry
from app.services.calendars import Shown

MEDIA_TYPE = "text/calendar"
_DAY = timedelta(days=1)
_REFRESHED = timedelta(hours=1)
# What the standard does not allow in texts, and what some readers take for the end of a line.
_UNWRITABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def render(shown: Shown) -> bytes:
    """The calendar: an event for each date, lines folded, in UTF-8."""
    calendar = Calendar()
    calendar.add("prodid", "-//Quickwin//Quickwin//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    # RFC 7986's names for these, and what programs had before it.
    calendar.add("name", _text(shown.name))
    calendar.add("x-wr-calname", _text(shown.name))
    calendar.add("refresh-interval", _REFRESHED, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    for entry in shown.entries:
        calendar.add_component(_event(entry))
    for stage in shown.stages:
        calendar.add_component(_stage(stage))
    for period in shown.periods:
        for event in _period(period):
            calendar.add_component(event)
    written: bytes = calendar.to_ical()
    return written


def _event(entry: Entry) -> Event:
    event = Event()
    event.add("uid", f"{entry.id}@quickwin")
    # Without a METHOD this is when the event was last revised, not when it was written down here:
    # so the same calendar is the same bytes.
    event.add("dtstamp", entry.updated_at)
    event.add("created", entry.created_at)
    event.add("last-modified", entry.updated_at)
    event.add("sequence", entry.revision)
    event.add("dtstart", entry.due_on)
    event.add("dtend", entry.due_on + _DAY)
    event.add("summary", _summary(entry))
    event.add("description", _description(entry))
    event.add("status", _status(entry))
    event.add("categories", [_category(entry)])
    event.add("transp", "TRANSPARENT")
    return event


def _stage(stage: Stage) -> Event:
    """A stage, from the beginning of its first day to the end of its last."""
    event = _of_days(stage, str(stage.id), stage.starts_on, stage.ends_on)
    event.add("summary", _text(f"{stage.name.id} ({stage.code})"))
    lines = (stage.name.en, stage.calendar, stage.basis, stage.source_url)
    event.add("description", _text("\n".join(line for line in lines if line)))
    event.add("categories", ["stage"])
    return event


def _period(period: Period) -> Iterator[Event]:
    """The window of a reporting period, and its last day; a reopened one ends on another."""
    last = period.closes_on if period.reopened is None else period.reopened.until
    days = f"{period.starts_on} - {period.ends_on}"
    for name, first, said in (
        (str(period.id), min(period.opens_on, last), ("Masa lapor", "Reporting window")),
        (f"{period.id}-closes", last, ("Batas lapor", "Last day to report")),
    ):
        event = _of_days(period, name, first, last)
        event.add("summary", _text(f"{said[0]}: {period.name.id} ({period.code})"))
        event.add("description", _text(f"{said[1]}: {period.name.en}\n{days}"))
        event.add("categories", ["period"])
        yield event


def _of_days(of: Stage | Period, name: str, first: date, last: date) -> Event:
    event = Event()
    event.add("uid", f"{name}@quickwin")
    event.add("dtstamp", of.updated_at)
    event.add("created", of.created_at)
    event.add("last-modified", of.updated_at)
    event.add("sequence", of.version)
    event.add("dtstart", first)
    event.add("dtend", last + _DAY)
    event.add("status", "CONFIRMED")
    event.add("transp", "TRANSPARENT")
    return event


def _summary(entry: Entry) -> str:
    mark = "✓ " if entry.is_done else ""
    return _text(f"{mark}{entry.title} ({_address(entry)})")


def _address(entry: Entry) -> str:
    return entry.initiative if entry.number is None else f"{entry.initiative}/{entry.number}"


def _description(entry: Entry) -> str:
    lines = [f"{entry.initiative} {entry.parent_title}", f"Unit {entry.unit}"]
    if entry.percent is not None:
        lines.append(f"{entry.percent / 100:g} %")
    if entry.description:
        lines += ["", entry.description]
    return _text("\n".join(lines))


def _status(entry: Entry) -> str:
    if entry.is_cancelled:
        return "CANCELLED"
    return "TENTATIVE" if entry.is_undecided else "CONFIRMED"


def _category(entry: Entry) -> str:
    if entry.is_cancelled:
        return "cancelled"
    return "done" if entry.is_done else "open"


def _text(text: str) -> str:
    return _UNWRITABLE.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))
