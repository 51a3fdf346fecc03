"""What is wrong with a sheet is told in the language of whoever asks, also later."""

import json
import zlib
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.db import Database
from app.models import Import
from tests.support.institution import Institution, Json
from tests.support.sheets import ROW, XLSX, cells, workbook

ROWS = [
    ROW,
    ROW | {"Unit kerja": "Z"},
    ROW | {"Kode": "QW-3", "Tahun": "x"},
    ROW | {"Kode": "QW-4", "Judul": "x" * 501},
]
TOLD = {
    "id": {
        "repeated_code": "Kode ini juga ada di baris 3.",
        "unknown_unit": "unit itu tidak ada.",
        "not_a_whole_number": "Diperlukan bilangan bulat.",
        "string_too_long": "Teks paling banyak 500 karakter",
    },
    "en": {
        "repeated_code": "This code is in row 3 too.",
        "unknown_unit": "There is no such unit.",
        "not_a_whole_number": "A whole number is needed.",
        "string_too_long": "String should have at most 500 characters",
    },
}


def details(made: Json) -> dict[str, str]:
    """What was told by code, of the first of each."""
    return {at["code"]: at["detail"] for at in reversed(made["faults"])}


async def test_faults_are_told_in_the_readers_language(
    institution: Institution, database: Database
) -> None:
    await institution.unit("A")
    path, file = f"{institution.path}/imports", workbook(ROWS)

    async def sent(language: str) -> Json:
        answer = await institution.operator.post(
            path, params={"mode": "check"}, content=file,
            headers={"Content-Type": XLSX, "Accept-Language": language, "Idempotency-Key": "1"},
        )  # fmt: skip
        assert answer.status_code == 201, answer.text
        assert answer.headers["content-language"] == language
        assert "Accept-Language" in answer.headers["vary"]
        made: Json = answer.json()
        return made

    made = await sent("id")
    assert details(made) == TOLD["id"]
    again = await sent("en")  # a replay, read by somebody else
    assert (again["id"], details(again)) == (made["id"], TOLD["en"])
    for language in ("id", "en"):
        headers = {"Accept-Language": language}
        found = await institution.operator.get(f"{path}/{made['id']}", headers=headers)
        assert details(found.json()) == TOLD[language]
        sheet = await institution.operator.get(
            f"{path}/{made['id']}/annotated.xlsx", headers=headers
        )
        assert sheet.headers["content-language"] == language
        assert TOLD[language]["repeated_code"] in cells(sheet.content)[1][-1]
    asked = f"{path}/{made['id']}/annotated.xlsx?language=en"
    sheet = await institution.operator.get(asked, headers={"Accept-Language": "id"})
    assert TOLD["en"]["repeated_code"] in cells(sheet.content)[1][-1]

    def as_before(session: Session) -> bytes:
        """As a release kept it that knew no messages; answers what it would read."""
        one = Import.id == UUID(made["id"])
        session.execute(update(Import).where(one).values(messages=None))
        found: bytes | None = session.query(Import.outcome).where(one).scalar()
        assert found is not None
        return found

    outcome = json.loads(zlib.decompress(await database.write(as_before)))
    assert outcome["faults"] == again["faults"]
    headers = {"Accept-Language": "id"}
    found = await institution.operator.get(f"{path}/{made['id']}", headers=headers)
    kept = {code: TOLD["en"][code] for code in ("repeated_code", "string_too_long")}  # with values
    assert details(found.json()) == TOLD["id"] | kept | {"unknown_unit": "Unit itu tidak ada."}
