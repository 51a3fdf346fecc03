"""The reports on a synthetic quick win, in their order of arrival, with what verifiers found."""

# ruff: noqa: PLR2004  the numbers are chances and ratios of an invented world

from datetime import date
from decimal import Decimal
from functools import cache
from operator import itemgetter
from random import Random
from typing import Any, NamedTuple

from app.demo.courses import FULL, LAST_DAY, Stage
from app.demo.kpu import VERIFIERS
from app.schemas.evidence import Evidence
from app.schemas.fields import Verdict
from app.schemas.plans import PlannedReport
from app.schemas.updates import NewUpdate

_NOTES = (
    "Kegiatan terlaksana sesuai rencana.",
    "Draf selesai, menunggu paraf pimpinan.",
    "Kendala: petugas merangkap tugas tahapan. Tindak lanjut: pembagian ulang tugas.",
    "Kendala: jaringan tidak stabil. Tindak lanjut: unggah dijadwalkan malam hari.",
    "Rapat koordinasi telah dilaksanakan, notula terlampir.",
    "Sebagian kecamatan belum menyampaikan data.",
    "Hasil telah diumumkan di laman dan media sosial.",
    "Menunggu konfirmasi dari KPU provinsi.",
)
_CORRECTED = "Koreksi: capaian sebelumnya terlalu tinggi karena bukti dukung belum lengkap."
_DOCUMENTS = {
    "sk": ("Surat keputusan", "decree"),
    "notula": ("Notula rapat", "minutes"),
    "laporan": ("Laporan kegiatan", "report"),
    "foto": ("Dokumentasi foto", "photo"),
    "daftar-hadir": ("Daftar hadir", "attendance"),
    "tangkapan-layar": ("Tangkapan layar aplikasi", "screenshot"),
}
_COUNTS = (1, 2, 3, 3, 3, 4, 4, 5)
_FEW_COUNTS = (1, 1, 1, 1, 1, 2, 2, 4)


class Step(NamedTuple):
    """One report on a milestone, in days of the year."""

    day: int
    level: int
    """Basis points."""
    arrival: int
    note: str | None = None
    overstated: bool = False
    """A later report corrects it downwards."""


class Desk(NamedTuple):
    """Who reports for a unit, and on what documents."""

    secretary: str
    operator: str
    evidence: tuple[Evidence, ...]


def desk(unit: str) -> Desk:
    """Return the desk of a unit; its documents are made once and shared by its reports."""
    documents = tuple(
        Evidence(title=title, url=f"https://kpu.example/bukti/{unit}/{slug}-{n}.pdf", kind=kind)
        for slug, (title, kind) in _DOCUMENTS.items()
        for n in (1, 2)
    )
    return Desk(f"sek-{unit}", f"ops-{unit}", documents)


def reports(
    random: Random,
    at: Desk,
    calendar: tuple[date, ...],
    plan: list[Stage],
    levels: list[tuple[int, int] | None],
    *,
    few: bool,
) -> list[PlannedReport]:
    """Return the reports that lead each milestone to its level, by order of arrival."""
    draw = random.random
    found: list[tuple[int, PlannedReport]] = []
    for number, (stage, level) in enumerate(zip(plan, levels, strict=True), start=1):
        if level is None:
            continue
        for step in _steps(random, stage.begins, *level, few=few):
            reporter = at.operator if draw() < 0.94 else at.secretary
            update = _update(random, at, calendar, step)
            verdict = _verdict(draw(), step)
            verifier = VERIFIERS[int(draw() * 4)] if verdict else None
            findings = _findings(stage, step, verdict) if verdict else ()
            planned = PlannedReport(
                number, update, reporter, verdict, verifier, _VERDICT_NOTES.get(verdict), findings
            )
            found.append((step.arrival, planned))
    found.sort(key=itemgetter(0))
    return [planned for _, planned in found]


def _steps(random: Random, begins: int, last: int, level: int, *, few: bool) -> list[Step]:
    """Lead up to the level on the last day, which is later than every other step's."""
    draw = random.random
    count = (_FEW_COUNTS if few else _COUNTS)[int(draw() * 8)]
    gap = (last - begins) // count
    if count == 1 or gap == 0:
        return [Step(last, level, min(last + int(draw() * 6), LAST_DAY), _note(random))]
    found = []
    for n in range(1, count + 1):
        day = last - gap * (count - n)
        wobble = 100 * int(draw() * 9 - 4) if n < count and level >= 4000 and draw() < 0.7 else 0
        reached = round(level * n / count) + wobble
        found.append(Step(day, reached, day + int(draw() * 6), _note(random)))
    luck = draw()
    if luck < 0.07:
        # Heard of after the last one, though it was so before.
        late = found[-2]
        found[-2] = late._replace(arrival=found[-1].arrival + 1 + int(draw() * 20))
    elif luck < 0.14 and count > 2:
        high, low = found[-2].level, found[-3].level
        found[-3] = found[-3]._replace(level=high, overstated=True)
        late_arrival = max(found[-2].arrival, found[-3].arrival + 1)
        found[-2] = found[-2]._replace(level=low, note=_CORRECTED, arrival=late_arrival)
    return found


def _note(random: Random) -> str | None:
    draw = random.random()
    return _NOTES[int(draw * 12)] if draw < 8 / 12 else None


def _update(random: Random, at: Desk, calendar: tuple[date, ...], step: Step) -> NewUpdate:
    given: dict[str, Any] = {
        "percent_complete": _percent(step.level),
        "effective_on": calendar[step.day],
    }
    if step.note is not None:
        given["note"] = step.note
    draw = random.random()
    if draw < 0.3 or step.level == FULL:
        n = int(random.random() * (len(at.evidence) - 1))
        given["evidence"] = list(at.evidence[n : n + 2] if draw < 0.1 else at.evidence[n : n + 1])
    return NewUpdate(**given)


_VERDICT_NOTES: dict[Verdict | None, str] = {
    Verdict.VERIFIED: "Bukti dukung sesuai",
    Verdict.RETURNED: "Bukti dukung belum lengkap",
}


def _verdict(draw: float, step: Step) -> Verdict | None:
    if step.overstated:
        return Verdict.RETURNED
    if draw < (0.8 if step.level == FULL else 0.55):
        return Verdict.VERIFIED
    return Verdict.RETURNED if draw > 0.95 else None


def _findings(stage: Stage, step: Step, verdict: Verdict) -> tuple[bool, ...]:
    """What was found: as planned, output reached, quality, on time."""
    stands = verdict is Verdict.VERIFIED
    return stands and step.day <= stage.due, stands, not step.overstated, step.day <= stage.due


@cache
def _percent(level: int) -> Decimal:
    return Decimal(level) / 100
