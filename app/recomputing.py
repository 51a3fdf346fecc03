"""`quickwin rollups`: what is kept of the roll-up against its facts."""

import typer

from app.console import err, out, progress
from app.db import Database
from app.rollup.audit import Findings
from app.services import rollups
from app.services.actors import SYSTEM
from app.terminal import DatabaseUrl, Institution, codes, configure, run

_MENDED_AT_MOST = 3
commands = typer.Typer(help="The roll-up against its facts.", no_args_is_help=True)


@commands.command()
def verify(institution: Institution = None, database_url: DatabaseUrl = None) -> None:
    """Recompute every roll-up from the facts; print each difference and exit 1 if there is one."""

    async def work(database: Database) -> bool:
        clean = True
        for code in await codes(database, institution):
            findings = await _audit(database, code)
            clean = _print_findings(code, findings) and clean
        return clean

    if not run(configure(database_url), work):
        raise typer.Exit(1)


@commands.command()
def rebuild(institution: Institution = None, database_url: DatabaseUrl = None) -> None:
    """Mend every difference that `verify` finds, while the service goes on, until it finds none."""

    async def mended(database: Database, code: str) -> bool:
        for _ in range(_MENDED_AT_MOST):  # again: units may move between the look and the mending
            findings = await _audit(database, code)
            if _print_findings(code, findings):
                return True
            await database.write(rollups.mend, SYSTEM, code, findings)
            out.print(f"{code}: mended")
        return False

    async def work(database: Database) -> bool:
        return all([await mended(database, code) for code in await codes(database, institution)])

    if not run(configure(database_url), work):
        err.print("There is more to mend, as while somebody else does: run it again.")
        raise typer.Exit(1)


async def _audit(database: Database, code: str) -> Findings:
    with progress() as report:
        return await database.read(
            rollups.audit, SYSTEM, code, lambda done, total: report(code, done, total)
        )


def _print_findings(code: str, findings: Findings) -> bool:
    for difference in findings.differences:
        out.print(f"{code}: {difference}")
    for found in findings.derived:
        out.print(f"{code}: {found.address}: stored {found.stored}, expected {found.expected}")
    wrong = len(findings.differences) + len(findings.derived)
    out.print(f"{code}: {findings.initiatives:,} initiatives recomputed, {wrong} differences")
    return not wrong
