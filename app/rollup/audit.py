"""Verify and rebuild: the ledger, and what is derived, against a recomputation from the facts.

Units are taken children first. A unit's expected rows are its own initiatives' contributions plus
its children's rows, so memory holds the paths at hand, not the institution. Facts and ledger are
read on one snapshot: writers go on meanwhile. What is mended is written as a difference, like any
other change, so what writers add in between stays right.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from app.given import portions
from app.models import Initiative, Milestone, RollupPeriod, RollupTotal, Unit, UnitClosure
from app.models.base import table as table_of
from app.models.rollups import Span
from app.rollup import contribution, facts, ledger
from app.rollup import derived as kept
from app.rollup.contribution import Change, Standing, Totals
from app.rollup.ledger import Bucket, Entries, Entry

_BATCH = 500

Progress = Callable[[int, int], None]
"""Called with units done and units in all."""


class Derived(NamedTuple):
    """A milestone or initiative whose derived columns differ from what plan and reports say."""

    initiative_id: UUID
    milestone_id: UUID | None
    """None: the initiative itself."""
    address: str
    stored: tuple[object, ...]
    """share (points), percent and verified (basis points), done_on, reports; or a `Standing`."""
    expected: tuple[object, ...]


class Difference(NamedTuple):
    """A ledger bucket whose rows differ; `missing` is expected less stored."""

    unit: str
    bucket: Bucket
    missing: Entry

    def __str__(self) -> str:
        """What is missing, number by number."""
        parts = [
            f"{name} {number:+d}"
            for name, number in zip(Totals._fields, self.missing.totals, strict=True)
            if number
        ]
        for (span, starts_on), steps in sorted(self.missing.periods.items()):
            parts += [
                f"{span.name.lower()} {starts_on} {name} {number:+d}"
                for name, number in zip(Change._fields, steps, strict=True)
                if number
            ]
        return f"unit {self.unit}, area {self.bucket.area_id}, year {self.bucket.year}: " + (
            ", ".join(parts)
        )


class Findings(NamedTuple):
    """What an audit of one institution found."""

    differences: list[Difference]
    derived: list[Derived]
    initiatives: int


def verify(session: Session, institution_id: UUID, progress: Progress) -> Findings:
    """Recompute everything of an institution on one snapshot, and name what differs."""
    differences: list[Difference] = []
    derived: list[Derived] = []
    initiatives = 0
    for unit, expected, found in _recomputed(session, institution_id, progress):
        differences += compare(session, institution_id, unit.id, unit.code, expected)
        derived += found.derived
        initiatives += found.initiatives
    return Findings(differences, derived, initiatives)


def build(session: Session, institution_id: UUID, progress: Progress) -> None:
    """Write the ledger of an institution that has none, each unit's rows once."""
    for unit, expected, _ in _recomputed(session, institution_id, progress):
        ledger.write(session, institution_id, expected, {unit.id: 0})


def _recomputed(
    session: Session, institution_id: UUID, progress: Progress
) -> Iterator[tuple["_UnitRow", Entries, "_Own"]]:
    """Each unit, behind all below it, with the rows that it ought to have and what is its own."""
    units = _children_first(session, institution_id)
    expected: defaultdict[UUID, Entries] = defaultdict(dict)
    hindrances = facts.hindrances_of_units(session, institution_id)
    for done, unit in enumerate(units, start=1):
        mine = expected.pop(unit.id, {})
        initiatives, derived = 0, list[Derived]()
        for fact in facts_of_unit(session, institution_id, unit.id):
            initiatives += 1
            ledger.collect(mine, fact)
            derived += derived_of(fact)
        for year, hindrance in hindrances.get(unit.id, ()):
            ledger.collect_hindrance(mine, unit.id, year, hindrance)
        if unit.parent_id is not None:
            _raise_to(expected[unit.parent_id], unit.parent_id, mine)
        for entry in mine.values():
            entry.fill_months()
        yield unit, mine, _Own(initiatives, derived)
        progress(done, len(units))


def mend(session: Session, institution_id: UUID, findings: Findings) -> None:
    """Write what is missing, where the unit is still there. Nothing is locked but what is mended."""
    above = session.execute(
        select(UnitClosure.descendant_id, func.max(UnitClosure.distance))
        .where(UnitClosure.institution_id == institution_id)
        .group_by(UnitClosure.descendant_id)
    )
    depths = {row[0]: row[1] for row in above}
    entries = {
        found.bucket: found.missing
        for found in findings.differences
        if found.bucket.unit_id in depths
    }
    ledger.write(session, institution_id, entries, depths)
    damaged = sorted({found.initiative_id for found in findings.derived})
    for some in portions(damaged, _BATCH):
        _mend_derived(session, institution_id, some)


def _mend_derived(session: Session, institution_id: UUID, initiative_ids: Sequence[UUID]) -> None:
    """Derive again under the initiatives' locks: reports may have come since the audit."""
    session.execute(
        select(Initiative.id)
        .where(Initiative.institution_id == institution_id, Initiative.id.in_(initiative_ids))
        .order_by(Initiative.id)
        .with_for_update()
    ).all()
    read = list(facts.read(session, institution_id, initiative_ids))
    rows = []
    for found in (found for fact in read for found in derived_of(fact)):
        if isinstance(found.expected, Standing):
            kept.set_standing(session, institution_id, found.initiative_id, found.expected)
            continue
        new = {f"new_{n}": v for n, v in zip(_DERIVED, found.expected, strict=True)}
        rows.append({"institution": institution_id, "milestone": found.milestone_id, **new})
    if rows:
        session.connection().execute(_MEND_MILESTONE, rows)


