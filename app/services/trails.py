"""Trails of archives: the chain of events, verified as it comes in."""

from typing import Any
from uuid import UUID

from app.archive import ArchiveRefused
from app.models.events import GENESIS
from app.services import chain

Row = dict[str, Any]


class Trail:
    """The chain of events, verified as it comes; for a copy chained anew under another id."""

    def __init__(self, renewed: UUID | None) -> None:
        self._renewed = renewed
        self._sequence, self._digest = 0, GENESIS
        self.head = GENESIS
        """Of the chain as it is inserted."""

    @property
    def at(self) -> tuple[int, str]:
        """Where the chain of the archive stands."""
        return self._sequence, self._digest

    def follow(self, row: Row) -> Row:
        """The next event; raises `ArchiveRefused` where it does not fit behind the last one."""
        self._sequence += 1
        digest = chain.digest(self._digest, row)
        if (row["sequence"], row["digest"]) != (self._sequence, digest):
            detail = f"Event {self._sequence} was changed, removed or put in: the trail is broken."
            raise ArchiveRefused(detail)
        self._digest = digest
        if self._renewed is not None:
            row["institution_id"] = self._renewed
            row["digest"] = digest = chain.digest(self.head, row)
        self.head = digest
        return row
