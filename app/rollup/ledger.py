"""The ledger: contributions are written as differences, for a unit and each of its ancestors.

Increments are commutative upserts (`x = x + excluded.x`). Rows are written in one order: totals
before periods, the deepest unit first and the root last, then by key. Writers of sibling units
therefore never wait for each other below their common ancestor, cannot deadlock, and hold the
root's rows for the shortest time.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from itertools import pairwise
from operator import add, sub
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from app.models import RollupPeriod, RollupTotal, UnitClosure
from app.models.rollups import ALL_AREAS, Span
from app.rollup import contribution, derived, facts, upserts
from app.rollup.contribution import Change, Contribution, Totals
from app.rollup.hindrances import Hindrance


class Bucket(NamedTuple):
    """What a row of the ledger is for: a unit with its subtree, an area (or all), a year."""

    unit_id: UUID
    area_id: UUID
    year: int


class Entry:
    """Sums for one bucket, added up in memory before they are written."""

    __slots__ = ("periods", "totals")

    def __init__(self) -> None:
        self.totals = [0] * len(Totals._fields)
        self.periods: dict[tuple[Span, date], list[int]] = {}

    def add(self, part: Contribution, sign: int = 1) -> None:
        """Add (or subtract) a contribution, by its days."""
        _add(self.totals, part.totals, sign)
        self.add_changes(part.changes, sign)

    def add_changes(self, changes: Mapping[date, Change], sign: int = 1) -> None:
        """Add (or subtract) the dated part of a contribution."""
        for day, change in changes.items():
            self.merge_period((Span.DAY, day), change, sign)

    def fill_months(self) -> None:
        """Count every day in its month too; once, when all days are there."""
        for (_, day), steps in list(self.periods.items()):
            self.merge_period((Span.MONTH, day.replace(day=1)), steps)

    def merge(self, other: "Entry", sign: int = 1) -> None:
        """Add (or subtract) another entry."""
        self.merge_totals(other.totals, sign)
        for key, steps in other.periods.items():
            self.merge_period(key, steps, sign)

    def merge_totals(self, totals: Iterable[int], sign: int = 1) -> None:
        """Add (or subtract) totals."""
        _add(self.totals, totals, sign)

    def merge_period(self, period: tuple[Span, date], steps: Iterable[int], sign: int = 1) -> None:
        """Add (or subtract) the steps of one period."""
        if period in self.periods:
            _add(self.periods[period], steps, sign)
        else:
            self.periods[period] = list(steps) if sign == 1 else [-step for step in steps]

    def __bool__(self) -> bool:
        """Whether there is anything but zeros."""
        return any(self.totals) or any(any(steps) for steps in self.periods.values())


Entries = dict[Bucket, Entry]
_GATHERED, _OPEN = "ledger", "recorded"
"""Keys of `Session.info`: entries that wait for the end of `gathered`; what is being recorded."""


def buckets(unit_id: UUID, area_ids: Iterable[UUID], year: int) -> Iterator[Bucket]:
    """Where an initiative's contribution goes in its own unit: once in all, in full in each area."""
    for area_id in (ALL_AREAS, *area_ids):
        yield Bucket(unit_id, area_id, year)


def collect(entries: Entries, fact: facts.Fact, sign: int = 1) -> None:
    """Add one initiative's contribution to its own unit's entries."""
    part = contribution.of_initiative(fact.initiative)
    if part is contribution.NOTHING:
        return
    for bucket in buckets(fact.unit_id, fact.area_ids, fact.year):
        entries.setdefault(bucket, Entry()).add(part, sign)


def collect_hindrance(entries: Entries, unit_id: UUID, year: int, hindrance: Hindrance) -> None:
    """Add what an obstacle of a unit as a whole contributes, or a follow-up, to the unit's entries."""
    for bucket in buckets(unit_id, (), year):
        entries.setdefault(bucket, Entry()).add(contribution.of_hindrance(hindrance))


@contextmanager
def recorded(session: Session, institution_id: UUID, *initiative_ids: UUID) -> Iterator[None]:
    """Around any change of initiatives, their milestones or reports: writes after less before.

    The initiatives' rows are locked by the caller, or new. Milestones get their shares. Within,
    what is recorded of the same initiatives counts as part of this.
    """
    open_ones: set[UUID] = session.info.setdefault(_OPEN, set())
    asked = [each for each in initiative_ids if each not in open_ones]
    if not asked:
        yield
        return
    waiting: Entries | None = session.info.get(_GATHERED)
    entries: Entries = {} if waiting is None else waiting
    for fact in facts.read(session, institution_id, asked):
        collect(entries, fact, -1)
    open_ones.update(asked)
    try:
        yield
    finally:
        open_ones.difference_update(asked)
    session.flush()
    after = list(facts.read(session, institution_id, asked))
    for fact in after:
        collect(entries, fact)
    derived.keep(session, institution_id, after)
    if waiting is None:
        post(session, institution_id, entries.items())


@contextmanager
def gathered(session: Session, institution_id: UUID) -> Iterator[None]:
    """Around many changes: what is recorded within is added up, and written once, at the end.

    So each of the ledger's rows is written once, and the root's are held only then.
    """
    entries: Entries = {}
    session.info[_GATHERED] = entries
    try:
        yield
    finally:
        del session.info[_GATHERED]
    post(session, institution_id, entries.items())


def gather(session: Session, fact: facts.Fact) -> None:
    """Add a new initiative's contribution to what is gathered."""
    collect(session.info[_GATHERED], fact)


