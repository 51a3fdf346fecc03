"""The entry point of `quickwin`.

Commands for a remote server begin without the service's own half: importing that takes longer than
they do. Whatever else is typed goes to `app.cli`, which has all commands.
"""

import gc
import os
import sys
from importlib import import_module

REMOTE = {"report", "rollup", "initiatives", "batch", "missing", "obstacles", "evidence"}


def main() -> None:
    """Run the command that was typed, or complete it."""
    typed = [*_completed(), *sys.argv[1:]]
    half = "app.remote.commands" if typed and typed[0] in REMOTE else "app.cli"
    gc.disable()  # nothing that is imported is garbage: looking for it took a quarter of the time
    module = import_module(half)
    gc.freeze()
    gc.enable()
    module.main()


def _completed() -> list[str]:
    """What a shell wants completed, without the program's name; shells tell it in two ways."""
    words = os.environ.get("COMP_WORDS") or os.environ.get("_TYPER_COMPLETE_ARGS") or ""
    return words.split()[1:] if "_QUICKWIN_COMPLETE" in os.environ else []


if __name__ == "__main__":
    main()
