"""The house: imports point down, and what belongs to one floor stays there."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
APP = ROOT / "app"
FLOORS = {
    "settings": 0, "configuration": 0, "seen": 0, "logs": 0, "errors": 0, "conflicts": 0, "schemas": 0, "languages": 0, "messages": 0, "terms": 0, "markup": 0,
    "models": 1, "addresses": 1, "engines": 1, "slow": 1, "faults": 1, "db": 1, "replica": 1, "bulk": 1, "revisions": 1, "migrating": 1, "distribution": 1, "service_role": 1, "keyset": 1, "rows": 1, "archive": 1, "given": 1, "outbound": 1, "expiry": 1, "wakes": 1, "turns": 1, "rollup": 1, "spreadsheets": 1, "filing": 1,
    "services": 2,
    "charts": 3, "api": 3, "web": 3, "demo": 3, "client": 3, "delivery": 3,
    "__main__": 4, "remote": 4, "main": 4, "worker": 4, "importer": 4, "cli": 4, "console": 4, "terminal": 4, "starting": 4, "serving": 4, "orphans": 4, "auditing": 4, "tracing": 4, "traces": 4, "doctor": 4, "checks": 4, "neighbours": 4, "moving": 4, "recomputing": 4, "opening": 4, "keeping": 4, "atomic": 4,
}  # fmt: skip
SERVICES = [
    "versions", "naming", "actors", "sign_in", "rights", "sealing", "idempotency", "access", "grading", "policies", "chain", "nouns", "alterations", "parts", "events", "wholes", "denials", "feeds", "streams", "windows", "audit", "deletions", "files", "ratings", "schemes",
    "standard_stages", "stages", "purposes", "programmes", "instruments", "verdicts", "assessments", "indexes", "indicators", "indicator_values", "team_roles", "institutions", "grants", "people", "minting", "tokens", "sessions", "operators", "units", "reorganising", "decrees",
    "criteria", "judgements", "lifecycle", "slippage", "baselines", "designation", "milestones", "plans", "updates", "proofs", "relations", "stage_links", "selection", "links", "lifts", "belongings", "portfolio", "initiatives", "publications", "announcing", "precedence",
    "waiting", "dependencies", "scoring", "scores", "candidates", "appointments", "renewals", "loads", "removing", "restoring", "reporting_rows", "reporting", "progress", "designations", "verification", "directory", "insertion", "loading", "loading_scores",
    "templates", "copying", "rollups", "curves", "comparisons", "nationwide", "explanations", "changes", "groups", "programme_rollups", "attention", "stage_conflicts", "public", "public_feeds", "reports", "obligations", "standings", "periods", "worklists",
    "closing", "differences", "agenda", "calendars", "exporting", "packing", "catalogues", "trails", "trees", "unpacking",
    "cells", "tables", "importing_facts", "importing_names", "importing_targets", "importing_checks", "importing", "import_jobs", "imports",
    "register", "obstacles", "escalation", "follow_ups", "healths", "signing", "webhooks", "deliveries", "parcels", "dispatch", "backlog", "spot_checks",
]  # fmt: skip
GUIDES = APP / "web" / "guides"
"""Scripts that pages show: no part of the house."""
FILES = sorted(
    path for path in APP.rglob("*.py") if path.name != "__init__.py" and path.parent != GUIDES
)
MOST_LINES = 320


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imported(path: Path) -> list[str]:
    """Dotted names of what a file imports."""
    names: list[str] = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names += (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += (f"{node.module}.{alias.name}" for alias in node.names)
    return names


def room(path: Path) -> str:
    return path.relative_to(APP).parts[0].removesuffix(".py")


# A rule is one test over all files, which says where each is broken: a test for each file and rule
# made a fifth of all tests, and took longer to collect than to run.


def test_files_keep_to_their_floors() -> None:
    for path in FILES:
        floor = FLOORS[room(path)]
        for name in imported(path):
            parts = name.split(".")
            if parts[0] == "app" and parts[1] in FLOORS:
                assert FLOORS[parts[1]] <= floor, f"{path}: {name} is on a higher floor"
            if parts[0] in {"fastapi", "starlette", "uvicorn"}:
                assert floor >= 3, f"{path}: {parts[0]} belongs to the floors that speak HTTP"
            if parts[0] == "sqlalchemy":
                assert floor >= 1, f"{path}: words know no database"


def test_the_client_stands_beside_the_house() -> None:
    """It knows the words of the wire and nothing else: programs import it without the service."""
    for path in (APP / "client").glob("*.py"):
        for name in imported(path):
            parts = name.split(".")
            assert parts[0] not in {"rich", "typer", "fastapi", "sqlalchemy"}, path
            if parts[0] == "app":
                assert parts[1] in {"client", "schemas", "__version__"}, f"{path}: {name}"


def test_the_client_is_used_by_the_remote_commands_alone() -> None:
    users = {
        room(path) for path in FILES for name in imported(path) if name.startswith("app.client")
    }
    assert users <= {"client", "remote", "__main__"}


def test_imports_stand_at_the_top() -> None:
    for path in FILES:
        for function in ast.walk(tree(path)):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                inner = [
                    n for n in ast.walk(function) if isinstance(n, ast.Import | ast.ImportFrom)
                ]
                assert not inner, f"{path}: {function.name} hides an import"


def test_only_the_runner_commits() -> None:
    for path in FILES:
        calls = {
            node.func.attr
            for node in ast.walk(tree(path))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        }
        if room(path) != "db":
            assert not calls & {"commit", "rollback"}, path


def test_verbs_are_plain_functions() -> None:
    for path in (APP / "services").glob("*.py"):
        for node in ast.walk(tree(path)):
            assert not isinstance(node, ast.AsyncFunctionDef | ast.Await), path.name


def test_services_import_only_to_the_left() -> None:
    for path in (APP / "services").glob("*.py"):
        if path.stem == "__init__":
            continue
        for name in imported(path):
            if name.startswith("app.services."):
                other = name.split(".")[2]
                assert SERVICES.index(other) < SERVICES.index(path.stem), f"{path.stem} → {other}"


def test_every_service_has_its_place() -> None:
    assert {path.stem for path in (APP / "services").glob("*.py")} <= {*SERVICES, "__init__"}


def test_a_file_holds_one_noun() -> None:
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert {path: number for path, number in lines.items() if number > MOST_LINES} == {}


def test_queries_of_services_begin_with_access() -> None:
    """A select of a tenant's rows outside `access` names its scope by `within` or `visible`."""
    scoped = {"within", "visible", "below", "find", "refer"} | {"initiatives"}  # of `rollups`
    tenant = {
        "Unit", "UnitClosure", "Person", "Initiative", "InitiativeArea", "InitiativeOwner",
        "InitiativeTag", "Milestone", "ProgressUpdate", "FrozenReport", "Rating", "Deletion", "Publication",
    }  # fmt: skip
    for path in (APP / "services").glob("*.py"):
        if path.stem in {"access", "institutions"}:
            continue
        for statement in ast.walk(tree(path)):
            if not isinstance(statement, ast.FunctionDef):
                continue
            names = {n.id for n in ast.walk(statement) if isinstance(n, ast.Name)}
            attributes = {n.attr for n in ast.walk(statement) if isinstance(n, ast.Attribute)}
            selects = any(
                isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id == "select"
                and any(
                    isinstance(a, ast.Attribute) and isinstance(a.value, ast.Name)
                    and a.value.id in tenant
                    for a in n.args
                )
                for n in ast.walk(statement)
            )  # fmt: skip
            if selects:
                guarded = attributes & scoped or names & scoped or "institution_id" in attributes
                assert guarded, f"{path.stem}.{statement.name} selects without a scope"
