"""A few synthetic obstacles: on what the demo shows most, and on the secretariat of its province."""

from app.schemas.obstacles import NewObstacle, Severity

_MARK = "Data sintetis."


def obstacles() -> list[NewObstacle]:
    """Return obstacles of the guided initiative, of its unit, and of the whole."""
    return [
        NewObstacle(
            initiative="QW-2022-014",
            title="Server provinsi belum tersedia",
            description=_MARK,
            severity=Severity.HIGH,
            owner="sek-32",
            decision_asked="Bolehkah memakai server pusat sampai pengadaan selesai?",
        ),
        NewObstacle(
            unit="32",
            year=2022,
            title="Operator belum dilatih",
            description=_MARK,
            owner="ops-32",
        ),
        NewObstacle(
            unit="kpu",
            year=2024,
            title="Pedoman pelaporan belum disahkan",
            description=_MARK,
            severity=Severity.CRITICAL,
        ),
    ]
