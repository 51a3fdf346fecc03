"""Publications on the wire: what was told to the public of an initiative, when and where."""

from uuid import UUID

from pydantic import MISSING

from app.schemas.fields import Day, Instant, Name, Reason, Shape, Text, Url, example


class NewPublication(Shape):
    """Something that was told to the public."""

    model_config = example(
        {
            "title": "SIAKBA dipakai di 27 kabupaten/kota",
            "said": "Data badan ad hoc kini satu pintu.",
            "published_on": "2022-10-04",
            "channel": "Siaran pers",
            "url": "https://example.org/siaran-pers",
        }
    )

    title: Name
    said: Text | None = None
    """What was said, in short."""
    published_on: Day | None = None
    """The day on which it was told; today if left out, never in the future."""
    channel: Name | None = None
    """Where: a newspaper, a press conference, a website, a place."""
    url: Url | None = None
    """Where it can be read."""


class PublicationChanges(Shape):
    """A merge patch of a publication."""

    model_config = example({"url": "https://example.org/berita", "reason": "Tautan pindah"})

    title: Name | MISSING = MISSING
    said: Text | MISSING | None = MISSING
    published_on: Day | MISSING = MISSING
    channel: Name | MISSING | None = MISSING
    url: Url | MISSING | None = MISSING
    reason: Reason | MISSING = MISSING


class Publication(Shape):
    """What was told to the public of an initiative, when and where."""

    id: UUID
    title: str
    said: str | None
    published_on: Day
    channel: str | None
    url: str | None
    created_at: Instant
    updated_at: Instant
    version: int
