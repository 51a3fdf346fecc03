"""What a process notes of itself while it works: whose request it serves, and what it has done."""

from contextvars import ContextVar
from dataclasses import dataclass

REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)
"""Of the request that is being served, in whatever thread."""
LEDGER_ROWS = "ledger_rows"
"""Key of `Session.info`: how many rows of the ledger the transaction has written so far."""


@dataclass
class Counts:
    """Plain numbers since the process began. `api/meters` tells them; here nothing needs to know how."""

    in_flight: int = 0
    """Requests that are being served now."""
    retries: int = 0
    """Transactions that were tried again."""
    ledger_rows: int = 0
    """Rows of the ledger that were written and committed."""
    slow_statements: int = 0
    """Statements that took longer than is right; see `engines`."""
    units_audited: int = 0
    """Units whose rows of the ledger were compared with what they ought to be."""
    replica_reads: int = 0
    """Reads that a replica has answered."""
    replica_misses: int = 0
    """Reads that it was meant for, and that the primary had to answer."""
    drift: int | None = None
    """Rows that were found to differ, of all units as they were last seen; None: not looked yet."""


COUNTS = Counts()
