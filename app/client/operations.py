"""The calls of the API, each written once: its address, what it takes, and what it answers.

Bodies are shapes of `app.schemas` or mappings of their fields. Lists take the filters that their
address takes, by name: `initiatives(unit="32", status=["active", "on_hold"], overdue=True)`. What is
wrong with either is told by the server. Resources are named by code or id; given as they were read, a
change or deletion holds for that version alone, and raises `StaleVersion` when it is gone.
"""

from app.client.plans import Plans
from app.client.programme import Programme
from app.client.progress import Progress


class Operations(Plans, Progress, Programme):
    """What can be asked of a server."""
