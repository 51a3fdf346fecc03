"""Quarterly targets against the plan that is there: which milestones there are to be; pure."""

from app.languages import noted
from app.schemas.fields import MilestoneStatus
from app.schemas.milestones import Milestone, NewMilestone
from app.services.importing_facts import Standing
from app.services.importing_names import Amiss, Told
from app.spreadsheets import quarters
from app.spreadsheets.columns import QUARTERS
from app.spreadsheets.quarters import Part, Targets

_KEPT = ("title", "due_on", "number", "description", "weight", "technique", "baseline_due_on")


def planned(targets: Targets, year: int) -> list[NewMilestone]:
    """The milestones of a new plan."""
    return [
        NewMilestone(title=quarter, due_on=quarters.due_on(quarter, year), weight=weight)
        for quarter, weight in quarters.weights(targets).items()
    ]


def differing(given: Targets | None, standing: Standing) -> Targets:
    """Targets that are others than the plan amounts to; none where no targets are given."""
    parts = [Part(m.title, m.due_on, m.weight) for m in _live(standing)]
    there = quarters.targets(parts, standing.year)
    return {name: target for name, target in (given or {}).items() if there.get(name) != target}


def replanned(
    given: Targets | None, year: int, standing: Standing, *, has_reason: bool
) -> list[NewMilestone] | None:
    """The whole plan with other targets, or in another year; None where nothing of it changes.

    What the sheet does not say stays: titles, and due dates that were moved. Raises `Amiss`.
    """
    weights = None
    if differing(given, standing):
        weights = quarters.weights(given or {})
        if any(quarters.quarter_of(milestone.title) is None for milestone in _live(standing)):
            detail = noted(
                "This plan has milestones of its own; leave the targets as they are, or empty."
            )
            raise Amiss(Told(next(iter(weights)), "other_plan", detail))
    plan, placed = _kept(weights, year, standing)
    highest = max((milestone.number for milestone in standing.plan), default=0)
    for quarter in QUARTERS:
        if weights is not None and quarter in weights and quarter not in placed:
            highest += 1
            due_on = quarters.due_on(quarter, year)
            plan.append(
                NewMilestone(title=quarter, number=highest, weight=weights[quarter], due_on=due_on)
            )
    if [_measures(m) for m in plan] == [_measures(m) for m in standing.plan]:
        return None
    _check_reported(plan, standing)
    _check_baseline(plan, standing, has_reason=has_reason)
    return plan


def _live(standing: Standing) -> list[Milestone]:
    return [m for m in standing.plan if m.status is not MilestoneStatus.DROPPED]


def _kept(
    weights: dict[str, int] | None, year: int, standing: Standing
) -> tuple[list[NewMilestone], set[str]]:
    """Those milestones that stay, as they are to be, and the quarters that have one."""
    plan: list[NewMilestone] = []
    placed: set[str] = set()
    for milestone in standing.plan:
        kept = {name: getattr(milestone, name) for name in _KEPT}
        quarter = quarters.quarter_of(milestone.title)
        if quarter and milestone.status is not MilestoneStatus.DROPPED:
            if milestone.due_on == quarters.due_on(quarter, standing.year):
                kept["due_on"] = quarters.due_on(quarter, year)
            if weights is not None:
                if quarter in placed or quarter not in weights:
                    continue
                kept["weight"] = weights[quarter]
                placed.add(quarter)
        plan.append(NewMilestone(**kept))
    return plan, placed


def _measures(milestone: Milestone | NewMilestone) -> tuple[object, ...]:
    return milestone.number, milestone.weight, milestone.due_on


def _check_reported(plan: list[NewMilestone], standing: Standing) -> None:
    kept = {milestone.number for milestone in plan}
    for milestone in _live(standing):
        if milestone.number not in kept and milestone.reports:
            detail = noted("This quarter has reports; its target cannot go.")
            quarter = quarters.quarter_of(milestone.title)
            raise Amiss(Told(quarter, "reported_milestone_missing", detail))


def _check_baseline(plan: list[NewMilestone], standing: Standing, *, has_reason: bool) -> None:
    after = {milestone.number: _measures(milestone) for milestone in plan}
    owes = standing.baseline is not None or any(
        milestone.baseline_due_on is not None
        and after.get(milestone.number, _measures(milestone)) != _measures(milestone)
        for milestone in standing.plan
    )
    if owes and not has_reason:
        detail = noted("The plan has a baseline: changing it owes a reason.")
        raise Amiss(Told("reason", "reason_owed", detail))
