"""Rows against what is there: what becomes of each, by the rules of the verbs; pure."""

from collections.abc import Callable
from typing import Any, NamedTuple, ParamSpec, TypeVar

from pydantic import BaseModel, ValidationError

from app.errors import QuickwinError
from app.languages import noted
from app.messages import of_validation
from app.models.base import code_key
from app.schemas.fields import InitiativeStatus, OwnerRole
from app.schemas.imports import Fate, NotedFault, RowFate
from app.schemas.initiatives import InitiativeChanges, NewInitiative, Owner
from app.schemas.milestones import NewMilestone
from app.services import baselines, designation, importing_names, importing_targets, lifecycle
from app.services.importing_facts import Facts, Named, Standing
from app.services.importing_names import Amiss, Namer, Told
from app.services.tables import Row, Table
from app.spreadsheets.columns import OWED

P = ParamSpec("P")
Model = TypeVar("Model", bound=BaseModel)

_FIELDS = frozenset({
    "code", "title", "description", "unit", "year", "areas", "status", "weight", "start_on",
    "due_on", "expected_result", "tags",
})  # fmt: skip
"""Columns that are fields of an initiative."""
_LISTS = ("areas", "owners", "tags")


class Creation(NamedTuple):
    """A row of which an initiative is to be made."""

    row: int
    new: NewInitiative


class Change(NamedTuple):
    """A row by which an initiative is to be changed."""

    row: int
    standing: Standing
    changes: InitiativeChanges
    """What changes of the initiative itself."""
    plan: list[NewMilestone] | None
    """The whole plan that there is to be; None where it stays."""
    reason: str | None


class Verdict(NamedTuple):
    """What becomes of all rows; with any fault, nothing is to be written."""

    fates: list[RowFate]
    faults: list[NotedFault]
    creations: list[Creation]
    """In the order of their codes."""
    changes: list[Change]
    """In the order of ids, in which batches lock initiatives too."""


def judge(table: Table, facts: Facts) -> Verdict:
    """What becomes of each row of a table."""
    verdict = Verdict([], list(table.faults), [], [])
    checker = _Checker(table, facts)
    for row in table.rows:
        step, fate, changed = checker.check(row)
        verdict.fates.append(RowFate(row=row.number, code=row.code, fate=fate, changes=changed))
        verdict.faults.extend(row.faults)
        if isinstance(step, Creation):
            verdict.creations.append(step)
        elif step is not None:
            verdict.changes.append(step)
    verdict.creations.sort(key=lambda step: code_key(step.new.code))
    verdict.changes.sort(key=lambda step: step.standing.id)
    return verdict