def post(session: Session, institution_id: UUID, entries: Iterable[tuple[Bucket, Entry]]) -> None:
    """Write entries of units' own contributions for those units and all their ancestors.

    Buckets may share an entry, and a bucket may come several times.
    """
    given = list(entries)
    if not given:
        return
    for entry in {id(entry): entry for _, entry in given}.values():
        entry.fill_months()
    chains = _chains(session, institution_id, {bucket.unit_id for bucket, _ in given})
    write(session, institution_id, *_raised(given, chains))


def _raised(
    given: Iterable[tuple[Bucket, Entry]], chains: Mapping[UUID, list[tuple[int, UUID]]]
) -> tuple[Entries, dict[UUID, int]]:
    """Sums for units and all their ancestors, and how deep each of these is.

    They go up a level at a time: what many units have in common is added up once, not once for each.
    """
    depths: dict[UUID, int] = {}
    parents: dict[UUID, UUID] = {}
    for chain in chains.values():
        depths.update((unit_id, depth) for depth, unit_id in chain)
        parents.update((below, above) for (_, below), (_, above) in pairwise(chain))
    sums = _Sums()
    for bucket, entry in given:
        sums.add(bucket, entry)
    levels: defaultdict[int, list[Bucket]] = defaultdict(list)
    for bucket in sums.entries:
        levels[depths[bucket.unit_id]].append(bucket)
    for depth in range(max(levels), 0, -1):
        for bucket in levels[depth]:
            above = Bucket(parents[bucket.unit_id], bucket.area_id, bucket.year)
            if above not in sums.entries:
                levels[depth - 1].append(above)
            sums.add(above, sums.entries[bucket])
    return sums.entries, depths


class _Sums:
    """Entries by bucket. One that is alone in its bucket is shared: a report's is never copied."""

    def __init__(self) -> None:
        self.entries: Entries = {}
        self._own: set[Bucket] = set()

    def add(self, bucket: Bucket, entry: Entry) -> None:
        if bucket not in self.entries:
            self.entries[bucket] = entry
            return
        if bucket not in self._own:
            alone, self.entries[bucket] = self.entries[bucket], Entry()
            self.entries[bucket].merge(alone)
            self._own.add(bucket)
        self.entries[bucket].merge(entry)


def write(
    session: Session,
    institution_id: UUID,
    entries: Mapping[Bucket, Entry],
    depths: Mapping[UUID, int],
) -> None:
    """Add entries to just these buckets' rows, in the one order."""
    ordered = sorted(entries.items(), key=lambda item: (-depths[item[0].unit_id], item[0]))
    totals = [
        {"institution_id": institution_id, **bucket._asdict(), **_named(Totals, entry.totals)}
        for bucket, entry in ordered
        if any(entry.totals)
    ]
    periods = [
        {
            "institution_id": institution_id,
            **bucket._asdict(),
            "span": span,
            "starts_on": starts_on,
            **_named(Change, steps),
        }
        for bucket, entry in ordered
        for (span, starts_on), steps in sorted(entry.periods.items())
        if any(steps)
    ]
    statements = upserts.OF[session.connection().dialect.name]
    upserts.add(session, statements.total, totals)
    upserts.add(session, statements.period, periods)


def move(
    session: Session, institution_id: UUID, unit_id: UUID, leaves: list[UUID], joins: list[UUID]
) -> None:
    """Take a unit's rows from the ancestors that it leaves to those that it joins; set-based.

    Both lists are ordered from the deepest unit to the root. No initiative is read.
    """
    statements = upserts.OF[session.connection().dialect.name]
    connection = session.connection()
    for statement in (statements.moved_total, statements.moved_period):
        for sign, targets in ((-1, leaves), (1, joins)):
            for target in targets:
                connection.execute(
                    statement,
                    {
                        "institution": institution_id,
                        "moved": unit_id,
                        "target": target,
                        "sign": sign,
                    },
                )


def forget(session: Session, institution_id: UUID, unit_id: UUID) -> None:
    """Remove the rows of a unit that is deleted; an empty unit has only zeros."""
    for table in (RollupTotal, RollupPeriod):
        session.execute(
            delete(table).where(table.institution_id == institution_id, table.unit_id == unit_id)
        )


def _chains(
    session: Session, institution_id: UUID, unit_ids: set[UUID]
) -> dict[UUID, list[tuple[int, UUID]]]:
    """(depth, ancestor) for each unit from itself up to the root."""
    chains: defaultdict[UUID, list[UUID]] = defaultdict(list)
    for unit_id, ancestor_id in session.connection().execute(
        _CHAINS, {"institution": institution_id, "units": sorted(unit_ids)}
    ):
        chains[unit_id].append(ancestor_id)
    return {
        unit_id: [(len(chain) - 1 - distance, ancestor) for distance, ancestor in enumerate(chain)]
        for unit_id, chain in chains.items()
    }


_CHAINS = (
    select(UnitClosure.descendant_id, UnitClosure.ancestor_id)
    .where(
        UnitClosure.institution_id == bindparam("institution"),
        UnitClosure.descendant_id.in_(bindparam("units", expanding=True)),
    )
    .order_by(UnitClosure.descendant_id, UnitClosure.distance)
)


def _add(sums: list[int], part: Iterable[int], sign: int) -> None:
    if sign == 1:
        sums[:] = map(add, sums, part)
    else:
        sums[:] = map(sub, sums, part)


def _named(kind: type[Totals] | type[Change], numbers: list[int]) -> dict[str, int]:
    return dict(zip(kind._fields, numbers, strict=True))
