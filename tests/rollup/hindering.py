"""The steps of the state machine that are about obstacles: raised, decided, resolved, removed."""

from datetime import date
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from app.errors import StatusConflict
from app.schemas.obstacles import NewDecision, NewObstacle, ObstacleChanges
from app.services import escalation, obstacles
from tests.rollup.brute_force import Obstacle
from tests.rollup.machine import Reporting, days, picks, places, years


class Hindering(Reporting):
    """Obstacles of initiatives and of units."""

    def __init__(self) -> None:
        super().__init__()
        self.raised: list[tuple[UUID, Obstacle]] = []

    def known(self) -> list[tuple[UUID, Obstacle]]:
        """Obstacles that are there: with a deleted initiative its own are away."""
        there = self.world.initiatives.keys() | {None}
        return [(key, each) for key, each in self.raised if each.initiative in there]

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
    @rule(pick=picks)
    def remove_obstacle(self, pick: int) -> None:
        key, obstacle = self.obstacle(pick)
        self.write(obstacles.delete, key, None)
        self.raised.remove((key, obstacle))
        self.world.obstacles = [each for each in self.world.obstacles if each is not obstacle]
        self.check("remove_obstacle")
