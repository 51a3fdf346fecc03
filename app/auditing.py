"""`quickwin audit`: the chain of events, walked and told."""

import json
import re
from typing import Annotated

import typer

from app.console import out, progress
from app.db import Database
from app.services import audit
from app.services.actors import SYSTEM
from app.services.audit import Findings, Head
from app.terminal import DatabaseUrl, Institution, codes, configure, run

CATALOGUES = "(catalogues)"
"""How the feed above institutions is called; no institution can have this code."""
_ANCHOR = re.compile(r"([0-9]{1,18}):([0-9a-f]{64})")

commands = typer.Typer(
    help="The audit trail: nothing changed, removed or put in.", no_args_is_help=True
)

Catalogues = Annotated[
    bool, typer.Option("--catalogues", help="The feed above institutions instead.")
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of text.")]


@commands.command()
def verify(
    *,
    institution: Institution = None,
    catalogues: Catalogues = False,
    anchor: Annotated[
        list[str] | None,
        typer.Option(help="SEQUENCE:DIGEST that `head` printed earlier; repeat it for several."),
    ] = None,
    as_json: AsJson = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Walk every chain of events; print what does not fit and exit 1 if there is anything."""
    anchors = [_anchor(given) for given in anchor or ()]
    if anchors and institution is None and not catalogues:
        raise typer.BadParameter(
            "Name the feed that the anchor is of: --institution or --catalogues."
        )

    async def work(database: Database) -> list[tuple[str, Findings]]:
        found = []
        for feed in await _feeds(database, institution, catalogues=catalogues):
            with progress() as report:
                findings = await database.read(
                    audit.verify,
                    SYSTEM,
                    _institution(feed),
                    anchors,
                    lambda done, total, feed=feed: report(feed, done, total),  # type: ignore[misc]
                )
            found.append((feed, findings))
        return found

    found = run(configure(database_url), work)
    if as_json:
        out.print_json(json.dumps([_as_json(feed, findings) for feed, findings in found]))
    else:
        for feed, findings in found:
            _print(feed, findings)
    if any(findings.wrong for _, findings in found):
        raise typer.Exit(1)


@commands.command()
def head(
    *,
    institution: Institution = None,
    catalogues: Catalogues = False,
    as_json: AsJson = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Print SEQUENCE:DIGEST of each chain's last event: to be kept elsewhere, as an anchor."""

    async def work(database: Database) -> list[tuple[str, Head]]:
        return [
            (feed, await database.read(audit.head, SYSTEM, _institution(feed)))
            for feed in await _feeds(database, institution, catalogues=catalogues)
        ]

    found = run(configure(database_url), work)
    if as_json:
        out.print_json(json.dumps([{"feed": feed, **at._asdict()} for feed, at in found]))
        return
    for feed, at in found:
        out.print(f"{feed} {at}")


async def _feeds(database: Database, institution: str | None, *, catalogues: bool) -> list[str]:
    if catalogues:
        return [CATALOGUES]
    found = await codes(database, institution)
    return found if institution else [*found, CATALOGUES]


def _institution(feed: str) -> str | None:
    return None if feed == CATALOGUES else feed


def _anchor(given: str) -> Head:
    found = _ANCHOR.fullmatch(given)
    if found is None:
        raise typer.BadParameter(
            "An anchor is SEQUENCE:DIGEST, as `quickwin audit head` prints it."
        )
    return Head(int(found[1]), found[2])


def _print(feed: str, findings: Findings) -> None:
    for finding in findings.findings:
        out.print(f"{feed}: event {finding.sequence}: {finding.kind}: {finding.detail}")
    if findings.wrong > len(findings.findings):
        out.print(f"{feed}: and {findings.wrong - len(findings.findings):,} more")
    verdict = f"{findings.wrong:,} findings" if findings.wrong else "all in order"
    out.print(f"{feed}: {findings.events:,} events up to {findings.head}: {verdict}")


def _as_json(feed: str, findings: Findings) -> dict[str, object]:
    return {
        "feed": feed,
        "events": findings.events,
        "head": findings.head._asdict(),
        "wrong": findings.wrong,
        "findings": [finding._asdict() for finding in findings.findings],
    }
