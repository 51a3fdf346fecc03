"""Who tries: every role at every place, and what they ought to be able to do.

The roles are written out here by hand, from the documentation: the tests would prove nothing if
they asked the application what it allows.

    R ─┬─ A ─┬─ A1 ─── A11
       │     └─ A2
       └─ B                      X is the root of another institution
"""

from typing import NamedTuple

UNITS = {
    "R": ("R",),
    "A": ("A", "R"),
    "A1": ("A1", "A", "R"),
    "A11": ("A11", "A1", "A", "R"),
    "A2": ("A2", "A", "R"),
    "B": ("B", "R"),
    "X": ("X",),
}
"""Every unit, with those whose roles hold for it: itself and all above it."""

READ = "plans:read"
_VIEWER = {READ}
_REPORTER = _VIEWER | {"obstacles:report", "updates:report"}
_PLANNER = _REPORTER | {
    "indicators:change", "decrees:change", "initiatives:change", "initiatives:score",
    "milestones:change", "obstacles:decide", "ratings:judge", "reports:freeze",
}  # fmt: skip
MAY = {
    "viewer": _VIEWER,
    "reporter": _REPORTER,
    "planner": _PLANNER,
    "verifier": _VIEWER
    | {"assessments:change", "initiatives:score", "ratings:judge", "updates:verify", "verdicts:give"},
    "admin": _PLANNER | {
    "assessments:change", "events:read", "grants:change", "grants:read", "institution:change",
    "institution:export", "people:change", "periods:change",
        "tokens:change", "tokens:read", "units:change", "updates:verify", "verdicts:give", "webhooks:change", "webhooks:read",
    },
}  # fmt: skip


class Spec(NamedTuple):
    """Somebody: their roles and where they hold them, and what their token is narrowed to."""

    holdings: tuple[tuple[str, str], ...] = ()
    scopes: tuple[str, ...] | None = None
    kind: str = "person"
    """Or `operator`, `nobody` (no token), `foreign` (of the other institution)."""

    def holds(self, permission: str, unit: str) -> bool:
        """Whether somebody ought to have a permission on a unit."""
        if self.kind == "operator":
            return True
        return any(
            permission in self._allowed(role) for role, place in self.holdings
            if place in UNITS[unit]
        )  # fmt: skip

    def _allowed(self, role: str) -> set[str]:
        if self.scopes is None:
            return MAY[role]
        narrowed = MAY[role] & set(self.scopes)
        return narrowed | {READ} if narrowed else set()


PLACES = {
    "self": "A1", "parent": "A", "root": "R", "descendant": "A11", "sibling": "A2", "elsewhere": "B",
}  # fmt: skip
"""Where a role is held, as seen from A1, the unit that everybody is after."""
SPECS = {
    "nobody": Spec(kind="nobody"),
    "operator": Spec(kind="operator"),
    "without roles": Spec(),
    "admin of the other institution": Spec((("admin", "X"),), kind="foreign"),
    **{
        f"{role} {place}": Spec(((role, unit),))
        for role in MAY
        for place, unit in PLACES.items()
        if place != "elsewhere" or role in {"viewer", "admin"}  # for the others `sibling` is that
    },
    "admin parent, token to report": Spec((("admin", "A"),), ("updates:report",)),
    "admin self, token to read": Spec((("admin", "A1"),), (READ,)),
    "admin root, token for units": Spec((("admin", "R"),), ("units:change",)),
    "admin parent, token for people": Spec(
        (("admin", "A"),), ("people:change", "tokens:change", "tokens:read", "grants:change")
    ),
    "viewer self, token for units": Spec((("viewer", "A1"),), ("units:change",)),
    "viewer root and admin sibling": Spec((("viewer", "R"), ("admin", "A2"))),
    "planner descendant and reporter parent": Spec((("planner", "A11"), ("reporter", "A"))),
}  # fmt: skip
