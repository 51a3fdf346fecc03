"""Audit of the trail: the chain of an institution's events, walked from the first to the last.

A digest stands for all events before it. So one that was changed, removed, inserted or moved later
does not fit, unless every digest behind it was computed anew; the digest that somebody else keeps
(an anchor) finds that too. Rows are read in stretches of one snapshot: memory stays flat.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Event, InstitutionClock
from app.models.base import table as table_of
from app.models.events import GENESIS
from app.services import access, chain
from app.services.actors import Actor
from app.services.events import CATALOGUE

MOST_FINDINGS = 100
_STRETCH = 1_000
_EVENT = table_of(Event).c
_CLOCK = table_of(InstitutionClock).c

Progress = Callable[[int, int], None]
"""Called with events walked and events in all."""


class Head(NamedTuple):
    """Where a chain ends: what stands for all of it."""

    sequence: int
    digest: str

    def __str__(self) -> str:
        """As an anchor is given."""
        return f"{self.sequence}:{self.digest}"


class Finding(NamedTuple):
    """One thing that is wrong with a chain."""

    kind: str
    """`removed`, `truncated`, `changed`, `inserted`, `reordered`, `head` or `anchor`."""
    sequence: int
    detail: str


class Findings(NamedTuple):
    """What the walk along one chain found."""

    events: int
    head: Head
    """As the clock has it."""
    wrong: int
    """All findings; the first hundred are told."""
    findings: list[Finding]


class _Broken(NamedTuple):
    """An event that does not fit where it stands."""

    row: dict[str, Any]
    previous: str
    """The digest before it, as it stands."""


def head(session: Session, actor: Actor, institution: str | None) -> Head:
    """Sequence and digest of an institution's last event; of the catalogues' without one."""
    return _head(session, _feed(session, actor, institution))


def verify(
    session: Session,
    actor: Actor,
    institution: str | None,
    anchors: list[Head],
    progress: Progress,
    most: int | None = None,
) -> Findings:
    """Walk an institution's chain, or the catalogues', and name what does not fit.

    `most` leaves it at so many events before the last one, whatever is wrong before them.
    """
    institution_id = _feed(session, actor, institution)
    kept = _head(session, institution_id)
    start = Head(0, GENESIS) if most is None else _before(session, institution_id, kept, most)
    walk = _Walk({anchor.sequence: anchor.digest for anchor in anchors}, start)
    for row in _rows(session, institution_id, start.sequence):
        walk.step(row)
        if walk.events % _STRETCH == 0:
            progress(walk.events, max(kept.sequence, walk.events))
    progress(walk.events, walk.events)
    walk.end(kept)
    return Findings(walk.events, kept, walk.wrong, sorted(walk.findings, key=_place))


class _Walk:
    """What is known on the way along a chain."""

    def __init__(self, anchors: dict[int, str], start: Head) -> None:
        self.events = self.wrong = 0
        self.findings: list[Finding] = []
        self._anchors = anchors
        self._at = start
        self._broken: list[_Broken] = []

    def step(self, row: dict[str, Any]) -> None:
        """Take the next event."""
        self.events += 1
        sequence, digest = row["sequence"], row["digest"]
        if sequence != self._at.sequence + 1:
            self._find("removed", self._at.sequence + 1, _gone(self._at.sequence, sequence))
        elif not _fits(row, self._at.digest):
            self.wrong += 1
            if len(self._broken) < MOST_FINDINGS:
                self._broken.append(_Broken(row, self._at.digest))
        if self._anchors.pop(sequence, digest) != digest:
            detail = "the anchor has another digest: something was written anew up to here"
            self._find("anchor", sequence, detail)
        self._at = Head(sequence, digest)

    def end(self, kept: Head) -> None:
        """Compare the end of the walk with what the clock keeps, and explain what did not fit."""
        last = self._at.sequence
        if last < kept.sequence:
            self._find("truncated", last + 1, _gone(last, kept.sequence + 1))
        elif last > kept.sequence:
            detail = f"the clock stands at {kept.sequence}: what is behind it was put in"
            self._find("inserted", kept.sequence + 1, detail)
        elif self._at.digest != kept.digest:
            self._find("head", last, "the clock has another digest for the last event")
        for sequence in sorted(self._anchors):
            self._find("anchor", sequence, "there is no such event any more")
        self.findings += _explained(self._broken)

    def _find(self, kind: str, sequence: int, detail: str) -> None:
        self.wrong += 1
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(kind, sequence, detail))


def _explained(broken: list[_Broken]) -> Iterator[Finding]:
    """What happened to events that do not fit: each may have been moved from where it would."""
    digests = {known for each in broken for known in (each.previous, each.row["digest"])}
    places = {each.row["sequence"] for each in broken}
    former = {each.row["sequence"]: _former_place(each.row, places, digests) for each in broken}
    for sequence, place in former.items():
        if place is not None:
            yield Finding("reordered", sequence, f"this was event {place}")
        elif former.get(sequence + 1) == sequence:
            yield Finding("inserted", sequence, f"put in before what was event {sequence}")
        elif former.get(sequence + 1) == sequence + 2:
            yield Finding("removed", sequence, "an event was taken out before this one")
        else:
            detail = f"does not fit behind event {sequence - 1}: one of them was changed or put in"
            yield Finding("changed", sequence, detail)


def _former_place(row: dict[str, Any], places: set[int], digests: set[str]) -> int | None:
    """Where an event stood when its digest was made, among the places and digests at hand."""
    here: int = row["sequence"]
    for place in sorted({*places, here - 1, here + 1} - {here}):
        moved = row | {"sequence": place}
        if any(_fits(moved, previous) for previous in digests):
            return place
    return None


def _fits(row: dict[str, Any], previous: str) -> bool:
    try:
        return bool(chain.digest(previous, row) == row["digest"])
    except ValueError:
        return False  # no event that we wrote


def _gone(before: int, behind: int) -> str:
    first, last = before + 1, behind - 1
    return f"event {first} is gone" if first == last else f"events {first} to {last} are gone"


def _place(finding: Finding) -> int:
    return finding.sequence


def _before(session: Session, institution_id: UUID, head: Head, most: int) -> Head:
    """The event so many before the last one; its digest is taken as it is."""
    if head.sequence <= most:
        return Head(0, GENESIS)
    sequence = head.sequence - most
    there = (_EVENT.institution_id == institution_id) & (_EVENT.sequence == sequence)
    return Head(sequence, session.scalar(select(_EVENT.digest).where(there)) or GENESIS)


def _rows(session: Session, institution_id: UUID, last: int) -> Iterator[dict[str, Any]]:
    while True:
        following = select(table_of(Event)).where(
            _EVENT.institution_id == institution_id, _EVENT.sequence > last
        )
        stretch = following.order_by(_EVENT.sequence).limit(_STRETCH)
        rows = session.connection().execute(stretch).mappings().all()
        yield from map(dict, rows)
        if len(rows) < _STRETCH:
            return
        last = rows[-1]["sequence"]


def _head(session: Session, institution_id: UUID) -> Head:
    clock = select(_CLOCK.sequence, _CLOCK.digest).where(_CLOCK.institution_id == institution_id)
    return Head(*session.connection().execute(clock).one())


def _feed(session: Session, actor: Actor, institution: str | None) -> UUID:
    if institution is None:
        return CATALOGUE
    return access.institution(session, actor, institution).id
