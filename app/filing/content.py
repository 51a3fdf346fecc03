"""What a file is, by its content: names and declared types are whatever the sender thinks of.

Taken are PDF, images, and documents of Office and of OpenDocument without macros. The latter are
zips, so that is looked for inside, within bounds that no file can stretch.
"""

import re
import struct
import zlib
from typing import IO, NamedTuple
from zipfile import BadZipFile, ZipFile

import puremagic

from app.errors import QuickwinError

_HEAD = 4_096
_MOST_DIRECTORY = 1_048_576
"""Bytes of a zip's directory that are read: far more than a document has."""
_MOST_TYPES = 1_048_576
_END, _END_SIZE, _LONGEST_COMMENT = b"PK\x05\x06", 22, 65_535
_ZIP64, _ZIP64_SIZE = b"PK\x06\x07", 20
_MACROS = re.compile(rb"macro|vba|activex", re.IGNORECASE)
_MACRO_PARTS = re.compile(r"(^|/)(vba\w*\.bin|activex/.*)$|^(basic|scripts)/", re.IGNORECASE)
_DAMAGE = (
    BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError, ValueError, LookupError,
    OverflowError, struct.error, zlib.error,
)  # fmt: skip
"""What reading a zip that is none, or that somebody bent, ends with."""
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument."
_OFFICE = "application/vnd.openxmlformats-officedocument."


class FileRefused(QuickwinError):
    """This is no file that is taken as evidence: PDF, image, or document without macros."""

    status, code, title = 422, "file_refused", "File refused"


class HasMacros(FileRefused):
    """This document has macros or controls: save it without them, or as PDF."""

    code = "has_macros"


class Kind(NamedTuple):
    """What a file is."""

    media_type: str
    suffixes: tuple[str, ...]
    """What its name may end with, the usual one first."""


_BY_HEAD = {
    "application/pdf": (".pdf",),
    "image/jpeg": (".jpg", ".jpeg"),
    "image/png": (".png",),
    "image/gif": (".gif",),
    "image/webp": (".webp",),
    "image/heif": (".heic", ".heif"),
    "image/heic": (".heic", ".heif"),
    "image/tiff": (".tif", ".tiff"),
}
_DOCUMENTS = {
    f"{_OFFICE}wordprocessingml.document": (".docx",),
    f"{_OFFICE}spreadsheetml.sheet": (".xlsx",),
    f"{_OFFICE}presentationml.presentation": (".pptx",),
    f"{_OPEN_DOCUMENT}text": (".odt",),
    f"{_OPEN_DOCUMENT}spreadsheet": (".ods",),
    f"{_OPEN_DOCUMENT}presentation": (".odp",),
}
KINDS = {name: Kind(name, suffixes) for name, suffixes in (_BY_HEAD | _DOCUMENTS).items()}
"""What is taken, by media type."""


def kind_of(file: IO[bytes]) -> Kind:
    """What a file is, by its content; raises `FileRefused`, `HasMacros` for what could be run."""
    file.seek(0)
    head = file.read(_HEAD)
    kind = _document(file) if head.startswith(b"PK") else _plain(head)
    file.seek(0)
    return kind


def _plain(head: bytes) -> Kind:
    """A file whose first bytes say it all."""
    try:
        found = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError) as error:
        raise FileRefused from error
    # A script may hold a picture's mark somewhere: what fits best says what it is.
    surest = max(each.confidence for each in found)
    for each in found:
        if each.confidence == surest and each.mime_type in _BY_HEAD:
            return KINDS[each.mime_type]
    raise FileRefused


def _document(file: IO[bytes]) -> Kind:
    _check_directory(file)
    try:
        with ZipFile(file) as parts:
            names = parts.namelist()
            if "[Content_Types].xml" in names:
                types = _part(parts, "[Content_Types].xml")
            else:
                types = _part(parts, "mimetype") if names[:1] == ["mimetype"] else b""
    except _DAMAGE as error:
        raise FileRefused from error
    if _MACROS.search(types) or any(map(_MACRO_PARTS.search, names)):
        raise HasMacros
    text = types.decode("ascii", "replace")
    for name in _DOCUMENTS:
        if text == name or f'"{name}.main+xml"' in text:
            return KINDS[name]
    raise FileRefused


def _part(parts: ZipFile, name: str) -> bytes:
    with parts.open(name) as part:
        return part.read(_MOST_TYPES)


def _check_directory(file: IO[bytes]) -> None:
    """Raise `FileRefused` unless the zip's directory is of a document's size.

    Python's reader takes in all of it at once, and each entry costs a hundred times its size.
    """
    size = file.seek(0, 2)
    start = max(0, size - _END_SIZE - _LONGEST_COMMENT - _ZIP64_SIZE)
    file.seek(start)
    tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_SIZE:
        raise FileRefused
    (directory,) = struct.unpack_from("<I", tail, at + 12)
    if directory > _MOST_DIRECTORY or tail[max(0, at - _ZIP64_SIZE) : at].startswith(_ZIP64):
        raise FileRefused
