"""The way to the reader: a process of its own for each file, which ends when its time is over."""

import asyncio
import json
import sys
import zlib
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from app.errors import FieldError, Invalid, QuickwinError

_READER = Path(__file__).with_name("reader.py")
MOST_BYTES = 10 * 1_048_576
"""The largest file."""
LIMITS = {
    "memory_bytes": 768 * 1_048_576,
    "content_bytes": 16 * 1_048_576,  # compressed
    "entries": 500,
    "unpacked_bytes": 96 * 1_048_576,
    "ratio": 200,
    "ratio_from_bytes": 4_096,  # what is smaller may be of one letter
    "rows": 20_000,
    "columns": 100,
    "cells": 500_000,
    "text": 20_000_000,
}
_PATIENCE = 4
"""By how much a reader may wait for its turn: so many seconds for each second that it may work."""
_AT_ONCE = asyncio.Semaphore(2)
"""Readers that one process of the service lets run: the others wait."""
REASONS = {
    "encrypted_or_old_format": "This is an encrypted workbook, or one of the old format (.xls).",
    "macros": "This workbook has macros; save it as .xlsx.",
    "external_entity": "This workbook declares document types or entities.",
    "not_a_workbook": "This is an archive, but not a workbook.",
    "not_a_spreadsheet": "This is neither a workbook (.xlsx) nor CSV.",
    "not_utf8": "This is not UTF-8; save it as 'CSV UTF-8'.",
    "damaged_file": "This file is damaged.",
    "no_sheet": "This workbook has no visible sheet.",
    "too_complex": "This file takes too much time or memory to read.",
}
"""What is told of a file that cannot be read."""
TOO_LARGE = {
    "too_many_entries": "This archive has too many files in it.",
    "unpacks_too_large": "This archive unpacks to more than a plan could be.",
    "too_many_rows": f"At most {LIMITS['rows']:,} rows are read; delete what is far below the plan.",
    "too_many_columns": f"At most {LIMITS['columns']} columns are read.",
    "too_many_cells": f"At most {LIMITS['cells']:,} cells are read.",
    "too_much_text": "There is more text than a plan could have.",
}
"""What is told of a file that is too large."""


class FileTooLarge(QuickwinError):
    """This file, or what it unpacks to, is larger than this service reads; `errors` says in what."""

    status, code, title = 413, "file_too_large", "File too large"


class Sheet(NamedTuple):
    """A sheet that was read, as its reader told it."""

    format: str
    """`xlsx` or `csv`."""
    rows: int
    """Rows that have anything in them."""
    content: bytes
    """All cells, to be opened by `opened`."""


async def read(file: bytes, seconds: int) -> Sheet:
    """Read a file in a process of its own, with so many seconds of work.

    Raises `Invalid` or `FileTooLarge`.
    """
    limits = json.dumps({**LIMITS, "cpu_seconds": seconds}).encode()
    async with _AT_ONCE:
        answer = await _ask(limits + b"\n" + file, _PATIENCE * seconds)
    head, _, content = answer.partition(b"\n")
    try:
        told = json.loads(head)
    except ValueError:  # it was ended: by us, by its own limits, or by a library that gave up
        told = {"refused": "too_complex"}
    if "refused" in told:
        _refuse(told["refused"])
    return Sheet(told["format"], told["rows"], content)


def opened(content: bytes) -> dict[str, Any]:
    """What was read: `sheet`, `rows`, `formulas`, `merged`, `epoch`."""
    found: dict[str, Any] = json.loads(zlib.decompress(content))
    return found


def _refuse(code: str) -> NoReturn:
    if code in TOO_LARGE:
        raise FileTooLarge(errors=(FieldError("", code, TOO_LARGE[code]),))
    raise Invalid.field("", code, REASONS[code])


async def _ask(request: bytes, seconds: float) -> bytes:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-X", "utf8", str(_READER),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL, env={},
    )  # fmt: skip
    try:
        async with asyncio.timeout(seconds):
            answer, _ = await process.communicate(request)
            return answer
    except TimeoutError:
        return b""
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
