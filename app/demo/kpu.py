"""KPU as the demo shows it: its real tree of units, with invented people."""

import csv
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import NamedTuple

from app.schemas.fields import Language
from app.schemas.grants import NewGrant
from app.schemas.institutions import NewInstitution, Policy
from app.schemas.people import NewPerson
from app.schemas.permissions import Role
from app.schemas.public import PublicPolicy
from app.schemas.units import NewUnit

VERIFIERS = ("apip-1", "apip-2", "apip-3", "apip-4")
"""Codes of the inspectorate's verifiers (APIP)."""
_INSPECTORATE = "itama"
_SECRETARIATS = {"provincial", "regency", "city"}

_GIVEN = """
    Agus Budi Citra Dewi Eko Fitri Gunawan Hendra Indah Joko Kartika Lestari Made Nur Oktavia
    Putri Rahmat Sari Teguh Umi Vina Wahyu Yanti Zainal Andi Bayu Dian Endang Fajar Galih Hesti
    Imam Ketut Mega Nanda Ratna Yusuf
""".split()  # noqa: SIM905  a list of words
_FAMILY = """
    Santoso Wijaya Siregar Nasution Lubis Harahap Simanjuntak Hutapea Saputra Kurniawan Hidayat
    Rahman Pratama Setiawan Wibowo Nugroho Susanto Hartono Permana Ramadhan Firmansyah Maulana
    Hakim Anwar Syahputra Suryadi Utami Wulandari Handayani Puspita Rumbiak Wenda Tabuni Latuconsina
    Pattiasina Mandagi Lumentut Daeng Mappasessu Ginting Sembiring
""".split()  # noqa: SIM905  a list of words


class Place(NamedTuple):
    """A unit of the tree, as the file has it."""

    code: str
    parent: str
    """Empty for the root."""
    name: str
    kind: str
    reference_code: str


@cache
def places() -> tuple[Place, ...]:
    """Return every unit, the root first and each parent before its children."""
    text = resources.files("app.demo").joinpath("kpu_units.csv").read_text("utf-8")
    _, *rows = csv.reader(text.splitlines())
    return tuple(Place(*row) for row in rows)


def institution() -> NewInstitution:
    """Return the demo's institution; creating it creates the root unit."""
    root = places()[0]
    return NewInstitution(
        code=root.code,
        name=root.name,
        time_zone="Asia/Jakarta",
        scheme="rb-2020",
        policy=Policy(public=PublicPolicy(units=True)),
    )


def units() -> list[NewUnit]:
    """Return all units below the root, parents first."""
    return [
        NewUnit(
            code=place.code,
            name=place.name,
            parent=place.parent,
            kind=place.kind,
            reference_code=place.reference_code or None,
        )
        for place in places()
        if place.parent
    ]


def people() -> list[NewPerson]:
    """Return a secretary (`sek-…`) and an operator (`ops-…`) for each unit, and four verifiers.

    Operators have said that they read Indonesian; the others read what their browser prefers.
    """
    names = _names()
    found = []
    for place in places():
        chief = "Sekretaris" if place.kind in _SECRETARIATS else "Pimpinan"
        for role, office in (("sek", f"{chief} {place.name}"), ("ops", f"Operator {place.name}")):
            made = _person(f"{role}-{place.code}", next(names), office, place.code)
            language = {"language": Language.ID} if role == "ops" else {}
            found.append(made.model_copy(update=language))
    office = "Auditor Inspektorat Utama"
    found.extend(_person(code, next(names), office, _INSPECTORATE) for code in VERIFIERS)
    return found


def grants() -> list[NewGrant]:
    """Return the roles: secretaries plan, operators report, auditors verify, KPU's secretary is admin."""
    found = []
    for place in places():
        chief = Role.PLANNER if place.parent else Role.ADMIN
        for prefix, role in (("sek", chief), ("ops", Role.REPORTER)):
            found.append(NewGrant(person=f"{prefix}-{place.code}", role=role, unit=place.code))
    found.extend(NewGrant(person=code, role=Role.VERIFIER) for code in VERIFIERS)
    return found


def _person(code: str, name: str, position: str, unit: str) -> NewPerson:
    return NewPerson(
        code=code, name=name, email=f"{code}@kpu.example", position=position, unit=unit
    )


def _names() -> Iterator[str]:
    """Yield names that do not repeat: 37 and 41 are coprime, so there are 1,517 pairs."""
    for i in range(len(_GIVEN) * len(_FAMILY)):
        family = _FAMILY[(7 * i + i // len(_GIVEN)) % len(_FAMILY)]
        yield f"{_GIVEN[i % len(_GIVEN)]} {family}"
