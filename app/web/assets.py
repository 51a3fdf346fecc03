"""Our style sheet and scripts, at addresses that change with their content."""

import hashlib
from functools import cache
from pathlib import Path

from starlette.staticfiles import StaticFiles

ADDRESS = "/assets"
_FOLDER = Path(__file__).with_name("static")

files = StaticFiles(directory=_FOLDER)


@cache
def address(name: str) -> str:
    """Where a file is: with its digest, so that browsers may keep it for good."""
    digest = hashlib.sha256((_FOLDER / name).read_bytes()).hexdigest()[:12]
    return f"{ADDRESS}/{name}?v={digest}"
