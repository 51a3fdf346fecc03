"""Queries of services begin with access, or say why they need not.

Whatever reads or writes a model that belongs to a unit asks `access` what the actor sees. A query
that does not is in the list below, with its reason; an entry that is needed no more fails too.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.unit.test_architecture import APP, tree

MODELS = {
    "ApiToken", "Appointment", "Deletion", "Event", "FollowUp", "FrozenReport", "Indicator",
    "Initiative", "Milestone", "Obstacle", "Person", "ProgressUpdate", "Publication", "Rating",
    "RoleGrant", "Unit",
}  # fmt: skip
GUARDS = {"find", "open_unit", "place", "refer", "seen", "sees", "visible"}
"""Of `access`: what asks whether the actor sees a row."""
STATEMENTS = {"select", "update", "delete", "get", "get_one", "join", "outerjoin", "select_from"}
"""What begins a statement about a model, or joins another to it."""

FOUND = "hangs on what was found"
"""A row, or a unit and all below it, that `access` found for the actor before."""
IDENTITY = "says who is asking, before anybody is"
OPERATORS = "for operators alone"
CODES = "tells codes of what a visible row names: a unit, an owner"
LOADING = "for the command line, which may read the whole database"
TAKEN = "whether a code, number or subject is taken does not depend on who sees it"
BY_CALLER = "is completed by its caller with what the actor sees"
SYSTEMS_OWN = "counts or compares for the service itself; each event is told to who may read it"
SHOWN = "is sent if the responsible person may read the unit's events: `parcels.may_be_shown`"
PUBLISHED = "shows what was published, to anybody: `public.published_in` is in it, or was before"
NARROWS = "narrows a query that begins with `access`"
UNGUARDED = {
    "agenda._last_due": FOUND,
    "calendars._record": FOUND,
    "nouns._of_initiative": FOUND,
    "nouns._of_person": FOUND,
    "nouns._of_successor": FOUND,
    "attention._deadlines": FOUND,
    "attention.silent": FOUND,
    "audit._before": LOADING,
    "audit._rows": LOADING,
    "backlog._BEHIND": SYSTEMS_OWN,
    "spot_checks._UNITS": SYSTEMS_OWN,
    "changes._fine": FOUND,
    "copying._missing": TAKEN,
    "deletions._listed": CODES,
    "deletions.follow": FOUND,
    "deletions.hold": TAKEN,
    "dependencies._keep_there": FOUND,
    "dependencies.readmit": FOUND,
    "directory.read": LOADING,
    "escalation._above": "tells the codes of the units above a visible one",
    "explanations._left_out": FOUND,
    "explanations._own": FOUND,
    "feeds._about": NARROWS,
    "feeds._matching": BY_CALLER,
    "files.release": FOUND,
    "follow_ups.change": FOUND,
    "grants.covered": "asks what somebody holds that the actor does not: all of it counts",
    "groups._by_catalogue": BY_CALLER,
    "healths._NEWS": SYSTEMS_OWN,
    "healths.look": SYSTEMS_OWN,
    "importing_facts._fill": FOUND,
    "indicators._with_unit": CODES,
    "indicators.create": TAKEN,
    "institutions._with_codes": "tells the code of the root, which all people of it know",
    "loading_scores.add": LOADING,
    "milestones.check_room": FOUND,
    "milestones.is_taken": TAKEN,
    "nationwide._roots": "is empty for who does not see the root",
    "obligations.owing_of": FOUND,
    "obligations.owing_units": "for the service itself, which tells each unit its own",
    "operators.first_start": OPERATORS,
    "operators.revoke": OPERATORS,
    "parcels._of_units": SHOWN,
    "parcels.asked_for": "was seen by who asked for it",
    "parcels.from_feed": SHOWN,
    "people.read_in": "is of whoever asks",
    "people.subject_is_free": TAKEN,
    "belongings.present": CODES,
    "programme_rollups._by_institution": "is empty for who does not see the root; sums alone, of a programme that was found",
    "progress._TARGET": "is seen or refused by `report` and the batch, item by item",
    "progress._TARGETS_GIVEN": "is seen or refused by `report` and the batch, item by item",
    "public_feeds._reached": PUBLISHED,
    "public_feeds._told": PUBLISHED,
    "public._all_units": "are shown to anybody where the policy shows them",
    "public._with_unit": PUBLISHED,
    "public.initiative": PUBLISHED,
    "ratings._of": FOUND,
    "relations._owners": CODES,
    "renewals._there": FOUND,
    "obstacles.delete": FOUND,
    "register._follow_ups": FOUND,
    "register._holding_up": NARROWS,
    "reporting_rows.SET_INITIATIVES": FOUND,
    "reporting_rows.SET_MILESTONES": FOUND,
    "portfolio.get": "goes on from a query that begins with `access`",
    "proofs.check_completion": FOUND,
    "restoring._has_its_place": FOUND,
    "restoring._unit": FOUND,
    "rollups.children": FOUND,
    "selection.places": "owners are named on initiatives that one sees: filters only narrow those",
    "sessions._record": FOUND,
    "sessions._of": "finds what was begun with the token that asks",
    "sign_in._SAME_ADDRESS": IDENTITY,
    "stage_conflicts._in_blocked": FOUND,
    "standings._by_unit": "counts below a unit that is seen, or for who may close the period",
    "standings._came": FOUND,
    "streams.news": "read once for all who follow; `shows` decides what each of them is shown",
    "team_roles.remove": TAKEN,
    "tokens.me": "tells the codes of units where the actor holds a role",
    "tokens.used": IDENTITY,
    "updates.feed": NARROWS,
    "updates.is_own": FOUND,
    "updates.page": NARROWS,
    "units._successors": "tells the code of the unit that took over a visible one",
    "units._units": "tells the codes of the units above a visible one",
    "units.link": FOUND,
    "verification._latest_verified": FOUND,
    "worklists._listed": "goes on from a query that begins with `access`",
    "waiting._due_on": "is told of the sides that are seen; of others, whether they are late",
}


def _aliases(module: ast.Module) -> dict[str, str]:
    """Names that stand for a model: themselves, its table, its columns, an alias of it."""
    found = {model: model for model in MODELS}
    for node in ast.walk(module):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            made = node.value.value if isinstance(node.value, ast.Attribute) else node.value
            if isinstance(made, ast.Call) and _called(made) in {"table_of", "aliased"}:
                name = getattr(made.args[0], "id", "")
                if name in MODELS:
                    found[node.targets[0].id] = name
    return found


def _called(node: ast.AST) -> str:
    """The last part of what a call calls."""
    if not isinstance(node, ast.Call):
        return ""
    return getattr(node.func, "id", "") or getattr(node.func, "attr", "")


def _queried(node: ast.AST, aliases: dict[str, str]) -> set[str]:
    """Models that a piece of code makes statements about."""
    return {
        aliases[name.id]
        for call in ast.walk(node)
        if isinstance(call, ast.Call) and _called(call) in STATEMENTS
        for argument in call.args
        for name in ast.walk(argument)
        if isinstance(name, ast.Name) and name.id in aliases
    }


def _is_guarded(node: ast.AST) -> bool:
    return any(
        isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "access"
        and call.func.attr in GUARDS
        for call in ast.walk(node)
        if isinstance(call, ast.Call)
    )


def pieces(module: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Functions, methods and assignments of a module, by name."""
    for node in module.body:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        for piece in inner:
            if isinstance(piece, ast.FunctionDef):
                yield piece.name, piece
            elif isinstance(piece, ast.Assign) and isinstance(piece.targets[0], ast.Name):
                yield piece.targets[0].id, piece


