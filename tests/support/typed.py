"""Commands as they are typed, run in this process: a process of its own takes seconds to begin."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from typing import NamedTuple
from unittest import mock

from app import cli
from app.settings import settings
from tests.support.server import environment


class Done(NamedTuple):
    """What a command came to."""

    returncode: int
    stdout: str
    stderr: str


def quickwin(url: str, *arguments: str, **settings: str) -> Done:
    """Run `quickwin` on a database with these settings, to its end."""
    with ThreadPoolExecutor(1) as threads:  # where no event loop is running
        return threads.submit(_run, environment(url, None, **settings), arguments).result()


def _run(seen: dict[str, str], arguments: tuple[str, ...]) -> Done:
    stdout, stderr = StringIO(), StringIO()
    with (
        mock.patch.dict(os.environ, seen, clear=True),
        mock.patch.object(sys, "argv", ["quickwin", *arguments]),
        redirect_stdout(stdout),
        redirect_stderr(stderr),
    ):
        settings.cache_clear()
        try:
            cli.main()
        except SystemExit as end:
            status = end.code
        else:
            status = 0
        finally:
            settings.cache_clear()
    return Done(int(status or 0), stdout.getvalue(), stderr.getvalue())