class _Checker:
    """Checks one row after the other against the same facts."""

    def __init__(self, table: Table, facts: Facts) -> None:
        self._table, self._facts, self._namer = table, facts, Namer(facts)

    def check(self, row: Row) -> tuple[Creation | Change | None, Fate, list[str]]:
        """What is to be done for a row, its fate, and the columns that differ."""
        standing = self._facts.known.get(code_key(row.code)) if row.code else None
        wanted = self._wanted(row, standing)
        step: Creation | Change | None = None
        changed: list[str] = []
        if not row.faults:
            try:
                if standing is None:
                    step = self._creation(row, wanted)
                else:
                    step, changed = self._change(row, wanted, standing)
            except Amiss as amiss:
                self._note(row, amiss)
        if row.faults:
            return None, Fate.ERROR, []
        if standing is None:
            return step, Fate.CREATE, []
        return step, Fate.CHANGE if step else Fate.UNCHANGED, changed

    def _note(self, row: Row, amiss: Amiss) -> None:
        row.faults.extend(self._table.fault(row.number, *told) for told in amiss.told)

    def _wanted(self, row: Row, standing: Standing | None) -> dict[str, Any]:
        """The row's fields with names resolved; what cannot be is a fault of the row."""
        wanted: dict[str, Any] = {}
        wrong = {fault.field for fault in row.faults}
        for name, value in row.values.items():
            if name in wrong:
                continue
            try:
                wanted[name] = self._resolved(name, value, standing)
            except Amiss as amiss:
                self._note(row, amiss)
        return wanted

    def _resolved(self, name: str, value: Any, standing: Standing | None) -> Any:  # noqa: ANN401  any column
        if value is None:
            if name in OWED:
                raise Amiss(Told(name, "missing_value", noted("This cell must not be empty.")))
            return [] if name in _LISTS else None
        owners = standing.owners if standing else {}
        if name in ("areas", "owners"):
            found = [self._namer.codes(name, part, owners) for part in value]
            return list(dict.fromkeys(code for codes in found for code in codes))
        if name in ("unit", "accountable"):
            return self._namer.code(name, value, owners)
        if name == "tags":
            return sorted({tag.lower() for tag in value})
        return importing_names.status(value) if name == "status" else value

    def _creation(self, row: Row, wanted: dict[str, Any]) -> Creation:
        unit = self._namer.open("unit", wanted["unit"])
        self._may(unit)
        if code_key(wanted["code"]) in self._facts.taken:
            raise Amiss(Told("code", "code_taken", noted("This code is in use already.")))
        owners = _owners(wanted, {})
        self._check_open(owners)
        given = {name: value for name, value in wanted.items() if name in _FIELDS}
        if given.get("weight", 1) is None:
            del given["weight"]
        new = _valid(NewInitiative, {**given, "owners": owners, "reason": wanted.get("reason")})
        _by_the_rules(lifecycle.check_dates, new.start_on, new.due_on)
        status = new.status or InitiativeStatus.PROPOSED
        _by_the_rules(lifecycle.check_owners, status, new.owners)
        self._check_decree(status, has_decree=False)
        if targets := wanted.get("targets"):
            self._may_plan(unit)
            milestones = importing_targets.planned(targets, new.year)
            new = new.model_copy(update={"milestones": milestones})
        return Creation(row.number, new)

    def _change(
        self, row: Row, wanted: dict[str, Any], standing: Standing
    ) -> tuple[Change | None, list[str]]:
        differs = _differences(wanted, standing)
        targets = importing_targets.differing(wanted.get("targets"), standing)
        if not differs and not targets:
            return None, []
        self._may(standing.unit)
        if "unit" in differs:
            self._may(self._namer.open("unit", wanted["unit"]))
        owners = differs.get("owners", [])
        self._check_open([o for o in owners if standing.owners.get(o["person"]) != o["role"]])
        reason = wanted.get("reason")
        told = {"reason": reason} if reason else {}
        changes = _valid(InitiativeChanges, {**differs, **told})
        _by_the_rules(baselines.check_fields, standing, differs, reason or None)
        _check_life_cycle(changes, standing, has_reason=bool(reason))
        if "status" in differs:
            self._check_decree(differs["status"], has_decree=bool(standing.decrees))
        plan = importing_targets.replanned(
            wanted.get("targets"), wanted["year"], standing, has_reason=bool(reason)
        )
        if plan is not None:
            self._may_plan(standing.unit)
        columns = [*_columns(differs, standing), *targets]
        return Change(row.number, standing, changes, plan, reason), columns

    def _check_open(self, owners: list[dict[str, Any]]) -> None:
        for owner in owners:
            self._namer.open(_column_of(owner["role"]), owner["person"])

    def _check_decree(self, status: InitiativeStatus, *, has_decree: bool) -> None:
        required = self._facts.decree_required
        _by_the_rules(
            designation.check_owed, required=required, status=status, has_decree=has_decree
        )

    def _may(self, unit: Named) -> None:
        if unit.id not in self._facts.may_change:
            raise Amiss(
                Told("unit", "forbidden", noted("You may not change initiatives of this unit."))
            )

    def _may_plan(self, unit: Named) -> None:
        if unit.id not in self._facts.may_plan:
            raise Amiss(
                Told("unit", "forbidden", noted("You may not change milestones of this unit."))
            )


def _differences(wanted: dict[str, Any], standing: Standing) -> dict[str, Any]:
    """Fields of the initiative itself that are to be others than they are."""
    there = standing._asdict() | {"unit": standing.unit.code}
    blank = {"weight": 1, "status": standing.status}
    differs: dict[str, Any] = {}
    for name in wanted.keys() & _FIELDS - {"code"}:
        value = blank.get(name) if wanted[name] is None else wanted[name]
        if _compared(value) != _compared(there[name]):
            differs[name] = value
    if wanted.keys() & {"owners", "accountable"}:
        owners = _owners(wanted, standing.owners)
        if {owner["person"]: owner["role"] for owner in owners} != standing.owners:
            differs["owners"] = owners
    return differs


