"""Packing: an institution with all that it consists of, as an archive from one snapshot.

What is derived is left out where it follows from the rest: `unpacking` computes it anew, and so shows
that nothing else is missing.
"""

from collections.abc import Callable, Iterator
from typing import IO, Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Select,
    String,
    Table,
    column,
    func,
    literal,
    select,
    table,
    true,
    tuple_,
)
from sqlalchemy.orm import Session

from app import __version__, rows
from app.archive import Writer
from app.filing import storage
from app.models import (
    ApiToken,
    Appointment,
    Assessment,
    AssessmentScore,
    Base,
    Baseline,
    BrowserSession,
    CalendarFeed,
    ClosingVerdict,
    Criterion,
    Decree,
    Deletion,
    Dependency,
    Designation,
    Event,
    EvidenceFile,
    FileContent,
    FollowUp,
    FrozenReport,
    HealthWatch,
    IdempotencyKey,
    Import,
    Indicator,
    IndicatorValue,
    Initiative,
    InitiativeArea,
    InitiativeLift,
    InitiativeOwner,
    InitiativeProgramme,
    InitiativePurpose,
    InitiativeStage,
    InitiativeTag,
    Institution,
    InstitutionClock,
    Instrument,
    InstrumentComponent,
    Judgement,
    Milestone,
    Obstacle,
    Person,
    Programme,
    ProgrammePart,
    ProgressUpdate,
    Publication,
    Purpose,
    Rating,
    ReformArea,
    ReportingPeriod,
    RoleGrant,
    RollupPeriod,
    RollupTotal,
    SchemaFloor,
    Scheme,
    SchemeArea,
    SchemePurpose,
    Score,
    ServiceSecret,
    Stage,
    TeamRole,
    Template,
    TemplateArea,
    Unit,
    UnitClosure,
    UnitHealth,
    UnitMerger,
    UploadedFile,
    Webhook,
    WebhookDelivery,
    WebhookSecret,
)
from app.models.base import now
from app.models.base import table as table_of
from app.schemas.archives import Manifest
from app.schemas.permissions import Permission
from app.services import access
from app.services.access import Scope
from app.services.actors import Actor

CATALOGUES: tuple[type[Base], ...] = (
    Scheme, ReformArea, SchemeArea, Purpose, SchemePurpose, Instrument, InstrumentComponent,
    ClosingVerdict,
)  # fmt: skip
"""All of them, for they are small; who unpacks takes what is needed."""
PACKED: tuple[type[Base], ...] = (
    Institution, Unit, UnitMerger, Person, RoleGrant, Initiative, InitiativeArea, InitiativeOwner,
    InitiativePurpose, InitiativeTag, InitiativeLift, Indicator, IndicatorValue, Assessment,
    AssessmentScore, Milestone, Baseline, Dependency, Template, TemplateArea, ProgressUpdate,
    UploadedFile, EvidenceFile, Rating, Obstacle, FollowUp, FrozenReport, ReportingPeriod,
    Deletion, Event, *CATALOGUES, Criterion, Score, Decree, Designation, Stage, InitiativeStage,
    Publication, TeamRole, Appointment, Judgement,
)  # fmt: skip
"""What an archive has."""
LEFT_OUT: dict[type[Base], str] = {
    Programme: "joins institutions of this service",
    ProgrammePart: "joins institutions of this service",
    InitiativeProgramme: "joins institutions of this service",
    ApiToken: "a secret",
    ServiceSecret: "a secret",
    SchemaFloor: "of this database",
    BrowserSession: "of this service until it ends",
    CalendarFeed: "a secret",
    Webhook: "where this service sends to, by whose rights; another one begins with none",
    WebhookSecret: "a secret",
    WebhookDelivery: "of this service until it expires",
    HealthWatch: "is looked at anew",
    UnitHealth: "is looked at anew",
    IdempotencyKey: "of this service and this day",
    Import: "of this service until it expires; what it has done is there",
    FileContent: "follows from the files",
    UnitClosure: "follows from the units",
    InstitutionClock: "stands in the manifest",
    RollupTotal: "follows from plans and reports",
    RollupPeriod: "follows from plans and reports",
}
"""What it has not, and why. A table that comes later is in neither, until somebody decides."""
AT_ONCE = 1_000
BIG = {Deletion: 20, FrozenReport: 20}
"""Rows that are in memory at once, fewer of those that may be large."""
REVISION: Select[str] = select(column("version_num", String())).select_from(
    table("alembic_version")
)

