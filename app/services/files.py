"""Uploaded files: who may send, see and name them, and when they go.

The bytes are in `filing.storage`, and verbs do not wait for it: they say beforehand what is about to
be stored or removed, so that nobody removes what somebody else has just stored.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Insert, Select, and_, delete, exists, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app import expiry
from app.errors import Conflict, Forbidden, NotFound
from app.filing.content import Kind
from app.filing.storage import FilesUnavailable
from app.given import portions
from app.models import EvidenceFile, FileContent, ProgressUpdate, UploadedFile
from app.models.base import new_id, now, refers
from app.models.base import table as table_of
from app.schemas import files as wire
from app.schemas.evidence import AttachedFile
from app.schemas.permissions import Permission
from app.services import access, events
from app.services.access import Scope
from app.services.actors import Actor

WAITING = timedelta(days=1)
"""How long a file is kept that no report names."""
MOST_WAITING = 100
"""Files of one person that no report names yet."""
LEFT_IN_PEACE = timedelta(hours=1)
"""Storing is done within so long of having said so."""
FORGOTTEN_AT_ONCE = 100
_AT_ONCE = 500
_LONGEST_NAME = 200
_UNFIT = re.compile('[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff<>:"|?*]+')


class TooManyWaiting(Conflict):
    """You have sent as many files as may wait for a report; name them in reports, or wait a day."""

    code = "too_many_waiting"


class Received(NamedTuple):
    """A file that was sent, and seen to be fit."""

    name: str
    kind: Kind
    size: int
    digest: str


def allowed(session: Session, actor: Actor, institution: str) -> Scope:
    """The institution, if there is a unit on which the actor may report; else `Forbidden`.

    Raises `TooManyWaiting` for whoever has `MOST_WAITING` files that no report names.
    """
    scope = access.institution(session, actor, institution)
    if actor.reach(Permission.UPDATES_REPORT) == frozenset():
        raise Forbidden
    waiting = select(func.count()).where(
        access.within(scope, UploadedFile),
        UploadedFile.uploader_id == actor.id,
        UploadedFile.expires_at > now(),
    )
    if session.execute(waiting).scalar_one() >= MOST_WAITING:
        raise TooManyWaiting
    return scope


def expect(session: Session, institution_id: UUID, digest: str) -> None:
    """Say that bytes are about to be stored; raises `FilesUnavailable` while they are being removed."""
    row = {
        "institution_id": institution_id, "digest": digest, "touched_at": now(), "removing": False,
    }  # fmt: skip
    connection = session.connection()
    if connection.execute(_EXPECT[connection.dialect.name], row).first() is None:
        raise FilesUnavailable


def keep(session: Session, actor: Actor, institution: str, received: Received) -> wire.File:
    """A file whose bytes were expected and are stored by now."""
    scope = allowed(session, actor, institution)
    touched = session.execute(
        update(FileContent)
        .where(
            access.within(scope, FileContent),
            FileContent.digest == received.digest,
            FileContent.removing.is_(False),
        )
        .values(touched_at=now())
        .returning(FileContent.digest)
    )
    if touched.first() is None:
        raise FilesUnavailable
    at = now()
    row = UploadedFile(
        institution_id=scope.id,
        id=new_id(),
        digest=received.digest,
        name=cleaned(received.name, received.kind),
        media_type=received.kind.media_type,
        size=received.size,
        uploaded_by=actor.name,
        uploader_id=actor.id,
        uploaded_at=at,
        expires_at=at + WAITING,
    )
    session.add(row)
    data = {"name": row.name, "size": row.size, "digest": row.digest}
    subject = events.Subject(row.id, f"files/{row.id}")
    events.record(session, actor, scope.id, "file.uploaded", subject, data)
    session.flush()
    return _shape(row)


def get(session: Session, actor: Actor, institution: str, file_id: UUID) -> wire.File:
    """A file that the actor may read."""
    return find(session, actor, institution, file_id)[1]


def find(session: Session, actor: Actor, institution: str, file_id: UUID) -> tuple[UUID, wire.File]:
    """A file that the actor may read, and the institution under which its bytes are stored."""
    scope = access.institution(session, actor, institution)
    row = session.scalars(_visible(scope).where(UploadedFile.id == file_id)).one_or_none()
    if row is None:
        raise NotFound
    return scope.id, _shape(row)


def nameable(
    session: Session, scope: Scope, file_ids: Collection[UUID]
) -> dict[UUID, AttachedFile]:
    """Those of some files that the actor may name as evidence, locked: what they may read."""
    found = {}
    for some in portions(sorted(file_ids), _AT_ONCE):
        rows = session.scalars(
            _visible(scope)
            .where(UploadedFile.id.in_(some))
            .order_by(UploadedFile.id)
            .with_for_update()
        )
        for row in rows:
            found[row.id] = AttachedFile(
                id=row.id, name=row.name, media_type=row.media_type, size=row.size,
                digest=row.digest,
            )  # fmt: skip
    return found


def attach(session: Session, scope: Scope, named: Iterable[tuple[UUID, UUID]]) -> None:
    """Note which reports name which files, as (report, file); the files stay for their sake."""
    rows = [
        {"institution_id": scope.id, "update_id": update_id, "file_id": file_id}
        for update_id, file_id in named
    ]
    session.connection().execute(insert(table_of(EvidenceFile)), rows)
    for some in portions(sorted({row["file_id"] for row in rows}), _AT_ONCE):
        _set_expiry(session, scope, some, None)


def release(session: Session, scope: Scope, initiative_id: UUID, until: datetime) -> None:
    """Let go of the files of an initiative that is about to be deleted, as long as it may come back."""
    of_it = (
        select(EvidenceFile.file_id)
        .join(ProgressUpdate, refers(EvidenceFile.update_id, ProgressUpdate))
        .where(access.within(scope, EvidenceFile), ProgressUpdate.initiative_id == initiative_id)
    )
    _set_expiry(session, scope, of_it, until)


def claim(session: Session, scope: Scope, file_ids: Collection[UUID]) -> None:
    """Keep files again of which the reports have come back."""
    if file_ids:
        _set_expiry(session, scope, list(file_ids), None)


def forget(session: Session) -> int:
    """Remove some files whose time is over and that no report names; answers how many."""
    return EXPIRED.remove(session, now(), FORGOTTEN_AT_ONCE)


def doomed(session: Session) -> list[tuple[UUID, str]]:
    """Some contents that no file has any more: nobody expects them, and they are the caller's to remove.

    Nobody else gets them meanwhile, for who came last would remove what was stored anew; of a process
    that was killed another one gets them when they have been left in peace for as long as any.
    """
    rows = _UNNEEDED.lock(session, (at := now()) - LEFT_IN_PEACE, FORGOTTEN_AT_ONCE)
    for row in rows:
        mark = _CONTENT.update().where(*_same(row)).values(removing=True, touched_at=at)
        session.connection().execute(mark)
    return [(row.institution_id, row.digest) for row in rows]


def gone(session: Session, removed: Sequence[tuple[UUID, str]]) -> None:
    """Say that contents which were doomed are removed."""
    for institution_id, digest in removed:
        session.execute(
            delete(FileContent).where(
                FileContent.institution_id == institution_id,
                FileContent.digest == digest,
                FileContent.removing.is_(True),
            )
        )


def cleaned(name: str, kind: Kind) -> str:
    """A name that any system takes, and that ends as its content says.

    An ending that says something else stays in front of the right one: it misleads nobody there.
    """
    last = re.split(r"[/\\]", name)[-1]
    plain = " ".join(_UNFIT.sub(" ", last).split()).strip(". ")
    stem, dot, ending = plain.rpartition(".")
    if dot and f".{ending.lower()}" in kind.suffixes:
        return f"{(stem.rstrip('. ') or 'document')[:_LONGEST_NAME]}.{ending}"
    return f"{(plain or 'document')[:_LONGEST_NAME]}{kind.suffixes[0]}"


_FILE, _CONTENT, _EVIDENCE = (
    table_of(UploadedFile), table_of(FileContent), table_of(EvidenceFile),
)  # fmt: skip
_NAMED = exists().where(
    _EVIDENCE.c.institution_id == _FILE.c.institution_id, _EVIDENCE.c.file_id == _FILE.c.id
)
EXPIRED = expiry.Expiring(_FILE, _FILE.c.expires_at, ~_NAMED)
_UNNEEDED = expiry.Expiring(
    _CONTENT,
    _CONTENT.c.touched_at,
    ~exists().where(
        _FILE.c.institution_id == _CONTENT.c.institution_id, _FILE.c.digest == _CONTENT.c.digest
    ),
)


def _expecting(dialect: Any) -> Insert:  # noqa: ANN401  the two dialects' modules share no type
    statement = dialect.insert(_CONTENT)
    return statement.on_conflict_do_update(  # type: ignore[no-any-return]
        index_elements=list(_CONTENT.primary_key.columns),
        set_={"touched_at": statement.excluded.touched_at},
        where=_CONTENT.c.removing.is_(False),
    ).returning(_CONTENT.c.digest)


_EXPECT = {"sqlite": _expecting(sqlite), "postgresql": _expecting(postgresql)}


def _visible(scope: Scope) -> Select[UploadedFile]:
    """What is evidence of reports that the actor sees, and what they sent while it is of none."""
    mine = select(UploadedFile).where(access.within(scope, UploadedFile))
    if scope.actor.reach(Permission.PLANS_READ) is None:
        return mine
    named = (
        select(EvidenceFile.file_id)
        .join(ProgressUpdate, refers(EvidenceFile.update_id, ProgressUpdate))
        .where(
            access.within(scope, EvidenceFile),
            EvidenceFile.file_id == UploadedFile.id,
            access.seen(scope, ProgressUpdate),
        )
    )
    unnamed = ~_NAMED.where(access.within(scope, EvidenceFile))  # said for Citus
    return mine.where(
        or_(named.exists(), and_(UploadedFile.uploader_id == scope.actor.id, unnamed))
    )


def _set_expiry(session: Session, scope: Scope, file_ids: Any, until: datetime | None) -> None:  # noqa: ANN401  ids, or a query of them
    session.execute(
        update(UploadedFile)
        .where(access.within(scope, UploadedFile), UploadedFile.id.in_(file_ids))
        .values(expires_at=until)
        .execution_options(synchronize_session=False)
    )


def _same(row: Any) -> tuple[Any, Any]:  # noqa: ANN401  a row with the key of a content
    return (
        _CONTENT.c.institution_id == row.institution_id,
        _CONTENT.c.digest == row.digest,
    )


def _shape(row: UploadedFile) -> wire.File:
    return wire.File(
        id=row.id,
        name=row.name,
        media_type=row.media_type,
        size=row.size,
        digest=row.digest,
        url=wire.content_path(row.institution_id, row.id),
        uploaded_by=row.uploaded_by,
        uploaded_at=row.uploaded_at,
        expires_at=row.expires_at,
    )
