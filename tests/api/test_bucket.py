"""Files in a bucket: sent and fetched through the API, by a server that speaks S3."""

import os
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

import pytest

pytest.importorskip("moto", reason="the extra `test` is not installed as it is now")
from s3fs import S3FileSystem

from app.db import Database
from app.filing import storage
from app.filing.storage import FilesUnavailable, Storage
from tests.api.test_files import fetch, id_of, report, upload
from tests.api.test_files import planned as planned  # noqa: PLC0414  a fixture
from tests.support.bucket import BUCKET, Bucket, running_bucket
from tests.support.documents import PDF
from tests.support.institution import Institution

LARGE = PDF + os.urandom(11 * 2**20)
"""More than two pieces of those in which it is sent."""


@pytest.fixture
def bucket(database: Database) -> Iterator[Bucket]:
    if not database.is_sqlite:
        pytest.skip("tried on SQLite: the difference is not the database's")
    with running_bucket() as there:
        yield there


def into(
    bucket: Bucket, database: Database, monkeypatch: pytest.MonkeyPatch, **other: str
) -> Storage:
    """Have the service keep its files there, as somebody whom the bucket knows, or not."""
    for name, value in (bucket.environment() | other).items():
        monkeypatch.setenv(name, value)
    S3FileSystem.clear_instance_cache()
    stored = Storage(f"s3://{BUCKET}/files")
    S3FileSystem.clear_instance_cache()
    monkeypatch.setitem(database.session_info, storage.KEY, stored)
    return stored


async def test_files_live_in_a_bucket(
    planned: Institution,
    bucket: Bucket,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stored = into(bucket, database, monkeypatch)
    sent = [await upload(planned, content) for content in (LARGE, PDF, LARGE)]
    digests = [sha256(content).hexdigest() for content in (LARGE, PDF)]
    assert [each["digest"] for each in sent] == [*digests, digests[0]]
    here = await id_of(planned)
    names = [f"files/{here}/{digest[:2]}/{digest}" for digest in digests]
    whole = dict(zip(names, (len(LARGE), len(PDF)), strict=True))
    assert bucket.objects() == whole
    await report(planned, *(each["id"] for each in sent))
    answer = await fetch(planned, sent[0])
    assert (answer.status_code, answer.content) == (200, LARGE)
    part = await fetch(planned, sent[2], headers={"Range": f"bytes={len(LARGE) - 9}-"})
    assert (part.status_code, part.content) == (206, LARGE[-9:])
    stored.probe()
    # What processes that are gone have left goes, also where it came after somebody had looked.
    left = [f"files/unfinished/{name}" for name in ("one", "other")]
    for name in left:
        bucket.client("s3").put_object(Bucket=BUCKET, Key=name, Body=b"x")
        stored.sweep()
    assert bucket.objects() == whole | dict.fromkeys(left, 1), "somebody may still be at it"
    monkeypatch.setattr(storage, "_GIVEN_UP", -timedelta(days=1))
    stored.sweep()
    assert bucket.objects() == whole
    stored.remove(UUID(here), digests[1])
    assert bucket.objects() == {names[0]: len(LARGE)}
    # Whom the bucket does not know is told that files are not to be had now, and nothing is kept.
    stranger = into(bucket, database, monkeypatch, AWS_SECRET_ACCESS_KEY="wrong")
    refused = await upload(planned, PDF, status=503)
    assert (refused["code"], refused["title"]) == ("files_unavailable", "Files unavailable")
    answer = await fetch(planned, sent[0])
    assert (answer.status_code, answer.json()["code"]) == (503, "files_unavailable")
    with pytest.raises(FilesUnavailable) as told:
        stranger.probe()
    assert isinstance(told.value.__cause__, PermissionError)
    assert bucket.objects() == {names[0]: len(LARGE)}
