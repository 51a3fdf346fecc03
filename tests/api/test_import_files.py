"""Files that are no plan, or worse: each is refused by its reader alone, with its reason."""

import io
import struct
import time
import zipfile
from collections.abc import Callable

import pytest

from tests.api.test_bad_bodies import problem
from tests.support.institution import Institution
from tests.support.sheets import ROW, XLSX, send, workbook

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
SHEET = "xl/worksheets/sheet1.xml"


def repacked(file: bytes, **parts: bytes | None) -> bytes:
    """A workbook with parts replaced; None leaves one out."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(file)) as old:
        content: dict[str, bytes | None] = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for name, part in (content | parts).items():
            if part is not None:
                new.writestr(name, part)
    return packed.getvalue()


PLAIN = workbook([ROW])


def sheet(rows: str, before: str = "") -> bytes:
    return (
        f'<?xml version="1.0"?>{before}<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData>'
        "</worksheet>"
    ).encode()


def with_sheet(rows: str, before: str = "") -> bytes:
    return repacked(PLAIN, **{SHEET: sheet(rows, before)})


def bomb() -> bytes:
    return repacked(PLAIN, **{"xl/media/image1.bin": b"\0" * 90_000_000})


def tall_bomb() -> bytes:
    """80 MB of rows without cells, in many small members' worth of honest sizes."""
    rows = "".join(f'<row r="{n}" a="{n * 7919 % 100_003}"/>' for n in range(1, 1_200_000))
    return with_sheet(rows)


def lying() -> bytes:
    """A workbook whose directory says that its sheet is small."""
    file = bytearray(repacked(PLAIN, **{SHEET: sheet("<row/>" * 5_000_000)}))
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        place = archive.start_dir
        for entry in archive.infolist():
            if entry.filename == SHEET:
                file[place + 24 : place + 28] = struct.pack("<L", 300)
            place += 46 + len(entry.filename.encode()) + len(entry.extra) + len(entry.comment)
    return bytes(file)


def encrypted() -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 4_000


def flagged() -> bytes:
    """A workbook whose members say that they are encrypted."""
    file = bytearray(PLAIN)
    with zipfile.ZipFile(io.BytesIO(PLAIN)) as archive:
        place = archive.start_dir
        for entry in archive.infolist():
            file[place + 8] |= 1
            place += 46 + len(entry.filename.encode()) + len(entry.extra) + len(entry.comment)
    return bytes(file)


_XXE = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
_LAUGH = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
_CELL = '<row r="1"><c r="A1" t="inlineStr"><is><t>&e;</t></is></c></row>'
HOSTILE: list[tuple[str, int, str, Callable[[], bytes]]] = [
    ("zip bomb", 413, "unpacks_too_large", bomb),
    ("a million rows", 413, "too_many_rows", tall_bomb),
    ("lying directory", 422, "damaged_file", lying),
    ("far cell", 413, "too_many_rows",
     lambda: with_sheet('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')),
    ("wide cell", 413, "too_many_columns",
     lambda: with_sheet('<row r="2"><c r="XFD2"><v>1</v></c></row>')),
    ("external entity", 422, "external_entity", lambda: with_sheet(_CELL, _XXE)),
    ("nested entities", 422, "external_entity",
     lambda: with_sheet(_CELL.replace("&e;", "&b;"), _LAUGH)),
    ("entity in the strings", 422, "external_entity",
     lambda: repacked(PLAIN, **{"xl/sharedStrings.xml":
        f'<?xml version="1.0"?>{_XXE}<sst xmlns="{_MAIN}"><si><t>&e;</t></si></sst>'.encode()})),
    ("utf-16", 422, "external_entity",
     lambda: repacked(PLAIN, **{SHEET: sheet("<row/>").decode().encode("utf-16")})),
    ("old format", 422, "encrypted_or_old_format", encrypted),
    ("encrypted members", 422, "encrypted_or_old_format", flagged),
    ("macros", 422, "macros", lambda: repacked(PLAIN, **{"xl/vbaProject.bin": b"Attribute VB"})),
    ("many members", 413, "too_many_entries",
     lambda: repacked(PLAIN, **{f"xl/{n}.xml": b"<a/>" for n in range(600)})),
    ("another archive", 422, "not_a_workbook",
     lambda: repacked(PLAIN, **{"[Content_Types].xml": None})),
    ("cut off", 422, "damaged_file", lambda: PLAIN[: len(PLAIN) // 2]),
    ("no workbook part", 422, "damaged_file", lambda: repacked(PLAIN, **{"xl/workbook.xml": None})),
    ("broken XML", 422, "damaged_file", lambda: repacked(PLAIN, **{SHEET: sheet("")[:-20]})),
    ("a picture", 422, "not_a_spreadsheet", lambda: b"\x89PNG\r\n\x1a\n\x00\x00" * 50),
    ("Latin CSV", 422, "not_utf8", lambda: "code;title\nA;caf\xe9\n".encode("latin-1")),
]  # fmt: skip


def test_a_bomb_is_small() -> None:
    assert len(bomb()) < 500_000
    assert len(lying()) < 500_000


@pytest.mark.parametrize(("_name", "status", "code", "made"), HOSTILE, ids=[h[0] for h in HOSTILE])
async def test_a_hostile_file_ends_in_its_reader(
    institution: Institution, _name: str, status: int, code: str, made: Callable[[], bytes]
) -> None:
    file = made()
    start = time.monotonic()
    content = problem(await send(institution, file))
    assert time.monotonic() - start < 15
    assert (content["status"], content["errors"][0]["code"]) == (status, code)
    assert (await institution.get("imports"))["items"] == []


async def test_bodies_that_are_no_file(institution: Institution) -> None:
    content = problem(await send(institution, b"{}", kind="application/json"))
    assert (content["status"], content["code"]) == (415, "unsupported_media_type")
    content = problem(await send(institution, PLAIN, encoding="gzip"))
    assert content["status"] == 415
    content = problem(await send(institution, b"\0" * (10 * 1_048_576 + 1)))
    assert (content["status"], content["code"]) == (413, "too_large")
    for kind in ("application/octet-stream", "application/x-www-form-urlencoded"):
        answer = await send(institution, PLAIN, "check", kind=kind)
        assert answer.status_code == 201


async def test_an_empty_file(institution: Institution) -> None:
    made = (await send(institution, b"", "check")).json()
    assert (made["status"], made["faults"][0]["code"]) == ("refused", "no_headings")


async def test_who_may_change_nothing_starts_no_reader(institution: Institution) -> None:
    content = problem(await send(institution, bomb(), client=institution.reporter))
    assert (content["status"], content["code"]) == (403, "forbidden")


async def test_another_institution_takes_no_file(institution: Institution) -> None:
    other = Institution(f"{institution.code}-x", institution.operator, institution._transport)  # noqa: SLF001
    await other.create()
    content = problem(await send(other, PLAIN, client=institution.reporter, kind=XLSX))
    assert (content["status"], content["code"]) == (404, "not_found")
    await other.close()
