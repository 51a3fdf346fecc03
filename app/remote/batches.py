"""`quickwin batch`: the reports of a file, each once, however often the run is killed and begun again."""

import hashlib
import sys
import tempfile
from array import array
from collections.abc import Generator
from contextlib import ExitStack, closing, nullcontext
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from pydantic_core import to_json

from app.client import Outcome, Quickwin
from app.console import out, progress
from app.remote import reading
from app.remote.connection import AsJson, Quiet, connected
from app.remote.exits import Exit, Misused, say
from app.remote.journal import Failed, Head, Journal, Mark, Unusable, forget
from app.schemas.batches import MOST_ITEMS, BatchItem

SOURCE, SIZE = "quickwin-batch", 250
_IN_MEMORY = 1 << 20  # bytes of stdin


class Input:
    """A file of reports, looked through once before anything is sent."""

    def __init__(self, file: BinaryIO, suffix: str) -> None:
        self._file = file
        file.seek(0)
        self.digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
        self._is_json = reading.is_json(file, suffix)
        self.numbers = array("Q")
        """Line of each readable report."""
        self.failed: list[Failed] = []
        """Lines that cannot be read."""
        for line in reading.lines(file, is_json=self._is_json):
            if line.item is not None:
                self.numbers.append(line.number)
            else:
                self.failed.append(_unreadable(line))

    def reports(self, source: str, run: str) -> Generator[BatchItem]:
        """The readable reports; those without an id of their own get one of this run."""
        for line in reading.lines(self._file, is_json=self._is_json):
            if line.item is None:
                continue
            if line.item.external_id is None:
                own = {"source": source, "external_id": f"{run}-{line.number}"}
                yield line.item.model_copy(update=own)
            else:
                yield line.item


class Tally:
    """What has become of the reports so far."""

    def __init__(self, given: Input, journal: Journal) -> None:
        self._given, self._journal = given, journal
        self.created, self.replayed = journal.last.created, journal.last.replayed
        self.failed = [*given.failed, *(each for mark in journal.marks for each in mark.failed)]
        self._news: list[Failed] = []
        for each in self.failed:
            _tell(each)

    def count(self, outcome: Outcome) -> None:
        """Count a report; tell it, if it was refused."""
        if outcome.problem is None:
            self.created += outcome.status == 201  # noqa: PLR2004  created
            self.replayed += outcome.status == 200  # noqa: PLR2004  it was there
            return
        places = (f"; {e.pointer}: {e.detail}" for e in outcome.problem.errors)
        failed = Failed(
            line=self._given.numbers[outcome.index], status=outcome.status,
            code=outcome.problem.code, detail=outcome.problem.detail + "".join(places),
        )  # fmt: skip
        _tell(failed)
        self.failed.append(failed)
        self._news.append(failed)

    def note(self, done: int) -> None:
        """Note in the journal that so many are settled."""
        news, self._news = self._news, []
        self._journal.append(
            Mark(done=done, created=self.created, replayed=self.replayed, failed=tuple(news))
        )


@connected
def batch(
    quickwin: Quickwin,
    file: Annotated[
        str,
        typer.Argument(
            help="CSV (UTF-8, with commas or semicolons, columns named as in the API) or JSON "
            "Lines; - for stdin.",
        ),
    ],
    *,
    source: Annotated[
        str, typer.Option(help="Source of reports that name none; they get an external id too.")
    ] = SOURCE,
    journal: Annotated[
        Path | None,
        typer.Option(help="Where it is noted how far it is; FILE.journal if left out."),
    ] = None,
    anew: Annotated[
        bool, typer.Option("--anew", help="Forget the journal: report everything once more.")
    ] = False,
    size: Annotated[int, typer.Option(min=1, max=MOST_ITEMS, help="Reports in a batch.")] = SIZE,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Send the reports of a file in batches; when it is killed, the same command goes on."""
    with ExitStack() as opened:
        try:
            given = _read(opened, file)
            head = Head(
                input_sha256=given.digest, server=quickwin.server,
                institution=quickwin.institution_code or "", source=source,
            )  # fmt: skip
            noted = opened.enter_context(closing(Journal(_journal(file, journal, anew=anew), head)))
            tally = Tally(given, noted)
            _send(quickwin, given, noted, tally, size=size, is_shown=not (quiet or as_json))
        except reading.Unreadable as error:
            raise Misused(str(error)) from error
        except Unusable as error:
            raise Misused(f"{error}; --anew begins once more, --journal keeps another") from error
        except OSError as error:
            raise Misused(f"{error.filename or file}: {error.strerror}") from error
    _conclude(tally, as_json=as_json, quiet=quiet)


def _send(
    quickwin: Quickwin, given: Input, journal: Journal, tally: Tally, *, size: int, is_shown: bool
) -> None:
    total = len(given.numbers)
    with progress() if is_shown else nullcontext() as bar:

        def settled(done: int) -> None:
            tally.note(done)
            if bar is not None:
                bar("Reports", done, total)

        if bar is not None:
            bar("Reports", journal.last.done, total)
        try:
            with closing(given.reports(journal.head.source, journal.head.run)) as reports:
                for outcome in quickwin.report_all(
                    reports, start=journal.last.done, progress=settled, most_items=size
                ):
                    tally.count(outcome)
        except BaseException:
            say(f"Stopped after {journal.last.done} of {total} reports; the same command goes on.")
            raise


def _conclude(tally: Tally, *, as_json: bool, quiet: bool) -> None:
    if as_json:
        told = {"created": tally.created, "replayed": tally.replayed, "failed": tally.failed}
        typer.echo(to_json(told, indent=2))
    elif not quiet:
        out.print(
            f"Reported: {tally.created:,}. Were there already: {tally.replayed:,}. "
            f"Failed: {len(tally.failed):,}."
        )
    if tally.failed:
        raise typer.Exit(Exit.REFUSED)


def _read(opened: ExitStack, file: str) -> Input:
    if file != "-":
        return Input(opened.enter_context(Path(file).open("rb")), Path(file).suffix.lower())
    kept = opened.enter_context(tempfile.SpooledTemporaryFile(_IN_MEMORY))  # noqa: SIM115  closed with the rest
    while chunk := sys.stdin.buffer.read(_IN_MEMORY):
        kept.write(chunk)
    return Input(kept, "")  # type: ignore[arg-type]


def _journal(file: str, given: Path | None, *, anew: bool) -> Path | None:
    """Where the journal is; stdin has one only where it is told."""
    kept = given or (Path(f"{file}.journal") if file != "-" else None)
    if kept is not None and anew:
        forget(kept)
    return kept


def _unreadable(line: reading.Line) -> Failed:
    return Failed(line=line.number, status=None, code="unreadable", detail=line.problem or "")


def _tell(failed: Failed) -> None:
    say(f"line {failed.line}: {failed.detail} ({failed.code})")
