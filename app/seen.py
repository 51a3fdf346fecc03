"""What a process notes of itself while it works: whose request it serves, and what it has done."""

from contextvars import ContextVar

REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)
"""Of the request that is being served, in whatever thread."""
