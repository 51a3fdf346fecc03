"""Unpacking: an institution from an archive, all of it or nothing, with equal numbers and its trail.

Rows keep their ids, since the digests of events are of these; what follows from them is computed here
by the code of any audit, and must fit what came along. An institution whose id is here already gets
a new one: it is a copy, of which the events are chained anew.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import faults, rows
from app.archive import ArchiveRefused, Reader
from app.bulk import bulk_insert
from app.errors import CodeTaken, QuickwinError, SubjectTaken
from app.filing import storage
from app.models import (
    Assessment,
    AssessmentScore,
    Base,
    Deletion,
    Event,
    FileContent,
    FrozenReport,
    InitiativeArea,
    InitiativeLift,
    InitiativeProgramme,
    InitiativePurpose,
    Institution,
    InstitutionClock,
    Judgement,
    Person,
    TemplateArea,
    Unit,
    UnitClosure,
)
from app.models.base import code_key, email_key, new_id, now
from app.models.base import table as table_of
from app.rollup import audit, derived
from app.services import events, naming, people, rights, trees, windows
from app.services.actors import Actor
from app.services.catalogues import Catalogues
from app.services.packing import AT_ONCE, BIG, CATALOGUES, PACKED, REVISION, Progress
from app.services.trails import Trail

Row = dict[str, Any]
_DAMAGE = (ValueError, LookupError, TypeError, AttributeError, OverflowError)
"""What reading rows that are not as they were written ends with."""


class Unpacked(NamedTuple):
    """What has come."""

    institution: str
    """Its code here."""
    rows: int
    is_copy: bool
    """Whether the original is here too."""
    without_subject: int
    """People whose OIDC subject somebody else of this service has: they come without one."""
    missing: list[str]
    """Digests of uploaded files whose bytes were lost before."""


def unpack(
    session: Session, actor: Actor, reader: Reader, code: str | None, progress: Progress
) -> Unpacked:
    """Take in an institution, under another code if one is given; for operators.

    Raises `CodeTaken`, or `ArchiveRefused` for what is damaged, foreign or does not fit together.
    """
    rights.operator_only(session, actor)
    with _refusing():
        return _Arrival(session, actor, reader, code, progress).take()


class _Arrival:
    """An institution on its way in."""

    def __init__(
        self, session: Session, actor: Actor, reader: Reader, code: str | None, progress: Progress
    ) -> None:
        self._session, self._actor, self._reader, self._progress = session, actor, reader, progress
        self._of = reader.manifest
        self._code = code or self._of.institution
        known = select(Institution.id)
        self._is_copy = bool(session.scalar(known.where(Institution.id == self._of.institution_id)))
        self._id = new_id() if self._is_copy else self._of.institution_id
        self._without_subject = 0
        self._fit: dict[type[Base], Callable[[Row], None]] = {
            Institution: self._fit_institution,
            Person: self._fit_person,
            InitiativeArea: self._fit_area,
            TemplateArea: self._fit_area,
            InitiativePurpose: self._fit_purpose,
            InitiativeLift: self._fit_component,
            Assessment: self._fit_assessment,
            AssessmentScore: self._fit_component,
            Judgement: self._fit_judgement,
            FrozenReport: _fit_report,
            Deletion: self._fit_deletion,
        }

    def take(self) -> Unpacked:
        """Insert all of it, compute what follows from it, and see that it fits."""
        self._check()
        self._catalogues = Catalogues(self._session, self._actor, self._archived)
        self._insert(Institution, self._fitted(Institution))
        units = trees.parents_first(list(self._fitted(Unit)))
        self._insert(Unit, units)
        self._insert(UnitClosure, trees.closure(units))
        self._insert(FileContent, self._contents())
        for table in Base.metadata.sorted_tables:
            model = _SIMPLE.get(table.name)
            if model is not None:
                self._insert(model, self._fitted(model))
        trail = Trail(self._id if self._is_copy else None)
        self._insert(Event, map(trail.follow, self._archived(Event)))
        if trail.at != (self._of.sequence, self._of.head):
            raise ArchiveRefused("The trail of events does not end where the manifest says.")
        clock = {"sequence": self._of.sequence, "digest": trail.head}
        self._insert(InstitutionClock, iter([{"institution_id": self._id, **clock}]))
        windows.publish(self._session, self._id)
        self._compute()
        self._record()
        parts = self._of.tables.values()
        return Unpacked(
            self._code,
            sum(part.rows for part in parts),
            self._is_copy,
            self._without_subject,
            self._of.missing,
        )

    def _check(self) -> None:
        revision = self._session.execute(REVISION).scalar_one()
        if self._of.revision > revision:
            detail = "A newer release has made this archive: bring this one up to date first."
            raise ArchiveRefused(detail)
        if self._of.tables.keys() - {table_of(model).name for model in PACKED}:
            raise ArchiveRefused("There are parts that this release does not know.")
        taken = select(Institution.id).where(naming.named(Institution, self._code))
        if self._session.execute(taken).first():
            raise CodeTaken("An institution with this code is here: give this one another code.")

    def _archived(self, model: type[Base]) -> Iterator[Row]:
        """The rows of a table, as they are in the archive."""
        table = table_of(model)
        total = self._of.tables[table.name].rows if table.name in self._of.tables else 0
        for done, line in enumerate(self._reader.lines(table.name), start=1):
            row = rows.from_line(table, line)
            if row.get("institution_id", self._of.institution_id) != self._of.institution_id:
                raise ArchiveRefused(f"There are rows of another institution in {table.name}.")
            yield row
            if done % AT_ONCE == 0 or done == total:
                self._progress(table.name, done, total)

    def _fitted(self, model: type[Base]) -> Iterator[Row]:
        """The rows of a table, as they belong here."""
        fit = self._fit.get(model)
        for row in self._archived(model):
            if "institution_id" in row:
                row["institution_id"] = self._id
            if fit is not None:
                fit(row)
            elif "code_key" in row and row["code_key"] != code_key(row["code"]):
                raise ArchiveRefused("There is a code that is not kept as codes are compared.")
            yield row

    def _fit_institution(self, row: Row) -> None:
        if row["id"] != self._of.institution_id:
            raise ArchiveRefused("The institution is not the one that the manifest names.")
        row["id"], row["code"], row["code_key"] = self._id, self._code, code_key(self._code)
        row["scheme_id"] = self._catalogues.scheme_id(row["scheme_id"])

    def _fit_person(self, row: Row) -> None:
        row["code_key"] = code_key(row["code"])
        row["email_key"] = None if row["email"] is None else email_key(row["email"])
        try:
            people.subject_is_free(self._session, row["oidc_subject"])
        except SubjectTaken:
            row["oidc_subject"] = None
            self._without_subject += 1

    def _fit_area(self, row: Row) -> None:
        row["area_id"] = self._catalogues.area_id(row["area_id"])

    def _fit_purpose(self, row: Row) -> None:
        row["purpose_id"] = self._catalogues.purpose_id(row["purpose_id"])

    def _fit_assessment(self, row: Row) -> None:
        row["instrument_id"] = self._catalogues.instrument_id(row["instrument_id"])

    def _fit_component(self, row: Row) -> None:
        row["component_id"] = self._catalogues.component_id(row["component_id"])

    def _fit_judgement(self, row: Row) -> None:
        row["verdict_id"] = self._catalogues.verdict_id(row["verdict_id"])

    def _fit_deletion(self, row: Row) -> None:
        content = row["content"] or {}
        content.pop(InitiativeProgramme.__tablename__, None)
        for name, kept in content.items():
            fit = _CATALOGUED.get(name)
            for each in kept:
                each["institution_id"] = str(self._id)
                if fit is not None:
                    column, here = fit
                    each[column] = str(here(self._catalogues, UUID(each[column])))

    def _insert(self, model: type[Base], found: Iterable[Row]) -> None:
        table, left = table_of(model), iter(found)
        self._session.flush()  # catalogues that are new
        while some := list(islice(left, BIG.get(model, AT_ONCE))):
            if any(row.keys() != some[0].keys() for row in some):
                raise ArchiveRefused(f"The rows of {table.name} have not the same fields.")
            bulk_insert(self._session, table, some)
            self._session.flush()

    def _contents(self) -> Iterator[Row]:
        """The contents of uploaded files, which are stored here by now, unless they are lost.

        What is stored stays there if the archive is refused later on: under an institution that
        is not here, it is nobody's, and the next import of the archive finds it.
        """
        stored, at = storage.held(self._session.info), now()
        total = len(self._of.files)

        def content(digest: str) -> Row:
            return {
                "institution_id": self._id, "digest": digest, "touched_at": at, "removing": False,
            }  # fmt: skip

        for done, (digest, file) in enumerate(self._reader.files(), start=1):
            stored.put(self._id, digest, file)
            self._progress("files", done, total)
            yield content(digest)
        yield from map(content, self._of.missing)

    def _compute(self) -> None:
        """Write the ledger, by the rules, and verify it and what came along by a second reading."""

        def progress(stage: str) -> audit.Progress:
            return lambda done, total: self._progress(stage, done, total)

        audit.build(self._session, self._id, progress("roll-up"))
        # An archive of an earlier release does not say it.
        while derived.renew(self._session, self._id, now().date()):
            pass
        findings = audit.verify(self._session, self._id, progress("verified"))
        if findings.differences or findings.derived:
            raise ArchiveRefused("Numbers in the archive do not follow from its plans and reports.")

    def _record(self) -> None:
        """Say in the trail that it goes on here."""
        left = {"tables", "files", "missing", "format", "version"}
        data = self._of.model_dump(mode="json", exclude=left)
        if self._of.missing:
            data["missing"] = len(self._of.missing)
        subject = events.Subject(self._id, self._code)
        events.record(self._session, self._actor, self._id, "institution.imported", subject, data)


_CATALOGUED: dict[str, tuple[str, Callable[[Catalogues, UUID], UUID]]] = {
    InitiativeArea.__tablename__: ("area_id", Catalogues.area_id),
    InitiativePurpose.__tablename__: ("purpose_id", Catalogues.purpose_id),
    InitiativeLift.__tablename__: ("component_id", Catalogues.component_id),
    Judgement.__tablename__: ("verdict_id", Catalogues.verdict_id),
}
"""What refers to catalogues in what was deleted: the column, and what its id is here."""
_SIMPLE = {
    table_of(model).name: model
    for model in PACKED
    if model not in {Institution, Unit, Event, *CATALOGUES}
}
"""Tables whose rows are taken in one after another."""


def _fit_report(row: Row) -> None:
    if sha256(row["content"].encode()).hexdigest() != row["digest"]:
        raise ArchiveRefused("A frozen report is not what its digest says.")


@contextmanager
def _refusing() -> Iterator[None]:
    """What rows that are not as they were written lead to, here or in the database."""
    try:
        yield
    except QuickwinError:
        raise
    except Exception as error:
        if isinstance(error, _DAMAGE) or faults.is_refused(error):
            detail = "There are rows in the archive that do not fit, or not together."
            raise ArchiveRefused(detail) from error
        raise