def _unguarded(path: Path) -> Iterator[tuple[str, set[str]]]:
    module = tree(path)
    aliases = _aliases(module)
    for name, piece in pieces(module):
        models = _queried(piece, aliases)
        if models and not _is_guarded(piece):
            yield f"{path.stem}.{name}", models


def test_queries_of_services_begin_with_access() -> None:
    found = {
        name: models
        for path in sorted((APP / "services").glob("*.py"))
        if path.stem != "access"
        for name, models in _unguarded(path)
    }
    new = {name: models for name, models in found.items() if name not in UNGUARDED}
    assert not new, "Begin these queries with `access`, or say above why they need not."
    assert not UNGUARDED.keys() - found.keys(), "These need no exception any more."


def test_the_detector_sees_and_spares(tmp_path: Path) -> None:
    """A plain query, one through the table, an outer join for a name; not one that asks access."""
    code = """
_PERSON = table_of(Person).c
def plain(): return select(Unit.code).where(within(scope, Unit))
def below_the_orm(): return select(_PERSON.name)
def joined(): return select(numbers).select_from(groups.outerjoin(Person, condition))
def entity(session): return session.get_one(Initiative, key)
def asked(scope): return access.visible(scope, Unit).join(Person, condition)
def other(): return select(Scheme.code)
"""
    path = tmp_path / "noun.py"
    path.write_text(code, encoding="utf-8")
    assert dict(_unguarded(path)) == {
        "noun.plain": {"Unit"},
        "noun.below_the_orm": {"Person"},
        "noun.joined": {"Person"},
        "noun.entity": {"Initiative"},
    }
