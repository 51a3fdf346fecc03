"""Figures: what is published of sums, rounded once. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from app.rollup.contribution import Change, Totals
from app.rollup.points import BAC_PER_WEIGHT, divide, percent
from app.schemas.fields import Health

TEN_THOUSANDTHS = 10_000


class Thresholds(NamedTuple):
    """An institution's health thresholds, as SPI in ten-thousandths."""

    on_track_from: int
    at_risk_from: int


class Figures(NamedTuple):
    """The sums of one bucket on one date."""

    totals: Totals = Totals()
    to_date: Change = Change()
    """Changes summed up to the date: the values on that date."""

    @property
    def percent_complete(self) -> float | None:
        """Earned ÷ budget at completion, percent; None where nothing is measurable."""
        return share_of(self.to_date.earned, self.totals.bac)

    @property
    def percent_verified(self) -> float | None:
        """Verified ÷ budget at completion, percent."""
        return share_of(self.to_date.verified, self.totals.bac)

    @property
    def verification_gap(self) -> float | None:
        """(Earned - verified) ÷ budget at completion, percentage points."""
        return share_of(self.to_date.earned - self.to_date.verified, self.totals.bac)

    @property
    def percent_scheduled(self) -> float | None:
        """Planned ÷ budget at completion, percent."""
        return share_of(self.to_date.planned, self.totals.bac)

    @property
    def schedule_variance(self) -> float | None:
        """(Earned - planned) ÷ budget at completion, percentage points."""
        return share_of(self.to_date.earned - self.to_date.planned, self.totals.bac)

    @property
    def schedule_performance_index(self) -> float | None:
        """SPI = earned ÷ planned, four decimals; None while nothing is planned."""
        planned = self.to_date.planned
        return divide(self.to_date.earned, planned, 4) if planned else None

    @property
    def initiatives(self) -> int:
        """Counted initiatives."""
        return self.totals.active + self.totals.on_hold + self.totals.completed

    @property
    def measured(self) -> int:
        """Counted initiatives with a live milestone."""
        return self.initiatives - self.totals.unmeasured

    @property
    def weight(self) -> int:
        """Sum of the weights of the measured initiatives: the budget at completion in weights."""
        return self.totals.bac // BAC_PER_WEIGHT

    @property
    def reason(self) -> str | None:
        """Why percents are None."""
        if self.totals.bac:
            return None
        return "no_milestones" if self.initiatives else "no_initiatives"

    def health(self, thresholds: Thresholds) -> Health:
        """Health by the published thresholds."""
        return health(self.totals.bac, self.to_date.planned, self.to_date.earned, thresholds)


def total(parts: Sequence[Figures]) -> Figures:
    """The sums of several buckets of one date."""
    return Figures(
        Totals(*map(sum, zip(Totals(), *(part.totals for part in parts), strict=True))),
        Change(*map(sum, zip(Change(), *(part.to_date for part in parts), strict=True))),
    )


def share_of(part: int, bac: int) -> float | None:
    """Percent of the budget at completion; None where that is nothing."""
    return percent(part, bac) if bac else None


def health(bac: int, planned: int, earned: int, thresholds: Thresholds) -> Health:
    """Health of anything with a budget at completion, planned and earned values; exact."""
    if not bac:
        return Health.NOT_MEASURABLE
    if earned == bac:
        return Health.COMPLETED
    if not planned:
        return Health.ON_TRACK if earned else Health.NOT_STARTED
    if earned * TEN_THOUSANDTHS >= planned * thresholds.on_track_from:
        return Health.ON_TRACK
    if earned * TEN_THOUSANDTHS >= planned * thresholds.at_risk_from:
        return Health.AT_RISK
    return Health.OFF_TRACK
