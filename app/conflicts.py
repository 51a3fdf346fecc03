"""What the state of a plan forbids: a branch of the tree that is drawn in `errors`.

Conflict
├── NothingPlanned    409  nothing_planned
├── DependencyCycle   409  dependency_cycle
└── AlreadyDependent  409  already_dependent
"""

from app.errors import Conflict


class NothingPlanned(Conflict):
    """There is no milestone to be done, so there is no plan to agree on."""

    code = "nothing_planned"


class DependencyCycle(Conflict):
    """In the end this would wait for itself."""

    code = "dependency_cycle"


class AlreadyDependent(Conflict):
    """This waits for that already; remove that dependency to give it another lag."""

    code = "already_dependent"
