"""How a command ends when a call fails."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

import typer

from app.client import Failure, Forbidden, Refused, Unauthorized, Unavailable, Unsayable
from app.console import err


class Exit(IntEnum):
    """Exit statuses of the commands for a remote server; 130 is Ctrl+C."""

    DONE = 0
    REFUSED = 1
    """The server said no; or some items of a batch failed."""
    MISUSED = 2
    """Options, configuration or input are wrong, or a file cannot be read or written."""
    UNREACHABLE = 3
    """No answer, or none of Quickwin's; or it was not available for as long as we tried."""
    NOT_AUTHORISED = 4
    """The token is not valid, or does not allow this."""

    @classmethod
    def of(cls, failure: Failure) -> "Exit":
        """The status that tells a failure."""
        if isinstance(failure, Unauthorized | Forbidden):
            return cls.NOT_AUTHORISED
        if isinstance(failure, Refused) and not isinstance(failure, Unavailable):
            return cls.REFUSED
        return cls.UNREACHABLE


class Misused(Exception):
    """Configuration or input cannot be used; the message says why."""


@contextmanager
def told() -> Iterator[None]:
    """Ends the command with one line, where it cannot go on."""
    try:
        yield
    except Failure as failure:
        say(f"{type(failure).__name__}: {failure}")
        raise typer.Exit(Exit.of(failure)) from failure
    except OSError as error:
        say(f"{error.filename or 'file'}: {error.strerror}")
        raise typer.Exit(Exit.MISUSED) from error
    except (Misused, Unsayable) as misused:
        say(str(misused))
        raise typer.Exit(Exit.MISUSED) from misused


def say(line: str) -> None:
    """Print a line on stderr as it is, without what would move a terminal's cursor."""
    err.print(printable(line), markup=False, soft_wrap=True)


def printable(text: str) -> str:
    """Text on one line, without control characters."""
    return "".join(letter if letter.isprintable() else "�" for letter in text)
