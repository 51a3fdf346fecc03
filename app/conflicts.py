"""What the state of a plan forbids, or one's own part in it: branches of the tree drawn in `errors`.

Forbidden
└── OwnInitiative     403  own_initiative
Conflict
├── NothingPlanned    409  nothing_planned
├── DependencyCycle   409  dependency_cycle
├── AlreadyDependent  409  already_dependent
└── NotClosed         409  not_closed
"""

from app.errors import Conflict, Forbidden


class OwnInitiative(Forbidden):
    """A closing verdict is given by somebody else than the accountable owner."""

    code = "own_initiative"


class NothingPlanned(Conflict):
    """There is no milestone to be done, so there is no plan to agree on."""

    code = "nothing_planned"


class DependencyCycle(Conflict):
    """In the end this would wait for itself."""

    code = "dependency_cycle"


class AlreadyDependent(Conflict):
    """This waits for that already; remove that dependency to give it another lag."""

    code = "already_dependent"


class NotClosed(Conflict):
    """A closing verdict is given on what is completed or cancelled."""

    code = "not_closed"