def _compared(value: Any) -> Any:  # noqa: ANN401  any field
    """A field as a sheet can hold it: no order in lists, no space around texts, nothing for empty."""
    if isinstance(value, list):
        return {code_key(each) for each in value}
    if isinstance(value, str):
        return value.replace("\r\n", "\n").replace("\r", "\n").strip() or None
    return value


def _owners(wanted: dict[str, Any], present: dict[str, OwnerRole]) -> list[dict[str, Any]]:
    """All owners that there are to be. A column that is not there keeps its own."""
    accountable = next((c for c, role in present.items() if role is OwnerRole.ACCOUNTABLE), None)
    others = [code for code in present if code != accountable]
    accountable, others = wanted.get("accountable", accountable), wanted.get("owners", others)
    if accountable in others:
        detail = noted("This person is accountable already; a person has one role.")
        raise Amiss(Told("owners", "repeated_owner", detail))
    owners: list[dict[str, Any]] = []
    if accountable is not None:
        owners.append({"person": accountable, "role": OwnerRole.ACCOUNTABLE})
    for code in others:
        role = present.get(code, OwnerRole.RESPONSIBLE)
        is_demoted = role is OwnerRole.ACCOUNTABLE
        owners.append({"person": code, "role": OwnerRole.RESPONSIBLE if is_demoted else role})
    return owners


def _column_of(role: OwnerRole) -> str:
    return "accountable" if role is OwnerRole.ACCOUNTABLE else "owners"


def _columns(differs: dict[str, Any], standing: Standing) -> list[str]:
    """In which columns fields differ, in the order of the columns."""
    after = {owner["person"]: owner["role"] for owner in differs.get("owners", ())}
    moved = {
        _column_of(role)
        for one, other in ((standing.owners, after), (after, standing.owners))
        for code, role in one.items()
        if other.get(code) is not role
    } if "owners" in differs else set()  # fmt: skip
    return sorted((differs.keys() - {"owners"}) | moved)


def _check_life_cycle(changes: InitiativeChanges, standing: Standing, *, has_reason: bool) -> None:
    there = standing._asdict()
    given = {name: getattr(changes, name) for name in changes.model_fields_set}
    now: dict[str, Any] = {
        name: given.get(name, there[name]) for name in ("status", "start_on", "due_on")
    }
    _by_the_rules(lifecycle.check_dates, now["start_on"], now["due_on"])
    is_moved = now["status"] is not standing.status
    if is_moved:
        before, after, plan = standing.status, now["status"], standing.plan
        _by_the_rules(lifecycle.check_transition, before, after, plan, has_reason=has_reason)
    if is_moved or "owners" in given:
        kept = [Owner(person=code, role=role) for code, role in standing.owners.items()]
        _by_the_rules(lifecycle.check_owners, now["status"], given.get("owners", kept))


def _by_the_rules(rule: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
    """Ask a rule of the verbs; raises `Amiss` where it refuses."""
    try:
        rule(*args, **kwargs)
    except QuickwinError as error:
        raise refused(error) from error


def refused(error: QuickwinError) -> Amiss:
    """A verb's refusal, told by columns."""
    if not error.errors:
        field = "status" if error.code == "status_conflict" else None
        return Amiss(Told(field, error.code, error.detail))
    return Amiss(
        *(Told(_field(at.pointer.split("/")[1:]), at.code, at.detail) for at in error.errors)
    )


def _valid(model: type[Model], given: dict[str, Any]) -> Model:
    """The shape that a verb takes; raises `Amiss` where its fields are not valid."""
    try:
        return model(**given)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise Amiss(
            *(
                Told(_field([str(step) for step in at["loc"]]), at["type"], of_validation(at))
                for at in found
            )
        ) from error  # fmt: skip


def _field(steps: list[str]) -> str | None:
    """The column of a field."""
    name = steps[0] if steps else None
    return {"owners": "accountable", "decree": "status"}.get(name or "", name)
