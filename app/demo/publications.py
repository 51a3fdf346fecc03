"""What was told of the tour's quick win: invented, and it says so."""

from datetime import date

from app.schemas.publications import NewPublication

_TOLD = (
    (
        date(2022, 3, 7),
        "Pendataan anggota dan badan ad hoc dimulai",
        "Siaran pers",
        "KPU Provinsi Jawa Barat mulai mendata anggota dan badan ad hoc lewat SIAKBA.",
    ),
    (
        date(2022, 6, 20),
        "Operator di 27 kabupaten dan kota selesai dilatih",
        "Laman KPU Provinsi Jawa Barat",
        "Seluruh operator dapat memakai SIAKBA.",
    ),
    (
        date(2022, 10, 4),
        "SIAKBA: data badan ad hoc kini satu pintu",
        "Konferensi pers, Bandung",
        "Pelamar mengunggah berkas sekali, dan verifikasinya dapat diikuti.",
    ),
)


def publications() -> list[NewPublication]:
    """Return publications of QW-2022-014, the oldest first."""
    return [
        NewPublication(
            title=title,
            said=f"{said} (Data sintetis: ini tidak pernah disiarkan.)",
            published_on=day,
            channel=channel,
        )
        for day, title, channel, said in _TOLD
    ]
