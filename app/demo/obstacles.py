"""A few synthetic obstacles: on what the demo shows most, and on the secretariat of its province.

One waits for a decision, one was handed up and decided, and there are actions against both.
"""

from datetime import date
from typing import NamedTuple

from sqlalchemy.orm import Session

from app.demo.compose import GUIDED_CODE
from app.schemas.obstacles import (
    Escalation,
    FollowUpChanges,
    FollowUpState,
    NewDecision,
    NewFollowUp,
    NewObstacle,
    Severity,
)
from app.services import escalation, follow_ups
from app.services import obstacles as register
from app.services.actors import Actor

_MARK = "Data sintetis."


class Hindrance(NamedTuple):
    """An obstacle, and what is done about it."""

    obstacle: NewObstacle
    escalation: Escalation | None = None
    decision: NewDecision | None = None
    done: tuple[tuple[NewFollowUp, date], ...] = ()
    """Actions, each with the day on which it was done."""
    to_do: tuple[NewFollowUp, ...] = ()


def hindrances() -> list[Hindrance]:
    """Return those of the guided initiative, of its unit, and of the whole."""
    return [
        Hindrance(
            NewObstacle(
                initiative=GUIDED_CODE,
                title="Server provinsi belum tersedia",
                description=_MARK,
                severity=Severity.HIGH,
                owner="sek-32",
                due_on=date(2022, 12, 31),
                decision_asked="Bolehkah memakai server pusat sampai pengadaan selesai?",
            ),
            done=(
                (
                    NewFollowUp(
                        action=f"Surati Pusdatin KPU. {_MARK}",
                        owner="sek-32",
                        due_on=date(2022, 10, 14),
                    ),
                    date(2022, 10, 12),
                ),
            ),
            to_do=(
                NewFollowUp(
                    action=f"Pindahkan data ke server sementara. {_MARK}",
                    owner="ops-32",
                    due_on=date(2022, 12, 20),
                ),
            ),
        ),
        Hindrance(
            NewObstacle(
                unit="32",
                year=2022,
                title="Operator belum dilatih",
                description=_MARK,
                owner="ops-32",
                due_on=date(2022, 12, 15),
            ),
            escalation=Escalation(
                to="kpu",
                reason="Anggaran pelatihan ada di pusat",
                decision_asked="Dapatkah pelatihan dibiayai pusat?",
            ),
            decision=NewDecision(decision="Ya, pelatihan daring dibiayai pusat"),
            to_do=(NewFollowUp(action=f"Susun jadwal pelatihan. {_MARK}", owner="ops-32"),),
        ),
        Hindrance(
            NewObstacle(
                unit="kpu",
                year=2024,
                title="Pedoman pelaporan belum disahkan",
                description=_MARK,
                severity=Severity.CRITICAL,
            )
        ),
    ]


def add(session: Session, actor: Actor, institution: str) -> None:
    """Raise the obstacles, follow them up, and hand up and decide what is to be."""
    for each in hindrances():
        made = register.create(session, actor, institution, each.obstacle)
        for action, done_on in each.done:
            done = follow_ups.create(session, actor, institution, made.id, action)
            ended = FollowUpChanges(state=FollowUpState.DONE, done_on=done_on)
            follow_ups.change(session, actor, institution, made.id, done.id, ended, None)
        for action in each.to_do:
            follow_ups.create(session, actor, institution, made.id, action)
        if each.escalation is not None:
            escalation.escalate(session, actor, institution, made.id, each.escalation)
        if each.decision is not None:
            escalation.decide(session, actor, institution, made.id, each.decision)
