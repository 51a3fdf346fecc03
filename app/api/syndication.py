"""Feeds of what was published: Atom (RFC 4287), and JSON Feed 1.1."""

from datetime import UTC, datetime
from urllib.parse import quote
from xml.etree.ElementTree import Element, SubElement, tostring

from app.api.answers import PUBLIC
from app.markup import writable
from app.schemas.public import JsonFeed, JsonFeedAuthor, JsonFeedItem
from app.services.public_feeds import Entry, Feed

ATOM, JSON_FEED = "application/atom+xml", "application/feed+json"
LANGUAGE = "id"
_NAMESPACE = "http://www.w3.org/2005/Atom"


def atom(feed: Feed, here: str) -> bytes:
    """The feed as Atom; `here` is this server's address, without a slash at its end."""
    root = Element("feed", {"xmlns": _NAMESPACE, "xml:lang": LANGUAGE})
    home = _home(feed, here)
    _text(root, "id", f"urn:uuid:{feed.id}")
    _text(root, "title", feed.name)
    _text(root, "updated", _instant(feed.updated_at))
    _text(SubElement(root, "author"), "name", feed.name)
    SubElement(root, "link", {"rel": "self", "type": ATOM, "href": f"{home}/feed.atom"})
    SubElement(root, "link", {"rel": "alternate", "type": JSON_FEED, "href": f"{home}/feed.json"})
    for entry in feed.entries:
        _entry(SubElement(root, "entry"), entry, home)
    written: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def json_feed(feed: Feed, here: str) -> JsonFeed:
    """The feed as JSON Feed; `here` as for `atom`."""
    home = _home(feed, here)
    return JsonFeed(
        title=feed.name,
        home_page_url=home,
        feed_url=f"{home}/feed.json",
        language=LANGUAGE,
        authors=[JsonFeedAuthor(name=feed.name)],
        items=[
            JsonFeedItem(
                id=f"urn:uuid:{entry.id}",
                url=_about(entry, home),
                external_url=entry.url,
                title=_title(entry),
                content_text=_content(entry),
                date_published=entry.told_at,
                date_modified=entry.updated_at,
                tags=[entry.kind, entry.about.code],
            )
            for entry in feed.entries
        ],
    )


def _entry(element: Element, entry: Entry, home: str) -> None:
    _text(element, "id", f"urn:uuid:{entry.id}")
    _text(element, "title", _title(entry))
    _text(element, "published", _instant(entry.told_at))
    _text(element, "updated", _instant(entry.updated_at))
    about = _about(entry, home)
    SubElement(element, "link", {"rel": "alternate", "href": entry.url or about})
    if entry.url:
        SubElement(element, "link", {"rel": "related", "href": about})
    for term in (entry.kind, entry.about.code):
        SubElement(element, "category", {"term": term})
    _text(element, "content", _content(entry))


def _home(feed: Feed, here: str) -> str:
    return f"{here}{PUBLIC}institutions/{quote(feed.code)}"


def _about(entry: Entry, home: str) -> str:
    return f"{home}/initiatives/{quote(entry.about.code)}"


def _title(entry: Entry) -> str:
    return entry.title if entry.kind == "publication" else f"Tercapai: {entry.title}"


def _content(entry: Entry) -> str:
    about = f"{entry.about.title} — {entry.about.unit_name}"
    return f"{entry.text}\n\n{about}" if entry.text else about


def _instant(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _text(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = writable(text)
