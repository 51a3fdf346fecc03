"""Operations on reports, roll-ups and events."""

from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

from app.client import calls
from app.client.batches import MOST_BYTES, Outcome, Report, Sending
from app.client.calls import Call, Stretch
from app.client.places import Day, Fields, Filter, Place, pages
from app.client.twins import listing, operation
from app.schemas.batches import MOST_ITEMS, Batch
from app.schemas.comparisons import RollupChildren
from app.schemas.curves import Curve
from app.schemas.events import Event, Events
from app.schemas.evidence import Evidence
from app.schemas.pages import MOST, Page
from app.schemas.rollups import Rollup, RollupAreas
from app.schemas.updates import Update
from app.schemas.verifications import VerificationCase


class Progress(Place):
    """What has been reached."""

    @operation
    def report(
        self,
        initiative: str,
        milestone: int,
        percent_complete: float,
        *,
        effective_on: Day | None = None,
        note: str | None = None,
        evidence: Sequence[Evidence | Fields] = (),
        source: str | None = None,
        external_id: str | None = None,
        resubmits: UUID | str | None = None,
        key: str | None = None,
    ) -> Call[Update]:
        """Report progress on a milestone; today, if no day is named.

        `resubmits` is the id of the returned report that this one answers.
        """
        body = {
            "percent_complete": percent_complete,
            "effective_on": effective_on,
            "note": note,
            "evidence": evidence,
            "source": source,
            "external_id": external_id,
            "resubmits": resubmits,
        }
        given = {name: value for name, value in body.items() if value is not None}
        return calls.post(self.milestone_at(initiative, milestone, "updates"), Update, given, key)

    @operation
    def report_batch(
        self, items: Iterable[Report], *, atomic: bool = False, key: str | None = None
    ) -> Call[Batch]:
        """1-1,000 reports in one transaction; all or none with `atomic`."""
        body = {"atomic": atomic, "items": list(items)}
        return calls.post(self.at("updates"), Batch, body, key)

    @listing
    def report_all(
        self,
        reports: Iterable[Report],
        *,
        start: int = 0,
        progress: Callable[[int], None] | None = None,
        most_items: int = MOST_ITEMS,
        most_bytes: int = MOST_BYTES,
    ) -> Call[Stretch[Outcome]] | None:
        """Any number of reports, a batch and a transaction at a time; what became of each, in order.

        `progress` is told how many are settled, once their outcomes have been taken: it is where a
        later run may `start`. Reports with `source` and `external_id` may also be sent again from
        the beginning. A report that cannot be taken is an outcome like others; a `Failure` says that
        it does not go on.
        """
        sending = Sending(
            self.at("updates"), reports, start=start, progress=progress,
            most_items=most_items, most_bytes=most_bytes,
        )  # fmt: skip
        return sending.next()

    @listing
    def updates(
        self, /, initiative: str, milestone: int, **paging: Filter
    ) -> Call[Stretch[Update]]:
        """The reports on a milestone, newest first."""
        return pages(self.milestone_at(initiative, milestone, "updates"), Page[Update], paging)

    @listing
    def feed(self, /, **filters: Filter) -> Call[Stretch[Update]]:
        """The institution's reports, newest first; filters are those of `UpdateQuery`."""
        return pages(self.at("updates"), Page[Update], filters)

    @operation
    def verify(
        self, update: Update, verdict: str = "verified", *, note: str | None = None,
        executed_as_planned: bool | None = None, output_reached: bool | None = None,
        quality: bool | None = None, on_time: bool | None = None, key: str | None = None,
    ) -> Call[Update]:  # fmt: skip
        """Verify somebody else's report, or return it (`returned`) with a note; findings say why."""
        place = ("updates", str(update.id), "verification")
        path = self.milestone_at(update.initiative, update.milestone, *place)
        findings = {
            "executed_as_planned": executed_as_planned, "output_reached": output_reached,
            "quality": quality, "on_time": on_time,
        }  # fmt: skip
        judged = {name: found for name, found in findings.items() if found is not None}
        return calls.post(path, Update, {"verdict": verdict, "note": note, **judged}, key)

    @listing
    def to_verify(self, /, **filters: Filter) -> Call[Stretch[VerificationCase]]:
        """What waits for a verifier, oldest first; filters are those of `VerificationQuery`."""
        return pages(self.at("verifications"), Page[VerificationCase], filters)

    # Roll-ups: of a unit with all below it, of the institution if none is named

    @operation
    def rollup(
        self, unit: str | None = None, *, year: int | None = None, area: str | None = None,
        as_of: Day | None = None,
    ) -> Call[Rollup]:  # fmt: skip
        """The numbers of a unit."""
        asked = {"year": year, "area": area, "as_of": as_of}
        return calls.get(self.rollup_at(unit), Rollup, asked)

    @operation
    def rollup_children(self, /, unit: str | None = None, **asked: Filter) -> Call[RollupChildren]:
        """The numbers of each unit directly below; `asked` is what `ChildrenQuery` has."""
        return calls.get(self.rollup_at(unit, "children"), RollupChildren, asked)

    @operation
    def rollup_areas(
        self, unit: str | None = None, *, year: int | None = None, as_of: Day | None = None
    ) -> Call[RollupAreas]:
        """The numbers of a unit for each reform area."""
        asked = {"year": year, "as_of": as_of}
        return calls.get(self.rollup_at(unit, "areas"), RollupAreas, asked)

    @operation
    def s_curve(self, /, unit: str | None = None, **asked: Filter) -> Call[Curve]:
        """Planned, earned and verified value over time; `asked` is what `CurveQuery` has (`from_`)."""
        return calls.get(self.rollup_at(unit, "s-curve"), Curve, asked)

    # Events

    @listing
    def events(self, /, **filters: Filter) -> Call[Stretch[Event]]:
        """What was written and denied, behind `after`; filters are those of `EventQuery`."""
        return _stretches(calls.get(self.at("events"), Events, {"limit": MOST, **filters}))


def _stretches(call: Call[Events]) -> Call[Stretch[Event]]:
    def stretch(found: Events) -> Stretch[Event]:
        after = found.next_after
        return Stretch(
            found.items, lambda: _stretches(call.asking(after=after)) if found.items else None
        )

    return call.then(stretch)
