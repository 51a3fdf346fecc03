"""What a file is by its content, whatever it is called; and what it is called then."""

import io

import pytest

from app.filing import content
from app.filing.content import KINDS, FileRefused, HasMacros
from app.services import files
from tests.support.documents import OFFICE, OPEN, PDF, office, zipped

PLAIN = zipped(mimetype=f"{OPEN}.text")
TAKEN = {
    "a.PDF": PDF,
    "b.jpeg": b"\xff\xd8\xff\xe1\x00\x10Exif\x00" + bytes(20),
    "c.png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(20),
    "d.gif": b"GIF89a" + bytes(20),
    "e.webp": b"RIFF\x24\0\0\0WEBPVP8 " + bytes(20),
    "f.heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(20),
    "g.tiff": b"II*\0" + bytes(30),
    "h.docx": office(f"{OFFICE}.wordprocessingml.document.main+xml"),
    "i.xlsx": office(f"{OFFICE}.spreadsheetml.sheet.main+xml"),
    "j.pptx": office(f"{OFFICE}.presentationml.presentation.main+xml"),
    "k.odt": zipped(mimetype=f"{OPEN}.text"),
    "l.ods": zipped(mimetype=f"{OPEN}.spreadsheet"),
    "m.odp": zipped(mimetype=f"{OPEN}.presentation"),
}
MACROS = {
    "declared": office("application/vnd.ms-word.document.macroEnabled.main+xml"),
    "excel": office("application/vnd.ms-excel.sheet.binary.macroEnabled.main"),
    "hidden": office(
        f"{OFFICE}.wordprocessingml.document.main+xml", **{"word/vbaProject.bin": "x"}
    ),
    "sheet": office(f"{OFFICE}.spreadsheetml.sheet.main+xml", **{"xl/activeX/activeX1.xml": "x"}),
    "open": zipped(mimetype=f"{OPEN}.text", **{"Basic/Standard/Module1.xml": "x"}),
}
REFUSED = {
    "empty": b"",
    "text": b"hello",
    "page": b"<!doctype html><script>alert(1)</script>",
    "picture that runs": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    "script with a mark": b"#!/bin/sh\n%PDF-1.7\n",
    "program": b"MZ\x90\0" + bytes(100),
    "old office": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
    "archive": zipped(**{"a.exe": "MZ"}),
    "nothing in it": zipped(),
    "cut": office(f"{OFFICE}.spreadsheetml.sheet.main+xml")[:-30],
    "a part before the beginning": PLAIN[:-6] + bytes([PLAIN[-6] + 9]) + PLAIN[-5:],
    "no zip": b"PK\x03\x04" + bytes(70_000),
    "too many parts": zipped(mimetype=f"{OPEN}.text", **{"x" * 200 + f"{n}": "" for n in range(5_000)}),
    "zip64": PLAIN[:-22] + b"PK\x06\x07" + bytes(16) + PLAIN[-22:],
}  # fmt: skip


def kind_of(given: bytes) -> content.Kind:
    return content.kind_of(io.BytesIO(given))


@pytest.mark.parametrize("name", TAKEN)
def test_what_is_taken(name: str) -> None:
    kind = kind_of(TAKEN[name])
    assert kind == KINDS[kind.media_type]
    assert files.cleaned(name, kind) == name
    assert files.cleaned("laporan.exe", kind) == f"laporan.exe{kind.suffixes[0]}"


@pytest.mark.parametrize("what", MACROS)
def test_what_could_be_run_is_refused(what: str) -> None:
    with pytest.raises(HasMacros):
        kind_of(MACROS[what])


@pytest.mark.parametrize("what", REFUSED)
def test_all_else_is_refused(what: str) -> None:
    with pytest.raises(FileRefused) as refused:
        kind_of(REFUSED[what])
    assert refused.value.code == "file_refused"


NAMES = {
    "C:\\Users\\siti\\SK.pdf": "SK.pdf",
    "../../etc/passwd": "passwd.pdf",
    "a\u202efdp.exe": "a fdp.exe.pdf",
    ' .SK<b>"?*|:\t77. .pdf ': "SK b 77.pdf",
    "...": "document.pdf",
    "/": "document.pdf",
    ".pdf": "pdf.pdf",
    "x" * 500: "x" * 200 + ".pdf",
}


@pytest.mark.parametrize("given", NAMES)
def test_names_are_cleaned(given: str) -> None:
    assert files.cleaned(given, KINDS["application/pdf"]) == NAMES[given]