_DERIVED = ("share", "percent", "verified", "done_on", "reports")
_MEND_MILESTONE = (
    update(table_of(Milestone))
    .where(
        Milestone.institution_id == bindparam("institution"), Milestone.id == bindparam("milestone")
    )
    .values({name: bindparam(f"new_{name}") for name in _DERIVED})
)


class _Own(NamedTuple):
    """What was found of a unit's own initiatives."""

    initiatives: int
    derived: list[Derived]


class _UnitRow(NamedTuple):
    id: UUID
    code: str
    parent_id: UUID | None


def _children_first(session: Session, institution_id: UUID) -> list[_UnitRow]:
    """All units, each behind all below it, and siblings together."""
    below: defaultdict[UUID | None, list[_UnitRow]] = defaultdict(list)
    for row in session.execute(
        select(Unit.id, Unit.code, Unit.parent_id)
        .where(Unit.institution_id == institution_id)
        .order_by(Unit.code_key)
    ):
        below[row.parent_id].append(_UnitRow(*row))
    ordered: list[_UnitRow] = []
    pending = list(below[None])
    while pending:
        unit = pending.pop()
        ordered.append(unit)
        pending += below[unit.id]
    return ordered[::-1]


def facts_of_unit(session: Session, institution_id: UUID, unit_id: UUID) -> Iterator[facts.Fact]:
    """A unit's own initiatives, some at a time."""
    ids = session.scalars(
        select(Initiative.id).where(
            Initiative.institution_id == institution_id, Initiative.unit_id == unit_id
        )
    ).all()
    for some in portions(ids, _BATCH):
        yield from facts.read(session, institution_id, some)


def derived_of(fact: facts.Fact) -> Iterator[Derived]:
    """What differs of an initiative and its milestones."""
    states = contribution.states(fact.initiative)
    standing = contribution.standing(fact.initiative, states, fact.standing.planned_from)
    unsaid = {name: getattr(fact.standing, name) for name in _unsaid(fact.standing)}
    standing = standing._replace(**unsaid)
    if fact.standing != standing:
        yield Derived(fact.id, None, fact.code, fact.standing, standing)
    for plan, state, stored in zip(fact.initiative.milestones, states, fact.stored, strict=True):
        expected = (*state, len(plan.reports))
        found = (stored.share, stored.percent, stored.verified, stored.done_on, stored.reports)
        if found != expected:
            address = f"{fact.code}/milestones/{stored.number}"
            yield Derived(fact.id, stored.id, address, found, expected)


def _unsaid(stored: Standing) -> Iterator[str]:
    """What it says nothing of: whoever asks looks that up, so it can't be wrong."""
    if stored.planned_from >= stored.planned_until:
        yield from ("planned", "planned_from", "planned_until")
    if stored.reported_months is None:
        yield from ("reported_months", "last_done_on")


def compare(
    session: Session, institution_id: UUID, unit_id: UUID, code: str, expected: Entries
) -> list[Difference]:
    """What is expected less what is stored; nearly every row is as expected, and costs a look."""
    missing: Entries = defaultdict(Entry)
    asked = {"institution": institution_id, "unit": unit_id}
    known: set[Bucket] = set()
    for area_id, year, *totals in session.execute(_TOTALS, asked):
        bucket = Bucket(unit_id, area_id, year)
        known.add(bucket)
        if bucket not in expected or expected[bucket].totals != totals:
            missing[bucket].merge_totals(totals, -1)
            missing[bucket].merge_totals(expected.get(bucket, _NOTHING).totals)
    stored: defaultdict[Bucket, set[Any]] = defaultdict(set)
    for area_id, year, span, starts_on, *steps in session.execute(_PERIODS, asked):
        bucket, period = Bucket(unit_id, area_id, year), (span, starts_on)
        stored[bucket].add(period)
        found = expected.get(bucket, _NOTHING).periods.get(period, _NO_STEPS)
        if found != steps:
            missing[bucket].merge_period((Span(span), starts_on), steps, -1)
            missing[bucket].merge_period((Span(span), starts_on), found)
    for bucket, entry in expected.items():
        if bucket not in known:
            missing[bucket].merge_totals(entry.totals)
        for period in entry.periods.keys() - stored[bucket]:
            missing[bucket].merge_period(period, entry.periods[period])
    return [Difference(code, bucket, entry) for bucket, entry in missing.items() if entry]


_NOTHING = Entry()
_NO_STEPS = [0] * len(Change._fields)


def _raise_to(entries: Entries, unit_id: UUID, below: Entries) -> None:
    for bucket, entry in below.items():
        entries.setdefault(bucket._replace(unit_id=unit_id), Entry()).merge(entry)


_TOTALS = select(
    RollupTotal.area_id,
    RollupTotal.year,
    *(table_of(RollupTotal).c[name] for name in Totals._fields),
).where(
    RollupTotal.institution_id == bindparam("institution"),
    RollupTotal.unit_id == bindparam("unit"),
)
_PERIODS = select(
    RollupPeriod.area_id,
    RollupPeriod.year,
    RollupPeriod.span,
    RollupPeriod.starts_on,
    *(table_of(RollupPeriod).c[name] for name in Change._fields),
).where(
    RollupPeriod.institution_id == bindparam("institution"),
    RollupPeriod.unit_id == bindparam("unit"),
)