Progress = Callable[[str, int, int], None]
"""Called with a table, its rows that are done, and its rows in all."""


def allowed(session: Session, actor: Actor, institution: str) -> Scope:
    """The institution, if the actor may take all of it away; else `NotFound` or `Forbidden`."""
    scope = access.institution(session, actor, institution)
    access.require(session, scope, Permission.INSTITUTION_EXPORT, None)
    return scope


def pack(
    session: Session, actor: Actor, institution: str, file: IO[bytes], progress: Progress
) -> Manifest:
    """Write an institution to a file, from its beginning: as often as this is tried."""
    scope = allowed(session, actor, institution)
    file.seek(0)
    file.truncate()
    with Writer(file) as writer:
        for model in PACKED:
            writer.add(table_of(model).name, _lines(session, scope, model, progress))
        _add_files(session, scope, writer, progress)
        clock = session.get_one(InstitutionClock, scope.id)
        manifest = Manifest(
            release=__version__,
            revision=session.execute(REVISION).scalar_one(),
            institution=scope.code,
            institution_id=scope.id,
            exported_at=now(),
            sequence=clock.sequence,
            head=clock.digest,
            tables=writer.parts,
            files=writer.files,
            missing=writer.missing,
        )
        writer.finish(manifest)
    return manifest


def _add_files(session: Session, scope: Scope, writer: Writer, progress: Progress) -> None:
    """The bytes of uploaded files, each once; what is lost is said to be missing.

    Raises `FilesUnavailable` where the storage does not answer.
    """
    digests = session.scalars(
        select(UploadedFile.digest)
        .where(access.within(scope, UploadedFile))
        .distinct()
        .order_by(UploadedFile.digest)
    ).all()
    stored = storage.held(session.info)
    for done, digest in enumerate(digests, start=1):
        if stored.is_whole(scope.id, digest):
            with stored.open(scope.id, digest) as file:
                writer.add_file(digest, file)
        else:
            writer.missing.append(digest)
        progress("files", done, len(digests))


def _lines(
    session: Session, scope: Scope, model: type[Base], progress: Progress
) -> Iterator[bytes]:
    """The rows of a table in the order of their keys, a stretch at a time."""
    source = table_of(model)
    condition, keys = _of(scope, source)
    total = session.scalar(select(func.count()).select_from(source).where(condition)) or 0
    at_once = BIG.get(model, AT_ONCE)
    stretch = select(source).where(condition).order_by(*keys).limit(at_once)
    following, done = stretch, 0
    while found := session.connection().execute(following).mappings().all():
        for row in found:
            yield rows.line(source, dict(row))
        done += len(found)
        progress(source.name, done, max(done, total))
        if len(found) < at_once or not keys:
            return
        last = [literal(found[-1][key.name], key.type) for key in keys]
        following = stretch.where(tuple_(*keys) > tuple_(*last))


def _of(scope: Scope, source: Table) -> tuple[ColumnElement[bool], list[Column[Any]]]:
    """Which rows of a table are the institution's, and what orders them."""
    keys = list(source.primary_key.columns)
    tenant = source.c.get("institution_id")
    if tenant is not None:
        return tenant == scope.id, [key for key in keys if key is not tenant]
    if source is table_of(Institution):
        return source.c.id == scope.id, keys
    return true(), keys
