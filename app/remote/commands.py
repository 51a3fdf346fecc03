"""The commands for a remote server: report, rollup, initiatives, batch; and those of `programme`."""

from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from app.client import Quickwin
from app.console import out
from app.remote import batches, programme, reading, tables
from app.remote.connection import AsJson, Quiet, connected
from app.remote.filters import filtered_by
from app.schemas.initiatives import InitiativeQuery

commands = typer.Typer(pretty_exceptions_enable=False)
_initiatives = typer.Typer(help="The initiatives of an institution.", no_args_is_help=True)
commands.add_typer(_initiatives, name="initiatives")
commands.add_typer(programme.obstacles, name="obstacles")
commands.add_typer(programme.evidence, name="evidence")
commands.command("batch")(batches.batch)
commands.command("missing")(programme.missing)

Code = Annotated[str, typer.Argument(help="Code of the initiative.")]


def main() -> None:
    """Run the command that was typed."""
    commands(prog_name="quickwin")


@commands.command()
@connected
def report(
    quickwin: Quickwin,
    initiative: Code,
    milestone: Annotated[int, typer.Argument(help="Number of the milestone.", min=1, max=9999)],
    percent: Annotated[float, typer.Argument(help="Percent complete.", min=0, max=100)],
    *,
    note: Annotated[str | None, typer.Option(help="What has been done.")] = None,
    evidence: Annotated[
        list[str] | None, typer.Option(help="Link to a document; repeatable.")
    ] = None,
    document: Annotated[
        list[Path] | None, typer.Option(help="File to send as evidence; repeatable.")
    ] = None,
    on: Annotated[
        str | None, typer.Option(help="YYYY-MM-DD, the day it was so; today if left out.")
    ] = None,
    source: Annotated[str | None, typer.Option(help="System that the report comes from.")] = None,
    external_id: Annotated[
        str | None, typer.Option(help="Its id there; sent again it changes nothing.")
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Report progress on a milestone."""
    documents = [reading.document(quickwin.send_file(file)) for file in document or ()]
    made = quickwin.report(
        initiative, milestone, percent, note=note, effective_on=on,
        evidence=[*(reading.evidence(url) for url in evidence or ()), *documents],
        source=source, external_id=external_id,
    )  # fmt: skip
    if as_json:
        tables.write(made)
    elif not quiet:
        moved = f"{made.previous_percent:g} → {made.percent_complete:g} %"
        out.print(
            f"{made.initiative}, milestone {made.milestone}: {moved} on {made.effective_on}",
            markup=False,
        )


@commands.command()
@connected
def rollup(
    quickwin: Quickwin,
    unit: Annotated[
        str | None, typer.Argument(help="Code of a unit; the institution if left out.")
    ] = None,
    *,
    year: Annotated[int | None, typer.Option(help="Initiatives of this year.")] = None,
    area: Annotated[str | None, typer.Option(help="Code of a reform area.")] = None,
    as_of: Annotated[str | None, typer.Option(help="YYYY-MM-DD; today if left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show how far a unit is, and the units directly below it."""
    found = quickwin.rollup(unit, year=year, area=area, as_of=as_of)
    children = quickwin.rollup_children(unit, year=year, area=area, as_of=as_of).items
    if as_json:
        tables.write({"rollup": found, "children": children})
    else:
        tables.show(tables.rolled_up(found, children))


@_initiatives.command("list")
@connected
@filtered_by(InitiativeQuery)
def list_initiatives(
    quickwin: Quickwin,
    *,
    most: Annotated[
        int | None, typer.Option(min=1, help="How many at most; all if left out.")
    ] = None,
    as_json: AsJson = False,
    filters: dict[str, Any],
) -> None:
    """Show initiatives. Filters join by AND; a repeated one by OR."""
    found = list(islice(quickwin.initiatives(**filters), most))
    if as_json:
        tables.write(found)
    else:
        tables.show(tables.listed(found))


@_initiatives.command("show")
@connected
def show_initiative(quickwin: Quickwin, code: Code, *, as_json: AsJson = False) -> None:
    """Show an initiative with its milestones."""
    found = quickwin.initiative(code)
    if as_json:
        tables.write(found)
    else:
        tables.show(tables.planned(found))
