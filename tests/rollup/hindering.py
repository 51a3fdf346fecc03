"""The steps of the state machine that are about obstacles: raised, decided, resolved, removed."""

from datetime import date
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from app.errors import StatusConflict
from app.schemas.obstacles import (
    FollowUpChanges,
    FollowUpState,
    NewDecision,
    NewFollowUp,
    NewObstacle,
    ObstacleChanges,
)
from app.services import escalation, follow_ups, obstacles
from tests.rollup.brute_force import FollowUp, Obstacle
from tests.rollup.machine import Reporting, days, picks, places, years


class Hindering(Reporting):
    """Obstacles of initiatives and of units."""

    def __init__(self) -> None:
        super().__init__()
        self.raised: list[tuple[UUID, Obstacle]] = []
        self.followed: list[tuple[UUID, UUID, FollowUp]] = []

    def known(self) -> list[tuple[UUID, Obstacle]]:
        """Obstacles that are there: with a deleted initiative its own are away."""
        there = self.world.initiatives.keys() | {None}
        return [(key, each) for key, each in self.raised if each.initiative in there]

    def actions(self) -> list[tuple[UUID, UUID, FollowUp]]:
        """Follow-ups of obstacles that are there, each with its obstacle's id."""
        there = {key for key, _ in self.known()}
        return [each for each in self.followed if each[1] in there]

    def obstacle(self, pick: int) -> tuple[UUID, Obstacle]:
        found = self.known()
        return found[pick % len(found)]

    @rule(
        pick=picks, unit=st.none() | places, year=years, due_on=st.none() | days, asks=st.booleans()
    )
    def hinder(
        self, pick: int, unit: str | None, year: int, due_on: date | None, *, asks: bool
    ) -> None:
        fields: dict[str, Any] = {"title": "Obstacle", "due_on": due_on}
        if asks:
            fields["decision_asked"] = "May we?"
        if unit is None and self.world.initiatives:
            made = Obstacle(self.initiative(pick).code, None, None, due_on, asks)
            fields["initiative"] = made.initiative
        else:
            made = Obstacle(None, self.world.heir(unit or self.code), year, due_on, asks)
            fields |= {"unit": made.unit, "year": year}
        key = self.write(obstacles.create, NewObstacle.model_validate(fields)).id
        self.raised.append((key, made))
        self.world.obstacles.append(made)
        self.check("hinder", *[due_on] if due_on else [])

    def change_obstacle(self, key: UUID, **fields: Any) -> None:
        changes = ObstacleChanges.model_validate({**fields, "reason": "tests"})
        self.write(obstacles.change, key, changes, None)

    @precondition(lambda self: self.known())
    @rule(pick=picks, due_on=st.none() | days)
    def put_off(self, pick: int, due_on: date | None) -> None:
        key, obstacle = self.obstacle(pick)
        self.change_obstacle(key, due_on=due_on)
        obstacle.due_on = due_on
        self.check("put_off", *[due_on] if due_on else [])

    @precondition(lambda self: self.known())
    @rule(pick=picks)
    def ask_or_decide(self, pick: int) -> None:
        key, obstacle = self.obstacle(pick)
        decision = NewDecision(decision="You may")
        if obstacle.resolved:
            self.refused(StatusConflict, escalation.decide, key, decision)
        elif obstacle.waiting:
            self.write(escalation.decide, key, decision)
            self.refused(StatusConflict, escalation.decide, key, decision)
            obstacle.waiting = False
        else:
            self.change_obstacle(key, decision_asked="May we still?")
            obstacle.waiting = True
        self.check("ask_or_decide")

    @precondition(lambda self: self.known())
    @rule(pick=picks)
    def resolve_or_reopen(self, pick: int) -> None:
        key, obstacle = self.obstacle(pick)
        self.change_obstacle(key, state="open" if obstacle.resolved else "resolved")
        obstacle.resolved = not obstacle.resolved
        self.check("resolve_or_reopen", *[obstacle.due_on] if obstacle.due_on else [])

    @precondition(lambda self: self.known())
    @rule(pick=picks, due_on=st.none() | days)
    def follow_up(self, pick: int, due_on: date | None) -> None:
        key, obstacle = self.obstacle(pick)
        new = NewFollowUp.model_validate({"action": "Act", "due_on": due_on})
        row = self.write(follow_ups.create, key, new)
        made = FollowUp(due_on)
        obstacle.follow_ups.append(made)
        self.followed.append((row.id, key, made))
        self.check("follow_up", *[due_on] if due_on else [])

    @precondition(lambda self: self.actions())
    @rule(pick=picks, state=st.none() | st.sampled_from(FollowUpState), due_on=st.none() | days)
    def change_follow_up(self, pick: int, state: FollowUpState | None, due_on: date | None) -> None:
        found = self.actions()
        follow_up_id, key, action = found[pick % len(found)]
        fields = {"due_on": due_on, "state": state or ("open" if action.open else "done")}
        changes = FollowUpChanges.model_validate(fields)
        self.write(follow_ups.change, key, follow_up_id, changes, None)
        action.due_on, action.open = due_on, fields["state"] == "open"
        self.check("change_follow_up", *[due_on] if due_on else [])

    @precondition(lambda self: self.known())
    @rule(pick=picks)
    def remove_obstacle(self, pick: int) -> None:
        key, obstacle = self.obstacle(pick)
        self.write(obstacles.delete, key, None)
        self.raised.remove((key, obstacle))
        self.world.obstacles = [each for each in self.world.obstacles if each is not obstacle]
        self.check("remove_obstacle")
