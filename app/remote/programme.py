"""The commands around the plans: who has not reported, what holds things up, documents as evidence."""

from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from app.client import Quickwin
from app.console import out
from app.remote import tables
from app.remote.connection import AsJson, Quiet, connected
from app.remote.exits import printable
from app.remote.filters import filtered_by
from app.schemas.obstacles import ObstaclesQuery
from app.schemas.periods import MissingQuery

obstacles = typer.Typer(help="What holds things up.", no_args_is_help=True)
evidence = typer.Typer(help="Documents as evidence of reports.", no_args_is_help=True)
Most = Annotated[int | None, typer.Option(min=1, help="How many at most; all if left out.")]


@connected
@filtered_by(MissingQuery)
def missing(
    quickwin: Quickwin,
    period: Annotated[str, typer.Argument(help="Code of the reporting period.")],
    *,
    most: Most = None,
    as_json: AsJson = False,
    filters: dict[str, Any],
) -> None:
    """Show which initiatives owe a report on a period and have none, and whom to ask."""
    found = list(islice(quickwin.missing(period, **filters), most))
    if as_json:
        tables.write(found)
    else:
        tables.show(tables.chased(found))


@obstacles.command("list")
@connected
@filtered_by(ObstaclesQuery)
def list_obstacles(
    quickwin: Quickwin, *, most: Most = None, as_json: AsJson = False, filters: dict[str, Any]
) -> None:
    """Show obstacles. Filters join by AND; a repeated one by OR."""
    found = list(islice(quickwin.obstacles(**filters), most))
    if as_json:
        tables.write(found)
    else:
        tables.show(tables.hindering(found))


@evidence.command("send")
@connected
def send(
    quickwin: Quickwin,
    files: Annotated[list[Path], typer.Argument(help="PDF, image, or Office document.")],
    *,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Send documents, to be named as evidence within a day; `report --document` does both."""
    for file in files:
        sent = quickwin.send_file(file)
        if as_json:
            tables.write(sent)
        elif quiet:
            typer.echo(str(sent.id))
        else:
            out.print(f"{sent.id}  {printable(sent.name)}", markup=False, soft_wrap=True)


@evidence.command("save")
@connected
def save(
    quickwin: Quickwin,
    file: Annotated[str, typer.Argument(help="Id of the document.")],
    to: Annotated[Path, typer.Argument(help="Where to; what is there is replaced.")],
) -> None:
    """Save a document that was sent as evidence."""
    quickwin.save_file(file, to)
