"""What all commands print, and where."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

Report = Callable[[str, int, int], None]

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False)


@contextmanager
def progress() -> Iterator[Report]:
    """A progress bar on stderr for each stage of a long work."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err) as bars:
        tasks = {}

        def report(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)

        yield report


def warn_of_missing(files: Sequence[str]) -> None:
    """Say that an archive or a backup is without some uploaded files, if it is."""
    if files:
        err.print(
            f"[yellow]Warning[/yellow]: {len(files):,} uploaded files are not there or damaged, the "
            f"first is {files[0]}",
            soft_wrap=True,
        )
