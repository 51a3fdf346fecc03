"""A document of the demo that is sent as a file: one page that says that it is synthetic."""

import hashlib
from io import BytesIO
from uuid import UUID

from anyio import to_thread

from app.db import Database
from app.filing import storage
from app.filing.content import kind_of
from app.filing.storage import FilesUnavailable, Storage
from app.services import files, institutions
from app.services.actors import SYSTEM, Actor
from app.services.files import Received

_NAME = "Berita acara (data sintetis).pdf"
_TEXT = "Berita acara susulan. Data sintetis: ini bukan dokumen resmi."


async def send(database: Database, sender: Actor, institution: str) -> UUID | None:
    """Keep the document as an upload keeps one; None where there is no storage, or it is away."""
    kept: Storage | None = database.session_info.get(storage.KEY)
    if kept is None:
        return None
    file = BytesIO(document())
    digest, size = hashlib.sha256(file.getvalue()).hexdigest(), len(file.getvalue())
    received = Received(_NAME, kind_of(file), size, digest)
    found = await database.read(institutions.get, SYSTEM, institution)
    try:
        await database.write(files.expect, found.id, digest)
        await to_thread.run_sync(kept.put, found.id, digest, file)
        return (await database.write(files.keep, sender, institution, received)).id
    except FilesUnavailable:  # a demo without a file is better than none
        return None


def document() -> bytes:
    """Return a PDF of one page (ISO 32000-1, 7.5), to the byte the same every time."""
    page = f"BT /F1 14 Tf 72 760 Td ({_TEXT}) Tj ET"
    fonts = "<< /Font << /F1 4 0 R >> >>"
    objects = (
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R /Resources {fonts} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        f"<< /Length {len(page)} >>\nstream\n{page}\nendstream",
    )
    text, places = "%PDF-1.4\n", []
    for number, each in enumerate(objects, start=1):
        places.append(len(text))
        text += f"{number} 0 obj\n{each}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    count = len(objects) + 1
    trailer = f"trailer\n<< /Size {count} /Root 1 0 R >>\nstartxref\n{len(text)}\n%%EOF\n"
    return f"{text}xref\n0 {count}\n0000000000 65535 f \n{table}{trailer}".encode("ascii")
